"""What the grid of methods says: MaMOL beside every method, paired by scene and seed, with 95 % intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.benchmarks.comparison.grid import READINGS
from engine.benchmarks.comparison.grid_scores import (
    CONDITIONS,
    FORESTS,
    MEAN,
    METRICS,
    Scored,
    forests,
    paired,
    scores,
    sensors_by_strength,
)
from engine.benchmarks.comparison.methods import MAMOL
from engine.benchmarks.comparison.protocol import listed, protocol
from engine.benchmarks.document import Part, Picture, Table, Text, write_document
from engine.benchmarks.results import ABOUT_POOLED, difference_text, pooled_interval, require_same_pixels
from engine.benchmarks.runs import Run, write_csv

_READINGS = {
    "tokens": "the transformer alone, with our head, fusion and self-distillation from averaged weights (lessons)",
    "shipped": "the default model, whose pixels also speak for themselves (its branch of per-pixel features)",
}
_ABOUT_FORESTS = (
    f" {FORESTS.capitalize()}: the floor, a random forest for every set of sensors, trained on all training pixels "
    "that have these, without gaps; its features' neighbourhood is chosen on validation pixels."
)
_TITLES = {"methods": "Methods compared", "frozen": "Methods compared beside a frozen backbone"}


def write_grid(runs: Sequence[Run], out: Path, name: str = "methods") -> Path:
    """Write NAME.md, NAME.html, NAME.csv, NAME_scores.csv and pictures; return the path of the first.

    Args:
        runs: of the methods, and floors (runs with a family) of the same scenes and seeds.
        out: where to write.
        name: of the suite.

    Raises:
        ResumeError: runs of a scene and seed were tested on different pixels.
    """
    require_same_pixels(replace(run, case=str(run.facts.get("scene", run.case))) for run in runs)
    write_csv(runs, out, name)
    return write_document(_TITLES[name], grid_parts(runs, name), out, name)


def grid_parts(runs: Sequence[Run], name: str = "methods") -> list[Part]:
    """All tables and pictures; the names of the latter begin with `name`."""
    floors = forests(runs)
    runs = [run for run in runs if not run.family]
    order = {scene: sensors_by_strength(runs, scene) for scene in listed(runs, "scene")}
    parts: list[Part] = [protocol(runs), _readings(runs), _sensors(order)]
    for reading in [reading for reading in READINGS if reading in listed(runs, "reading")]:
        for eta in sorted({int(run.facts["eta"]) for run in runs if run.facts["reading"] == reading}):
            some = [run for run in runs if (run.facts["reading"], run.facts["eta"]) == (reading, eta)]
            scenes = listed(some, "scene")
            scored = scores([*some, *(floor for floor in floors if floor.facts["scene"] in scenes)], order)
            title = f"{reading}, {eta} % of the training samples with a gap"
            picture = f"{name}_{reading}_{eta}"
            parts += [_pooled(scored, title), _by_scene(scored, title)]
            if others := [method for method in _methods(scored) if method not in (MAMOL, FORESTS)]:
                parts.append(_differences(scored, others, title, picture))
    return [*parts, _experts(runs)]


def _pooled(scored: Scored, title: str) -> Table:
    """All scenes together: MaMOL minus every method, under every condition."""
    known = _known_to_all(scored)
    rows = []
    for method in _methods(scored):
        cells = [method, _seeds(scored, method)]
        for metric in METRICS:
            cells.append(_percent(float(np.mean([_mean(known, scene, method, metric) for scene in _scenes(scored)]))))
            cells.append(_ahead(scored, method, MEAN, metric))
        rows.append([*cells, *(_ahead(scored, method, condition, "oa") for condition in CONDITIONS)])
    return Table(
        f"All scenes: {title}",
        f"Mean over the conditions of {len(_scenes(scored))} scenes, which count alike, percent, over the seeds that "
        f"all methods have. Differences are {MAMOL} minus the method, in points, over all seeds that both have (so "
        "they may be of more seeds than the means beside them), with the 95 % interval; bold where it does not hold 0. "
        f"The last three columns are OA, {_where_known(scored)}. No correction for the number of comparisons. "
        + ABOUT_POOLED
        + (_ABOUT_FORESTS if FORESTS in _methods(scored) else ""),
        ["method", "seeds", "OA", f"{MAMOL} ahead by", "AA", f"{MAMOL} ahead by", *CONDITIONS],
        rows,
    )


def _where_known(scored: Scored) -> str:
    """How many scenes have each condition: where test pixels lack a sensor by nature, there is only one."""
    counts = {
        condition: len({scene for (scene, _, _), found in scored.items() if condition in found})
        for condition in CONDITIONS
    }
    return "of " + ", ".join(f"{count} scene{'s' * (count != 1)} ({name})" for name, count in counts.items())


def _ahead(scored: Scored, method: str, condition: str, metric: str) -> str:
    return "" if method == MAMOL else difference_text(paired(scored, MAMOL, method, condition, metric).values())


def _by_scene(scored: Scored, title: str) -> Table:
    """OA / AA of every method on every scene."""
    scenes = _scenes(scored)
    rows = [
        [
            method,
            *(
                " / ".join(_percent(_mean(scored, scene, method, metric)) for metric in METRICS)
                + f" ({_count(scored, scene, method)})"
                for scene in scenes
            ),
        ]
        for method in _methods(scored)
    ]
    return Table(
        f"By scene: {title}", "OA / AA, mean over conditions and seeds (number of seeds).", ["method", *scenes], rows
    )


def _differences(scored: Scored, others: Sequence[str], title: str, name: str) -> Picture:
    """How far MaMOL is ahead of other methods, scene by scene and pooled; floors would set the scale."""

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(METRICS), sharey=True)
        for axes, metric in zip(panels, METRICS, strict=True):
            axes.axvline(0, color="#888888", linewidth=1)
            for row, method in enumerate(others):
                found = paired(scored, MAMOL, method, MEAN, metric)
                for points in found.values():
                    axes.plot(
                        [100 * point for point in points], [row] * len(points), ".", color="#9bb7d9", markersize=4
                    )
                if found:
                    mean, low, high = (100 * value for value in pooled_interval(found.values()))
                    axes.plot([low, high], [row, row], color="#c0392b", linewidth=2)
                    axes.plot(mean, row, "o", color="#c0392b", markersize=5)
            axes.set_yticks(range(len(others)), others)
            axes.set_xlabel(f"{MAMOL} ahead by, points of {metric.upper()}")
            axes.grid(axis="x", alpha=0.3)
        panels[0].invert_yaxis()

    return Picture(f"How far {MAMOL} is ahead: {title}", name, draw, size=(9.0, 1.0 + 0.3 * len(others)))


def _readings(runs: Sequence[Run]) -> Text:
    told = [f"{reading}, {_READINGS[reading]}" for reading in READINGS if reading in listed(runs, "reading")]
    lines = ["; ".join(told) + "."]
    if listed(runs, "backbone") == ["compact"]:
        lines.append(
            "The backbone compact learns as a whole, so beside it a method adds little; what it is worth beside frozen "
            "weights is told by the suite frozen."
        )
    return Text("Readings", lines)


def _sensors(order: Mapping[str, Sequence[str]]) -> Table:
    rows = [[scene, sensors[0], sensors[-1]] for scene, sensors in order.items() if sensors]
    note = (
        "By what a sensor says alone on validation pixels, mean over all runs of this page; another page may order "
        "them otherwise, so that its columns (strongest missing, weakest missing) are not comparable with these. The "
        "mean over conditions counts the patterns that lack one of these two sensors twice: by themselves, and among "
        "all patterns."
    )
    return Table("Sensors", note, ["scene", "strongest", "weakest"], rows)


def _experts(runs: Sequence[Run]) -> Table:
    """How far routers tell patterns apart, by method and scene."""
    told = [run for run in runs if "experts_apart" in run.facts and len(run.test) > 1]
    methods, scenes = list(dict.fromkeys(run.method for run in told)), listed(told, "scene")
    rows = []
    for method in methods:
        found = [
            [float(run.facts["experts_apart"]) for run in told if (run.method, run.facts["scene"]) == (method, scene)]
            for scene in scenes
        ]
        rows.append([method, *(f"{np.mean(values):.2f}" if values else "–" for values in found)])
    return Table(
        "Experts that tell sensors apart",
        "The largest difference between two sets of sensors in the share of tokens that an expert serves, mean over "
        "blocks and runs: 0, all are served alike; 1, one has an expert of its own.",
        ["method", *scenes],
        rows,
    )


def _known_to_all(scored: Scored) -> Scored:
    """The runs of those scenes and seeds in which every method ran; floors come last, so they need not have."""
    methods = len(set(_methods(scored)) - {FORESTS})
    counts = Counter((scene, seed) for scene, seed, method in scored if method != FORESTS)
    return {key: found for key, found in scored.items() if counts[key[:2]] == methods}


def _mean(scored: Scored, scene: str, method: str, metric: str) -> float:
    """Over conditions and seeds; NaN where the method did not run."""
    values = [found[MEAN][metric] for key, found in scored.items() if (key[0], key[2]) == (scene, method)]
    return float(np.mean(values)) if values else float("nan")


def _count(scored: Scored, scene: str, method: str) -> int:
    return sum((place, name) == (scene, method) for place, _, name in scored)


def _seeds(scored: Scored, method: str) -> str:
    """How many seeds a method has: `5`, or `3 to 5` where scenes differ."""
    counts = [_count(scored, scene, method) for scene in _scenes(scored)]
    return str(min(counts)) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def _scenes(scored: Scored) -> list[str]:
    return list(dict.fromkeys(scene for scene, _, _ in scored))


def _methods(scored: Scored) -> list[str]:
    return list(dict.fromkeys(method for _, _, method in scored))
