"""The suite `robustness`: modality-mix learning on and off for every fusion, and one sensor disturbed at test time.

A disturbed sensor is still there, and lies: noise as strong as the sensor's own spread, a shift of a few pixels, or
values of quite another place. The second paper claims gains for any fusion, and more robust networks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from engine.assessment.confusion import Confusion
from engine.benchmarks.grid import budget
from engine.benchmarks.methods import MIXING, Methods
from engine.benchmarks.runs import Scores
from engine.benchmarks.suites import Bench
from engine.benchmarks.trial import Trial, trials
from engine.training.validate import ReadWindows, ask, from_scene, join

FUSIONS: Methods = {
    "sum and gated (default)": (),
    **{name: (f'model.fusion="{name}"',) for name in ("concat", "sum", "gated", "attention")},
}
WITH_MM = " + MM"
NOISE, SHIFT_PX = 1.0, 3  # deviations of a band; pixels right and down
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
            common = (*budget(case, seed, "tokens"), *bench.overrides)
            todo = bench.undone(case.name, seed, {method: (*common, *keys) for method, keys in methods.items()})
            for trial, run in trials(bench, case, seed, case.name, common, todo):
                bench.store(replace(run, under=disturbed_scores(trial, seed)))


def disturbed_scores(trial: Trial, seed: int) -> Scores:
    """Scores at the test pixels that have all sensors, one of them disturbed; by sensor and disturbance."""
    found: Scores = {}
    for number, name in enumerate(trial.data.names):
        for disturbance in DISTURBANCES:
            scores = _scores(trial, number, disturbance, seed)
            if scores["n"]:
                found[f"{name} {disturbance}"] = scores
    return found


def disturbed(read: ReadWindows, sensor: int, disturbance: str, shape: tuple[int, int], seed: int) -> ReadWindows:
    """Windows in which one sensor lies; what is valid stays valid.

    Args:
        read: gives windows as they are.
        sensor: its number.
        disturbance: one of `DISTURBANCES`.
        shape: rows and columns of the scene.
        seed: of the noise.
    """
    rng = np.random.default_rng([seed, sensor, 13])

    def changed(rows: np.ndarray, cols: np.ndarray, side: int) -> tuple[list[np.ndarray], np.ndarray]:
        values, valid = read(rows, cols, side)
        if disturbance == "noised":
            other = values[sensor] + NOISE * rng.standard_normal(values[sensor].shape).astype(np.float32)
        else:
            down, right = (SHIFT_PX, SHIFT_PX) if disturbance == "shifted" else _far(rows, cols, shape)
            other = read(rows + down, cols + right, side)[0][sensor]
        values[sensor] = np.where(valid[:, sensor, None], other, np.float32(0))
        return values, valid

    return changed


def _far(rows: np.ndarray, cols: np.ndarray, shape: tuple[int, int]) -> tuple[int, int]:
    """Half a scene away, to the side where there is a scene; the same for windows that are read together."""
    (height, width), (row, col) = shape, (float(rows.mean()), float(cols.mean()))
    return (height // 2 if row < height / 2 else -(height // 2)), (width // 2 if col < width / 2 else -(width // 2))


def _scores(trial: Trial, sensor: int, disturbance: str, seed: int) -> dict[str, Any]:
    everything = (True,) * len(trial.data.names)
    classes = len(trial.data.legend)
    parts = []
    for scene, split in zip(trial.data.scenes, trial.data.splits, strict=True):
        shape = scene.stack.grid.height, scene.stack.grid.width
        read = disturbed(from_scene(scene, trial.ready.stats), sensor, disturbance, shape, seed)
        rows, cols, reference = (array[split.test] for array in (scene.rows, scene.cols, scene.classes))
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
            )
        )
    answers = join(parts)
    pixels = answers.counted(0)
    calibration = trial.outcome.calibrations["+".join(trial.data.names)]
    predicted = calibration.apply(answers.logits[0, pixels]).argmax(axis=1)
    return Confusion.of(answers.reference[pixels], predicted, classes).summary()
