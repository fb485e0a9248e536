"""Features that pass as they are, and whose gradients are scaled on their way back.

On-the-fly gradient modulation (OGM of OGM-GE, CVPR 2022, arXiv 2203.15332) scales the gradients of a sensor's encoder.
Our sensors share one, so the place is where their ways meet: at the features that a fusion takes, whatever it does with
them. All that made a sensor's features gets the scaled gradient, of a shared weight that sensor's part; fusion and head
get theirs as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from engine.model.fusion import Features


class _Scaled(torch.autograd.Function):
    """The identity, with its gradient times `scale`."""

    @staticmethod
    def forward(ctx: Any, feature: Tensor, scale: float) -> Tensor:
        """Return `feature`."""
        ctx.scale = scale
        return feature.view_as(feature)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        """Return the scaled gradient of `feature`."""
        return gradient * ctx.scale, None


def modulated(features: Features, scales: Sequence[float]) -> Features:
    """The features `(..., F)` of the modalities, the same numbers; their gradients are multiplied with `scales`."""
    return [
        feature if feature is None or scale == 1 else _Scaled.apply(feature, scale)  # type: ignore[no-untyped-call]
        for feature, scale in zip(features, scales, strict=True)
    ]
