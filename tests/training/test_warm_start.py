"""What is carried over must do the same: with new sensors absent, old classes keep their scores."""

import pytest
import torch

from engine.bundle import LoadedModel
from engine.config import ModelConfig
from engine.legend import LandClass, Legend
from engine.modality import Modality
from engine.model.build import build_network, resolve_model_config
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


def test_other_bands_start_afresh():
    config = resolve_model_config(ModelConfig(window=8, token_px=2, core=4, width=16, depth=1, heads=2, boxes=(3,)))
    old, new = (build_network(config, "skip", (Modality("a", bands),), 3) for bands in (3, 4))
    info = ModelInfo(modalities=(Modality("a", 3),), stats={}, legend=OLD_LEGEND, model=config.model_dump(mode="json"))
    before = new.stems[0].pixels.weight.clone()
    warm_start(new, config, (Modality("a", 4),), OLD_LEGEND, LoadedModel(info, old))
    assert torch.equal(new.stems[0].pixels.weight, before)
    assert torch.equal(new.backbone.blocks[0].qkv.weight, old.backbone.blocks[0].qkv.weight)
