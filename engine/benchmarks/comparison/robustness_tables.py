"""What the suite `robustness` says: what mixing adds to every fusion, also where a sensor lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.benchmarks.comparison.protocol import protocol
from engine.benchmarks.comparison.robustness import DISTURBANCES, FUSIONS, SHIFT_PX, WITH_MM
from engine.benchmarks.document import Part, Picture, Table, write_document
from engine.benchmarks.results import ABOUT_POOLED, difference_text, pooled_interval, require_same_pixels
from engine.benchmarks.runs import Run, Scores, write_csv

ALL_PATTERNS = "all patterns"
LOOKS = (ALL_PATTERNS, *DISTURBANCES)


def looked_at(run: Run, look: str) -> Scores:
    """The scores of a run that a column averages."""
    if look == ALL_PATTERNS:
        return run.test
    return {name: scores for name, scores in run.under.items() if name.endswith(look)}


def write_robustness(runs: Sequence[Run], out: Path) -> Path:
    """Write robustness.md, .html, .csv, robustness_scores.csv and the picture; return the path of the first.

    Raises:
        ResumeError: runs of a case and seed were tested on different pixels.
    """
    require_same_pixels(runs)
    write_csv(runs, out, "robustness")
    parts: list[Part] = [
        protocol(runs),
        *(_table(runs, metric) for metric in ("oa", "aa")),
        _costs(runs),
        _picture(runs),
    ]
    return write_document("Fusions, modality-mix learning, disturbed sensors", parts, out, "robustness")


def paired(runs: Sequence[Run], fusion: str, look: str, metric: str) -> dict[str, list[tuple[float, float]]]:
    """Scores without and with mixing by case, one pair for each seed in which both ran; no case without any."""
    value = {
        (run.case, run.seed, run.method): float(np.mean([scores[metric] for scores in found.values()]))
        for run in runs
        if (found := looked_at(run, look))
    }
    pairs: dict[str, list[tuple[float, float]]] = {}
    for (case, seed, method), without in value.items():
        if method == fusion and (case, seed, fusion + WITH_MM) in value:
            pairs.setdefault(case, []).append((without, value[case, seed, fusion + WITH_MM]))
    return pairs


def costs(runs: Sequence[Run], case: str, sensor: str, fusion: str, disturbance: str) -> list[float]:
    """What a disturbed sensor costs without mixing: OA with all sensors as they are, less that; one for each seed."""
    found = []
    for run in runs:
        scores = run.under.get(f"{sensor} {disturbance}")
        if (run.case, run.method) == (case, fusion) and scores:
            complete = max(run.test, key=lambda name: name.count("+"))
            found.append(run.test[complete]["oa"] - scores["oa"])
    return found


def _gains(pairs: Mapping[str, Sequence[tuple[float, float]]]) -> list[list[float]]:
    return [[mixed - without for without, mixed in found] for found in pairs.values()]


def _table(runs: Sequence[Run], metric: str) -> Table:
    cases = ", ".join(dict.fromkeys(run.case for run in runs))
    rows = []
    for fusion in FUSIONS:
        looks = [paired(runs, fusion, look, metric) for look in LOOKS]
        cells = [
            f"{100 * np.mean([np.mean([without for without, _ in found]) for found in pairs.values()]):.1f}, "
            f"{difference_text(_gains(pairs))}"
            if pairs
            else "–"
            for pairs in looks
        ]
        rows.append([fusion, *cells, str(sum(map(len, looks[0].values())))])
    return Table(
        f"{metric.upper()} without mixing, and what mixing adds",
        f"{cases}: percent without modality-mix learning, then the difference with it in points and its 95 % interval "
        "over seeds, bold where it does not hold 0; means over cases, which count alike. All patterns: mean over all "
        f"sets of sensors. Noised (by a band's own spread), shifted ({SHIFT_PX} pixels), elsewhere (values of another "
        "place), foreign (of another scene, in the cases that have one with the same sensors): all sensors there, one "
        f"of them disturbed, mean over the sensors. The transformer alone (model.pixels=false). {ABOUT_POOLED}",
        ["fusion", *LOOKS, "pairs"],
        rows,
    )


def _costs(runs: Sequence[Run]) -> Table:
    rows = []
    for case in dict.fromkeys(run.case for run in runs):
        disturbed = [name for run in runs if run.case == case for name in run.under]
        for sensor in dict.fromkeys(name.rsplit(" ", 1)[0] for name in disturbed):
            for fusion in FUSIONS:
                values = [costs(runs, case, sensor, fusion, disturbance) for disturbance in DISTURBANCES]
                if any(values):
                    texts = (difference_text([found] if found else []) for found in values)
                    rows.append([case, sensor, fusion, *texts])
    return Table(
        "What a sensor that lies costs",
        "Points of OA that a disturbed sensor costs, all sensors there, without mixing; 95 % interval over seeds, bold "
        "where it does not hold 0.",
        ["scene", "sensor", "fusion", *DISTURBANCES],
        rows,
    )


def _picture(runs: Sequence[Run]) -> Picture:
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        width = 0.8 / len(FUSIONS)
        for number, fusion in enumerate(FUSIONS):
            for place, look in enumerate(LOOKS):
                if gains := _gains(paired(runs, fusion, look, "oa")):
                    mean, low, high = (100 * value for value in pooled_interval(gains))
                    error = None if np.isnan(low) else [[mean - low], [high - mean]]
                    label = fusion if place == 0 else None
                    axes.bar(place + number * width, mean, width, yerr=error, label=label, color=f"C{number}")
        axes.axhline(0, color="#888888", linewidth=1)
        axes.set_xticks([place + 0.4 - width / 2 for place in range(len(LOOKS))], LOOKS)
        axes.set_ylabel("gain by mixing, points of OA")
        if axes.containers:  # a suite that was stopped may have no pair yet
            figure.legend(loc="outside lower center", ncols=len(FUSIONS), fontsize=8)

    return Picture("What mixing adds", "robustness_mixing", draw)
