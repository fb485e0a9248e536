"""The mixtures of experts against plain loops, and what they are at the start."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.model.backbone import Block, VitShape
from engine.model.baselines.lora import LoraAdapter
from engine.model.baselines.moe_ada import AdaptedExperts
from engine.model.baselines.moe_rep import ReplacingExperts
from engine.model.baselines.moe_task import TaskExperts
from engine.model.baselines.token_router import TokenRouter
from tests.model.baselines import reference

WIDTH, HIDDEN, RANK, MODALITIES = 12, 20, 2, 3


def make_block() -> Block:
    torch.manual_seed(0)
    return Block(VitShape(width=WIDTH, depth=1, heads=2, mlp_width=HIDDEN, grid=2), dropout=0.0).double()


def make_experts(method: str, block: Block, experts: int = 4, top_k: int = 2) -> nn.Module:
    match method:
        case "moe_rep":
            return ReplacingExperts(block, experts=experts, top_k=top_k).double()
        case "moe_ada":
            return AdaptedExperts(width=WIDTH, hidden=HIDDEN, experts=experts, top_k=top_k, rank=RANK).double()
    return TaskExperts(width=WIDTH, hidden=HIDDEN, modalities=MODALITIES, experts=experts, rank=RANK).double()


def randomised(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.float64) * 0.5)
    return module.eval()


def tokens() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    z = torch.randn(3, 5, WIDTH, generator=generator, dtype=torch.float64)
    return z, torch.rand(3, 5, MODALITIES, generator=generator) > 0.4


def by_hand(method: str, experts: nn.Module, block: Block, top_k: int) -> np.ndarray:
    z, present = (tensor.numpy() for tensor in tokens())
    ours, theirs = reference.weights_of(experts), reference.weights_of(block)
    out = np.zeros_like(z)
    for place in np.ndindex(z.shape[:2]):
        match method:
            case "moe_rep":
                out[place] = reference.replacing_mlp(ours, z[place], HIDDEN, top_k)
            case "moe_ada":
                out[place] = reference.adapted_mlp(ours, theirs, z[place], top_k, RANK)
            case "moe_task":
                out[place] = reference.task_mlp(ours, theirs, z[place], present[place], RANK)
    return out


@pytest.mark.parametrize(("method", "top_k"), [("moe_rep", 1), ("moe_rep", 2), ("moe_ada", 1), ("moe_ada", 3)])
def test_token_experts_equal_the_loop(method, top_k):
    block = make_block()
    experts = randomised(make_experts(method, block, top_k=top_k))
    assert np.abs(experts(*tokens(), block).detach().numpy() - by_hand(method, experts, block, top_k)).max() < 1e-10


def test_task_experts_equal_the_loop():
    block = make_block()
    experts = randomised(make_experts("moe_task", block))
    assert np.abs(experts(*tokens(), block).detach().numpy() - by_hand("moe_task", experts, block, 4)).max() < 1e-10


def test_lora_equals_the_loop():
    adapter, (z, present) = randomised(LoraAdapter(width=WIDTH, rank=RANK).double()), tokens()
    weights = reference.weights_of(adapter)
    expected = np.array([[reference.low_rank(weights, "bank", 0, RANK, x) for x in row] for row in z.numpy()])
    assert np.abs(adapter(z, present).detach().numpy() - expected).max() < 1e-10


@pytest.mark.parametrize("method", ["moe_rep", "moe_ada", "moe_task"])
@pytest.mark.parametrize("top_k", [1, 2])
def test_new_experts_are_the_mlp(method, top_k):
    """A start from pretrained weights changes nothing, whatever the router says."""
    block, (z, present) = make_block(), tokens()
    with torch.no_grad():
        expected = block.fc2(block.activate(block.fc1(z)))
        assert torch.allclose(make_experts(method, block, top_k=top_k).eval()(z, present, block), expected, atol=1e-10)


@pytest.mark.parametrize("method", ["moe_rep", "moe_ada", "moe_task"])
def test_experts_and_router_learn(method):
    """Every weight has a gradient, also the router of a single expert, once the second factors are not zero."""
    block, (z, present) = make_block(), tokens()
    experts = randomised(make_experts(method, block, experts=2, top_k=1)).train()
    (experts(z, present, block) * z).sum().backward()
    silent = [name for name, weight in experts.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert silent == []


def test_task_experts_know_the_pattern_and_token_experts_do_not():
    (z, present), block = tokens(), make_block()
    for method, differs in (("moe_task", True), ("moe_ada", False)):
        experts = randomised(make_experts(method, block))
        with torch.no_grad():
            same = torch.equal(experts(z, present, block), experts(z, ~present, block))
        assert same != differs


def test_balance_loss_by_hand():
    """E sum_e (share of tokens served) (mean gate): least, 1 per place, where all experts serve alike."""
    router = TokenRouter(width=2, experts=2, top_k=1, noisy=False)
    with torch.no_grad():
        router.scores.weight.copy_(torch.tensor([[2.0, 0.0], [-2.0, 0.0]]))
    z = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]])
    router(z, torch.ones(1, 4, 1, dtype=torch.bool))
    gate = torch.sigmoid(torch.tensor(4.0)).item()
    mean = (3 * gate + (1 - gate)) / 4
    assert router.take_balance().item() == pytest.approx(2 * (0.75 * mean + 0.25 * (1 - mean)), rel=1e-5)
    assert router.take_balance() is None
    router.eval()(z, torch.ones(1, 4, 1, dtype=torch.bool))
    assert router.take_balance() is None


def test_noise_is_for_training_only():
    router, (z, present) = TokenRouter(width=WIDTH, experts=8, top_k=1, noisy=True), tokens()
    z = z.float()
    torch.manual_seed(0)
    assert not torch.equal(router(z, present) > 0, router(z, present) > 0)
    router.eval()
    assert torch.equal(router(z, present), router(z, present))
