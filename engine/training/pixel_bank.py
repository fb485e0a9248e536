"""Numbers of many training-side pixels, computed once: what a pixel says for itself depends on no weight.

A step's windows hold a few labelled pixels, all under one pattern. From the bank a step takes every labelled pixel
(up to a limit), each under a pattern of its own, for the price of a matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.data.batches import Batches
from engine.data.missing import draw_patterns
from engine.data.sampling import Sampler, thinned
from engine.model.network import MaMOLNetwork

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
    """

    def __init__(self, network: MaMOLNetwork, batches: Batches, device: torch.device) -> None:
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
        parts = list(_described(network, batches, places, rng, device))
        self.numbers = [torch.cat(arrays) for arrays in zip(*(numbers for numbers, _ in parts), strict=True)]
        self.present = np.concatenate([present for _, present in parts])
        self.classes = np.concatenate([batches.classes[positions], np.full(self.unlabelled, -1)])

    def fit_inputs(self, network: MaMOLNetwork) -> None:
        """Tell the network what it must know of the training pixels, from one view of each."""
        count = len(self.labelled)
        present = torch.from_numpy(self.present[:count])
        network.fit_inputs([numbers[:count] for numbers in self.numbers], present.to(self.numbers[0].device))

    def draw(self, step: int, count: int) -> Pixels:
        """`count` labelled pixels of step number `step`, each in one of its views, under patterns of their own."""
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
    network: MaMOLNetwork, batches: Batches, places: np.ndarray, rng: np.random.Generator, device: torch.device
) -> Iterator[tuple[list[Tensor], np.ndarray]]:
    """Numbers and presence of pixels (scene, row, col) x N, each anywhere in the core of its window."""
    for start in range(0, places.shape[1], _WINDOWS):
        scene, rows, cols = places[:, start : start + _WINDOWS]
        values, valid, (row, col) = batches.around(rng, scene, rows, cols)
        each = np.arange(len(rows))
        at = tuple(torch.from_numpy(index).to(device) for index in (each, row, col))
        numbers = network.describe(
            [torch.from_numpy(array).to(device) for array in values],
            torch.from_numpy(valid).to(device),
            (at[0], at[1], at[2]),
        )
        yield numbers, valid[each, :, row + batches.core_offset, col + batches.core_offset]
