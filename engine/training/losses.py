"""What a step minimises: cross-entropy at training pixels, and to the teacher's answers on the whole training side."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from engine.config import TrainingConfig
from engine.data.batches import Batches
from engine.data.window_cache import CLOSED
from engine.device import autocast
from engine.model.network import MaMOLNetwork
from engine.training.teacher import Teacher
from engine.training.validate import as_core


@dataclass(frozen=True)
class BatchLoss:
    """Loss of a batch, by its number.

    Attributes:
        network: what is trained.
        teacher: its averaged copy.
        batches: where windows come from.
        config: the `[training]` section.
        class_weights: (Y,), for `balance = "weights"`.
        device: where to compute.
        precision: "float32" or "bfloat16".
    """

    network: MaMOLNetwork
    teacher: Teacher
    batches: Batches
    config: TrainingConfig
    class_weights: Tensor
    device: torch.device
    precision: str

    def __call__(self, number: int, taught: bool) -> Tensor:
        """Loss of batch `number`: its labels and, if `taught`, what the teacher says of its windows without gaps."""
        batch = self.batches.draw(number, self.config.unlabelled if taught else 0.0)
        clean = [torch.from_numpy(array).to(self.device) for array in batch.values]
        kept, classes = torch.from_numpy(batch.kept).to(self.device), torch.from_numpy(batch.classes).to(self.device)
        inner = slice(self.batches.core_offset, self.batches.core_offset + self.batches.core)
        seen = kept[:, :, inner, inner].any(dim=1)
        with autocast(self.device, self.precision):
            logits = as_core(self.network([perturbed(values, self.config.noise) for values in clean], kept))
        loss = supervised_loss(logits, classes, seen, self.config, self.class_weights)
        if not taught:
            return loss
        with autocast(self.device, self.precision):
            answers = as_core(self.teacher.probabilities(clean, torch.from_numpy(batch.valid).to(self.device)))
        return loss + self.config.teaching * teaching_loss(logits, answers, (classes != CLOSED) & seen)


def supervised_loss(
    logits: Tensor, classes: Tensor, seen: Tensor, config: TrainingConfig, class_weights: Tensor
) -> Tensor:
    """Mean cross-entropy over labelled pixels that some sensor still covers; 0 where there is none.

    Args:
        logits: (B, Y, K, K).
        classes: class index, negative where there is no label, (B, K, K).
        seen: bool, whether any modality is present at the pixel, (B, K, K).
        config: `balance` and `label_smoothing`. A core holds more labelled pixels than the one it was drawn for; under
            "sampling" they are weighed so that every class of the batch counts the same.
        class_weights: (Y,), for "weights".
    """
    known = (classes >= 0) & seen
    reference = classes[known]
    if not len(reference):
        return logits.sum() * 0.0
    # The softmax is taken in float32 whatever the logits' type.
    losses = functional.cross_entropy(
        logits.movedim(1, -1)[known].float(), reference, reduction="none", label_smoothing=config.label_smoothing
    )
    if config.balance == "none":
        return losses.mean()
    if config.balance == "weights":
        weights = class_weights[reference]
    else:
        weights = 1.0 / torch.bincount(reference, minlength=logits.shape[1])[reference]
    return (losses * weights).sum() / weights.sum()


def teaching_loss(logits: Tensor, taught: Tensor, where: Tensor) -> Tensor:
    """Mean cross-entropy to the teacher's probabilities over the pixels `where`; 0 where there is none.

    Args:
        logits: the network's, (B, Y, K, K).
        taught: the teacher's probabilities, (B, Y, K, K).
        where: bool, (B, K, K).
    """
    if not where.any():
        return logits.sum() * 0.0
    spoken = functional.log_softmax(logits.movedim(1, -1)[where].float(), dim=-1)
    return -(taught.movedim(1, -1)[where] * spoken).sum(dim=-1).mean()


def perturbed(values: Tensor, noise: float) -> Tensor:
    """Values (B, C, H, W) with noise of every pixel, an offset of every window's bands, and a gain of every window."""
    if not noise:
        return values
    gain = 1 + noise * torch.randn_like(values[:, :1, :1, :1])
    offset = noise * torch.randn_like(values[:, :, :1, :1])
    return values * gain + offset + noise * torch.randn_like(values)
