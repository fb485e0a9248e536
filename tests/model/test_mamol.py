"""The adapter against the paper's equations, one token at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from engine.model.mamol import MaMOLAdapter
from engine.model.router import PatternRouter
from engine.model.tokens import with_own_row
from tests.model.reference import adapter_delta

WIDTH, RANK, MODALITIES = 12, 3, 3
FULL = {
    "width": WIDTH, "modalities": MODALITIES, "rank": RANK, "dynamic_experts": 4, "top_k": 2, "shared": True,
    "specific": True, "norm": False, "projection": False,
}  # fmt: skip


def random_adapter(**changes: object) -> MaMOLAdapter:
    """An adapter in float64 with all weights drawn at random."""
    adapter = MaMOLAdapter(**(FULL | changes)).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in adapter.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.float64) * 0.5)
    return adapter


def random_tokens() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    z = torch.randn(3, 5, WIDTH, generator=generator, dtype=torch.float64)
    return z, torch.rand(3, 5, MODALITIES, generator=generator) > 0.4


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"top_k": 1},
        {"top_k": 4},
        {"dynamic_experts": 0},
        {"shared": False},
        {"specific": False},
        {"projection": True},
        {"router_input": "token"},
        {"router_input": "pattern"},
        {"dynamic_experts": 0, "shared": False},
        {"shared": False, "specific": False, "top_k": 1},
    ],
)
def test_fused_form_equals_the_equations(changes):
    """One pair of matrix products gives what a loop over tokens and experts gives."""
    adapter, (z, present) = random_adapter(**changes), random_tokens()
    expected = adapter_delta(adapter, z.numpy(), present.numpy(), RANK, changes.get("router_input", "both"))
    assert np.abs(adapter(z, present).detach().numpy() - expected).max() < 1e-10
    update = torch.randn_like(z)
    assert np.abs((adapter(z, present, update) - update).detach().numpy() - expected).max() < 1e-10


@pytest.mark.parametrize("modality", range(MODALITIES))
def test_experts_of_the_tokens_own_sensor(modality):
    """Gated by `own`, a sensor's tokens are served by its expert, where it is there; the router still sees the rest."""
    adapter, (z, present) = random_adapter(own=True), random_tokens()
    served = present & (torch.arange(MODALITIES) == modality)
    expected = adapter_delta(adapter, z.numpy(), present.numpy(), RANK, served_NTM=served.numpy())
    rows = with_own_row(present, modality)
    assert np.abs(adapter(z, rows).detach().numpy() - expected).max() < 1e-10


def test_new_adapter_changes_nothing():
    """B starts at zero, also behind the output projection."""
    z, present = random_tokens()
    for projection in (False, True):
        adapter = MaMOLAdapter(**(FULL | {"projection": projection})).double()
        assert adapter(z, present).abs().max() == 0


def test_new_adapter_learns():
    """With B at zero, B itself still has a gradient, for every expert that is used."""
    adapter, (z, present) = MaMOLAdapter(**(FULL | {"top_k": 4})).double(), random_tokens()
    (adapter(z, present) * z).sum().backward()
    assert (adapter.bank.up.weight.grad.unflatten(1, (-1, RANK)).abs().amax(dim=(0, 2)) > 0).all()


def test_modality_expert_works_exactly_where_its_modality_is_present():
    """Changing modality j's expert changes the tokens that have j, and no other."""
    adapter, (z, present) = random_adapter(), random_tokens()
    before = adapter(z, present)
    for modality in range(MODALITIES):
        changed = random_adapter()
        expert = FULL["dynamic_experts"] + 1 + modality
        with torch.no_grad():
            changed.bank.up.weight[:, expert * RANK : (expert + 1) * RANK] += 1.0
        differs = (changed(z, present) - before).abs().amax(dim=-1) > 1e-9
        assert torch.equal(differs, present[..., modality])


def test_router_picks_the_planted_expert():
    """A router whose scores read the availability row sends each pattern to its expert, with the raw probability."""
    router = PatternRouter(width=WIDTH, modalities=2, experts=2, top_k=1)
    with torch.no_grad():
        router.features.weight.zero_()
        router.features.bias.zero_()
        router.features.weight[0, WIDTH] = 5.0  # hidden 0: modality 0 is present
        router.features.weight[1, WIDTH + 1] = 5.0
        router.scores.weight.zero_()
        router.scores.bias.zero_()
        router.scores.weight[0, 0] = router.scores.weight[1, 1] = 1.0
    z = torch.randn(1, 2, WIDTH)
    present = torch.tensor([[[True, False], [False, True]]])
    gate = router(z, present)
    probability = functional.gelu(torch.tensor(5.0)).sigmoid()
    assert torch.allclose(gate, torch.tensor([[[probability, 0.0], [0.0, probability]]]))


def test_router_stays_in_float32_under_autocast():
    """Gates are computed in float32, whatever autocast says: rounding must not choose an expert."""
    router = PatternRouter(width=WIDTH, modalities=MODALITIES, experts=2, top_k=2)
    z, present = random_tokens()
    z = z.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = router(z, present)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, router(z, present))


@pytest.mark.parametrize("experts", [0, 2, 9])
def test_all_experts_are_one_pair_of_products(monkeypatch, experts):
    """However many there are, a token's width is multiplied on the way down, on the way up, and once for the router."""
    calls = []
    plain = functional.linear
    monkeypatch.setattr(functional, "linear", lambda *args: calls.append(args[1].shape) or plain(*args))
    adapter = MaMOLAdapter(**(FULL | {"dynamic_experts": experts}))
    adapter(torch.randn(1, 4, WIDTH), torch.ones(1, 4, MODALITIES, dtype=torch.bool))
    ranks = adapter.bank.down.out_features
    look = [(adapter.router.features.out_features, WIDTH)] if experts else []
    assert [tuple(shape) for shape in calls if WIDTH in shape] == [*look, (ranks, WIDTH), (WIDTH, ranks)]


def test_adapter_without_experts_is_refused():
    """No dynamic, shared or modality expert is a mistake."""
    with pytest.raises(ValueError, match="at least one"):
        MaMOLAdapter(**(FULL | {"dynamic_experts": 0, "shared": False, "specific": False}))
    with pytest.raises(ValueError, match="top_k"):
        MaMOLAdapter(**(FULL | {"top_k": 5}))


def test_norm_is_over_the_updated_stream(make_network, make_input):
    """Eq. 3: the adapted block ends in a LayerNorm over x + MLP(z) + delta."""
    network = make_network(adapter_norm=True)
    block, adapter = network.backbone.blocks[1], network.adapters[1]
    x, present = torch.randn(2, 5, 32), torch.rand(2, 5, 3) > 0.5
    norm, adapter.norm = adapter.norm, None
    stream = block(x, adapter, present)
    adapter.norm = norm
    assert isinstance(norm, nn.LayerNorm)
    assert torch.allclose(block(x, adapter, present), norm(stream))
