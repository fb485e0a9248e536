"""Workers of a Dask cluster: one that is started here for this batch, or one that runs already.

What travels is a task and an outcome, a few kilobytes; rasters and maps lie on disks that all machines see under the
same names. How Dask is used: the scheduler holds a few tasks for each worker, gives those of a dead worker to another,
and gives a task up after it has cost several workers their lives.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

import dask
from dask.system import CPU_COUNT
from distributed import Client, Future, KilledWorker, Nanny, Scheduler, SpecCluster
from distributed.diagnostics.plugin import WorkerPlugin

from engine.batch import work
from engine.batch.order import Order, Task
from engine.batch.work import Outcome
from engine.errors import BatchError
from engine.progress import Progress

_AHEAD = 2  # tasks at the scheduler for each worker: one in work, one waiting
_LIVES = 3  # workers that may die over a task before it is given up
_POLL_S, _TELL_S = 0.05, 30.0
_CONNECT_S, _PATIENCE_S = 20.0, 120.0  # for the first contact; for a scheduler that has gone to come back
_SHUTDOWN_S = 10.0


class DaskPool:
    """Does tasks on the workers of a cluster.

    Args:
        order: how to map.
        batch: name of the batch.
        progress: told of trouble.
        address: of a running scheduler.
        workers: how many to start here, if there is no address.
        gpus: how many GPUs they share.

    Raises:
        BatchError: the scheduler cannot be reached.
    """

    def __init__(
        self, order: Order, batch: str, progress: Progress, address: str | None, workers: int = 0, gpus: int = 0
    ) -> None:
        self.order, self.batch, self.progress, self.address = order, batch, progress, address
        self._tasks: dict[Future, Task] = {}
        self._alone_since = time.monotonic()
        self._workers, self._counted = 0, 0.0
        self._number, self._stopping = 0, False
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is told in our words
        self._cluster = None if address else start_workers(workers, gpus, order.threads)
        self._client = self._connect()

    def capacity(self) -> int:
        """A few for each worker."""
        self._count()
        return _AHEAD * max(1, self._workers)

    def submit(self, task: Task) -> None:
        """Hand a task to the scheduler."""
        self._number += 1
        key = f"{task.scene.id}-{self.batch}-{self._number}"
        try:
            future = self._client.submit(work.perform, task, self.order, self.batch, key=key, pure=False)
        except Exception as error:  # the client raises what its connection raises
            self._reconnect(error)
            future = self._client.submit(work.perform, task, self.order, self.batch, key=key, pure=False)
        self._tasks[future] = task

    def finished(self) -> list[tuple[Task, Outcome]]:
        """Outcomes of the tasks that ended since the last call."""
        ended = [future for future in self._tasks if future.done()]
        if not ended:
            time.sleep(_POLL_S)
            self._watch()
        return [(self._tasks.pop(future), _outcome(future)) for future in ended]

    def stop(self) -> None:
        """Tell every worker to stop at the next safe point; those that come later are told in `finished`."""
        self._stopping = True
        with suppress(Exception):  # who cannot be reached cannot be stopped
            self._client.run(work.stop, self.batch, on_error="ignore")

    def close(self) -> None:
        """Let go of the cluster; end it if it was started here."""
        with suppress(Exception):
            self._client.close(timeout=_SHUTDOWN_S)
        if self._cluster is not None:
            with suppress(Exception):
                self._cluster.close(timeout=_SHUTDOWN_S)

    def _connect(self) -> Client:
        try:
            return Client(self._cluster or self.address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise BatchError(
                f"--scheduler {self.address}: no Dask scheduler answers there ({error}); check the address"
            ) from error

    def _reconnect(self, why: Exception) -> None:
        """Wait for a scheduler that has gone to come back; what it knew is lost, tasks are handed over again."""
        if self.address is None:
            raise BatchError(f"the local cluster has ended ({why}); the same command goes on from there") from why
        self.progress.warning(f"the scheduler at {self.address} is gone; waiting for it to come back")
        with suppress(Exception):
            self._client.close(timeout=1)
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._client = self._connect()
                return
            except BatchError:
                if time.monotonic() > deadline:
                    raise BatchError(
                        f"--scheduler {self.address}: gone for {_PATIENCE_S:.0f} s; "
                        "start it, the same command then goes on"
                    ) from why
                time.sleep(1)

    def _watch(self) -> None:
        """Look after the connection and the workers."""
        if self._client.status == "closed":
            self._reconnect(ConnectionError("connection lost"))
        self._count()
        if self._workers:
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > _TELL_S:
            self._alone_since = time.monotonic()
            self.progress.warning(f"no worker at {self.address or 'the local cluster'} yet; waiting for one")

    def _count(self) -> None:
        """Count the workers, once a second at most."""
        if time.monotonic() - self._counted > 1:
            if self._stopping:
                self.stop()
            with suppress(Exception):  # in the middle of a reconnection
                self._workers = len(self._client.scheduler_info(n_workers=-1)["workers"])
            self._counted = time.monotonic()


def _outcome(future: Future) -> Outcome:
    """What became of a task that is at its end."""
    if future.status in ("cancelled", "lost"):
        return Outcome("lost")
    if future.status == "error":
        error = future.exception()
        if isinstance(error, KilledWorker):
            return Outcome(
                "failed",
                error=f"{_LIVES + 1} workers died over it; memory may be short: use fewer workers for a machine",
            )
        return Outcome("failed", error=f"the worker cannot do it ({type(error).__name__}: {error})", again=True)
    try:
        outcome: Outcome = future.result()
    except (OSError, CancelledError):  # it was done, but who could say how has gone meanwhile
        return Outcome("lost")
    return outcome


def start_workers(count: int, gpus: int, threads: int | None) -> SpecCluster:
    """A scheduler in this process and `count` worker processes; they listen on the loopback address only.

    Every worker has its share of the cores and, where there are GPUs, sees one of them.

    Args:
        count: how many workers.
        gpus: how many GPUs; with fewer than workers, several workers share one.
        threads: CPU threads for each worker; default: its share of the cores.
    """
    share = threads or max(1, CPU_COUNT // count)
    # Dask tells the allocator to give every freed page back at once: meant for long-lived workers that hold results, it
    # costs a worker of ours, which allocates blocks over and over, half as much time again.
    dask.config.set({"distributed.scheduler.allowed-failures": _LIVES, "distributed.nanny.pre-spawn-environ": {}})
    # Dask's pages cannot be turned off, only be kept from others.
    local = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    workers = {}
    for index in range(count):
        environment: dict[str, Any] = {f"{pool}_NUM_THREADS": share for pool in ("OMP", "OPENBLAS", "MKL")}
        if gpus:
            environment["CUDA_VISIBLE_DEVICES"] = _visible(index % gpus)
        options = local | {"nthreads": 1, "memory_limit": 0, "env": environment, "silence_logs": logging.CRITICAL}
        options["plugins"] = (_Quiet(),)
        workers[index] = {"cls": Nanny, "options": options}
    scheduler = {"cls": Scheduler, "options": local | {"port": 0}}
    return SpecCluster(scheduler=scheduler, workers=workers, silence_logs=logging.CRITICAL)


def _visible(index: int) -> str:
    """What CUDA_VISIBLE_DEVICES has to be to see the GPU that is number `index` here."""
    seen = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return seen[index] if seen else str(index)


class _Quiet(WorkerPlugin):
    """Lets Ctrl-C reach only the process that started the workers: it stops them at a safe point."""

    name = "quiet"

    def setup(self, worker: Any) -> None:
        """Ignore the signal that a terminal sends to all."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
