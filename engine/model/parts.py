"""The windows of one modality that were encoded, and how their pixels find the way back into the batch."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.model.fusion import Features
from engine.model.inputs import PixelIndex

# A pixel's features and numbers take some 5 kB. Fewer pixels at once, and calls cost more; more, and memory does.
_PIXELS_AT_ONCE = 4096


class Part(NamedTuple):
    """The encoded windows of one modality: all of the batch (`rows` None) or those that have it."""

    modality: int
    rows: Tensor | None
    values_NCHW: Tensor
    valid_NHW: Tensor
    encoded_NTD: Tensor

    def windows(self, chosen: slice) -> Part:
        """Some windows, of a part that has all of the batch."""
        return self._replace(
            values_NCHW=self.values_NCHW[chosen],
            valid_NHW=self.valid_NHW[chosen],
            encoded_NTD=self.encoded_NTD[chosen],
        )


def sums(own: Features, tokens: Features, share: Tensor | None = None) -> Features:
    """Pixels' own features and those of their tokens, or `share` of these; both lack the same modalities."""
    return [
        None if mine is None or token is None else mine + (token if share is None else token * share)
        for mine, token in zip(own, tokens, strict=True)
    ]


def take(tensor: Tensor, rows: Tensor | None) -> Tensor:
    """The windows `rows`, or all."""
    return tensor if rows is None else tensor.index_select(0, rows)


def portions(count: int, pixels: int, device: torch.device) -> list[slice]:
    """`count` windows of `pixels` pixels each, in portions that suit a CPU; all at once elsewhere and for gradients."""
    step = _PIXELS_AT_ONCE // pixels if device.type == "cpu" and not torch.is_grad_enabled() else count
    return [slice(start, start + max(1, step)) for start in range(0, max(1, count), max(1, step))]


def pixels_of(at: PixelIndex, rows: Tensor | None, windows: int) -> tuple[Tensor | None, PixelIndex | None]:
    """The pixels that lie in windows `rows`: their numbers (None for all), and where they are among these windows."""
    if rows is None:
        return None, at
    window, row, col = at
    place = torch.full((windows,), -1, device=rows.device)
    place[rows] = torch.arange(len(rows), device=rows.device)
    chosen = (place[window] >= 0).nonzero()[:, 0]
    return chosen, (place[window[chosen]], row[chosen], col[chosen])


def put_back(feature: Tensor, places: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    """Windows (or pixels) `places` among all, zeros elsewhere."""
    if places is None:
        return feature
    zeros = torch.zeros(shape, dtype=feature.dtype, device=feature.device)
    return zeros.index_copy(0, places, feature)
