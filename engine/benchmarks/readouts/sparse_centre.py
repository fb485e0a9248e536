"""An intermediate mode: the `centre` read-out at every k-th pixel, and in between only where these disagree.

A pixel whose four neighbours on the grid say the same gets their class; any other gets a window of its own. Measured at
the stored test pixels with the trained `centre` models: what such a map would say there, and how many windows it costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from engine.assessment.confusion import Confusion
from engine.benchmarks.bench import Bench, run_on
from engine.benchmarks.runs import SPEED, Run
from engine.benchmarks.scenes.cases import Case
from engine.benchmarks.suites import CENTRE
from engine.bundle import LoadedModel, load_model
from engine.data.scene import Scene, open_scenes
from engine.device import choose_device, choose_precision, set_threads
from engine.errors import ConfigError
from engine.training.calibrate import Calibration
from engine.training.validate import Pattern, ask, from_scene

EVERY_PX = (2, 4)
WINDOWS = "windows_per_pixel"  # name of a fact


def run_sparse(bench: Bench) -> None:
    """Score the sparse mode on every case and seed; `CENTRE` has been trained and timed on all of them.

    Raises:
        ConfigError: a case has several scenes.
        Cancelled: the same call goes on from there.
    """
    set_threads(bench.threads)
    for case in bench.cases:
        for seed in bench.seeds:
            finished = {run.method for run in bench.runs() if (run.case, run.seed) == (case.name, seed)}
            for every in EVERY_PX:
                if method_name(every) not in finished:
                    bench.store(_scored(bench, case, seed, every))
        _tell_speeds(bench, case)


def method_name(every: int) -> str:
    """In tables."""
    return f"{CENTRE}, every {every} px"


def corners(places: np.ndarray, side: int, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (or columns) of the grid before and after each of `places` (N,), which is itself both if it lies on it.

    Args:
        places: numbers from 0 to `side` - 1.
        side: of the raster.
        every: pixels between two of the grid's; beyond its last one, that is both.
    """
    first = places // every * every
    return first, np.where(places > first, np.minimum(first + every, (side - 1) // every * every), first)


def merged(at_corners: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes (N,) of the sparse map, and which pixels (N,) cost a window of their own.

    Args:
        at_corners: what the four neighbours on the grid say (4, N); -1 where nothing is.
        own: what a pixel's own window says (N,).
    """
    refined = (at_corners != at_corners[0]).any(axis=0) | (at_corners[0] < 0)
    return np.where(refined, own, at_corners[0]), refined


def _tell_speeds(bench: Bench, case: Case) -> None:
    """Pixels per second of the sparse runs follow from that of `CENTRE`, and change where it is measured anew."""
    of_case = [run for run in bench.runs() if run.case == case.name]
    rate = float(next(run for run in of_case if run.method == CENTRE and SPEED in run.facts).facts[SPEED])
    for run in of_case:
        if WINDOWS in run.facts and run.facts.get(SPEED) != (speed := rate / float(run.facts[WINDOWS])):
            bench.store(replace(run, facts=run.facts | {SPEED: speed}))


def _scored(bench: Bench, case: Case, seed: int, every: int) -> Run:
    centre = {run.seed: run for run in bench.runs() if (run.case, run.method) == (case.name, CENTRE)}
    folder = bench.folder(case, seed, CENTRE)
    config = case.config(seed, bench.overrides)
    loaded = load_model(folder / "model.safetensors", choose_device(bench.device), config.model.weights)
    if len(config.scene) > 1:
        raise ConfigError(
            f"{case.name}: the sparse mode is measured on jobs of one scene, this has {len(config.scene)}"
        )
    with np.load(folder / "test_predictions.npz", allow_pickle=False) as stored:
        names, predicted = stored["patterns"].tolist(), stored["predicted"]
        row, col, reference = stored["row"], stored["col"], stored["reference"]
    scenes, _ = open_scenes(config)
    with closing(scenes[0].stack) as stack:
        (up, down), (left, right) = (
            corners(places, side, every) for places, side in ((row, stack.grid.height), (col, stack.grid.width))
        )
        around = np.stack([np.stack([r, c]) for r in (up, down) for c in (left, right)])  # (4, 2, N)
        places, back = np.unique(around.transpose(0, 2, 1).reshape(-1, 2), axis=0, return_inverse=True)
        said = _classes(bench, loaded, scenes[0], places, names)[:, back.reshape(4, -1)]  # (P, 4, N)
    scores, shares = {}, []
    for number, name in enumerate(names):
        classes, refined = merged(said[number], predicted[number])
        known = predicted[number] >= 0
        scores[name] = Confusion.of(reference[known], classes[known], len(loaded.info.legend)).summary()
        shares.append(float(refined[known].mean()) if known.any() else 1.0)
    device = choose_device(bench.device)
    facts = run_on(device, choose_precision(device, bench.precision))
    facts |= {WINDOWS: windows_per_pixel(every, shares[0])}  # with all sensors, as rates are
    return Run(case.name, seed, method_name(every), scores, pixels=centre[seed].pixels, facts=facts)


def windows_per_pixel(every: int, refined: float) -> float:
    """What a map costs: the grid's windows, and those of refined pixels, a share of all (none lies on the grid)."""
    return min(1.0, 1 / every**2 + refined)


def _classes(bench: Bench, loaded: LoadedModel, scene: Scene, places: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Class index (P, N) that the model gives to pixels (N, 2) under each pattern, as a map has it; -1 without."""
    device = choose_device(bench.device)
    patterns: list[Pattern] = [tuple(name in pattern.split("+") for name in loaded.info.names) for pattern in names]
    answers = ask(
        loaded.network, from_scene(scene, loaded.info.stats), places[:, 0], places[:, 1],
        np.zeros(len(places), np.int64), patterns, len(loaded.info.legend),
        device=device, precision=choose_precision(device, bench.precision), cancelled=bench.cancelled,
    )  # fmt: skip
    classes = []
    for number, name in enumerate(names):
        calibration = Calibration.stored(loaded.info.patterns[name], len(loaded.info.legend))
        said = calibration.apply(answers.logits[number]).argmax(axis=1)
        classes.append(np.where(answers.counted(number), said, -1))
    return np.stack(classes)
