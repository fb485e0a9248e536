"""The suites: floors, real (ours beside them), readouts (dense beside centre), compare (any settings side by side).

A run is stored as soon as it is done, so that a suite goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from engine.benchmarks.cases import Case
from engine.benchmarks.floors import RUNS_PER_FAMILY, floor_runs
from engine.benchmarks.methods import Methods
from engine.benchmarks.runs import JOB, SETTINGS, SPEED, Run, append_run, mean_score, read_runs, settings_text
from engine.benchmarks.speed.rates import mapping_speeds
from engine.bundle import read_info
from engine.config import Config, SplitConfig
from engine.device import describe_device, set_threads
from engine.errors import Cancelled, ResumeError
from engine.progress import Progress
from engine.training.prepare import prepare, resolve
from engine.training.record import places
from engine.training.run import run_training

OURS, CENTRE = "mamol", "mamol centre"
SHIPPED: Methods = {OURS: ()}
# Tuned on splits of their own: learning rate, steps, windows in a step, window, lessons, fusion.
READOUTS: Methods = {
    OURS: (),
    CENTRE: (
        'model.readout="centre"', "model.core=1", "training.learning_rate=0.001", "training.steps=600",
        "training.batch_size=32", "training.teaching=0",
    ),
}  # fmt: skip


class Asked(NamedTuple):
    """A training that is asked for: what the command line and the suite set, and the whole job that comes of it."""

    settings: tuple[str, ...]
    config: Config

    def facts(self) -> dict[str, float | str]:
        """What is stored with its run, so that it is known again."""
        return {SETTINGS: settings_text(self.settings), JOB: job_digest(self.config)}


@dataclass(frozen=True)
class Bench:
    """One call of the benchmark.

    Attributes:
        suite: its name; every suite has runs of its own.
        out: folder of everything it writes.
        cases: what it runs on.
        seeds: of splits and trainings.
        overrides: `section.key=value`, for all jobs.
        device: see the common options; so are `precision` and `threads`.
        progress: told what happens.
        cancelled: asked often; True stops, and the same call goes on from there.
    """

    suite: str
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

    def undone(self, case: str, seed: int, methods: Mapping[str, Asked]) -> dict[str, Asked]:
        """Those of some methods that no run is stored of.

        Raises:
            ResumeError: a run is stored that was made with other settings, or of another job.
        """
        stored = {run.method: run for run in self.runs() if run.key == (case, seed, run.method, "")}
        for method in stored.keys() & methods.keys():
            before, now = stored[method].facts, methods[method].facts()
            if before.get(SETTINGS, now[SETTINGS]) != now[SETTINGS]:
                change = f"other settings ({before[SETTINGS]}) than asked for ({now[SETTINGS]})"
            elif before.get(JOB, now[JOB]) != now[JOB]:
                change = "another job: its file, or the defaults of this version, have changed"
            else:
                continue
            raise ResumeError(
                f"{self._store}: {method} on {case}, seed {seed}, was run with {change}; give this a new --out"
            )
        return {method: asked for method, asked in methods.items() if method not in stored}

    def store(self, run: Run) -> None:
        """Keep a finished run, and say so; a pattern that no test pixel has is left out."""
        run = replace(run, test={name: scores for name, scores in run.test.items() if scores["n"]})
        append_run(self._store, run)
        oa, aa = (mean_score(run.test, metric) for metric in ("oa", "aa"))
        self.progress.log(
            f"{run.case} seed {run.seed}: {run.method} {run.family}: OA {oa:.3f} AA {aa:.3f} over patterns"
        )

    def folder(self, case: Case, seed: int, method: str) -> Path:
        """RUN/ of one training."""
        return self.out / "runs" / self.suite / folder_name(case.name) / folder_name(method) / str(seed)

    @property
    def _store(self) -> Path:
        return self.out / f"{self.suite}.jsonl"


def folder_name(name: str) -> str:
    """A folder's name for any name, another one for every other."""
    safe = re.sub(r"[^\w.+-]+", "_", name)
    if safe == name and safe.strip("."):
        return safe
    return f"{safe.strip('.')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def job_digest(config: Config) -> str:
    """Fingerprint of all that a job says, but not of the folders where its files lie, nor of where weights are."""
    said = resolve(config).model_dump(exclude={"model": {"weights"}})
    text = json.dumps(said, sort_keys=True, default=lambda value: value.name if isinstance(value, Path) else str(value))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_floors(bench: Bench, classifiers: Sequence[str] | None = None) -> None:
    """Forests and boosting on every case and seed.

    Raises:
        ResumeError: stored ones were tested on other pixels than those of the job as it is now.
        Cancelled: the same call goes on from there.
    """
    floors = [run for run in bench.runs() if run.family]
    stored = Counter((run.case, run.seed, run.family) for run in floors)
    complete = {key for key, count in stored.items() if count == RUNS_PER_FAMILY}
    set_threads(bench.threads)
    device = describe_device(torch.device("cpu"))
    for case in bench.cases:
        for seed in bench.seeds:
            done = {family for name, number, family in complete if (name, number) == (case.name, seed)}
            with closing(prepare(paired_configs(bench, case, seed, SHIPPED)[OURS])) as data:
                pixels = fingerprint(*places(data, "test").values())
                if any(run.pixels != pixels for run in floors if (run.case, run.seed) == (case.name, seed)):
                    raise ResumeError(
                        f"{bench.out}: floors of {case.name}, seed {seed}, were tested on other pixels than those of "
                        "this job; give it a new --out"
                    )
                for run in floor_runs(
                    case.name, seed, data.scenes, data.splits, len(data.legend), data.config.training.prior_correction,
                    case.contexts_px, bench.threads, done, classifiers,
                ):  # fmt: skip
                    facts: dict[str, float | str] = {"device": device, "scikit-learn": version("scikit-learn")}
                    bench.store(replace(run, pixels=pixels, facts=facts))
                    if bench.cancelled():
                        raise Cancelled(f"{bench.out}: the same command goes on from here")


def run_methods(bench: Bench, methods: Methods) -> None:
    """Our training with each method's settings on every case and seed.

    Raises:
        ConfigError: a method does not fit a case; nothing has been trained then.
        Cancelled: the same call goes on from there.
    """
    jobs = {
        (case.name, seed): paired_configs(bench, case, seed, methods) for case in bench.cases for seed in bench.seeds
    }
    for case in bench.cases:
        for seed in bench.seeds:
            asked = {
                method: Asked((*bench.overrides, *methods[method]), config)
                for method, config in jobs[case.name, seed].items()
            }
            todo = bench.undone(case.name, seed, asked)
            configs = _same_blocks(jobs[case.name, seed]) if todo else {}
            for method in todo:
                folder = bench.folder(case, seed, method)
                result = run_training(
                    configs[method], folder, resume=folder.exists(),
                    device=bench.device, precision=bench.precision, threads=bench.threads,
                    progress=bench.progress, cancelled=bench.cancelled,
                )  # fmt: skip
                pixels = fingerprint(*(result.predictions[name] for name in ("scene", "row", "col")))
                facts = _training_facts(result.model, configs[method]) | todo[method].facts()
                bench.store(
                    Run(case.name, seed, method, result.patterns, seconds=result.seconds, pixels=pixels, facts=facts)
                )


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
    """Pixels per second of each method on every case, with the first seed's models, where one has none yet."""
    for case in bench.cases:
        of_first = [run for run in bench.runs() if (run.case, run.seed) == (case.name, bench.seeds[0])]
        if {run.method for run in of_first if SPEED in run.facts} >= methods.keys():
            continue
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
    """The job of each method, all with the same buffer: where the job leaves it open, by the largest window."""
    configs = {
        method: resolve(case.config(seed, (*bench.overrides, *difference))) for method, difference in methods.items()
    }
    first = next(iter(methods))
    split = configs[first].split
    if split.kind != "blocks" or split.buffer_px is not None:
        return configs
    buffer_px = max(config.model.window or 0 for config in configs.values()) // 2
    return _with_split(configs, split.model_copy(update={"buffer_px": buffer_px}))


def _same_blocks(configs: Mapping[str, Config]) -> Mapping[str, Config]:
    """All with the blocks of the first, which otherwise follow a model's window; `paired_configs` made them."""
    config = next(iter(configs.values()))
    if config.split.kind != "blocks":
        return configs
    with closing(prepare(config)) as data:
        return _with_split(configs, config.split.model_copy(update={"block_px": data.splits[0].block_px}))


def _with_split(configs: Mapping[str, Config], split: SplitConfig) -> dict[str, Config]:
    return {method: config.model_copy(update={"split": split}) for method, config in configs.items()}


def fingerprint(*arrays: np.ndarray) -> str:
    """Fingerprint of pixel coordinates, to know that methods were tested on the same ones."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array, np.int64).tobytes())
    return digest.hexdigest()[:16]
