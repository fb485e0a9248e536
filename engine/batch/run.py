"""The story of a batch: what is missing is handed to workers, large scenes are cut and put together again.

    scene --> map it            --> done
          --> cut it --> strips --> put them together --> done

One bad scene never stops the rest. Whatever stops the batch, the manifest and the maps tell the next run what is
missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.batch.manifest import DONE, FAILED, Manifest, Row
from engine.batch.order import Order, Task
from engine.batch.pool import Pool
from engine.batch.scene import Scene
from engine.batch.work import Outcome
from engine.errors import Cancelled, ConfigError
from engine.progress import Progress

_LOST_AT_MOST = 5  # times that a cluster may go away under one task


class Batch:
    """Maps the scenes that are missing.

    Args:
        scenes: all scenes.
        order: how to map them.
        manifest: what earlier runs say.
        progress: told what happens.
        retries: how many times a task is tried again that failed in a way that may pass.

    Raises:
        ConfigError: a map was made otherwise, and is not to be replaced.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        order: Order,
        manifest: Manifest,
        progress: Progress,
        retries: int = 2,
    ) -> None:
        self.scenes, self.order, self.manifest = scenes, order, manifest
        self.progress, self.retries = progress, retries
        self.waiting = deque(Task(scene) for scene in _missing(scenes, order, manifest))
        self.running = 0
        self.bugs: list[str] = []
        self._strips: dict[str, int] = {}  # by scene: how many are still to be mapped
        self._seconds: dict[str, float] = {}
        self._share: dict[str, float] = {}  # of a scene that is mapped, where it is cut
        self._ended = len(scenes) - len(self.waiting)
        if self._ended:
            progress.log(f"{self._ended:,} of {len(scenes):,} scenes are there already")

    def run(self, pool: Pool, cancelled: Callable[[], bool]) -> None:
        """Map what is missing, until all is done or failed.

        Args:
            pool: who does it.
            cancelled: asked between tasks.

        Raises:
            Cancelled: `cancelled` said so.
            EngineError: nothing can go on, for instance because the disk is full.
        """
        self.manifest.save()
        try:
            self._tell()
            while self.waiting or self.running:
                if cancelled():
                    self._drain(pool)
                    raise Cancelled(
                        f"stopped with {self._ended:,} of {len(self.scenes):,} scenes finished; "
                        "the same command goes on from there"
                    )
                self._submit(pool)
                self._settle_finished(pool)
        finally:
            self.manifest.save()

    def _submit(self, pool: Pool) -> None:
        """Keep the workers busy, but do not burden a scheduler with all that is waiting."""
        while self.waiting and self.running < pool.capacity():
            task = self.waiting.popleft()
            if self.manifest.row(task.scene.id).state != FAILED:  # another of its strips may have
                pool.submit(task)
                self.running += 1

    def _drain(self, pool: Pool) -> None:
        """Let running tasks end, and keep what they have done."""
        self.waiting.clear()
        pool.stop()
        while self.running:
            self._settle_finished(pool)
        self.waiting.clear()

    def _settle_finished(self, pool: Pool) -> None:
        outcomes = pool.finished() if self.running else []
        for task, outcome in outcomes:
            self.running -= 1
            self._settle(task, outcome)
        if outcomes:
            self._tell()
            self.manifest.save(now=False)

    def _settle(self, task: Task, outcome: Outcome) -> None:
        """Note what became of a task, and what is to be done next."""
        scene, row = task.scene, self.manifest.row(task.scene.id)
        self._seconds[scene.id] = seconds = self._seconds.get(scene.id, 0.0) + outcome.seconds
        for warning in outcome.warnings:
            self.progress.warning(f"{scene.id}: {warning}")
        if outcome.state == "done":
            row.done(outcome.facts, seconds)
            self._end(scene)
        elif outcome.state == "cut":
            self._strips[scene.id] = len(outcome.strips)
            # Before other scenes, so that few maps are under way at a time.
            tasks = [replace(task, rows=rows, strips=outcome.strips, attempt=0) for rows in outcome.strips]
            self.waiting.extendleft(reversed(tasks))
        elif outcome.state == "shard" and row.state != FAILED:
            self._strips[scene.id] -= 1
            self._share[scene.id] = 1 - self._strips[scene.id] / len(task.strips)
            if not self._strips[scene.id]:
                self.waiting.appendleft(replace(task, rows=None, attempt=0))
        elif outcome.state == "lost":
            self._lose(task, seconds)
        elif outcome.state == "failed":
            self._fail(task, outcome, seconds)

    def _fail(self, task: Task, outcome: Outcome, seconds: float) -> None:
        """Try again, after the others, or give the scene up."""
        scene, row = task.scene, self.manifest.row(task.scene.id)
        if row.state == FAILED:  # another of its strips said so before
            return
        if outcome.again and task.attempt < self.retries:
            self.progress.log(f"{scene.id}: {outcome.error}; to be tried again")
            again = replace(task, attempt=task.attempt + 1)
            # Strips that cannot be put together are looked at from the start; finished ones are found again.
            self.waiting.append(again if task.rows is not None else replace(again, strips=()))
            return
        row.failed(outcome.error, seconds)
        self._end(scene)
        self.progress.warning(f"{scene.id}: {outcome.error}")
        if outcome.bug:
            self.bugs.append(f"scene {scene.id}: {outcome.bug}")

    def _lose(self, task: Task, seconds: float) -> None:
        """The cluster went away; the task's work, if any, is found again."""
        if task.lost == _LOST_AT_MOST:
            self._fail(task, Outcome("failed", error=f"its cluster went away {task.lost} times under it"), seconds)
        else:
            self.waiting.append(replace(task, lost=task.lost + 1))

    def _end(self, scene: Scene) -> None:
        """A scene is done, or given up."""
        self._ended += 1
        self._share.pop(scene.id, None)
        self._strips.pop(scene.id, None)
        self._seconds.pop(scene.id, None)

    def _tell(self) -> None:
        self.progress.step("mapping", self._ended + sum(self._share.values()), len(self.scenes), "scenes")


def _missing(scenes: Sequence[Scene], order: Order, manifest: Manifest) -> list[Scene]:
    """Scenes that have no map yet; their rows are made anew.

    Raises:
        ConfigError: a map was made otherwise, and is not to be replaced.
    """
    missing, stale = [], []
    for scene in scenes:
        row = manifest.row(scene.id)
        if row.state == DONE and order.map_path(scene.id).exists():
            if row.ticket == order.ticket(scene):
                continue
            stale.append(scene.id)
        missing.append(scene)
    if stale and not order.overwrite:
        raise ConfigError(
            f"{order.out}: {len(stale):,} maps there were made from other rasters, with another model or other options "
            f"(the first: {stale[0]}); choose another --out, or add --overwrite to make these again"
        )
    for scene in missing:
        manifest.rows[scene.id] = Row(scene.id)
    return missing
