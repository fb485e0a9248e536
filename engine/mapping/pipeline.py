"""Two threads beside the model: one reads ahead, one writes behind; both bounded, so memory is, too. And a clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_POLL_S = 0.2  # how often a waiting thread looks whether it should stop


def read_ahead(
    items: Iterable[Item],
    read: Callable[[Item], Result],
    depth: int = 1,
    poll: Callable[[], None] = lambda: None,
) -> Iterator[Result]:
    """Yield `read(item)` in order, reading in another thread while the caller works.

    At most `depth` + 2 results exist at a time: one being read, `depth` waiting, one with the caller.

    Args:
        items: what to read; iterated in the reader thread.
        read: called in the reader thread; its exception is raised here.
        depth: how many results may wait.
        poll: called while waiting; may raise to stop.
    """
    ready: Queue[tuple[Result | None, BaseException | None, bool]] = Queue(depth)
    stop = threading.Event()

    def offer(result: Result | None, error: BaseException | None = None, last: bool = False) -> None:
        while not stop.is_set():
            with suppress(Full):
                ready.put((result, error, last), timeout=_POLL_S)
                return

    def work() -> None:
        try:
            for item in items:
                if stop.is_set():
                    return
                offer(read(item))
            offer(None, last=True)
        except BaseException as error:
            offer(None, error)

    thread = threading.Thread(target=work, name="reader", daemon=True)
    thread.start()
    try:
        while True:
            poll()
            try:
                result, error, last = ready.get(timeout=_POLL_S)
            except Empty:
                continue
            if error is not None:
                raise error
            if last:
                return
            yield result  # type: ignore[misc]  # None only beside an error or at the end
            del result  # or the block just mapped would live on while waiting for the next
    finally:
        stop.set()
        thread.join()


class WriteBehind(Generic[Item]):
    """Calls `write` in another thread, in order. Leaving the context waits until all is written.

    Args:
        write: called in the writer thread; its exception is raised by the next `put`, or on leaving.
        depth: how many items may wait.
    """

    def __init__(self, write: Callable[[Item], None], depth: int = 1) -> None:
        self._write = write
        self._waiting: Queue[Item | None] = Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def put(self, item: Item) -> None:
        """Hand `item` over; waits while too many are waiting already."""
        self._offer(item)
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._offer(None)
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _offer(self, item: Item | None) -> None:
        while self._error is None:
            with suppress(Full):
                self._waiting.put(item, timeout=_POLL_S)
                return

    def _work(self) -> None:
        try:
            while (item := self._waiting.get()) is not None:
                self._write(item)
                del item
        except BaseException as error:
            self._error = error


class Stopwatch:
    """Seconds spent in each stage of a job, `with stopwatch("reading"): ...`; one thread at a time for each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time inside to a stage's."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started
