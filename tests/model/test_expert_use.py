"""Who serves whom: counted right, and learnt where it is there to be learnt."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.modality import Modality
from engine.model.expert_use import watched
from engine.model.mamol import MaMOLAdapter
from tests.model.small import CENTRE, SMALL

TWO = (Modality("hsi", 3), Modality("sar", 2))


def test_planted_routers_are_seen(make_network, make_input):
    """Routers that send each pattern to an expert of its own: the counts say so, in every block, for every token."""
    network = make_network(modalities=TWO, depth=3, adapter_blocks=2, dynamic_experts=3)
    for adapter in network.adapters:
        for weight in adapter.router.parameters():
            torch.nn.init.zeros_(weight)
        with torch.no_grad():
            adapter.router.features.weight[0, 32], adapter.router.features.weight[1, 33] = 9.0, 9.0
            # hsi alone: expert 0; sar alone: expert 1; both: expert 2
            adapter.router.scores.weight[:, :2] = torch.tensor([[2.0, -2.0], [-2.0, 2.0], [1.0, 1.0]])
    values, valid = make_input(network, windows=6, holes=False)
    valid[:2, 0] = valid[2:4, 1] = False
    with torch.no_grad(), watched(network) as use:
        network(values, valid)
        network(values, torch.zeros_like(valid))
    assert use.blocks == [1, 2]
    shares = use.shares()
    assert {bits: share.argmax(axis=1).tolist() for bits, share in shares.items()} == {1: [0, 0], 2: [1, 1], 3: [2, 2]}
    assert all(share.max(axis=1).tolist() == [1.0, 1.0] for share in shares.values())
    assert [use.tokens(bits) for bits in (1, 2, 3)] == [2 * 37, 2 * 37, 2 * 2 * 37]
    with torch.no_grad():
        network(values, valid)
    assert use.tokens(1) == 2 * 37  # nobody watches any more


@pytest.mark.parametrize(
    ("keys", "experts"),
    [
        (SMALL | {"method": "moe_task"}, 4), (CENTRE | {"method": "moe_ada"}, 4), (SMALL | {"method": "moe_rep"}, 2),
        (SMALL | {"method": "dcp", "prompt_length": 6}, 0), (SMALL | {"dynamic_experts": 0}, 0),
    ],
)  # fmt: skip
def test_any_router_is_watched(make_network, make_input, keys, experts):
    """Loads of a token add up to 1 whatever the method; without routers there is nothing to count."""
    network = make_network(**keys)
    with torch.no_grad(), watched(network) as use:
        network(*make_input(network))
    assert use.experts == experts
    assert bool(use.loads) == bool(experts)
    for share in use.shares().values():
        assert share.shape == (2, experts) and share[0].sum() == pytest.approx(1)
        # The last block of a centre read-out computes the class token alone.
        assert share[1].sum() == pytest.approx(1) or (network.readout.centre and not share[1].any())


def learnt_split(seed: int) -> float:
    """Train an adapter on two patterns that need different maps; how far apart the patterns' experts then are."""
    torch.manual_seed(seed)
    adapter = MaMOLAdapter(
        width=12, modalities=2, rank=3, dynamic_experts=2, top_k=1, shared=False, specific=False, norm=False,
        projection=False,
    )  # fmt: skip
    patterns = torch.tensor([[True, False], [False, True]])
    maps = torch.stack([torch.randn(12, 2) @ torch.randn(2, 12) * 0.3 for _ in patterns])
    optimiser = torch.optim.Adam(adapter.parameters(), lr=0.02)
    for _ in range(300):
        which, z = torch.randint(2, (128,)), torch.randn(1, 128, 12)
        wanted = torch.einsum("ntd,tde->nte", z, maps[which])
        loss = (adapter(z, patterns[which][None]) - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    z = torch.randn(1, 200, 12)
    served = [(adapter.router(z, pattern.expand(1, 200, 2)) > 0).float().mean(dim=(0, 1)) for pattern in patterns]
    return float((served[0] - served[1]).abs().max())


def test_a_planted_relation_is_learnt():
    """Patterns that need different maps get experts of their own, from most starts: top-1 may still starve one."""
    splits = np.array([learnt_split(seed) for seed in range(5)])
    assert (splits > 0.95).sum() >= 4, splits
