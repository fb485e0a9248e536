"""One call of the benchmark: what it runs on, what is stored of it, and where.

A run is stored as soon as it is done, so that a suite goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from engine.benchmarks.runs import JOB, SETTINGS, Run, append_run, mean_score, read_runs, settings_text
from engine.benchmarks.scenes.cases import Case
from engine.config import Config
from engine.device import describe_device
from engine.errors import ResumeError
from engine.progress import Progress
from engine.training.prepare import resolve


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
    return _digest(resolve(config), exclude={"model": {"weights"}})


def ground_digest(config: Config) -> str:
    """The same of what floors take from a job: scenes, split, and how far class frequencies are corrected for."""
    return _digest(resolve(config), include={"scene": True, "split": True, "training": {"prior_correction"}})


def _digest(config: Config, **parts: Any) -> str:
    said = config.model_dump(**parts)
    text = json.dumps(said, sort_keys=True, default=lambda value: value.name if isinstance(value, Path) else str(value))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_on(device: torch.device, precision: str) -> dict[str, float | str]:
    """Facts about where a run was made."""
    return {"device": describe_device(device), "precision": precision, "torch": str(torch.__version__)}


def fingerprint(*arrays: np.ndarray) -> str:
    """Fingerprint of pixel coordinates, to know that methods were tested on the same ones."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array, np.int64).tobytes())
    return digest.hexdigest()[:16]
