"""The suite `robustness`: modality-mix learning on and off for every fusion, and one sensor disturbed at test time.

A disturbed sensor is still there, and lies: noise as strong as the sensor's own spread, a shift of a few pixels, values
of quite another place of the scene, or of another scene. The second paper claims gains for any fusion, and more robust
networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.assessment.confusion import Confusion
from engine.benchmarks.bench import Bench
from engine.benchmarks.comparison.grid import budget
from engine.benchmarks.comparison.methods import MIXING, Methods
from engine.benchmarks.comparison.trial import Trial, asked, trials
from engine.benchmarks.runs import Scores
from engine.data.scene import Scene, open_scenes
from engine.errors import ResumeError
from engine.training.validate import ReadWindows, ask, from_scene, join

FUSIONS: Methods = {
    "sum and gated (default)": (),
    **{name: (f'model.fusion="{name}"',) for name in ("concat", "sum", "gated", "attention")},
}
WITH_MM = " + MM"
NOISE, SHIFT_PX = 1.0, 3  # deviations of a band; pixels right and down
_PLACES = 128  # windows looked at for "elsewhere" and "foreign", of which the fuller half is shown
DISTURBANCES = ("noised", "shifted", "elsewhere", "foreign")
FOREIGN = "foreign"  # fact of a run: the case whose values were shown


def run_robustness(bench: Bench) -> None:
    """Train every fusion with and without mixing, and test with disturbed sensors; goes on where it was stopped."""
    methods = {
        name + suffix: keys + mixing
        for name, keys in FUSIONS.items()
        for suffix, mixing in (("", ()), (WITH_MM, MIXING))
    }
    with _foreigners(bench) as foreign:
        _refuse_other_foreigners(bench, foreign)
        for seed in bench.seeds:
            for case in bench.cases:
                common = (*budget(case, seed, "tokens", bench.overrides), *bench.overrides)
                todo = bench.undone(case.name, seed, asked(case, seed, common, methods))
                name, scene = foreign.get(case.name, ("", None))
                for trial, run in trials(bench, case, seed, case.name, common, todo):
                    under = disturbed_scores(trial, seed, scene, bench.cancelled)
                    bench.store(replace(run, under=under, facts=run.facts | {FOREIGN: name}))


@contextmanager
def _foreigners(bench: Bench) -> Iterator[dict[str, tuple[str, Scene]]]:
    """By case, name and scene of the first other one that has the same sensors, and none of its files."""
    found = {}
    with ExitStack() as opened:
        configs = [case.config(0, bench.overrides) for case in bench.cases]
        scenes = [open_scenes(config)[0] for config in configs]
        for scene in (one for several in scenes for one in several):
            opened.callback(scene.stack.close)
        files = [{layer.path for one in config.scene for layer in one.modalities.values()} for config in configs]
        sensors = [[(sensor.name, sensor.bands) for sensor in several[0].modalities] for several in scenes]
        for one, case in enumerate(bench.cases):
            others = (at for at in range(len(scenes)) if sensors[at] == sensors[one] and not files[at] & files[one])
            if (other := next(others, None)) is not None:
                found[case.name] = bench.cases[other].name, scenes[other][0]
        yield found


def _refuse_other_foreigners(bench: Bench, foreign: Mapping[str, tuple[str, Scene]]) -> None:
    """Columns of one table would be of different disturbances.

    Raises:
        ResumeError: a stored run was shown another scene's values, or none.
    """
    cases = {case.name for case in bench.cases}
    for run in bench.runs():
        before, now = run.facts.get(FOREIGN, ""), foreign.get(run.case, ("",))[0]
        if run.case in cases and before != now:
            raise ResumeError(
                f"{bench.out}: {run.method} on {run.case}, seed {run.seed}, was shown "
                f"{f'values of {before}' if before else 'no other scene'}, and now there is {now or 'none'}; name the "
                "same cases again, or give this a new --out"
            )


def disturbed_scores(
    trial: Trial, seed: int, foreign: Scene | None, cancelled: Callable[[], bool] = lambda: False
) -> Scores:
    """Scores at the test pixels that have all sensors, one of them disturbed; by sensor and disturbance.

    Args:
        trial: whom to ask.
        seed: of the disturbances.
        foreign: another scene with the same sensors; None where there is none, so that "foreign" is left out.
        cancelled: asked often.

    Raises:
        Cancelled: `cancelled()` said so.
    """
    found: Scores = {}
    for number, name in enumerate(trial.data.names):
        for disturbance in DISTURBANCES:
            if disturbance == "foreign" and foreign is None:
                continue
            scores = _scores(trial, number, disturbance, seed, foreign, cancelled)
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
        places: needed for "elsewhere", where each window shows one of the half that lies farther from it, and for
            "foreign", where it shows any of them.
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
            far = disturbance == "elsewhere"
            chosen = _far(places, rows, cols, rng) if far else rng.integers(len(places.rows), size=len(rows))
            other, there = places.values[chosen], there & places.valid[chosen]
        values[sensor] = np.where(there[:, None], other, values[sensor])
        return values, valid

    return changed


def _far(places: Places, rows: np.ndarray, cols: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the half of the places that lies farther from each window (B,)."""
    distance = np.hypot(places.rows - rows[:, None], places.cols - cols[:, None])
    far = distance.argsort(axis=1)[:, len(places.rows) // 2 :]
    return np.asarray(far[np.arange(len(rows)), rng.integers(far.shape[1], size=len(rows))])


def _scores(
    trial: Trial, sensor: int, disturbance: str, seed: int, foreign: Scene | None, cancelled: Callable[[], bool]
) -> dict[str, Any]:
    everything = (True,) * len(trial.data.names)
    classes = len(trial.data.legend)
    parts = []
    for scene, split in zip(trial.data.scenes, trial.data.splits, strict=True):
        read = from_scene(scene, trial.ready.stats)
        rows, cols, reference = (array[split.test] for array in (scene.rows, scene.cols, scene.classes))
        shown = {"elsewhere": scene, "foreign": foreign}.get(disturbance)
        places = None if shown is None else sampled_places(
            from_scene(shown, trial.ready.stats), sensor, shown.rows, shown.cols, trial.fitted.network.window, seed
        )  # fmt: skip
        if shown is None or places is not None:  # a sensor that lies nowhere there stays as it is
            read = disturbed(read, sensor, disturbance, seed, places)
        parts.append(
            ask(
                trial.fitted.network, read, rows, cols, reference, [everything], classes,
                device=trial.ready.device, precision=trial.ready.precision, cancelled=cancelled,
            )
        )  # fmt: skip
    answers = join(parts)
    pixels = answers.counted(0)
    calibration = trial.outcome.calibrations["+".join(trial.data.names)]
    predicted = calibration.apply(answers.logits[0, pixels]).argmax(axis=1)
    return Confusion.of(answers.reference[pixels], predicted, classes).summary()
