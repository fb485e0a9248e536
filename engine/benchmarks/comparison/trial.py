"""One training, measured, without the files that a user wants of it: what benchmarks do by the hundred.

Scenes, split and cached windows follow from scene and seed alone, so the methods of a comparison share them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.benchmarks.bench import Asked, Bench, fingerprint, folder_name, run_on
from engine.benchmarks.comparison.methods import Methods
from engine.benchmarks.runs import Run
from engine.benchmarks.scenes.cases import Case
from engine.config import Config
from engine.device import choose_device, choose_precision, set_threads
from engine.errors import ConfigError
from engine.modality import evaluation_patterns
from engine.model.network import ADDED
from engine.training.assemble import Assembled, assemble
from engine.training.checkpoint import Checkpoints
from engine.training.loop import Fitted, fit
from engine.training.outcome import Examiner, Outcome, examine
from engine.training.prepare import Prepared, prepare, resolve
from engine.training.record import natural_patterns, places
from engine.training.schedule import total_steps


@dataclass(frozen=True)
class Trial:
    """A trained network and what it is worth.

    Attributes:
        data: scenes and split.
        ready: inputs and device.
        fitted: network and history.
        outcome: of the test pixels.
        validation: `oa`, `aa`, `kappa`, `n` on the validation pixels, by pattern; empty where there are none.
        seconds: of training and examination, over all sittings.
    """

    data: Prepared
    ready: Assembled
    fitted: Fitted
    outcome: Outcome
    validation: dict[str, dict[str, Any]]
    seconds: float


def asked(case: Case, seed: int, common: tuple[str, ...], methods: Methods) -> dict[str, Asked]:
    """The job of each method on one scene with one seed; `common` settings are before its own."""
    settings = {method: (*common, *keys) for method, keys in methods.items()}
    return {method: Asked(keys, case.config(seed, keys)) for method, keys in settings.items()}


def trials(
    bench: Bench, case: Case, seed: int, name: str, common: tuple[str, ...], todo: Mapping[str, Asked]
) -> Iterator[tuple[Trial, Run]]:
    """Train and measure some methods on one scene with one seed.

    Args:
        bench: device, precision, threads, and whom to tell.
        case: the scene.
        seed: of split and training.
        name: of the runs' case.
        common: settings that all methods have.
        todo: the methods.
    """
    if not todo:
        return
    with ground(case.config(seed, common), bench.folder(case, seed, name)) as shared:
        for method, job in todo.items():
            check_shared(shared, job.config, method)
        for method, job in todo.items():
            trial = run_trial(bench, shared, job.config, method)
            yield trial, as_run(trial, name, seed, method, job)
            discard_checkpoint(shared, method)  # the caller has stored the run by now


@dataclass(frozen=True)
class Ground:
    """Scenes, split and cached windows that trainings share."""

    data: Prepared
    folder: Path


@contextmanager
def ground(config: Config, folder: Path) -> Iterator[Ground]:
    """Open the scenes of a job; cached windows go to `folder` and are gone at the end."""
    with closing(prepare(config)) as data:
        try:
            yield Ground(data, folder)
        finally:
            shutil.rmtree(folder / "cache", ignore_errors=True)


def run_trial(bench: Bench, on: Ground, config: Config, name: str) -> Trial:
    """Train and examine; goes on from a checkpoint where an earlier call was stopped.

    Args:
        bench: device, precision, threads, and whom to tell.
        on: scenes, split and windows.
        config: the job.
        name: of the training, for its checkpoint's folder.

    Raises:
        ConfigError: see `check_shared`.
    """
    config = resolve(config)
    check_shared(on, config, name)
    start = time.monotonic()
    set_threads(bench.threads)
    device = choose_device(bench.device)
    precision = choose_precision(device, bench.precision)
    data = replace(on.data, config=config)
    ready = assemble(data, on.folder / "cache", device, precision, bench.progress, bench.cancelled)
    patterns = evaluation_patterns(len(data.names), natural_patterns(data, ready.caches))
    examiner = Examiner(
        data.scenes, data.splits, ready.caches, ready.stats, patterns, len(data.legend), device, precision,
        bench.cancelled,
    )  # fmt: skip
    fitted = fit(
        ready, examiner.score, Checkpoints(_checkpoint(on, name), {"config": data.config.model_dump(mode="json")}),
        steps=total_steps(data.config.training, len(ready.batches.classes)), resume=True,
        progress=bench.progress, cancelled=bench.cancelled, started=start,
    )  # fmt: skip
    outcome = examine(fitted.network, examiner, data.names, data.config.training.prior_correction)
    validation = {name: found.summary() for name, found in outcome.validation_confusions.items() if found.n}
    seconds = fitted.earlier_seconds + time.monotonic() - start
    return Trial(data, ready, fitted, outcome, validation, seconds)


def discard_checkpoint(on: Ground, name: str) -> None:
    """Remove what a training would go on from: once its run is stored, and not before."""
    shutil.rmtree(_checkpoint(on, name), ignore_errors=True)


def _checkpoint(on: Ground, name: str) -> Path:
    return on.folder / "checkpoints" / folder_name(name)


def check_shared(on: Ground, config: Config, name: str) -> None:
    """See that a method can be trained on what the others are trained on.

    Raises:
        ConfigError: its job asks for another split or other windows than those that are shared.
    """
    if _shared(resolve(config)) != _shared(on.data.config):
        raise ConfigError(
            f"{name}: the methods of this suite share scenes, split, window (model.window) and whether there are "
            "lessons (training.teaching 0 or more); compare others with the suite compare"
        )


def _shared(config: Config) -> tuple[object, ...]:
    """What `Ground` depends on."""
    training = config.training
    return config.scene, config.split, config.model.window, training.seed, training.teaching > 0


def as_run(trial: Trial, case: str, seed: int, method: str, job: Asked) -> Run:
    """A trial as it is stored, with the job that made it."""
    sizes = {name: parameter.numel() for name, parameter in trial.fitted.network.named_parameters()}
    facts: dict[str, float | str] = {
        "parameters": sum(sizes.values()),
        "method_parameters": sum(size for name, size in sizes.items() if name.startswith(ADDED)),
        "backbone": trial.data.config.model.backbone,
        "steps": trial.fitted.steps,
        "seconds_per_step": trial.fitted.seconds / trial.fitted.steps,
        **run_on(trial.ready.device, trial.ready.precision),
    }
    return Run(
        case,
        seed,
        method,
        trial.outcome.metrics(),
        trial.validation,
        seconds=trial.seconds,
        pixels=fingerprint(*places(trial.data, "test").values()),
        facts=facts | job.facts() | experts_apart(trial.outcome.experts),
    )


def experts_apart(experts: Mapping[str, Any] | None) -> dict[str, float | str]:
    """The fact `experts_apart`: 0 where experts serve all patterns alike, 1 where one has an expert of its own.

    The largest difference between two patterns in the share of an expert, mean over blocks; nothing without routers, or
    where there is only one pattern to tell.
    """
    if experts is None or len(experts["patterns"]) < 2:
        return {}
    shares = np.array([pattern["share"] for pattern in experts["patterns"].values()])  # (patterns, blocks, experts)
    used = shares.sum(axis=2) > 0  # a last block may compute few tokens
    spread = [np.ptp(shares[used[:, block], block], axis=0).max() for block in np.flatnonzero(used.any(axis=0))]
    return {"experts_apart": float(np.mean(spread))}
