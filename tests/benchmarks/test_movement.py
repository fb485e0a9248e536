"""How far what a method adds moves frozen features."""

import numpy as np
import pytest
import torch

from engine.benchmarks.comparison.movement import features_moved
from engine.benchmarks.comparison.search_tables import write_search
from engine.benchmarks.runs import Run
from engine.config import ModelConfig
from engine.model.build import build_network
from tests.model.small import CLASSES, MODALITIES, SMALL


@pytest.fixture
def network():
    """With a LoRA beside the last block's MLP, and no norm after it: what it says is what the output changes by."""
    torch.manual_seed(0)
    network = build_network(
        ModelConfig(**(SMALL | {"method": "lora", "adapter_blocks": 1})), "skip", MODALITIES, CLASSES
    )
    network.backbone.norm_post = torch.nn.Identity()
    return network.eval()


def test_features_move_by_what_is_added(network):
    """Nothing at the start; then the LoRA's output over the spread of the rest, twice as much when it says twice."""
    values = [torch.randn(6, sensor.bands, 12, 12) for sensor in MODALITIES]
    valid = torch.ones(6, 3, 12, 12, dtype=torch.bool)
    valid[:2, 1] = False
    assert features_moved(network, values, valid) == 0
    (adapter,) = network.adapters
    last = next(weight for weight in adapter.parameters() if not weight.any())
    torch.nn.init.normal_(last, std=0.3)
    added, whole = [], []
    with torch.no_grad():
        hooks = [
            adapter.register_forward_hook(lambda module, given, said: added.append(said - given[2])),
            network.backbone.register_forward_hook(lambda module, given, said: whole.append(said)),
        ]
        network(values, valid)
        for hook in hooks:
            hook.remove()
    added, whole = (np.concatenate([part.flatten(0, 1).double().numpy() for part in parts]) for parts in (added, whole))
    without = whole - added
    spread = np.sqrt(((without - without.mean(axis=0)) ** 2).sum(axis=1).mean())
    expected = np.sqrt((added**2).sum(axis=1).mean()) / spread
    assert features_moved(network, values, valid) == pytest.approx(expected, rel=1e-4)
    with torch.no_grad():
        last *= 2
    assert features_moved(network, values, valid) == pytest.approx(2 * expected, rel=1e-4)
    assert not network.backbone._forward_hooks


def test_a_search_beside_frozen_blocks_tells_how_far(tmp_path):
    """The farthest first, with smallest and largest; without the fact there is no table."""
    facts = {"device": "a chip", "precision": "float32", "torch": "3", "steps": 9, "backbone": "vit", "scene": "a"}
    scores = {"sar": {"oa": 0.5, "aa": 0.5, "kappa": None, "n": 9}}

    def made(seed, method, **more):
        return Run("a", seed, method, scores, scores, facts=facts | more)

    moved = [("near", 0.1), ("near", 0.3), ("far", 0.5), ("far", 0.7)]
    runs = [made(seed % 2, method, features_moved=value) for seed, (method, value) in enumerate(moved)]
    text = write_search(runs, tmp_path).read_text()
    assert "| far | 2 | 0.60 | 0.50 | 0.70 |\n| near | 2 | 0.20 | 0.10 | 0.30 |" in text
    assert "How far the features move" not in write_search([made(0, "near")], tmp_path).read_text()
