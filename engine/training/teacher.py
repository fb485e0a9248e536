"""The averaged network: it is what is kept at the end, and it teaches the network on the way.

Its weights are an exponential moving average of the network's. It looks at a window with all the sensors that are
there; the network sees the same window with gaps and must say the same, at every pixel of the training side, labelled
or not (mean teachers, arXiv 1703.01780, with missing sensors as the noise). So a pattern that lacks a sensor learns
from what the full set knows.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from engine.model.inputs import PixelIndex
from engine.model.network import MaMOLNetwork
from engine.training.schedule import average_decay


class Teacher:
    """Averaged copy of a network."""

    def __init__(self, network: MaMOLNetwork, decay: float) -> None:
        """Copy `network`; `decay` 0 keeps following it exactly."""
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def follow(self, network: MaMOLNetwork, step: int) -> None:
        """Move the averaged weights after step number `step`."""
        share = 1.0 - average_decay(step, self.decay)
        pairs = zip(self.network.parameters(), network.parameters(), strict=True)
        moved = [(average, weight) for average, weight in pairs if weight.requires_grad]
        torch._foreach_lerp_([average for average, _ in moved], [weight.detach() for _, weight in moved], share)

    @torch.no_grad()
    def probabilities(self, values: Sequence[Tensor], valid: Tensor, at: PixelIndex) -> Tensor:
        """What it says of the pixels `at` with everything that is there, (A, Y) float32; arguments as the network's."""
        logits: Tensor = self.network(values, valid, at=at)
        return logits.float().softmax(dim=1)

    @torch.no_grad()
    def probabilities_of_numbers(self, numbers: Sequence[Tensor], present: Tensor) -> Tensor:
        """What it says of pixels by their own numbers (see `MaMOLNetwork.classify_numbers`), (A, Y) float32."""
        return self.network.classify_numbers(numbers, present).float().softmax(dim=1)
