"""How strongly a network predicts training samples: with all the sensors that they have, and with each alone.

A sensor alone is a pattern like any other to a network that knows missing sensors, whatever its fusion. (OGM-GE reads
it off a linear head as softmax(W_m f_m + b / M): a network that has never been without a sensor has one bias for all of
them. Ours says W_m f_m + b of a sensor alone, and f_m as its adapters make it under that pattern.) Where pixels speak
for themselves (`PixelBank`), they alone are asked, for the price of a few products; else the windows around them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.data.batches import Batches
from engine.device import autocast
from engine.model.network import MaMOLNetwork
from engine.training.distributed import ALONE, Team
from engine.training.pixel_bank import PixelBank

_WINDOWS, _PIXELS = 64, 8192  # asked about at once

Scores = Callable[[Tensor], Tensor]  # sensors kept (A, M) -> class scores (A, Y)


@dataclass(frozen=True)
class Strength:
    """Of N samples.

    Attributes:
        probability: of each class with all sensors (N, Y).
        available: the sensors that the sample has (N, M).
        alone: probability of its own class with each sensor alone (N, M); 0 where it lacks the sensor.
    """

    probability: np.ndarray
    available: np.ndarray
    alone: np.ndarray


@torch.no_grad()
def strength(
    network: MaMOLNetwork,
    batches: Batches,
    bank: PixelBank | None,
    samples: np.ndarray,
    classes: int,
    device: torch.device,
    precision: str,
    team: Team = ALONE,
) -> Strength:
    """Ask a network, in eval mode, about training pixels.

    Args:
        network: on `device`.
        batches: where the pixels are; what its fixed table of gaps takes from a sample is never looked at.
        bank: pixels that speak for themselves; None asks about windows.
        samples: numbers of training pixels (N,), at least one; those of the bank, in its order, where there is one.
        classes: how many there are, Y.
        device: where to compute.
        precision: "float32" or "bfloat16".
        team: processes that share the asking; all get all answers.
    """
    only = torch.eye(len(network.stems), dtype=torch.bool, device=device)
    shape = len(samples), len(network.stems)
    found = Strength(np.zeros((shape[0], classes), np.float32), np.zeros(shape, bool), np.zeros(shape, np.float32))
    step = _WINDOWS if bank is None else _PIXELS
    starts = range(0, len(samples), step)
    for part in team.mine(slice(start, min(start + step, len(samples))) for start in starts):
        there, scores = _question(network, batches, bank, samples, part, device)
        if batches.table is not None:
            there = there & batches.table[samples[part]]
        present = torch.from_numpy(there).to(device)
        with autocast(device, precision):
            answers = [
                scores(kept).float().softmax(dim=1).cpu().numpy() for kept in (present, *(present & only[:, None]))
            ]
        own = np.arange(len(there)), batches.classes[samples[part]]
        alone = np.stack([answer[own] for answer in answers[1:]], axis=1)
        found.probability[part], found.available[part] = answers[0], there
        found.alone[part] = np.where(there, alone, np.float32(0))
    team.fill(found.probability, found.available, found.alone)
    return found


def _question(
    network: MaMOLNetwork,
    batches: Batches,
    bank: PixelBank | None,
    samples: np.ndarray,
    part: slice,
    device: torch.device,
) -> tuple[np.ndarray, Scores]:
    """Of some samples: the sensors that they have (A, M), and what answers."""
    if bank is not None:
        return bank.present[part], _pixels(network, [numbers[part] for numbers in bank.numbers])
    pixels, rng = samples[part], np.random.default_rng([batches.training.seed, part.start, 12])
    arrays, valid, (row, col) = batches.around(rng, batches.scene[pixels], batches.rows[pixels], batches.cols[pixels])
    there = valid[np.arange(len(pixels)), :, batches.core_offset + row, batches.core_offset + col]
    values = [torch.from_numpy(array).to(device) for array in arrays]
    at = np.stack([np.arange(len(pixels)), row, col])
    return there, _windows(network, values, torch.from_numpy(valid).to(device), torch.from_numpy(at).to(device))


def _pixels(network: MaMOLNetwork, numbers: list[Tensor]) -> Scores:
    return lambda kept: network.classify_numbers(numbers, kept)


def _windows(network: MaMOLNetwork, values: list[Tensor], valid: Tensor, at: Tensor) -> Scores:
    """Windows show nothing of a sensor that is not kept."""
    return lambda kept: network(values, valid & kept[:, :, None, None], at=(at[0], at[1], at[2]))
