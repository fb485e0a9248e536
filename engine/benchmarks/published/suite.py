"""Running the paper's tables: resumable, seed by seed, condition by condition, every method on the same pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.atomic import write_text
from engine.benchmarks.bench import Asked, Bench
from engine.benchmarks.comparison.trial import Ground, as_run, discard_checkpoint, ground, run_trial
from engine.benchmarks.published.conditions import COMPLETE, scores_under
from engine.benchmarks.published.layouts import find_layout, job_text
from engine.benchmarks.published.recipe import RECIPE, TABLES, Job, conditions_of, jobs
from engine.benchmarks.published.tables import write_published
from engine.benchmarks.runs import JOB, Run
from engine.benchmarks.scenes.cases import Case
from engine.benchmarks.scenes.simulator.shapes import SHAPES
from engine.benchmarks.scenes.simulator.write import VERSION, write_scene
from engine.errors import ConfigError


def run_published(
    bench: Bench, name: str, protocol: str, wanted: Sequence[str] | None, data: Path | None, difficulty: float
) -> Path:
    """Run the tables of a data set and write them.

    Args:
        bench: seeds, device, and whom to tell.
        name: of the data set.
        protocol: "paper" or "standard".
        wanted: numbers of the paper's tables; None for those that it has of this data set.
        data: folder of the data set's files; None simulates a scene of its shape.
        difficulty: of a simulated scene.

    Returns:
        The path of the tables.

    Raises:
        ConfigError: files are missing, or the data set has no such table.
    """
    tables = tuple(wanted or TABLES[name])
    if impossible := [table for table in tables if table not in _possible(name)]:
        raise ConfigError(f"--tables {impossible[0]}: {name} has {', '.join(_possible(name))}")
    case = _case(bench, name, protocol, data, difficulty)
    try:
        _run_jobs(bench, case, protocol, jobs(name, tables))
    finally:
        if here := [run for run in bench.runs() if run.facts.get("scene") == case.name]:
            page = write_published(here, name, protocol, None if data else difficulty, tables, bench.out)
    return page


def _run_jobs(bench: Bench, case: Case, protocol: str, wanted: Sequence[Job]) -> None:
    settings = [(job, _settings(bench, protocol, job)) for job in wanted]
    for seed in bench.seeds:
        every = [(job, Asked(keys, case.config(seed, keys))) for job, keys in settings]
        todo = [(job, asked) for job, asked in every if bench.undone(_row(case, job), seed, {job.method: asked})]
        if todo:
            with ground(todo[0][1].config, bench.folder(case, seed, protocol)) as shared:
                for job, asked in todo:
                    run = _same_training(bench, seed, asked) or _run(bench, shared, case, seed, job, asked)
                    facts = asked.facts() | {"scene": case.name, "condition": job.condition.name}
                    bench.store(replace(run, case=_row(case, job), method=job.method, facts=run.facts | facts))
                    discard_checkpoint(shared, _training(job))


def _same_training(bench: Bench, seed: int, asked: Asked) -> Run | None:
    """A run of the very same job under another name: MaMOL at its usual place is in three tables."""
    job = asked.facts()[JOB]
    return next((run for run in bench.runs() if run.seed == seed and run.facts.get(JOB) == job), None)


def _run(bench: Bench, shared: Ground, case: Case, seed: int, job: Job, asked: Asked) -> Run:
    trial = run_trial(bench, shared, asked.config, _training(job))
    run = as_run(trial, _row(case, job), seed, job.method, asked)
    conditions = [COMPLETE, *conditions_of(case.name.partition(",")[0])]
    under = scores_under(conditions, trial.data.names, trial.outcome.predictions, len(trial.data.legend), seed)
    return replace(run, under=under)


def _training(job: Job) -> str:
    return f"{job.condition.name} {job.method}"


def _settings(bench: Bench, protocol: str, job: Job) -> tuple[str, ...]:
    return (*RECIPE, f'missing.protocol="{protocol}"', *job.condition.settings(), *bench.overrides, *job.keys)


def _case(bench: Bench, name: str, protocol: str, data: Path | None, difficulty: float) -> Case:
    """The scene as a job in `out`/jobs."""
    called, scene = f"{name}, {protocol}", name
    if data is None:
        simulated = f", simulated with difficulty {difficulty:g}"
        called += simulated
        scene += f"{simulated}, version {VERSION}"  # part of the job: runs of one difficulty are not another's
        data = write_scene(bench.out / "simulated" / f"{name}_{difficulty:g}", SHAPES[name], difficulty, seed=0).parent
    job = bench.out / "jobs" / f"{name}_{protocol}.toml"
    job.parent.mkdir(parents=True, exist_ok=True)
    write_text(job, job_text(name, scene, data.resolve(), find_layout(name, data), protocol))
    return Case(called, job)


def _row(case: Case, job: Job) -> str:
    """Name of a run's case: scene, protocol and condition."""
    return f"{case.name}, {job.condition.name}"


def _possible(name: str) -> tuple[str, ...]:
    return ("3",) if "3" in TABLES[name] else ("1", "4", "5")
