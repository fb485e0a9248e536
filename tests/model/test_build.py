"""Configurations become networks; what does not fit is said in one sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.config import ModelConfig
from engine.errors import ConfigError, EngineError
from engine.modality import Modality
from engine.model.build import build_network, resolve_model_config
from engine.model.cost import flops_per_pixel
from tests.model.small import CLASSES, MODALITIES


@pytest.mark.parametrize("backbone", ["compact", "timm:vit_small_patch14_dinov2", "open_clip:ViT-B-16/openai"])
@pytest.mark.parametrize("readout", ["dense", "centre"])
def test_resolved_configuration_is_complete_and_stable(backbone, readout):
    """Every open key gets its value, and resolving again changes nothing."""
    resolved = resolve_model_config(ModelConfig(backbone=backbone, readout=readout))
    left_open = {key for key, value in resolved.model_dump().items() if value is None}
    assert left_open <= {"weights"}
    assert resolve_model_config(resolved) == resolved
    assert resolved.train_backbone == (backbone == "compact")
    assert resolved.window % resolved.token_px == 0
    assert (resolved.core == 1) == (readout == "centre")


def test_default_network_stays_within_the_budget():
    """At most 4 MFLOP for a pixel of three modalities, one of them a cube of 242 bands."""
    modalities = (Modality("hsi", 242), Modality("lidar", 1), Modality("sar", 2))
    network = build_network(ModelConfig(), "skip", modalities, CLASSES)
    assert flops_per_pixel(network) <= 4e6


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"window": 15, "token_px": 2}, "no multiple"),
        ({"window": 8, "core": 10}, "larger than"),
        ({"readout": "centre", "core": 3}, "one pixel"),
        ({"width": 30, "heads": 4}, "no multiple"),
        ({"top_k": 3}, "top_k"),
        ({"train_backbone": False}, "compact"),
        ({"weights": "w.safetensors"}, "compact"),
        ({"backbone": "resnet"}, "expected compact"),
        ({"backbone": "timm:"}, "expected compact"),
        ({"window": 100_000}, "at most"),
        ({"depth": 10_000}, "at most"),
    ],
)
def test_values_that_do_not_fit(keys, words):
    """Each contradiction is one sentence."""
    with pytest.raises(EngineError, match=words) as caught:
        build_network(ModelConfig(**keys), "skip", MODALITIES, CLASSES)
    assert isinstance(caught.value, ConfigError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "adapters"),
    [
        ({}, 4),
        ({"adapter_blocks": 2}, 2),
        ({"adapter_blocks": 0}, 0),
        ({"method": "linear"}, 0),
        ({"dynamic_experts": 0, "shared_expert": False, "modality_experts": False}, 0),
    ],
)
def test_adapters_sit_in_the_last_blocks(keys, adapters):
    """As many adapters as asked for, never more than blocks, none for the linear probe."""
    network = build_network(ModelConfig(depth=4, window=8, **keys), "skip", MODALITIES, CLASSES)
    assert len(network.adapters) == adapters


@pytest.mark.parametrize("keys", [{}, {"readout": "centre"}, {"fusion": "attention"}, {"adapter_norm": True}])
def test_laying_a_network_out_does_not_load_the_compiler(keys):
    """A model file is checked on the meta device; a careless random number there costs every start a second."""
    code = f"""
import sys, torch
from engine.config import ModelConfig
from engine.modality import Modality
from engine.model.build import build_network
with torch.device("meta"):
    build_network(ModelConfig(**{keys!r}), "skip", (Modality("hsi", 40), Modality("sar", 2)), 3)
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
