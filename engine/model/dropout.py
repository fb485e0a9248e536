"""Dropout and noise that take one random byte for each number.

torch draws a float for each number, and on a CPU one after the other: where a step shows thousands of pixels of many
hundred numbers, a quarter of its time went into that. A byte is enough to decide with a share of n/256, and noise only
has to have the right spread: hundreds of numbers are added up right after.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_VALUES = 256  # of a byte
_SPREAD = ((_VALUES**2 - 1) / 12) ** 0.5  # standard deviation of a byte


class Dropout(nn.Module):
    """As torch's, with the share rounded to 1/256 on a CPU, where that leaves a share between 0 and 1."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """`x`, in training with a random `share` of its numbers set to 0 and the others scaled up."""
        return dropout(x, self.share) if self.training else x


def dropout(x: Tensor, share: float) -> Tensor:
    """`x` with a random `share` of its numbers set to 0 and the others scaled up, so that the mean stays."""
    kept = round((1 - share) * _VALUES)
    if not x.is_cpu or not 0 < kept < _VALUES:  # 256 does not fit a byte, and nothing kept has no scale
        return functional.dropout(x, share)
    # Comparing in place leaves bytes of 0 and 1; a bool would be converted one number at a time.
    return x * random_bytes(x.shape).lt_(kept).to(x.dtype).mul_(_VALUES / kept)


def noisy(x: Tensor, deviation: float) -> Tensor:
    """`x` with noise of mean 0 and this standard deviation: normal on a GPU, uniform on a CPU."""
    if not deviation:
        return x
    if not x.is_cpu:
        return x + deviation * torch.randn_like(x)
    return x + random_bytes(x.shape).to(x.dtype).sub_((_VALUES - 1) / 2).mul_(deviation / _SPREAD)


def random_bytes(shape: torch.Size) -> Tensor:
    """Uniform uint8 from torch's generator for CPUs, eight for each number that it draws."""
    count = shape.numel()
    drawn = torch.empty(-(-count // 8), dtype=torch.int64).random_(-(2**63), None)  # all 64 bits
    return drawn.view(torch.uint8)[:count].view(shape)
