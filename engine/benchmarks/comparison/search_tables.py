"""What the search says: settings beside the first of them, by validation pixels alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.benchmarks.comparison.movement import MOVED
from engine.benchmarks.comparison.protocol import protocol
from engine.benchmarks.document import Part, Table, write_document
from engine.benchmarks.results import ABOUT_POOLED, difference_text, require_same_pixels
from engine.benchmarks.runs import Run, mean_score, write_csv

_METRICS = ("oa", "aa")
_SIDES = ("validation", "test")


def write_search(runs: Sequence[Run], out: Path) -> Path:
    """Write search.md, search.html, search.csv and search_scores.csv; return the path of the first.

    Raises:
        ResumeError: runs of a scene and seed were tested on different pixels.
    """
    require_same_pixels(runs)
    write_csv(runs, out, "search")
    parts: list[Part] = [protocol(runs), search_table(runs)]
    if any(MOVED in run.facts for run in runs):
        parts.append(movement_table(runs))
    return write_document("Settings of MaMOL", parts, out, "search")


def movement_table(runs: Sequence[Run]) -> Table:
    """How far each setting moves frozen features; the farthest first."""
    moved: dict[str, list[float]] = {}
    for run in runs:
        if MOVED in run.facts:
            moved.setdefault(run.method, []).append(float(run.facts[MOVED]))
    means = sorted(((float(np.mean(found)), name) for name, found in moved.items()), reverse=True)
    return Table(
        "How far the features move",
        "Change of the encoder's output by what a method adds to frozen blocks, root mean square over the tokens of "
        "256 windows around validation pixels, in spreads of the frozen output; mean over runs, smallest and largest.",
        ["setting", "runs", "moves features by", "from", "to"],
        [
            [name, str(len(moved[name])), *(f"{value:.2f}" for value in (mean, min(moved[name]), max(moved[name])))]
            for mean, name in means
        ],
    )


def search_table(runs: Sequence[Run]) -> Table:
    """Every setting beside the first, paired by scene and seed; scenes count alike."""
    found = {(str(run.facts["scene"]), run.seed, run.method): run for run in runs}
    scenes = list(dict.fromkeys(scene for scene, _, _ in found))
    methods = list(dict.fromkeys(run.method for run in runs))
    rows = []
    for method in methods:
        both: dict[str, list[tuple[Run, Run]]] = {}
        for (scene, seed, name), run in found.items():
            if name == method and (scene, seed, methods[0]) in found:
                both.setdefault(scene, []).append((run, found[scene, seed, methods[0]]))
        cells = [method, str(sum(map(len, both.values())))]
        for side in _SIDES:
            for metric in _METRICS:
                means = [np.mean([_score(run, side, metric) for run, _ in pairs]) for pairs in both.values()]
                changes = [
                    [_score(run, side, metric) - _score(first, side, metric) for run, first in pairs]
                    for pairs in both.values()
                ]
                text = f"{100 * np.mean(means):.1f}" if means else "–"
                cells.append(text if method == methods[0] else f"{text} {difference_text(changes)}")
        rows.append(cells)
    return Table(
        "One setting changed at a time",
        f"Percent, mean over all patterns and {len(scenes)} scenes ({', '.join(scenes)}), and the difference from the "
        "first row in points with its 95 % interval; bold where it does not hold 0. Settings are chosen by "
        "validation pixels; what test pixels say stands beside them, to see whether the choice held. " + ABOUT_POOLED,
        ["setting", "runs", *(f"{side} {metric.upper()}" for side in _SIDES for metric in _METRICS)],
        rows,
    )


def _score(run: Run, side: str, metric: str) -> float:
    return mean_score(run.validation if side == "validation" else run.test, metric)
