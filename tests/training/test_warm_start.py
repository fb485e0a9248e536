"""What is carried over must do the same: with new sensors absent, old classes keep their scores."""

import pytest
import torch

from engine.bundle import LoadedModel
from engine.config import ModelConfig
from engine.errors import ConfigError
from engine.legend import LandClass, Legend
from engine.modality import Modality
from engine.model.backbone import VisionTransformer, VitShape
from engine.model.build import build_network, resolve_model_config
from engine.model.readout import core_offset
from engine.modelfile import ModelInfo
from engine.training.warm_start import warm_start

OLD = (Modality("a", 3), Modality("b", 1))
NEW = (Modality("c", 2), Modality("b", 1), Modality("a", 3))
OLD_LEGEND = Legend(tuple(LandClass(v, n, (0, 0, 0)) for v, n in ((1, "wood"), (2, "water"), (3, "roof"))))
NEW_LEGEND = Legend(tuple(LandClass(v, n, (0, 0, 0)) for v, n in ((1, "Water"), (2, "road"), (3, "wood"), (7, "soil"))))


# Not dense with concat: there the head tells each sensor's slots which others there are, so new slots speak at once.
@pytest.mark.parametrize(
    ("readout", "fusion", "method"),
    [
        ("dense", "sum", "mamol"), ("dense", "gated", "mamol"), ("dense", "attention", "mamol"),
        ("centre", "concat", "mamol"), ("dense", "sum", "mmp"), ("dense", "sum", "moe_task"),
    ],
)  # fmt: skip
def test_old_classes_keep_their_scores(readout, fusion, method):
    config = resolve_model_config(
        ModelConfig(
            window=8, token_px=2, core=4 if readout == "dense" else None, width=16, depth=2, heads=2, stem_width=8,
            adapter_blocks=1, rank=2, boxes=(3, 5), fusion=fusion, readout=readout,
            method=method,
        )
    )  # fmt: skip
    torch.manual_seed(0)
    old = build_network(config, "skip", OLD, 3).eval()
    for parameter in old.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # nothing may hide behind a zero
    info = ModelInfo(modalities=OLD, stats={}, legend=OLD_LEGEND, model=config.model_dump(mode="json"))
    new = build_network(config, "skip", NEW, 4).eval()
    message = warm_start(new, config, NEW, NEW_LEGEND, LoadedModel(info, old))
    assert message.endswith("2 of 3 modalities (b, a), 2 of 4 classes")

    a, b = torch.randn(5, 3, 8, 8), torch.randn(5, 1, 8, 8)
    valid_a, valid_b = torch.rand(2, 5, 8, 8) < 0.8
    before = old([a, b], torch.stack([valid_a, valid_b], dim=1))
    after = new([None, b, a], torch.stack([torch.zeros_like(valid_a), valid_b, valid_a], dim=1))
    assert torch.allclose(after[:, [2, 0]], before[:, [0, 1]], atol=1e-4)


SMALL = {
    "window": 12, "token_px": 2, "core": 6, "width": 32, "depth": 2, "heads": 2, "stem_width": 8, "adapter_blocks": 1,
    "boxes": (3, 5), "feature_width": 24,
}  # fmt: skip
TIMM = {"backbone": "timm:some"}
# For every key of [model]: another value than SMALL's, and what else is set where it has a meaning.
CHANGES = {
    "backbone": ("timm:some", {}), "weights": ("elsewhere.safetensors", TIMM), "train_backbone": (True, TIMM),
    "method": ("linear", {}), "readout": ("centre", {"core": 1, "pixels": False, "boxes": (), "fusion": "concat"}),
    "window": (16, {}), "token_px": (4, {}), "core": (4, {}), "width": (48, {}), "depth": (3, {}), "heads": (4, {}),
    "dropout": (0.2, {}), "stem_width": (16, {}), "pixels": (False, {}), "boxes": ((3, 7), {}), "bins": (4, {}),
    "token_dropout": (0.5, {}), "feature_width": (32, {}), "head_dropout": (0.1, {}), "placement": ("head", {}),
    "adapter_blocks": (2, {}), "dynamic_experts": (3, {}), "top_k": (2, {}), "rank": (4, {}),
    "shared_expert": (False, {}), "modality_experts": (False, {}), "modality_gate": ("own", {}),
    "router_input": ("token", {}), "adapter_norm": (True, {}), "adapter_projection": (True, {}),
    "expert_balance": (0.5, {"method": "moe_rep"}), "prompt_length": (8, {"method": "mmp"}),
    "prompt_level": ("attention", {"method": "mmp"}), "fusion": (("sum",), {}),
}  # fmt: skip


def test_every_key_is_tried():
    """A new key of [model] needs a line in CHANGES: is a model with another value of it one to start from?"""
    assert CHANGES.keys() == ModelConfig.model_fields.keys()


@pytest.mark.parametrize("key", CHANGES)
def test_a_key_is_free_where_the_same_weights_do_the_same(key):
    value, beside = CHANGES[key]
    configs = [resolve_model_config(ModelConfig(**(SMALL | beside | change))) for change in ({}, {key: value})]
    networks = []
    for config in configs:
        shape = VitShape(config.width, config.depth, config.heads, 4 * config.width, config.window // config.token_px)
        networks.append(build_network(config, "skip", OLD, 3, VisionTransformer(shape)).eval())
    old, new = networks
    torch.manual_seed(0)
    for parameter in old.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    info = ModelInfo(modalities=OLD, stats={}, legend=OLD_LEGEND, model=configs[0].model_dump(mode="json"))
    loaded = LoadedModel(info, old)
    if same_answers(old, new, min(config.core for config in configs)):
        warm_start(new, configs[1], OLD, OLD_LEGEND, loaded)
        state = old.state_dict()
        assert all(torch.equal(weight, state[name]) for name, weight in new.trainable_state().items())
    else:
        with pytest.raises(ConfigError, match=rf"model\.{key} = "):
            warm_start(new, configs[1], OLD, OLD_LEGEND, loaded)


def same_answers(old, new, core):
    """Whether the weights of one fit into the other and make it say the same of the middle of a window."""
    shapes = [{name: tensor.shape for name, tensor in network.state_dict().items()} for network in (old, new)]
    if shapes[0] != shapes[1]:
        return False
    torch.manual_seed(1)
    values = [torch.randn(4, modality.bands, old.window, old.window) for modality in OLD]
    valid = torch.rand(4, 2, old.window, old.window) < 0.8
    valid[0, 0] = False
    kept = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    new.load_state_dict(old.state_dict())
    with torch.no_grad():
        answers = [network(values, valid) for network in (old, new)]
    new.load_state_dict(kept)
    middles = []
    for network, answer in zip((old, new), answers, strict=True):
        inner = slice(margin := core_offset(network.core, core), margin + core)
        middles.append(answer[:, :, inner, inner])
    return torch.allclose(*middles, atol=1e-5)


@pytest.mark.parametrize("trained", [True, False])
def test_a_frozen_backbone_must_be_the_old_one(trained):
    """Its weights are not carried over: they must be those that the old experts and head were trained with."""
    shape = VitShape(32, 2, 2, 128, 6)
    frozen, old_config = (
        resolve_model_config(ModelConfig(**(SMALL | TIMM | {"train_backbone": train}))) for train in (False, trained)
    )
    info = ModelInfo(modalities=OLD, stats={}, legend=OLD_LEGEND, model=old_config.model_dump(mode="json"))
    old = build_network(old_config, "skip", OLD, 3, VisionTransformer(shape))
    new = build_network(frozen, "skip", OLD, 3, VisionTransformer(shape))
    old.backbone_sha256, new.backbone_sha256 = "0123", "0123" if trained else "4567"
    with pytest.raises(ConfigError, match=r"model\.train_backbone = true"):
        warm_start(new, frozen, OLD, OLD_LEGEND, LoadedModel(info, old))
    if not trained:
        new.backbone_sha256 = "0123"
        warm_start(new, frozen, OLD, OLD_LEGEND, LoadedModel(info, old))


def test_other_bands_start_afresh():
    config = resolve_model_config(ModelConfig(window=8, token_px=2, core=4, width=16, depth=1, heads=2, boxes=(3,)))
    old, new = (build_network(config, "skip", (Modality("a", bands),), 3) for bands in (3, 4))
    info = ModelInfo(modalities=(Modality("a", 3),), stats={}, legend=OLD_LEGEND, model=config.model_dump(mode="json"))
    before = new.stems[0].pixels.weight.clone()
    warm_start(new, config, (Modality("a", 4),), OLD_LEGEND, LoadedModel(info, old))
    assert torch.equal(new.stems[0].pixels.weight, before)
    assert torch.equal(new.backbone.blocks[0].qkv.weight, old.backbone.blocks[0].qkv.weight)
