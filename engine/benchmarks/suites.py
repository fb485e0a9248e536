"""The suites: floors, real (ours beside them), readouts (dense beside centre), compare (any settings side by side)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import torch

from engine.benchmarks.bench import Asked, Bench, fingerprint, ground_digest
from engine.benchmarks.comparison.methods import Methods
from engine.benchmarks.floors import RUNS_PER_FAMILY, floor_runs
from engine.benchmarks.runs import JOB, SPEED, Run
from engine.benchmarks.scenes.cases import Case
from engine.benchmarks.speed.rates import mapping_speeds
from engine.bundle import read_info
from engine.config import Config, SplitConfig
from engine.device import describe_device, set_threads
from engine.errors import Cancelled, ResumeError
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


def run_floors(bench: Bench, classifiers: Sequence[str] | None = None) -> None:
    """Forests and boosting on every case and seed.

    Raises:
        ResumeError: stored ones were tested on other pixels than those of the job as it is now.
        Cancelled: the same call goes on from there.
    """
    floors = [run for run in bench.runs() if run.family]
    counts = Counter((run.case, run.seed, run.family) for run in floors)
    complete = {key for key, count in counts.items() if count == RUNS_PER_FAMILY}
    set_threads(bench.threads)
    device = describe_device(torch.device("cpu"))
    for case in bench.cases:
        for seed in bench.seeds:
            done = {family for name, number, family in complete if (name, number) == (case.name, seed)}
            config = paired_configs(bench, case, seed, SHIPPED)[OURS]
            job = ground_digest(config)
            with closing(prepare(config)) as data:
                pixels = fingerprint(*places(data, "test").values())
                _refuse_other_floors(bench, floors, case, seed, job, pixels)
                for run in floor_runs(
                    case.name, seed, data.scenes, data.splits, len(data.legend), data.config.training.prior_correction,
                    case.contexts_px, bench.threads, done, classifiers,
                ):  # fmt: skip
                    facts: dict[str, float | str] = {
                        "device": device, "scikit-learn": version("scikit-learn"), JOB: job,
                    }  # fmt: skip
                    bench.store(replace(run, pixels=pixels, facts=facts))
                    if bench.cancelled():
                        raise Cancelled(f"{bench.out}: the same command goes on from here")


def check_floors(bench: Bench) -> None:
    """See, without reading a pixel, that stored floors are of these jobs: before what is trained beside them.

    Raises:
        ResumeError: they are not.
    """
    floors = [run for run in bench.runs() if run.family]
    for case in bench.cases:
        for seed in bench.seeds:
            job = ground_digest(paired_configs(bench, case, seed, SHIPPED)[OURS])
            _refuse_other_floors(bench, floors, case, seed, job)


def _refuse_other_floors(
    bench: Bench, floors: Sequence[Run], case: Case, seed: int, job: str, pixels: str | None = None
) -> None:
    stored = [run for run in floors if (run.case, run.seed) == (case.name, seed)]
    if any(run.facts.get(JOB, job) != job or pixels not in (None, run.pixels) for run in stored):
        raise ResumeError(
            f"{bench.out}: floors of {case.name}, seed {seed}, are of other scenes, other pixels or another prior "
            "correction than those of this job; give it a new --out"
        )


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
