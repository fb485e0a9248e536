"""From one feature per modality to one feature: `concat` (the paper), `sum`, `gated` or `attention`.

All of them take the features of the modalities, `(..., F)` each, zero where a modality is not present (`shown`), with
`present_BM` (any number of leading axes). What is not present has no say; where nothing is, the result is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from engine.model.readout import LinearHead, PixelHead
from engine.model.start import draw_normal

FusionKind = Literal["concat", "sum", "gated", "attention"]
Features = list[Tensor | None]  # `(..., F)` of each modality in model order; None for one that is present nowhere


def shown(features: Sequence[Tensor | None], present_BM: Tensor) -> Features:
    """The features where their modality is present, zero elsewhere, whatever stood there."""
    return [
        feature if feature is None or _all(there_B) else torch.where(there_B[..., None], feature, 0.0)
        for feature, there_B in zip(features, present_BM.unbind(dim=-1), strict=True)
    ]


def _all(there: Tensor) -> bool:
    """Whether all are known to be there: asking a GPU would mean waiting for it."""
    return there.is_cpu and bool(there.all())


class Fusion(nn.Module):
    """Fuse the modalities' features.

    Args:
        kind: "concat": side by side; "sum": added; "gated": weighted mean, a learnt score for each modality's feature,
            softmax over those present; "attention": those present attend to each other, then their mean.
        modalities: M.
        width: channels of a feature, F.
    """

    def __init__(self, kind: FusionKind, *, modalities: int, width: int) -> None:
        super().__init__()
        self.kind = kind
        self.output_width = modalities * width if kind == "concat" else width
        if kind == "gated":
            self.score = nn.Linear(modalities * width, modalities)
        elif kind == "attention":
            self.modality_MF = nn.Parameter(draw_normal(torch.empty(modalities, width), std=0.02))
            self.qkv = nn.Linear(width, 3 * width)
            self.out = nn.Linear(width, width)

    def forward(self, features: Features, present_BM: Tensor) -> Tensor:
        """Return `(..., output_width)`.

        Args:
            features: `(..., F)` of each modality, zero where it is not present; not None for all of them.
            present_BM: bool, `(..., M)`.
        """
        there = [feature for feature in features if feature is not None]
        if self.kind == "sum":  # one after the other: side by side, all of them would be moved once more
            return sum(there[1:], there[0])
        filled = [torch.zeros_like(there[0]) if feature is None else feature for feature in features]
        if self.kind == "concat":
            return torch.cat(filled, dim=-1)
        if self.kind == "gated":
            score_BM = self.score(torch.cat(filled, dim=-1)).float()
            gate_BM = _masked_softmax(score_BM, present_BM).to(there[0].dtype)
            weighted = [gate * feature for gate, feature in zip(gate_BM[..., None].unbind(-2), filled, strict=True)]
            return sum(weighted[1:], weighted[0])
        feature_BMF = torch.stack(filled, dim=-2)
        query, key, value = self.qkv(feature_BMF + self.modality_MF).chunk(3, dim=-1)
        score_BMM = (query @ key.transpose(-1, -2)).float() * query.shape[-1] ** -0.5
        weight_BMM = _masked_softmax(score_BMM, present_BM[..., None, :].expand(score_BMM.shape))
        mixed_BMF = feature_BMF + self.out(weight_BMM.to(value.dtype) @ value)
        mixed_BMF = torch.where(present_BM[..., None], mixed_BMF, 0.0)
        return mixed_BMF.sum(dim=-2) / present_BM.sum(dim=-1, keepdim=True).clamp(min=1)


def _masked_softmax(score: Tensor, present: Tensor) -> Tensor:
    """Softmax over the last axis among `present`; all zero where nothing is."""
    score = torch.where(present, score, torch.finfo(score.dtype).min)
    return torch.where(present, score.softmax(dim=-1), 0.0)


class Classifier(nn.Module):
    """From the features of all modalities to class scores: one fusion, and a head that goes with it."""

    def __init__(self, fusion: Fusion, head: PixelHead | LinearHead) -> None:
        super().__init__()
        self.fusion, self.head = fusion, head

    def forward(self, features: Features, used_BM: Tensor, present_BM: Tensor) -> Tensor:
        """Scores `(..., Y)`; `used_BM` are the features to fuse, `present_BM` what the head is told."""
        scores: Tensor = self.head(self.fusion(features, used_BM), present_BM)
        return scores
