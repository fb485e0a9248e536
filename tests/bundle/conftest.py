"""Model files to break and to compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.bundle import save_model
from engine.config import ModelConfig
from engine.legend import LandClass, Legend
from engine.modality import Modality
from engine.model.build import build_network, resolve_model_config
from engine.model.network import MaMOLNetwork
from engine.modelfile import ModelInfo
from engine.raster.normalise import BandStats

MODALITIES = (
    Modality(
        "hsi",
        3,
        "hyperspectral",
        wavelengths_nm=(450.0, 550.5, 650.25),
        source_bands=(1, 2, 4),
        source_count=5,
        resampling="nearest",
    ),
    Modality("sar", 2, "sar", "db"),
)
KEYS: dict[str, Any] = {"window": 8, "token_px": 2, "core": 4, "width": 16, "depth": 2, "heads": 2}


def make_info(config: ModelConfig) -> ModelInfo:
    stats = {
        m.name: BandStats(np.arange(m.bands) / 3, np.ones(m.bands), np.zeros(m.bands), np.ones(m.bands), 9)
        for m in MODALITIES
    }
    return ModelInfo(
        modalities=MODALITIES,
        stats=stats,
        legend=Legend((LandClass(2, "Wald, grün", (0, 99, 0)), LandClass(7, "water", (0, 0, 200)))),
        model=resolve_model_config(config).model_dump(mode="json"),
        patterns={"hsi+sar": {"oa": 0.9, "aa": 0.8, "kappa": 0.7, "n": 55, "temperature": 1.2, "bias": [0.1, -0.1]}},
        trained_patterns=("hsi+sar", "hsi"),
        training={"seconds": 12.5, "seed": 3},
        grid={"resolution": [10.0, 10.0], "crs": "EPSG:32633"},
        priors=(0.25, 0.75),
    )


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., tuple[Path, MaMOLNetwork]]:
    """Factory: a saved compact model and the network that it was saved from."""

    def make(absent: str = "skip", **keys: Any) -> tuple[Path, MaMOLNetwork]:
        torch.manual_seed(1)
        config = ModelConfig(**(KEYS | keys))
        network = build_network(config, absent, MODALITIES, 2)
        for weight in network.adapters.parameters():
            if not weight.any():
                torch.nn.init.normal_(weight)
        path = tmp_path / "model.safetensors"
        save_model(path, network, make_info(config))
        return path, network

    return make
