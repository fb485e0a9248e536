"""Modality-mix learning in two levels (doi 10.1109/tnnls.2026.3677806).

First level: usual training. Second level, from a share of the steps on: from time to time the averaged network chooses
the training samples that it predicts strongly; every step adds a loss at samples mixed from these.

    L = - mean over samples of sum_m v_m w_m log p[class of sensor m's source]

w_m is the share of sensor m in the label, v_m is larger for the sensor that says least by itself (see `strength.py`).
Where pixels speak for themselves (`PixelBank`), their numbers are mixed, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.config import MixingConfig, TrainingConfig
from engine.data.batches import Batches
from engine.data.mixed_windows import mixed_windows
from engine.data.mixing import (
    Mix,
    balanced_blend,
    contributions,
    draw_mixes,
    gradient_scales,
    mix_shares,
    select,
    sensor_weights,
    soft_labels,
)
from engine.data.sampling import thinned
from engine.device import autocast
from engine.model.network import MaMOLNetwork
from engine.training.distributed import Team
from engine.training.noise import perturbed
from engine.training.pixel_bank import PixelBank
from engine.training.strength import strength
from engine.training.teacher import Teacher

_CANDIDATES = 1000  # training pixels whose windows are asked about
_REMEMBERED = ("chosen", "available", "confidence", "reliability")


class _Drawn(NamedTuple):
    """Pairs of candidates (N), and what makes their labels: shares (N, S), the donor's where `parts` says so.

    Where values are blended, `blend` (N, M) is the host's share in each sensor's.
    """

    mix: Mix
    shares: np.ndarray
    parts: np.ndarray
    blend: np.ndarray | None = None

    def part(self, samples: slice) -> _Drawn:
        """Some of them."""
        blend = None if self.blend is None else self.blend[samples]
        return _Drawn(self.mix.part(samples), self.shares[samples], self.parts[samples], blend)


class Mixer:
    """What the second level remembers, and its loss.

    Args:
        network: what is trained.
        teacher: its averaged copy, which chooses.
        batches: where windows come from; two modalities at least.
        bank: pixels that speak for themselves; None for networks without them.
        config: the `[mixing]` section.
        training: the `[training]` section.
        steps: of the whole training.
        device: where to compute.
        precision: "float32" or "bfloat16".
        classes: how many there are, Y.
        team: processes that share the batches.
    """

    def __init__(
        self,
        network: MaMOLNetwork,
        teacher: Teacher,
        batches: Batches,
        bank: PixelBank | None,
        config: MixingConfig,
        training: TrainingConfig,
        steps: int,
        device: torch.device,
        precision: str,
        classes: int,
        team: Team,
    ) -> None:
        self.network, self.teacher, self.batches, self.bank = network, teacher, batches, bank
        self.config, self.training, self.device, self.precision = config, training, device, precision
        self.outputs, self.team = classes, team
        self.start = round(config.start * steps)
        rng = np.random.default_rng([training.seed, 10])
        self.candidates = bank.labelled if bank is not None else thinned(batches.classes, _CANDIDATES, rng)
        self.classes = batches.classes[self.candidates]
        self.chosen = np.empty(0, np.int64)  # numbers of candidates
        self.available = np.zeros((len(self.candidates), len(network.stems)), bool)
        self.confidence = np.zeros(self.available.shape, np.float32)  # in the own class, of each sensor alone
        self.reliability = np.ones(len(network.stems))  # the mean of that

    @property
    def active(self) -> bool:
        """Whether there are samples of two classes to mix."""
        return len(np.unique(self.classes[self.chosen])) > 1

    @property
    def gradient_scales(self) -> list[float] | None:
        """For the network while samples are mixed, by what each sensor said of the candidates; None: as they are.

        Adam takes out a factor that all gradients of a weight have, but slowly: it remembers their sizes for a thousand
        steps, longer than most second levels last. In weights that sensors share, it is their parts that change.
        """
        if not (self.config.gradient_modulation and self.active):
            return None
        return [float(scale) for scale in gradient_scales(self.reliability, self.config.gradient_modulation)]

    def prepare(self, step: int) -> str | None:
        """Choose samples anew where step number `step` asks for it; return what to tell about it."""
        if step < self.start or (step - self.start) % self.config.every:
            return None
        found = strength(
            self.teacher.network, self.batches, self.bank, self.candidates, self.outputs, self.device, self.precision,
            self.team,
        )  # fmt: skip
        self.available, self.confidence = found.available, found.alone
        self.reliability = found.alone.sum(axis=0) / np.maximum(found.available.sum(axis=0), 1)
        enough = 1 if self.config.fill_incomplete else found.available.shape[1]
        self.chosen = select(
            self.classes, found.probability, np.asarray(found.available.sum(axis=1) >= enough),
            share=self.config.select, confidence=self.config.confidence, at_least=self.config.at_least,
        )  # fmt: skip
        text = f"mixing {len(self.chosen)} of {len(self.classes)} training samples"
        return text if self.active else f"{text}: too few of two classes, training goes on as usual"

    def loss(self, number: int) -> Tensor | None:
        """Loss at the mixed samples of batch `number`, unweighed; None where there are none."""
        if not self.active:
            return None
        rng = np.random.default_rng([self.training.seed, number, 11])
        parts = [self._windows(rng, self._draw(rng, self.training.batch_size))]
        if self.bank is not None:
            parts.append(self._pixels(self.bank, rng, self._draw(rng, self.training.pixels_per_step)))
        said = [part for part in parts if part is not None]
        count = self.team.sum(torch.tensor(sum(len(logits) for logits, _ in said)))
        if not count:
            return None
        if not said:  # here, but not in another process
            nothing = torch.zeros(0, self.outputs, device=self.device)
            said = [(nothing.requires_grad_(), nothing)]
        logits, labels = (torch.cat(tensors) for tensors in zip(*said, strict=True))
        return mixed_loss(logits, labels, int(count)) + self.network.take_balance_loss(self.team.sum)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint must hold."""
        return {name: torch.from_numpy(getattr(self, name).copy()) for name in _REMEMBERED}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Inverse of `state`."""
        for name in _REMEMBERED:
            setattr(self, name, state[name].cpu().numpy())

    def _draw(self, rng: np.random.Generator, count: int) -> _Drawn:
        """Pairs of candidates and their labels' shares."""
        chosen, kind = self.chosen, self.config.kind
        mix = draw_mixes(rng, self.classes[chosen], self.available[chosen], count)
        mix = Mix(chosen[mix.host], chosen[mix.donor], mix.taken)
        if kind == "dropout":
            return _Drawn(mix, np.ones((len(mix.host), 1)), np.zeros((len(mix.host), 1), bool))
        if kind in ("mixup", "balanced_mixup"):
            host = rng.beta(self.config.blend, self.config.blend, size=len(mix.host))
            blend = np.repeat(host[:, None], mix.taken.shape[1], axis=1)
            if kind == "balanced_mixup":
                blend = balanced_blend(host, self.reliability)
                host = blend @ contributions(self.reliability)
            parts = np.tile([False, True], (len(host), 1))
            return _Drawn(mix, np.stack([host, 1 - host], axis=1), parts, blend)
        confidence = np.where(mix.taken, self.confidence[mix.donor], self.confidence[mix.host])
        shares = mix_shares(confidence, self.config.label, self.config.least_share, self.reliability)
        return _Drawn(mix, shares * sensor_weights(self.reliability, self.config.weak_weight), mix.taken)

    def _windows(self, rng: np.random.Generator, drawn: _Drawn) -> tuple[Tensor, Tensor] | None:
        """Scores and labels (A, Y) of the labelled pixels of mixed windows, those of the own share."""
        host, donor, taken = drawn.mix.host, drawn.mix.donor, drawn.mix.taken
        mix = Mix(self.candidates[host], self.candidates[donor], taken)
        windows = mixed_windows(self.batches, rng, mix, self.config.kind, drawn.blend)
        drawn = drawn.part(self.team.share)
        window, row, col = (torch.from_numpy(index).to(self.device) for index in windows.at)
        if not len(window):
            return None
        values = [perturbed(torch.from_numpy(array).to(self.device), self.training.noise) for array in windows.values]
        valid = torch.from_numpy(windows.valid).to(self.device)
        with autocast(self.device, self.precision):
            logits = self.network(values, valid, at=(window, row, col))
        which = windows.at[0]
        labels = soft_labels(drawn.shares[which], drawn.parts[which], windows.host, windows.donor, logits.shape[1])
        return logits, torch.from_numpy(labels).to(logits.device, torch.float32)

    def _pixels(self, bank: PixelBank, rng: np.random.Generator, drawn: _Drawn) -> tuple[Tensor, Tensor] | None:
        """Scores and labels (A, Y) of mixed pixels that speak for themselves, of the own share."""
        view = len(self.candidates) * rng.integers(bank.views, size=(2, len(drawn.shares)))
        drawn, view = drawn.part(self.team.share), view[:, self.team.share]
        host, donor, taken = drawn.mix.host, drawn.mix.donor, drawn.mix.taken
        if not len(host):
            return None
        rows = [torch.from_numpy(index).to(self.device) for index in (host + view[0], donor + view[1])]
        present = torch.ones(taken.shape, dtype=torch.bool, device=self.device)
        from_donor = torch.from_numpy(taken).to(self.device)
        numbers = []
        for modality, stored in enumerate(bank.numbers):
            one, other = stored[rows[0]], stored[rows[1]]
            if drawn.blend is not None:
                share = torch.from_numpy(drawn.blend[:, modality, None]).to(one)
                numbers.append(share * one + (1 - share) * other)
            else:
                numbers.append(torch.where(from_donor[:, modality, None], other, one))
        if self.config.kind == "dropout":
            present = ~from_donor
        with autocast(self.device, self.precision):
            logits = self.network.classify_numbers(numbers, present, self.training.noise)
        labels = soft_labels(drawn.shares, drawn.parts, self.classes[host], self.classes[donor], logits.shape[1])
        return logits, torch.from_numpy(labels).to(logits.device, torch.float32)


def mixed_loss(logits: Tensor, labels: Tensor, count: int | None = None) -> Tensor:
    """Cross-entropy to labels (A, Y) that may be weighed, mean over samples: `count` of them in all processes."""
    total = -(labels * functional.log_softmax(logits.float(), dim=-1)).sum(dim=-1).sum()
    return total / (len(logits) if count is None else count)
