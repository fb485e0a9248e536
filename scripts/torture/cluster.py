"""Workers and schedulers of Dask that die in the middle of a batch: its maps are right, and none is made twice."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from scripts.torture.child import Child
from scripts.torture.kills import VICTIMS, Expected, Victim, differences, undisturbed
from scripts.torture.world import World

_GIVE_UP_S = 120
_POLL_S = 0.02
_SLOW_S = 0.03  # each read of a raster, longer: time enough to strike between two maps


def all_losses(world: World, folder: Path) -> dict[str, Callable[[], list[str]]]:
    """Every loss by name; each, called, says what was wrong (nothing, if all is well)."""
    batch = Batch(VICTIMS["batch"](world), folder / "job")
    return {
        "batch: one of two workers dies": lambda: worker_dies(batch),
        "batch: the scheduler dies, a new one is started": lambda: scheduler_dies(batch, batch_too=False),
        "batch: it and the scheduler die, both start again": lambda: scheduler_dies(batch, batch_too=True),
    }


class Batch:
    """The batch, where it writes to, and what an undisturbed one leaves there.

    Args:
        victim: the command.
        job: the folder.
    """

    def __init__(self, victim: Victim, job: Path) -> None:
        self.victim, self.job = victim, job

    @cached_property
    def expected(self) -> Expected:
        """An undisturbed run, done once."""
        return undisturbed(self.victim, self.job)

    def started(self, cluster: Cluster) -> Child:
        """The command on a cluster."""
        return cluster.start([*self.victim.call(self.job), "--scheduler", cluster.address])


def worker_dies(batch: Batch) -> list[str]:
    """The other worker does what is left."""
    with _fresh(batch) as cluster:
        cluster.start_scheduler()
        workers = [cluster.start_worker(), cluster.start_worker()]
        process = batch.started(cluster)
        made = _maps_after_the_first(batch.job, process)
        workers[0].kill()
        return _wrong(batch, process, made)


def scheduler_dies(batch: Batch, batch_too: bool) -> list[str]:
    """A new scheduler knows nothing of the batch, and gets only what is missing; so does a new batch."""
    with _fresh(batch) as cluster:
        scheduler = cluster.start_scheduler()
        cluster.start_worker()
        process = batch.started(cluster)
        made = _maps_after_the_first(batch.job, process)
        scheduler.kill()
        if batch_too:
            process.kill()
        cluster.start_scheduler()
        cluster.start_worker()
        return _wrong(batch, batch.started(cluster) if batch_too else process, made)


def _fresh(batch: Batch) -> Cluster:
    """A cluster for a batch of which nothing is done."""
    assert batch.expected
    shutil.rmtree(batch.job)
    return Cluster(batch.job.with_name("spilled"))


class Cluster:
    """Scheduler and workers on the loopback address, in processes of their own; all end with it.

    Args:
        folder: for what workers spill.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address, self._port = f"tcp://127.0.0.1:{port}", str(port)
        self._folder = folder
        self._processes = ExitStack()

    def start(self, call: list[str], slow_s: float = 0.0) -> Child:
        """A process that ends with the cluster."""
        return self._processes.enter_context(Child(call, slow_s=slow_s))

    def start_scheduler(self) -> Child:
        """A scheduler at the address, which knows of nothing."""
        here = ["--host", "127.0.0.1", "--port", self._port, "--no-dashboard"]
        return self.start(["distributed.cli.dask_scheduler", *here])

    def start_worker(self) -> Child:
        """A worker of whatever scheduler is at the address, slow enough to be hit at work."""
        here = ["--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        options = [*here, "--local-directory", str(self._folder)]
        return self.start(["distributed.cli.dask_worker", self.address, *options], _SLOW_S)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *error: object) -> None:
        self._processes.close()


def _maps_after_the_first(job: Path, process: Child) -> dict[Path, int]:
    """Wait for the first map; those that are there, with the times they were written at."""
    deadline = time.monotonic() + _GIVE_UP_S
    while not (maps := list(job.glob("maps/*/*.tif"))):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"no map: {process.said()[-2000:]}")
        time.sleep(_POLL_S)
    return {path: path.stat().st_mtime_ns for path in maps}


def _wrong(batch: Batch, process: Child, made: dict[Path, int]) -> list[str]:
    """What is wrong at the end of the batch."""
    deadline = time.monotonic() + _GIVE_UP_S
    while (code := process.poll()) is None and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    if code:
        return [f"exit {code}: {process.said()[-1000:]}"]
    if code is None:
        return [f"not done after {_GIVE_UP_S} s: {process.said()[-1000:]}"]
    again = [path.name for path, time_ns in made.items() if path.stat().st_mtime_ns != time_ns]
    return differences(batch.expected.contents, batch.victim.contents(batch.job)) + [
        f"{name} was made twice" for name in again
    ]
