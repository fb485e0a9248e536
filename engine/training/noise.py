"""Noise on what the network sees in training."""

from __future__ import annotations

import torch
from torch import Tensor


def perturbed(values: Tensor, noise: float) -> Tensor:
    """Values (B, C, H, W) with noise of every pixel, an offset of every window's bands, and a gain of every window."""
    if not noise:
        return values
    gain = 1 + noise * torch.randn_like(values[:, :1, :1, :1])
    offset = noise * torch.randn_like(values[:, :, :1, :1])
    return values * gain + offset + noise * torch.randn_like(values)
