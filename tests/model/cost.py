"""What a network costs, counted and not estimated: the number that makes speeds comparable between machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from engine.model.network import MaMOLNetwork
from engine.model.tokens import Stem


def flops_per_pixel(network: MaMOLNetwork, present: Sequence[bool] | None = None) -> float:
    """Floating-point operations (a multiplication and an addition are two) for one output pixel.

    Runs one window that has all sensors in `present` (default: all), counts its convolutions, matrix products and
    attention, and divides by the pixels of the core.
    """
    count, side = len(network.stems), network.window
    device = network.backbone.prefix_PD.device
    compute = [True] * count if present is None else list(present)
    bands = [cast(Stem, stem).bands for stem in network.stems]
    values = [torch.zeros(1, number, side, side, device=device) for number in bands]
    valid_BMHW = torch.ones(1, count, side, side, dtype=torch.bool, device=device)
    # The plain form of attention is made of products that the counter knows on every device.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(values, valid_BMHW, compute)
    return float(counter.get_total_flops()) / network.core**2
