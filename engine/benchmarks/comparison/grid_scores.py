"""Accuracy of the grid's runs under each condition, paired by scene and seed; floors as one more method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from engine.benchmarks.floors import SPECIALISTS
from engine.benchmarks.results import chosen_family
from engine.benchmarks.runs import Run

CONDITIONS = ("strongest missing", "weakest missing", "all patterns")
MEAN = "mean of conditions"
METRICS = ("oa", "aa")
FORESTS = "forest specialists"

Scored = dict[tuple[str, int, str], dict[str, dict[str, float]]]  # (scene, seed, method) -> condition -> metric


def sensors_by_strength(runs: Sequence[Run], scene: str) -> list[str]:
    """Sensors of a scene by what they say alone on validation pixels, mean over all runs; the strongest first."""
    alone: dict[str, list[float]] = {}
    for run in runs:
        if run.facts["scene"] == scene:
            for name, values in run.validation.items():
                if "+" not in name:
                    alone.setdefault(name, []).append((values["oa"] + values["aa"]) / 2)
    return sorted(alone, key=lambda name: -float(np.mean(alone[name])))


def scores(runs: Sequence[Run], order: Mapping[str, Sequence[str]]) -> Scored:
    """OA and AA of each run under the conditions that its scene has, and their mean.

    Which sensor is strongest is not known where no pixels validate.
    """
    found: Scored = {}
    for run in runs:
        scene = str(run.facts["scene"])
        sensors = order[scene]
        patterns = {
            CONDITIONS[0]: [_without(run, sensors, sensors[0]) if sensors else None],
            CONDITIONS[1]: [_without(run, sensors, sensors[-1]) if sensors else None],
            # Where a scene's test pixels lack a sensor by nature, "all" would be that one condition again.
            CONDITIONS[2]: list(run.test) if len(run.test) > 1 else [None],
        }
        known = {
            condition: {
                metric: float(np.mean([run.test[name][metric] for name in names if name])) for metric in METRICS
            }
            for condition, names in patterns.items()
            if all(names)
        }
        if known:
            known[MEAN] = {metric: float(np.mean([values[metric] for values in known.values()])) for metric in METRICS}
            found[scene, run.seed, run.method] = known
    return found


def forests(runs: Sequence[Run]) -> list[Run]:
    """The floors of a grid as runs of one more method: of each scene the family that its validation pixels choose."""
    chosen = {scene: chosen_family(runs, scene, SPECIALISTS) for scene in dict.fromkeys(run.case for run in runs)}
    return [
        replace(run, method=FORESTS, family="", facts={"scene": run.case})
        for run in runs
        if run.family and (run.method, run.family) == (SPECIALISTS, chosen[run.case])
    ]


def paired(scored: Scored, one: str, other: str, condition: str, metric: str) -> dict[str, list[float]]:
    """Differences of two methods by scene, one for each seed in which both ran; no scene without any."""
    found: dict[str, list[float]] = {}
    for scene, seed, method in scored:
        first, second = scored.get((scene, seed, one), {}), scored[scene, seed, method]
        if method == other and condition in first and condition in second:
            found.setdefault(scene, []).append(first[condition][metric] - second[condition][metric])
    return found


def _without(run: Run, sensors: Sequence[str], lost: str) -> str | None:
    """Name of the tested pattern of all sensors but one; None where it was not tested."""
    rest = {sensor for sensor in sensors if sensor != lost}
    return next((name for name in run.test if set(name.split("+")) == rest), None)
