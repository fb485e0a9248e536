"""The suites: floors, real (ours beside them), readouts (dense beside centre), compare (any settings side by side).

A run is stored as soon as it is done, so that a suite goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from engine.benchmarks.cases import Case
from engine.benchmarks.floors import RUNS_PER_FAMILY, floor_runs
from engine.benchmarks.runs import SETTINGS, SPEED, Run, append_run, mean_score, read_runs, settings_text
from engine.benchmarks.speed.rates import mapping_speeds
from engine.bundle import read_info
from engine.config import Config
from engine.device import describe_device, set_threads
from engine.errors import Cancelled, ResumeError
from engine.progress import Progress
from engine.training.prepare import Prepared, prepare, resolve
from engine.training.run import run_training

OURS, CENTRE = "mamol", "mamol centre"
Methods = Mapping[str, tuple[str, ...]]  # by name: what differs from the case's job, as `section.key=value`
SHIPPED: Methods = {OURS: ()}
# Tuned on splits of their own: learning rate, steps, windows in a step, window, lessons, fusion.
READOUTS: Methods = {
    OURS: (),
    CENTRE: (
        'model.readout="centre"', "model.core=1", "training.learning_rate=0.001", "training.steps=600",
        "training.batch_size=32", "training.teaching=0",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """One call of the benchmark.

    Attributes:
        out: folder of everything it writes.
        cases: what it runs on.
        seeds: of splits and trainings.
        overrides: `section.key=value`, for all jobs.
        device: see the common options; so are `precision` and `threads`.
        progress: told what happens.
        cancelled: asked often; True stops, and the same call goes on from there.
    """

    out: Path
    cases: Sequence[Case]
    seeds: Sequence[int]
    overrides: Sequence[str]
    device: str
    precision: str
    threads: int | None
    progress: Progress
    cancelled: Callable[[], bool]

    def runs(self) -> list[Run]:
        """Finished runs, each once."""
        return list({run.key: run for run in read_runs(self._store)}.values())

    def undone(self, case: str, seed: int, methods: Methods) -> dict[str, tuple[str, ...]]:
        """Those of some methods (by name: all settings) that no run is stored of.

        Raises:
            ResumeError: a run is stored that was made with other settings.
        """
        stored = {run.method: run for run in self.runs() if run.key == (case, seed, run.method, "")}
        for method, settings in methods.items():
            now = settings_text(settings)
            if method in stored and (before := stored[method].facts.get(SETTINGS, now)) != now:
                raise ResumeError(
                    f"{self._store}: {method} on {case}, seed {seed}, was run with other settings ({before}) than "
                    f"asked for ({now}); give these a new --out"
                )
        return {method: settings for method, settings in methods.items() if method not in stored}

    def store(self, run: Run) -> None:
        """Keep a finished run, and say so."""
        append_run(self._store, run)
        oa, aa = (mean_score(run.test, metric) for metric in ("oa", "aa"))
        self.progress.log(
            f"{run.case} seed {run.seed}: {run.method} {run.family}: OA {oa:.3f} AA {aa:.3f} over patterns"
        )

    def folder(self, case: Case, seed: int, method: str) -> Path:
        """RUN/ of one training."""
        return self.out / "runs" / case.name / re.sub(r"[^\w.+-]+", "_", method) / str(seed)

    @property
    def _store(self) -> Path:
        return self.out / "runs.jsonl"


def run_floors(bench: Bench) -> None:
    """Forests and boosting on every case and seed."""
    stored = Counter((run.case, run.seed, run.family) for run in bench.runs() if run.family)
    complete = {key for key, count in stored.items() if count == RUNS_PER_FAMILY}
    set_threads(bench.threads)
    device = describe_device(torch.device("cpu"))
    for case in bench.cases:
        for seed in bench.seeds:
            done = {family for name, number, family in complete if (name, number) == (case.name, seed)}
            with _prepared(paired_configs(bench, case, seed, SHIPPED)[OURS]) as data:
                pixels = fingerprint(*test_pixels(data))
                for run in floor_runs(
                    case.name, seed, data.scenes, data.splits, len(data.legend), data.config.training.prior_correction,
                    case.contexts_px, bench.threads, done,
                ):  # fmt: skip
                    facts: dict[str, float | str] = {"device": device, "scikit-learn": version("scikit-learn")}
                    bench.store(replace(run, pixels=pixels, facts=facts))
                    if bench.cancelled():
                        raise Cancelled(f"{bench.out}: the same command goes on from here")


def run_methods(bench: Bench, methods: Methods) -> None:
    """Our training with each method's settings on every case and seed."""
    asked = {method: (*bench.overrides, *difference) for method, difference in methods.items()}
    for case in bench.cases:
        for seed in bench.seeds:
            todo = bench.undone(case.name, seed, asked)
            configs = paired_configs(bench, case, seed, methods) if todo else {}
            for method, settings in todo.items():
                folder = bench.folder(case, seed, method)
                result = run_training(
                    configs[method], folder, resume=folder.exists(),
                    device=bench.device, precision=bench.precision, threads=bench.threads,
                    progress=bench.progress, cancelled=bench.cancelled,
                )  # fmt: skip
                test = {name: scores for name, scores in result.patterns.items() if scores["n"]}
                pixels = fingerprint(*(result.predictions[name] for name in ("scene", "row", "col")))
                facts = _training_facts(result.model, configs[method]) | {SETTINGS: settings_text(settings)}
                bench.store(Run(case.name, seed, method, test, seconds=result.seconds, pixels=pixels, facts=facts))


def _training_facts(model: Path, config: Config) -> dict[str, float | str]:
    """What a model file knows of its training, by the names that facts of a run have."""
    told = read_info(model).training
    names = ("parameters", "method_parameters", "steps", "device", "precision")
    return {"backbone": config.model.backbone, "torch": told["versions"]["torch"]} | {
        name: told[name] for name in names
    }


def run_on(device: torch.device, precision: str) -> dict[str, float | str]:
    """Facts about where a run was made."""
    return {"device": describe_device(device), "precision": precision, "torch": str(torch.__version__)}


def run_speed(bench: Bench, methods: Methods) -> None:
    """Pixels per second of each method on every case, with the first seed's models."""
    for case in bench.cases:
        config = case.config(bench.seeds[0], bench.overrides)
        layers = {name: modality.path for name, modality in config.scene[0].modalities.items()}
        models = {method: bench.folder(case, bench.seeds[0], method) / "model.safetensors" for method in methods}
        weights = {
            method: case.config(bench.seeds[0], (*bench.overrides, *difference)).model.weights
            for method, difference in methods.items()
        }
        speeds = mapping_speeds(models, weights, layers, bench.device, bench.precision, bench.threads)
        for method, speed in speeds.items():
            stored = next(run for run in bench.runs() if run.key == (case.name, bench.seeds[0], method, ""))
            bench.store(replace(stored, facts=stored.facts | {SPEED: speed}))


def paired_configs(bench: Bench, case: Case, seed: int, methods: Methods) -> dict[str, Config]:
    """The job of each method, all with the same split.

    Blocks and buffer follow a model's window where the job leaves them open, so they are fixed here: the buffer by the
    largest window, the blocks by what the first method's job makes of it.
    """
    configs = {
        method: resolve(case.config(seed, (*bench.overrides, *difference))) for method, difference in methods.items()
    }
    first = next(iter(methods))
    split = configs[first].split
    if split.kind != "blocks":
        return configs
    if split.buffer_px is None:
        buffer_px = max(config.model.window or 0 for config in configs.values()) // 2
        split = split.model_copy(update={"buffer_px": buffer_px})
    with _prepared(configs[first].model_copy(update={"split": split})) as data:
        split = split.model_copy(update={"block_px": data.splits[0].block_px})
    return {method: config.model_copy(update={"split": split}) for method, config in configs.items()}


@contextmanager
def _prepared(config: Config) -> Iterator[Prepared]:
    data = prepare(config)
    try:
        yield data
    finally:
        for scene in data.scenes:
            scene.stack.close()


def test_pixels(data: Prepared) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scene number, row and column of the stored test pixels, as training reports them."""
    pairs = list(zip(data.scenes, data.splits, strict=True))
    return (
        np.repeat(np.arange(len(pairs)), [len(split.test) for _, split in pairs]),
        np.concatenate([scene.rows[split.test] for scene, split in pairs]),
        np.concatenate([scene.cols[split.test] for scene, split in pairs]),
    )


def fingerprint(*arrays: np.ndarray) -> str:
    """Fingerprint of pixel coordinates, to know that methods were tested on the same ones."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array, np.int64).tobytes())
    return digest.hexdigest()[:16]
