"""Where tasks are done: behind one small interface, this process or a cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from engine.batch.order import Order, Task
from engine.batch.work import Outcome, perform


class Pool(Protocol):
    """Takes tasks and gives outcomes, in any order."""

    def capacity(self) -> int:
        """How many tasks to have here at a time: enough that no worker waits for the next."""
        ...

    def submit(self, task: Task) -> None:
        """Take a task."""
        ...

    def finished(self) -> list[tuple[Task, Outcome]]:
        """What has been done since the last call; waits a moment where nothing has."""
        ...

    def stop(self) -> None:
        """Let all tasks end at the next safe point; their outcomes still come."""
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...


class InProcess:
    """This process does one task after the other, when it is asked for outcomes.

    Args:
        order: how to map.
        batch: name of the batch.
        cancelled: asked before every batch of windows.
    """

    def __init__(self, order: Order, batch: str, cancelled: Callable[[], bool]) -> None:
        self.order, self.batch, self.cancelled = order, batch, cancelled
        self._waiting: deque[Task] = deque()

    def capacity(self) -> int:
        """One: the next is taken when this one is done."""
        return 1

    def submit(self, task: Task) -> None:
        """Take a task."""
        self._waiting.append(task)

    def finished(self) -> list[tuple[Task, Outcome]]:
        """Do a task."""
        task = self._waiting.popleft()
        return [(task, perform(task, self.order, self.batch, self.cancelled))]

    def stop(self) -> None:
        """Nothing to do: `cancelled` has said so already."""

    def close(self) -> None:
        """Nothing to let go."""
