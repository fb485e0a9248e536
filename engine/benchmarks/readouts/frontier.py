"""Accuracy and speed of all methods as one picture: what lies up and to the right is better in both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.atomic import replacing
from engine.benchmarks.runs import SPEED, Run


def frontier(runs: Sequence[Run]) -> dict[str, tuple[float, float, float]]:
    """Pixels per second, OA and AA of each method that was run and timed on all cases; means over cases.

    Seeds and patterns are averaged within a case. The rate is the geometric mean.
    """
    cases = {run.case for run in runs}
    points = {}
    for method in dict.fromkeys(run.method for run in runs if SPEED in run.facts):
        mine = [[run for run in runs if (run.case, run.method) == (case, method)] for case in cases]
        speeds = [[float(run.facts[SPEED]) for run in of_case if SPEED in run.facts] for of_case in mine]
        if all(speeds):
            rate = float(np.exp(np.mean([np.log(np.mean(of_case)) for of_case in speeds])))
            points[method] = rate, _mean(mine, "oa"), _mean(mine, "aa")
    return points


def draw_frontier(points: dict[str, tuple[float, float, float]], path: Path) -> None:
    """Two panels, OA and AA over pixels per second (logarithmic); the first method is the star.

    Many lie too close together for names beside the points, so a legend has them, fastest first.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    colours, markers = [colormaps["tab10"](index) for index in range(10)], "os^Dv"
    for axes, metric, at in zip(panels, ("OA", "AA"), (1, 2), strict=True):
        for number, name in enumerate(sorted(points, key=lambda name: -points[name][0])):
            first = name == next(iter(points))
            axes.plot(
                points[name][0], 100 * points[name][at], linestyle="", label=name, zorder=3 if first else 2,
                marker="*" if first else markers[number // 3 % len(markers)], markersize=14 if first else 7,
                color="black" if first else colours[number % len(colours)],
            )  # fmt: skip
        axes.set_xscale("log")
        axes.margins(0.15)
        axes.set_xlabel("pixels per second")
        axes.set_ylabel(f"{metric}, %, mean over sensor combinations")
        axes.grid(alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper", fontsize=9)
    with replacing(path) as part:
        figure.savefig(part, dpi=120)


def _mean(runs_of_cases: Sequence[Sequence[Run]], metric: str) -> float:
    return float(
        np.mean(
            [np.mean([values[metric] for run in of_case for values in run.test.values()]) for of_case in runs_of_cases]
        )
    )
