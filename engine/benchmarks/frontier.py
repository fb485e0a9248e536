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
    """Two panels, OA and AA over pixels per second (logarithmic), every method with its name."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    for number, (axes, metric) in enumerate(zip(figure.subplots(1, 2), ("OA", "AA"), strict=True)):
        for name, point in points.items():
            first = name == next(iter(points))
            axes.plot(point[0], 100 * point[1 + number], "o", color="#c0392b" if first else "#3b6fb6")
            axes.annotate(
                name, (point[0], 100 * point[1 + number]), xytext=(5, 4), textcoords="offset points", fontsize=8
            )
        axes.set_xscale("log")
        axes.margins(x=0.3, y=0.15)
        axes.set_xlabel("pixels per second")
        axes.set_ylabel(f"{metric}, %, mean over sensor combinations")
        axes.grid(alpha=0.3)
    with replacing(path) as part:
        figure.savefig(part, dpi=120)


def _mean(runs_of_cases: Sequence[Sequence[Run]], metric: str) -> float:
    return float(
        np.mean(
            [np.mean([values[metric] for run in of_case for values in run.test.values()]) for of_case in runs_of_cases]
        )
    )
