"""Small networks and inputs for the model room's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.config import ModelConfig
from engine.modality import Modality
from engine.model.build import build_network
from engine.model.network import MaMOLNetwork
from tests.model.small import CLASSES, MODALITIES, SMALL


@pytest.fixture
def make_network() -> Callable[..., MaMOLNetwork]:
    """Factory: a small compact network in eval mode, all weights random (also those that start at zero)."""

    def make(
        seed: int = 0, absent: str = "skip", modalities: tuple[Modality, ...] = MODALITIES, **keys: Any
    ) -> MaMOLNetwork:
        torch.manual_seed(seed)
        network = build_network(ModelConfig(**(SMALL | keys)), absent, modalities, CLASSES)
        for weight in network.adapters.parameters():
            if not weight.any():
                torch.nn.init.normal_(weight, std=0.1)
        return network.eval()

    return make


@pytest.fixture
def make_input() -> Callable[..., tuple[list[Tensor], Tensor]]:
    """Factory: values of `windows` windows, and a mask with holes whose first windows miss whole modalities."""

    def make(network: MaMOLNetwork, windows: int = 5, seed: int = 1, holes: bool = True) -> tuple[list[Tensor], Tensor]:
        generator = torch.Generator().manual_seed(seed)
        side, count = network.window, len(network.stems)
        values = [torch.randn(windows, stem.bands, side, side, generator=generator) for stem in network.stems]
        valid = torch.ones(windows, count, side, side, dtype=torch.bool)
        if holes:
            valid = torch.rand(valid.shape, generator=generator) > 0.2
            valid[:, :, :4, :4] = False  # whole tokens without data
            for window in range(windows - 1):
                valid[window, window % count] = False
        return values, valid

    return make
