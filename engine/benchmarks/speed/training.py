"""Training: seconds and operations of a step, and what they are spent on."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from engine.benchmarks.speed.stages import counted_flops
from engine.config import Config
from engine.device import wait_for
from engine.model.backbone import VisionTransformer
from engine.progress import SilentProgress
from engine.training.assemble import Assembled, assemble
from engine.training.loop import make_optimiser
from engine.training.prepare import prepare
from engine.training.teacher import Teacher

_UNTAUGHT, _TAUGHT = False, True

# Work to time in turns with the steps, from how many windows of one sensor are encoded to learn and how many to look.
Bare = Callable[[int, int], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class StepSpeed:
    """One kind of step, medians.

    Attributes:
        seconds: of the whole step.
        parts: seconds of drawing (windows and pixels from memory), forward (the teacher's included), backward and
            updating (optimiser and averaged weights).
        flops: floating-point operations of products, convolutions and attention, backward included.
        encoded: windows of one sensor that the network encodes and learns from, on average.
        looked: those that the averaged network encodes.
        bare: seconds of the bare blocks that were timed beside it; 0 without.
    """

    seconds: float
    parts: dict[str, float]
    flops: float
    encoded: float
    looked: float
    bare: float


@dataclass(frozen=True, slots=True)
class TrainingSpeed:
    """A job's steps before the teacher begins and after, and what they make of a whole training.

    Attributes:
        untaught: steps before.
        taught: steps after.
        steps: of each kind in the whole job.
        windows: in a step.
        preparing: seconds before the first step: statistics, windows cached, pixels described.
    """

    untaught: StepSpeed
    taught: StepSpeed
    steps: tuple[int, int]
    windows: int
    preparing: float

    @property
    def seconds(self) -> float:
        """Of all steps."""
        return self.steps[0] * self.untaught.seconds + self.steps[1] * self.taught.seconds

    @property
    def flops(self) -> float:
        """Of all steps."""
        return self.steps[0] * self.untaught.flops + self.steps[1] * self.taught.flops


def measure_training(
    config: Config,
    folder: Path,
    device: torch.device,
    precision: str,
    rounds: int,
    backbone: VisionTransformer | None = None,
    bare: Bare | None = None,
) -> TrainingSpeed:
    """Time some steps of a job, both kinds in turn; nothing is kept.

    Args:
        config: the job.
        folder: for cached windows.
        device: where to compute.
        precision: "float32" or "bfloat16".
        rounds: steps of each kind.
        backbone: instead of what the job names.
        bare: what to time in turns with the steps.
    """
    started = time.perf_counter()
    with closing(prepare(config)) as data:
        ready = assemble(data, folder, device, precision, SilentProgress(), backbone=backbone)
        preparing = time.perf_counter() - started
        stepper = _Stepper(ready)
        kinds = {kind: stepper.measure(kind, rounds, bare) for kind in (_UNTAUGHT, _TAUGHT)}
    training = config.training
    before = round(training.teaching_start * training.steps)
    steps = before, training.steps - before
    return TrainingSpeed(kinds[_UNTAUGHT], kinds[_TAUGHT], steps, training.batch_size, preparing)


class _Stepper:
    """The loop's step, taken apart."""

    def __init__(self, ready: Assembled) -> None:
        self.ready, self.config = ready, ready.data.config.training
        self.teacher = Teacher(ready.network, self.config.average)
        self.loss_of = ready.loss(self.teacher)
        self.optimiser = make_optimiser(ready.network, self.config)
        ready.network.train()

    def measure(self, taught: bool, rounds: int, bare: Bare | None) -> StepSpeed:
        numbers = range(1, rounds + 1)
        encoded, looked = (float(count) for count in np.mean([self._encodings(n, taught) for n in numbers], axis=0))
        beside = None if bare is None else bare(round(encoded), round(looked))
        runs: list[dict[str, float]] = []
        bare_seconds: list[float] = []
        for number in range(rounds + 1):  # the first warms up
            run = self._step(number, taught)
            start = self._now()
            if beside is not None:
                beside()
            if number:
                runs.append(run)
                bare_seconds.append(self._now() - start)
        flops = counted_flops(lambda: self.loss_of(0, taught).backward())  # type: ignore[no-untyped-call]
        self.optimiser.zero_grad(set_to_none=True)
        return StepSpeed(
            seconds=statistics.median(sum(run.values()) for run in runs),
            parts={part: statistics.median(run[part] for run in runs) for part in runs[0]},
            flops=flops,
            encoded=encoded,
            looked=looked,
            bare=0.0 if beside is None else statistics.median(bare_seconds),
        )

    def _encodings(self, number: int, taught: bool) -> tuple[int, int]:
        """Windows of one sensor that the network encodes in a step, and the averaged network."""
        batch = self.ready.batches.draw(number, self.config.unlabelled if taught else 0.0)
        own, all_there = (int(mask.any(axis=(2, 3)).sum()) for mask in (batch.kept, batch.valid))
        return own, all_there if taught else 0

    def _step(self, number: int, taught: bool) -> dict[str, float]:
        drawing = self._seconds_of_drawing(number, taught)
        start = self._now()
        loss = self.loss_of(number, taught)
        forward = self._now()
        loss.backward()  # type: ignore[no-untyped-call]
        backward = self._now()
        nn.utils.clip_grad_norm_(self.ready.network.parameters(), self.config.clip)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.teacher.follow(self.ready.network, number)
        end = self._now()
        return {
            "drawing": drawing,
            "forward": forward - start - drawing,
            "backward": backward - forward,
            "updating": end - backward,
        }

    def _seconds_of_drawing(self, number: int, taught: bool) -> float:
        """The loss draws its own data; the same draw beside it says how long that takes."""
        start = self._now()
        self.ready.batches.draw(number, self.config.unlabelled if taught else 0.0)
        if self.ready.bank is not None:
            self.ready.bank.draw(number, self.config.pixels_per_step)
            if taught:
                self.ready.bank.draw_unlabelled(number, self.config.pixels_per_step)
        return self._now() - start

    def _now(self) -> float:
        wait_for(self.ready.device)
        return time.perf_counter()
