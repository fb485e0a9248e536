"""What each pixel says for itself: a feature from its own numbers, without the transformer.

The numbers (`LocalFeatures`) depend on the data alone, never on weights: training computes them once for many pixels
and then shows all labelled pixels in every step, each under a pattern of its own, at the price of a matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from engine.model.dropout import dropout, noisy
from engine.model.inputs import LocalFeatures, PixelIndex


class PixelBranch(nn.Module):
    """Numbers of a pixel to a feature, one linear map for each modality.

    Args:
        local: the numbers, one module for each modality.
        feature_width: F.
        dropout: on the numbers.
    """

    def __init__(self, local: Sequence[LocalFeatures], *, feature_width: int, dropout: float) -> None:
        super().__init__()
        self.local = nn.ModuleList(local)
        self.linear = nn.ModuleList(nn.Linear(item.output_width, feature_width) for item in local)
        self.dropout = dropout

    def forward(self, numbers_AV: Tensor, modality: int, noise: float = 0.0) -> Tensor:
        """Numbers of modality number `modality`, `(..., V)`, to features `(..., F)`; `noise` in training."""
        encoded = cast(LocalFeatures, self.local[modality]).encode(numbers_AV)
        if self.training:
            device = encoded.device.type
            if torch.is_autocast_enabled(device):  # half the bytes to draw for and to move; the product wants it anyway
                encoded = encoded.to(torch.get_autocast_dtype(device))
            encoded = dropout(noisy(encoded, noise), self.dropout)
        feature: Tensor = self.linear[modality](encoded)
        return feature

    def numbers(self, values_NCHW: Tensor, valid_NHW: Tensor, modality: int, at: PixelIndex | None) -> Tensor:
        """Numbers of the core's pixels, `(N, K, K, V)`, or of those `at`, `(A, V)`, from clean values."""
        return cast(LocalFeatures, self.local[modality]).numbers(values_NCHW, valid_NHW, at)

    def fit(self, numbers_AV: Tensor, modality: int) -> None:
        """Set what `LocalFeatures` must know of the training pixels."""
        cast(LocalFeatures, self.local[modality]).fit(numbers_AV)
