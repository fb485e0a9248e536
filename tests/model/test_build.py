"""Configurations become networks; what does not fit is said in one sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from engine.config import ModelConfig, parse_config
from engine.errors import ConfigError, EngineError
from engine.modality import Modality
from engine.model.backbone import VisionTransformer, VitShape
from engine.model.build import build_network, resolve_model_config
from tests.model.cost import flops_per_pixel
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
        ({"placement": [0, 2]}, "block 2 of 2"),
        ({"method": "moe_rep", "dynamic_experts": 0}, "at least one"),
        ({"method": "moe_ada", "dynamic_experts": 1}, "top_k"),
        ({"method": "dcp", "prompt_length": 16}, "multiple of 3"),
        ({"method": "mmp", "prompt_length": 7, "prompt_level": "attention"}, "multiple of 2"),
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
    assert network.placement == tuple(range(4 - adapters, 4))


@pytest.mark.parametrize(
    ("keys", "blocks"),
    [
        ({"placement": "head", "adapter_blocks": 2}, (0, 1)),
        ({"placement": "last", "adapter_blocks": 1}, (3,)),
        ({"placement": [3, 1, 3]}, (1, 3)),
        ({"placement": []}, ()),
        ({"method": "mmp", "adapter_blocks": 3}, (0, 1, 2)),
        ({"method": "dcp", "placement": "last", "adapter_blocks": 3}, (1, 2, 3)),
        ({"method": "moe_rep", "adapter_blocks": 3}, (1, 2, 3)),
    ],
)
def test_placement(keys, blocks):
    """The first blocks, the last ones, or a list; prompts belong to the first ones unless told otherwise."""
    network = build_network(ModelConfig(depth=4, window=8, **keys), "skip", MODALITIES, CLASSES)
    assert network.placement == blocks
    if network.prompts is None:
        assert len(network.adapters) == len(blocks)


@pytest.mark.parametrize("value", ["middle", 3, [0, -1], [0.5], [True]])
def test_placement_that_is_none(value):
    """One sentence says what may stand there."""
    scene = {"modalities": {"a": "a.tif"}, "labels": {"path": "l.tif"}}
    with pytest.raises(ConfigError, match=r'placement: expected "head", "last" or a list of block numbers'):
        parse_config({"scene": scene, "model": {"placement": value}})


def test_methods_share_everything_else():
    """On one frozen backbone the methods differ in what they add, counted by hand, and in nothing else."""
    modalities, (width, hidden, depth) = 3, (32, 128, 2)
    added = {
        "linear": 0,
        "lora": 2 * width * 8,
        "mamol": 6 * 2 * width * 8 + (width + modalities + 1) * 16 + 17 * 2,
        "mmp": 8 * 16 * width,
        "moe_rep": 2 * width + 2 * (2 * width * hidden + hidden + width),
        "moe_ada": 2 * 4 * width + 4 * 8 * 2 * (width + hidden),
        "moe_task": 8 * 64 + 64 * 4 + 4 * 4 * 2 * (width + hidden),
    }
    # own, common and queries of 12; one attention; one correlation, whose hidden width is 4 for each modality
    dcp = 12 * width * (3 * 2 + 8 + 3) + 3 * width * (width + 1)
    dcp += 2 * width + (3 * width + 1) * 12 + 3 * (4 * width + width)
    others = set()
    for method, each in (added | {"dcp": dcp / 2}).items():
        torch.manual_seed(0)
        vit = VisionTransformer(VitShape(width=width, depth=depth, heads=2, mlp_width=hidden, grid=4))
        keys = {"backbone": "timm:some", "window": 8, "token_px": 2, "core": 4, "method": method}
        network = build_network(ModelConfig(**keys), "skip", MODALITIES, CLASSES, vit)
        state = network.trainable_state()
        own = {name for name in state if name.startswith(("adapters.", "prompts."))}
        assert sum(state[name].numel() for name in own) == 2 * each, method
        others.add(frozenset((name, tensor.shape) for name, tensor in state.items() if name not in own))
    assert len(others) == 1


def test_too_many_modalities_for_patterns():
    """What learns something for every pattern says where that ends; MaMOL goes on."""
    modalities = tuple(Modality(f"m{number}", 1) for number in range(9))
    for method in ("mmp", "dcp", "moe_task"):
        with pytest.raises(ConfigError, match=r"2\^9 patterns; give at most 8 modalities"):
            build_network(ModelConfig(method=method), "skip", modalities, CLASSES)
    assert build_network(ModelConfig(), "skip", modalities, CLASSES).adapters


@pytest.mark.parametrize(
    "keys",
    [
        {}, {"readout": "centre"}, {"fusion": "attention"}, {"adapter_norm": True},
        *({"method": method} for method in ("lora", "mmp", "dcp", "moe_rep", "moe_ada", "moe_task")),
    ],
)  # fmt: skip
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
