"""A learnt tensor for every pattern: what MMP, DCP and task experts keep of what is missing.

There are 2^M of them (that of nothing at all is among them, for windows without data), which is why these methods do
not reach far beyond a handful of sensors.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.model.start import draw_normal

MOST_MODALITIES = 8  # 256 patterns


class PatternTable(nn.Module):
    """One learnt tensor of `shape` for each of the 2^M patterns, drawn with deviation `std`."""

    def __init__(self, modalities: int, shape: Sequence[int], std: float) -> None:
        super().__init__()
        self.entries = nn.Parameter(draw_normal(torch.empty(2**modalities, *shape), std=std))

    def forward(self, present_M: Tensor) -> Tensor:
        """Entries `(..., *shape)` of the patterns `(..., M)`, bool; bit m of an entry's number is modality m."""
        bits_M = 2 ** torch.arange(present_M.shape[-1], device=present_M.device)
        return self.entries[(present_M * bits_M).sum(dim=-1)]
