"""A job that is ready to run: its layers open, its plan made, its device chosen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from engine.bundle import load_model
from engine.checksum import file_sha256
from engine.device import choose_device, choose_precision, describe_device, set_threads
from engine.mapping.infer import Predictor
from engine.mapping.job import MapJob
from engine.mapping.layers import open_stack
from engine.mapping.plan import Plan, make_plan
from engine.modelfile import read_info


@dataclass(frozen=True, slots=True)
class Setup:
    """What every step of a job needs.

    Attributes:
        job: what was asked for.
        plan: area, layers and how they are cut up.
        predictor: the loaded model given, None where it is still to be loaded.
        device: where it runs.
        precision: float32 or bfloat16.
        model_sha256: checksum of the model file.
    """

    job: MapJob
    plan: Plan
    predictor: Predictor | None
    device: torch.device
    precision: str
    model_sha256: str

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that decides the result; see `MapJob.identity`."""
        aoi = None if self.plan.aoi is None else self.plan.aoi.checksum
        return self.job.identity(self.model_sha256, self.plan.area, aoi, self.precision)

    @property
    def run(self) -> dict[str, str]:
        """What the facts say of the run itself."""
        return {
            "device": describe_device(self.device),
            "precision": self.precision,
            "model_sha256": self.model_sha256,
        }

    def load(self) -> Predictor:
        """The model: the one given, or loaded now."""
        return self.predictor or load_model(self.job.model, self.device, self.job.weights)


@contextmanager
def prepared(job: MapJob, predictor: Predictor | None = None) -> Iterator[Setup]:
    """Check a job, choose its device, open its layers and plan it; the layers are closed on leaving.

    Args:
        job: what to do.
        predictor: a loaded model, on the job's device, instead of the one to be loaded from `job.model`.

    Raises:
        EngineError: the user has to change something.
    """
    info = read_info(job.model) if predictor is None else predictor.info
    job.check(info)
    set_threads(job.threads)
    device = choose_device(job.device)
    precision = choose_precision(device, job.precision)
    with closing(open_stack(info, job.layers, job.reference)) as stack:
        plan = make_plan(job, info, stack, on_gpu=device.type != "cpu")
        facts = job.model.stat()
        sha256 = _model_sha256(job.model, facts.st_size, facts.st_mtime_ns)
        yield Setup(job, plan, predictor, device, precision, sha256)


@lru_cache(maxsize=1)
def _model_sha256(path: Path, size: int, mtime_ns: int) -> str:
    """Checksum of the model file: once for all jobs of a process, as long as the file stays the same."""
    return file_sha256(path)
