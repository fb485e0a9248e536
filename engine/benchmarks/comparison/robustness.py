"""The suite `robustness`: modality-mix learning on and off for every fusion, and one sensor disturbed at test time.

A disturbed sensor is still there, and lies: noise as strong as the sensor's own spread, a shift of a few pixels, or
values of quite another place of the scene. The second paper claims gains for any fusion, and more robust networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.assessment.confusion import Confusion
from engine.benchmarks.bench import Bench
from engine.benchmarks.comparison.grid import budget
from engine.benchmarks.comparison.methods import MIXING, Methods
from engine.benchmarks.comparison.trial import Trial, asked, trials
from engine.benchmarks.runs import Scores
from engine.training.validate import ReadWindows, ask, from_scene, join

FUSIONS: Methods = {
    "sum and gated (default)": (),
    **{name: (f'model.fusion="{name}"',) for name in ("concat", "sum", "gated", "attention")},
}
WITH_MM = " + MM"
NOISE, SHIFT_PX = 1.0, 3  # deviations of a band; pixels right and down
_PLACES = 128  # windows looked at for "elsewhere", of which the fuller half is shown
DISTURBANCES = ("noised", "shifted", "elsewhere")


def run_robustness(bench: Bench) -> None:
    """Train every fusion with and without mixing, and test with disturbed sensors; goes on where it was stopped."""
    methods = {
        name + suffix: keys + mixing
        for name, keys in FUSIONS.items()
        for suffix, mixing in (("", ()), (WITH_MM, MIXING))
    }
    for seed in bench.seeds:
        for case in bench.cases:
            common = (*budget(case, seed, "tokens", bench.overrides), *bench.overrides)
            todo = bench.undone(case.name, seed, asked(case, seed, common, methods))
            for trial, run in trials(bench, case, seed, case.name, common, todo):
                bench.store(replace(run, under=disturbed_scores(trial, seed, bench.cancelled)))


def disturbed_scores(trial: Trial, seed: int, cancelled: Callable[[], bool] = lambda: False) -> Scores:
    """Scores at the test pixels that have all sensors, one of them disturbed; by sensor and disturbance.

    Raises:
        Cancelled: `cancelled()` said so.
    """
    found: Scores = {}
    for number, name in enumerate(trial.data.names):
        for disturbance in DISTURBANCES:
            scores = _scores(trial, number, disturbance, seed, cancelled)
            if scores["n"]:
                found[f"{name} {disturbance}"] = scores
    return found


@dataclass(frozen=True)
class Places:
    """Windows of one sensor from all over a scene: upper left corners (D,), values (D, C, K, K), valid (D, K, K)."""

    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray
    valid: np.ndarray


def sampled_places(
    read: ReadWindows, sensor: int, rows: np.ndarray, cols: np.ndarray, side: int, seed: int
) -> Places | None:
    """The fullest windows of a sensor around some labelled pixels; None where it is at none of these.

    Args:
        read: gives windows as they are.
        sensor: its number.
        rows: of labelled pixels (N,).
        cols: their columns (N,).
        side: of the windows.
        seed: of the choice.
    """
    pixels = np.random.default_rng([seed, sensor, 14]).permutation(len(rows))[:_PLACES]
    rows, cols = rows[pixels] - side // 2, cols[pixels] - side // 2
    windows = [read(rows[[at]], cols[[at]], side) for at in range(len(pixels))]  # far apart: never one rectangle
    values = np.concatenate([values[sensor] for values, _ in windows])
    valid = np.concatenate([valid[:, sensor] for _, valid in windows])
    share = valid.mean(axis=(1, 2))
    fullest = np.flatnonzero((share > 0) & (share >= np.median(share)))
    return Places(rows[fullest], cols[fullest], values[fullest], valid[fullest]) if len(fullest) else None


def disturbed(read: ReadWindows, sensor: int, disturbance: str, seed: int, places: Places | None = None) -> ReadWindows:
    """Windows in which one sensor lies; what is valid stays valid.

    Args:
        read: gives windows as they are.
        sensor: its number.
        disturbance: one of `DISTURBANCES`.
        seed: of the noise, and of which other place a window shows.
        places: needed for "elsewhere"; each window shows one of the half that lies farther from it.
    """
    rng = np.random.default_rng([seed, sensor, 13])

    def changed(rows: np.ndarray, cols: np.ndarray, side: int) -> tuple[list[np.ndarray], np.ndarray]:
        values, valid = read(rows, cols, side)
        there = valid[:, sensor]
        if disturbance == "noised":
            other = values[sensor] + NOISE * rng.standard_normal(values[sensor].shape).astype(np.float32)
        elif disturbance == "shifted":
            moved, moved_valid = read(rows + SHIFT_PX, cols + SHIFT_PX, side)
            # Beyond the sensor's edge there is nothing to show: what is known stays.
            other, there = moved[sensor], there & moved_valid[:, sensor]
        else:
            assert places is not None
            far = np.hypot(places.rows - rows[:, None], places.cols - cols[:, None]).argsort(axis=1)
            far = far[:, len(places.rows) // 2 :]
            chosen = far[np.arange(len(rows)), rng.integers(far.shape[1], size=len(rows))]
            other, there = places.values[chosen], there & places.valid[chosen]
        values[sensor] = np.where(there[:, None], other, values[sensor])
        return values, valid

    return changed


def _scores(trial: Trial, sensor: int, disturbance: str, seed: int, cancelled: Callable[[], bool]) -> dict[str, Any]:
    everything = (True,) * len(trial.data.names)
    classes = len(trial.data.legend)
    parts = []
    for scene, split in zip(trial.data.scenes, trial.data.splits, strict=True):
        clean = from_scene(scene, trial.ready.stats)
        rows, cols, reference = (array[split.test] for array in (scene.rows, scene.cols, scene.classes))
        places = None
        if disturbance == "elsewhere":
            places = sampled_places(clean, sensor, scene.rows, scene.cols, trial.fitted.network.window, seed)
        read = (
            clean
            if disturbance == "elsewhere" and places is None
            else disturbed(clean, sensor, disturbance, seed, places)
        )
        parts.append(
            ask(
                trial.fitted.network,
                read,
                rows,
                cols,
                reference,
                [everything],
                classes,
                device=trial.ready.device,
                precision=trial.ready.precision,
                cancelled=cancelled,
            )
        )
    answers = join(parts)
    pixels = answers.counted(0)
    calibration = trial.outcome.calibrations["+".join(trial.data.names)]
    predicted = calibration.apply(answers.logits[0, pixels]).argmax(axis=1)
    return Confusion.of(answers.reference[pixels], predicted, classes).summary()
