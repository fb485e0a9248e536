"""What each pixel says for itself: a feature from its own numbers, without the transformer.

The numbers (`LocalFeatures`) depend on the data alone, never on weights: training computes them once for many pixels
and then shows all labelled pixels in every step, each under a pattern of its own, at the price of a matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.inputs import LocalFeatures, PixelIndex

_CACHED_PIXELS = 1024


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
        """Numbers of modality number `modality`, `(..., V)`, with noise where encoded, to features `(..., F)`."""
        if torch.is_grad_enabled():
            return self._feature(numbers_AV, modality, noise)
        # A pixel's ramps take some 3 kB: few enough pixels at once, and they never leave a CPU's cache.
        rows = numbers_AV.flatten(0, -2)
        parts = torch.split(rows, _CACHED_PIXELS if rows.is_cpu else max(1, len(rows)))
        features = torch.cat([self._feature(part, modality, noise) for part in parts])
        return features.view(*numbers_AV.shape[:-1], -1)

    def _feature(self, numbers_AV: Tensor, modality: int, noise: float) -> Tensor:
        encoded = cast(LocalFeatures, self.local[modality]).encode(numbers_AV)
        if noise:
            encoded = encoded + noise * torch.randn_like(encoded)
        feature: Tensor = self.linear[modality](functional.dropout(encoded, self.dropout, self.training))
        return feature

    def numbers(self, values_NCHW: Tensor, valid_NHW: Tensor, modality: int, at: PixelIndex | None) -> Tensor:
        """Numbers of the core's pixels, `(N, K, K, V)`, or of those `at`, `(A, V)`, from clean values."""
        return cast(LocalFeatures, self.local[modality]).numbers(values_NCHW, valid_NHW, at)

    def fit(self, numbers_AV: Tensor, modality: int) -> None:
        """Set what `LocalFeatures` must know of the training pixels."""
        cast(LocalFeatures, self.local[modality]).fit(numbers_AV)
