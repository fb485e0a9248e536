"""What a worker does with one task. Runs in this process or in one of a cluster; nothing here knows which."""

from __future__ import annotations

import shutil
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from engine import __version__
from engine.batch.items import write_map_item
from engine.batch.order import Order, Task
from engine.bundle import LoadedModel, load_model
from engine.checksum import file_sha256
from engine.device import choose_device
from engine.errors import Cancelled, ConfigError, EngineError, ModelFileError, ResumeError
from engine.mapping.job import MapJob
from engine.mapping.published import published_facts
from engine.mapping.shards import Rows, map_or_cut, map_shard, merge_shards
from engine.mapping.store import clear, work_folder
from engine.memory import is_out_of_memory
from engine.progress import Progress, SilentProgress
from engine.trust import keep_gdal_local

# One map at a time in a process, however many threads its worker has: a map uses its share of cores and memory itself.
_ONE_AT_A_TIME = threading.Lock()
_STOPPED: set[str] = set()

State = Literal["done", "cut", "shard", "failed", "cancelled", "lost"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task.

    Attributes:
        state: `done` (there is a map), `cut` (into `strips`), `shard` (one is mapped), `failed`, `cancelled`, or `lost`
            (nobody knows: the cluster went away).
        facts: of the map.
        strips: what a large scene was cut into.
        error: one sentence.
        again: whether it may work when tried again.
        bug: traceback, where the failure is ours.
        seconds: time spent.
        warnings: what the user should know of the scene.
    """

    state: State
    facts: dict[str, Any] = field(default_factory=dict)
    strips: tuple[Rows, ...] = ()
    error: str = ""
    again: bool = False
    bug: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


class _Listener(SilentProgress):
    """Keeps warnings for whoever ordered the work."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, message: str) -> None:
        """Keep the message."""
        self.warnings.append(message)


def stop(batch: str) -> None:
    """Let the tasks of a batch that this process is at end at the next safe point."""
    _STOPPED.add(batch)


def perform(task: Task, order: Order, batch: str, cancelled: Callable[[], bool] | None = None) -> Outcome:
    """Do a task. Never raises: whatever goes wrong is one scene's trouble, and told in the outcome.

    Args:
        task: what to do.
        order: how.
        batch: name of the batch, for `stop`.
        cancelled: asked before every batch of windows, beside `stop`.
    """
    keep_gdal_local()  # a worker of a running cluster was not started by a command of ours
    listener, started = _Listener(), time.monotonic()

    def stopped() -> bool:
        return batch in _STOPPED or (cancelled is not None and cancelled())

    def ended(state: State, **what: Any) -> Outcome:
        return Outcome(state, **what, seconds=time.monotonic() - started, warnings=tuple(listener.warnings))

    try:
        with _ONE_AT_A_TIME:
            result = _perform(task, order, listener, stopped)
    except Cancelled:
        return ended("cancelled")
    except EngineError as error:
        # A raster that cannot be opened or a disk that does not answer may be there a minute later.
        return ended("failed", error=_sentence(error), again=isinstance(error, OSError | ResumeError))
    except OSError as error:
        return ended("failed", error=f"{error.filename or 'a file'}: {error.strerror or error}", again=True)
    except Exception as error:
        if is_out_of_memory(error):
            return ended("failed", error="not enough memory for a single window; use fewer workers")
        return ended("failed", error=f"a bug of ours: {_sentence(error)}", bug=traceback.format_exc())
    if isinstance(result, dict):
        return ended("done", facts=result)
    return ended("cut", strips=tuple(result)) if result else ended("shard")


def _perform(
    task: Task, order: Order, progress: Progress, cancelled: Callable[[], bool]
) -> dict[str, Any] | list[Rows]:
    """Facts of a map, or the strips of one that is to be cut, or nothing after one strip is mapped."""
    if order.version != __version__:
        raise ModelFileError(f"the worker has version {__version__} of the engine, expected {order.version}")
    if task.scene.fault:
        raise ConfigError(task.scene.fault)
    if cancelled():
        raise Cancelled
    job = order.job(task.scene)
    facts = published_facts(job)
    if facts is None:
        device = str(choose_device(order.device))
        model = _loaded(order.model, order.model_sha256, device, order.weights)
        if task.rows is not None:
            map_shard(job, task.rows, progress, cancelled, model)
            return []
        if task.strips:
            facts = merge_shards(job, task.strips, progress, cancelled, model)
        else:
            result = _map(job, order.shard_pixels, progress, cancelled, model)
            if isinstance(result, list):
                return result
            facts = result
    else:
        shutil.rmtree(work_folder(job.out), ignore_errors=True)  # of a process that died right after naming the map
        if task.rows is not None:
            return []
    write_map_item(order, task.scene, facts)
    return facts


def _map(
    job: MapJob, pixels: int, progress: Progress, cancelled: Callable[[], bool], model: LoadedModel
) -> dict[str, Any] | list[Rows]:
    """See `map_or_cut`; work that belongs to another job is thrown away."""
    try:
        return map_or_cut(job, pixels, progress, cancelled, model)
    except ResumeError:
        clear(work_folder(job.out))
        return map_or_cut(job, pixels, progress, cancelled, model)


@lru_cache(maxsize=1)
def _loaded(path: Path, sha256: str, device: str, weights: Path | None) -> LoadedModel:
    """The model, once for each process."""
    found = file_sha256(path)
    if found != sha256:
        raise ModelFileError(f"{path}: not the model of this batch ({found[:12]}, expected {sha256[:12]})")
    return load_model(path, choose_device(device), weights)


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
