"""What a step minimises: cross-entropy at training pixels, and to the teacher's answers on the whole training side.

Where processes share a batch, each has its part of the loss: the sum over its own pixels, divided by what all count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from engine.config import TrainingConfig
from engine.data.batches import Batches
from engine.data.window_cache import CLOSED
from engine.device import autocast
from engine.model.network import MaMOLNetwork
from engine.training.distributed import ALONE, Team
from engine.training.mixing import Mixer
from engine.training.noise import perturbed
from engine.training.pixel_bank import PixelBank
from engine.training.teacher import Teacher

_LEAST = 1e-12  # what is divided by, where no process has a pixel


class _Said(NamedTuple):
    """Scores (A, Y) and class indices (A,) of labelled pixels; scores and the teacher's answers (B, Y) of any."""

    logits: Tensor
    classes: Tensor
    taught_logits: Tensor
    answers: Tensor


@dataclass(frozen=True)
class BatchLoss:
    """Loss of a batch, by its number.

    Attributes:
        network: what is trained.
        teacher: its averaged copy.
        batches: where windows come from.
        bank: pixels that speak for themselves; None for networks without them.
        mixer: mixed samples; None without modality-mix learning.
        config: the `[training]` section.
        class_weights: (Y,), for `balance = "weights"`.
        device: where to compute.
        precision: "float32" or "bfloat16".
        team: processes that share the batch.
    """

    network: MaMOLNetwork
    teacher: Teacher
    batches: Batches
    bank: PixelBank | None
    mixer: Mixer | None
    config: TrainingConfig
    class_weights: Tensor
    device: torch.device
    precision: str
    team: Team = ALONE

    def __call__(self, number: int, taught: bool) -> Tensor:
        """Loss of batch `number`: its labels and, if `taught`, what the teacher says of the same without gaps.

        Every pixel counts the same, be it seen in its window or speaking for itself. On the second level of
        modality-mix learning a loss at mixed samples is added, or takes the place of all this.
        """
        if self.mixer is None:
            return self._ordinary(number, taught)
        self.network.gradient_scales = self.mixer.gradient_scales  # for both losses
        mixed = self.mixer.loss(number)
        if mixed is None:
            return self._ordinary(number, taught)
        if self.mixer.config.pure:
            return mixed
        return self._ordinary(number, taught) + self.mixer.config.weight * mixed

    def _ordinary(self, number: int, taught: bool) -> Tensor:
        parts = [self._windows(number, taught)]  # untaught: no lessons, and the teacher is not asked
        if self.bank is not None:
            parts.append(self._pixels(self.bank, number, taught))
        logits, classes, taught_logits, answers = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        loss = supervised_loss(logits, classes, self.config, self.class_weights, self.team)
        loss = loss + self.network.take_balance_loss(self.team.sum)
        return loss + self.config.teaching * teaching_loss(taught_logits, answers, self.team) if taught else loss

    def _pixels(self, bank: PixelBank, number: int, taught: bool) -> _Said:
        """Pixels that speak for themselves."""
        known = bank.draw(number, self.config.pixels_per_step)
        with autocast(self.device, self.precision):
            logits = self.network.classify_numbers(known.numbers, known.kept, self.config.noise)
            if not taught:
                return _Said(logits, known.classes, logits[:0], logits[:0])
            asked = bank.draw_unlabelled(number, self.config.pixels_per_step)
            answers = self.teacher.probabilities_of_numbers(asked.numbers, asked.present)
            taught_logits = self.network.classify_numbers(asked.numbers, asked.kept, self.config.noise)
        return _Said(logits, known.classes, taught_logits, answers)

    def _windows(self, number: int, taught: bool) -> _Said:
        """Pixels in windows; only those that enter the loss are predicted."""
        taught = taught and self.config.taught_pixels > 0
        batch = self.batches.draw(number, self.config.unlabelled if taught else 0.0)
        clean = [torch.from_numpy(array).to(self.device) for array in batch.values]
        valid, kept = torch.from_numpy(batch.valid).to(self.device), torch.from_numpy(batch.kept).to(self.device)
        classes = torch.from_numpy(batch.classes).to(self.device)
        inner = slice(self.batches.core_offset, self.batches.core_offset + self.batches.core)
        seen = kept[:, :, inner, inner].any(dim=1)
        labelled = (classes >= 0) & seen
        lessons = (classes != CLOSED) & seen & self._some(classes) if taught else torch.zeros_like(seen)
        at = (labelled | lessons).nonzero(as_tuple=True)
        known, asked = labelled[at], lessons[at]
        with autocast(self.device, self.precision):
            logits = self.network([perturbed(values, self.config.noise) for values in clean], kept, at=at)
            answers = logits[:0]
            if taught:
                answers = self.teacher.probabilities(clean, valid, (at[0][asked], at[1][asked], at[2][asked]))
        return _Said(logits[known], classes[at][known], logits[asked], answers)

    def _some(self, classes: Tensor) -> Tensor:
        """A random `taught_pixels` of each core, on average; bool (B, K, K)."""
        share = self.config.taught_pixels / classes[0].numel()
        return (self.team.rand((self.config.batch_size, *classes.shape[1:])) < share).to(self.device)


def supervised_loss(
    logits: Tensor, reference: Tensor, config: TrainingConfig, class_weights: Tensor, team: Team = ALONE
) -> Tensor:
    """Mean cross-entropy over labelled pixels; 0 where there is none.

    Args:
        logits: (A, Y).
        reference: class index, (A,).
        config: `balance` and `label_smoothing`. A core holds more labelled pixels than the one it was drawn for; under
            "sampling" they are weighed so that every class of the batch counts the same.
        class_weights: (Y,), for "weights".
        team: processes that share the batch.
    """
    # The softmax is taken in float32 whatever the logits' type.
    losses = functional.cross_entropy(
        logits.float(), reference, reduction="none", label_smoothing=config.label_smoothing
    )
    if config.balance == "none":
        weights = torch.ones_like(losses)
    elif config.balance == "weights":
        weights = class_weights[reference]
    else:
        weights = 1.0 / team.sum(torch.bincount(reference, minlength=logits.shape[1]))[reference]
    return (losses * weights).sum() / team.sum(weights.sum()).clamp(min=_LEAST)


def teaching_loss(logits: Tensor, answers: Tensor, team: Team = ALONE) -> Tensor:
    """Cross-entropy to the teacher's probabilities, classes counting the same as among labels; 0 without pixels.

    Unweighted, the answers' natural mix would pull rare classes into common ones: a teacher in doubt says "common".

    Args:
        logits: the network's, (A, Y).
        answers: the teacher's probabilities, (A, Y).
        team: processes that share the batch.
    """
    losses = -(answers * functional.log_softmax(logits.float(), dim=-1)).sum(dim=-1)
    mix = team.sum(answers.sum(dim=0)) / team.sum(answers.new_tensor(len(answers))).clamp(min=1)
    weights = (answers / mix.clamp(min=0.01)).sum(dim=-1)
    return (losses * weights).sum() / team.sum(weights.sum()).clamp(min=_LEAST)
