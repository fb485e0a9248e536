"""Numbers of many training-side pixels, computed once: what a pixel says for itself depends on no weight.

A step's windows hold a few labelled pixels, all under one pattern. From the bank a step takes every labelled pixel
(up to a limit), each under a pattern of its own, for the price of a matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from engine.data.batches import Batches
from engine.data.missing import draw_patterns
from engine.data.sampling import Sampler, thinned
from engine.model.inputs import LocalFeatures
from engine.model.network import MaMOLNetwork
from engine.training.distributed import ALONE, Team

_LABELLED, _UNLABELLED = 40_000, 10_000  # pixels at most
_VIEWS = 4  # of a labelled pixel, each at another place in its window: boxes end where the window ends
_WINDOWS = 256  # described at once


@dataclass(frozen=True)
class Pixels:
    """Some pixels: numbers `(A, V)` of each modality, sensors there `(A, M)`, those kept, class indices `(A,)`."""

    numbers: list[Tensor]
    present: Tensor
    kept: Tensor
    classes: Tensor


class PixelBank:
    """Labelled pixels in several views, then unlabelled ones.

    Args:
        network: whose pixel branch says what to store; on `device`.
        batches: where the pixels are.
        device: where the numbers are kept.
        team: processes that share the describing; each keeps all numbers.
    """

    def __init__(self, network: MaMOLNetwork, batches: Batches, device: torch.device, team: Team = ALONE) -> None:
        self.batches = batches
        training = batches.training
        rng = np.random.default_rng([training.seed, 6])
        self.labelled = thinned(batches.classes, _LABELLED, rng)
        self.views = max(1, min(_VIEWS, _LABELLED // len(self.labelled)))
        self.sampler = Sampler(batches.classes[self.labelled], training.balance, training.seed)
        positions = np.tile(self.labelled, self.views)
        known = np.stack([batches.scene[positions], batches.rows[positions], batches.cols[positions]])
        places = np.concatenate([known, batches.open_places(rng, _UNLABELLED)], axis=1)
        self.unlabelled = places.shape[1] - len(positions)
        self.numbers, self.present = _described(network, batches, places, rng, device, team)
        self.classes = np.concatenate([batches.classes[positions], np.full(self.unlabelled, -1)])

    def fit_inputs(self, network: MaMOLNetwork) -> None:
        """Tell the network what it must know of the training pixels, from one view of each."""
        count = len(self.labelled)
        present = torch.from_numpy(self.present[:count])
        network.fit_inputs([numbers[:count] for numbers in self.numbers], present.to(self.numbers[0].device))

    def draw(self, step: int, count: int) -> Pixels:
        """The own share of `count` labelled pixels of step number `step`, in one of their views, under own patterns."""
        rng = np.random.default_rng([self.batches.training.seed, step, 7])
        rows = self.sampler.draw(step, count) + len(self.labelled) * rng.integers(self.views, size=count)
        return self._take(rng, rows, self.labelled[rows % len(self.labelled)])

    def draw_unlabelled(self, step: int, count: int) -> Pixels:
        """As `draw`, of any pixels of the training side; none where there are none."""
        rng = np.random.default_rng([self.batches.training.seed, step, 8])
        count = count if self.unlabelled else 0
        return self._take(rng, len(self.classes) - 1 - rng.integers(max(self.unlabelled, 1), size=count))

    def _take(self, rng: np.random.Generator, rows: np.ndarray, samples: np.ndarray | None = None) -> Pixels:
        """Pixels under patterns of their own, or those that a fixed table has for training pixels of such numbers."""
        present, batches = self.present[rows], self.batches
        if samples is not None and batches.table is not None:
            patterns = batches.table[samples]
            patterns = np.where((patterns & present).any(axis=1, keepdims=True), patterns, True)
        else:
            able = present | ~present.any(axis=1, keepdims=True)
            patterns = draw_patterns(rng, able, batches.missing.rate, batches.only)
        rows, present, patterns = (array[batches.share] for array in (rows, present, patterns))
        device = self.numbers[0].device
        index = torch.from_numpy(rows).to(device)
        return Pixels(
            numbers=[numbers[index] for numbers in self.numbers],
            present=torch.from_numpy(present).to(device),
            kept=torch.from_numpy(present & patterns).to(device),
            classes=torch.from_numpy(self.classes[rows]).to(device),
        )


@torch.no_grad()
def _described(
    network: MaMOLNetwork,
    batches: Batches,
    places: np.ndarray,
    rng: np.random.Generator,
    device: torch.device,
    team: Team,
) -> tuple[list[Tensor], np.ndarray]:
    """Numbers (N, V) of each modality and presence (N, M) of pixels (scene, row, col) x N, each anywhere in a core."""
    assert network.pixels is not None
    count = places.shape[1]
    widths = [len(cast(LocalFeatures, local).mean_V) for local in network.pixels.local]
    numbers = [torch.zeros(count, width, device=device) for width in widths]
    present = np.zeros((count, len(widths)), bool)
    with team.together():
        for turn, start in enumerate(range(0, count, _WINDOWS)):
            some = slice(start, start + _WINDOWS)
            scene, rows, cols = places[:, some]
            if turn % team.count != team.rank:
                batches.within(rng, len(rows))  # another process's; the chance of the next ones stays the same
                continue
            values, valid, (row, col) = batches.around(rng, scene, rows, cols)
            each = np.arange(len(rows))
            at = tuple(torch.from_numpy(index).to(device) for index in (each, row, col))
            found = network.describe(
                [torch.from_numpy(array).to(device) for array in values],
                torch.from_numpy(valid).to(device),
                (at[0], at[1], at[2]),
            )
            for stored, new in zip(numbers, found, strict=True):
                stored[some] = new
            present[some] = valid[each, :, row + batches.core_offset, col + batches.core_offset]
    team.fill(*numbers, present)
    return numbers, present
