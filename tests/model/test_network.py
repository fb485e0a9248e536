"""What the network promises about missing data, batches and frozen weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.config import ModelConfig
from engine.modality import Modality
from engine.model.backbone import VisionTransformer, VitShape
from engine.model.build import build_network
from tests.model.cost import flops_per_pixel
from tests.model.small import CENTRE, CLASSES, MODALITIES, SMALL

VARIANTS = [
    SMALL,
    CENTRE,
    SMALL | {"token_px": 1, "core": 5},
    SMALL | {"core": 12, "fusion": "concat", "bins": 0},
    SMALL | {"fusion": "gated", "boxes": ()},
    SMALL | {"fusion": "attention"},
    CENTRE | {"fusion": "attention"},
    SMALL | {"modality_gate": "own", "router_input": "pattern"},
    SMALL | {"method": "linear"},
    SMALL | {"method": "lora", "placement": [1]},
    SMALL | {"method": "mmp", "prompt_length": 4},
    CENTRE | {"method": "mmp", "prompt_length": 4, "prompt_level": "attention"},
    SMALL | {"method": "dcp", "prompt_length": 6},
    CENTRE | {"method": "dcp", "prompt_length": 6, "placement": [1]},
    SMALL | {"method": "moe_rep"},
    CENTRE | {"method": "moe_ada", "rank": 2},
    SMALL | {"method": "moe_task", "rank": 2},
]


@pytest.mark.parametrize("absent", ["skip", "dummy"])
@pytest.mark.parametrize("keys", VARIANTS)
def test_values_under_an_invalid_mask_change_nothing(make_network, make_input, keys, absent):
    """NaN, infinity or anything else where the mask says invalid: same logits, bit for bit."""
    network = make_network(absent=absent, **keys)
    values, valid = make_input(network)
    with torch.no_grad():
        before = network(values, valid)
        for junk in (float("nan"), float("inf"), 1e30):
            dirty = [torch.where(valid[:, m : m + 1], v, junk) for m, v in enumerate(values)]
            assert torch.equal(network(dirty, valid), before)
    assert before.shape == ((5, CLASSES) if network.readout.centre else (5, CLASSES, network.core, network.core))
    assert torch.isfinite(before).all()


@pytest.mark.parametrize("absent", ["skip", "dummy"])
@pytest.mark.parametrize("keys", VARIANTS)
def test_chosen_pixels_equal_those_of_the_whole_core(make_network, make_input, keys, absent):
    """Logits of a few pixels alone: what the whole core's logits say there."""
    network = make_network(absent=absent, **keys)
    values, valid = make_input(network)
    chosen = torch.rand(len(valid), network.core, network.core, generator=torch.Generator().manual_seed(3)) < 0.4
    chosen[0, 0, 0] = True
    with torch.no_grad():
        whole = network(values, valid).reshape(len(valid), CLASSES, network.core, network.core)
        some = network(values, valid, at=chosen.nonzero(as_tuple=True))
    assert some.shape == (int(chosen.sum()), CLASSES)
    assert torch.allclose(some, whole.movedim(1, -1)[chosen], atol=1e-5)


def test_absent_values_have_no_gradient(make_network, make_input):
    """The gradient with respect to invalid values is exactly zero, to valid values it is not."""
    network = make_network()
    values, valid = make_input(network)
    values = [value.requires_grad_() for value in values]
    network(values, valid).square().sum().backward()
    for modality, value in enumerate(values):
        mask = valid[:, modality, None].expand_as(value)
        assert torch.isfinite(value.grad).all()
        assert value.grad[~mask].abs().max() == 0
        assert value.grad[mask].abs().max() > 0


@pytest.mark.parametrize("absent", ["skip", "dummy"])
@pytest.mark.parametrize("keys", [SMALL, CENTRE])
def test_missing_modality_equals_all_invalid(make_network, make_input, keys, absent):
    """A layer that is not given, one full of nodata, and the promise that it is absent: one result."""
    network = make_network(absent=absent, **keys)
    values, valid = make_input(network, holes=False)
    valid[:, 1] = False
    with torch.no_grad():
        nodata = network(values, valid)
        missing = network([values[0], None, values[2]], valid)
        promised = network([values[0], None, values[2]], valid, compute=(True, False, True))
    assert torch.equal(missing, nodata)
    assert torch.allclose(promised, nodata, atol=1e-6)


@pytest.mark.parametrize("keys", VARIANTS)
def test_windows_do_not_see_each_other(make_network, make_input, keys):
    """A window alone, in a batch, and in a batch that encodes everything: the same logits."""
    network = make_network(**keys)
    values, valid = make_input(network)
    with torch.no_grad():
        together = network(values, valid)
        everything = network(values, valid, compute=(True, True, True))
        alone = torch.cat([network([v[i : i + 1] for v in values], valid[i : i + 1]) for i in range(len(valid))])
    assert torch.allclose(together, alone, atol=1e-4)
    assert torch.allclose(together, everything, atol=1e-4)


def test_skip_encodes_only_what_is_there(make_network, make_input, monkeypatch):
    """`skip` sends only (window, modality) pairs with data through the blocks, all of them in one call of each."""
    network = make_network()
    values, valid = make_input(network)
    sizes = []
    block = network.backbone.blocks[0]
    plain = block.forward
    monkeypatch.setattr(block, "forward", lambda x, *rest: sizes.append(len(x)) or plain(x, *rest))
    with torch.no_grad():
        network(values, valid)
        network(values, torch.zeros_like(valid))
    assert sizes == [int(valid.flatten(2).any(dim=2).sum())]


def test_readings_of_absence_differ(make_network, make_input):
    """`dummy` uses the dummy tokens' features where `skip` has zeros; complete windows agree."""
    skip, dummy = make_network(absent="skip"), make_network(absent="dummy")
    dummy.load_state_dict(skip.state_dict())
    values, valid = make_input(skip, holes=False)
    with torch.no_grad():
        assert torch.allclose(skip(values, valid), dummy(values, valid), atol=1e-6)
        valid[0, 0] = False
        differs = (skip(values, valid) - dummy(values, valid)).abs().flatten(1).amax(dim=1) > 1e-4
    assert differs.tolist() == [True, False, False, False, False]


def test_each_sensor_has_its_own_expert(make_network, make_input):
    """Gated by `own`, the LiDAR's expert changes what is made of LiDAR tokens, and of no others."""
    network = make_network(modality_gate="own")
    values, valid = make_input(network, holes=False)
    with torch.no_grad():
        before = network._encode(values, valid, None)
        bank, lidar = network.adapters[0].bank, network.adapters[0].bank.up.in_features - 2 * 8
        bank.up.weight[:, lidar : lidar + 8] += 1.0  # experts: dynamic, shared, HSI, LiDAR, SAR; rank 8
        after = network._encode(values, valid, None)
    changed = [not torch.equal(one.encoded_NTD, other.encoded_NTD) for one, other in zip(before, after, strict=True)]
    assert changed == [False, True, False]


def test_nothing_present(make_network, make_input):
    """Windows without any data give finite logits, the same everywhere."""
    for keys in VARIANTS:
        network = make_network(**keys)
        values, valid = make_input(network)
        with torch.no_grad():
            logits = network(values, torch.zeros_like(valid))
        assert torch.isfinite(logits).all()
        assert torch.equal(logits, logits[:1].expand_as(logits))


def test_pixel_without_a_sensor_gets_nothing_from_it(make_network, make_input):
    """Where a pixel lacks a modality, its feature is zero in the fusion, even if its token has data."""
    network = make_network(fusion="concat")
    values, valid = make_input(network, holes=False)
    row, col = network.core_offset + 2, network.core_offset + 3
    valid[:, 1:] = False
    valid[:, 0, row, col] = False
    with torch.no_grad():
        logits = network(values, valid)
        nothing = network.classifiers[0].head(torch.zeros(1, 3 * 24), torch.zeros(1, 3))
    assert torch.allclose(logits[:, :, 2, 3], nothing.expand(5, -1), atol=1e-6)


def test_several_fusions_answer_with_the_mean_of_their_scores(make_network, make_input):
    """With all heads but one silenced, a share of that one's answer is left."""
    network = make_network(fusion=("sum", "gated"))
    values, valid = make_input(network)
    with torch.no_grad():
        together = network(values, valid)
        alone = []
        for kept in network.classifiers:
            others = [item for item in network.classifiers if item is not kept]
            weights = [(item.head.layers[-1].weight, item.head.layers[-1].bias) for item in others]
            saved = [tuple(tensor.clone() for tensor in pair) for pair in weights]
            for pair in weights:
                for tensor in pair:
                    tensor.zero_()
            alone.append(network(values, valid))
            for pair, old in zip(weights, saved, strict=True):
                for tensor, before in zip(pair, old, strict=True):
                    tensor.copy_(before)
    assert torch.allclose(sum(alone), together, atol=1e-5)
    assert not torch.allclose(alone[0], alone[1], atol=1e-2)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_modalities(make_network, make_input, count):
    """One sensor is enough, five are not too many."""
    network = make_network(modalities=tuple(Modality(f"m{i}", i + 1) for i in range(count)))
    values, valid = make_input(network)
    with torch.no_grad():
        assert network(values, valid).shape == (5, CLASSES, 6, 6)


@pytest.mark.parametrize("method", ["mamol", "lora", "mmp", "dcp", "moe_rep", "moe_ada", "moe_task"])
def test_frozen_backbone_stays_bit_for_bit(make_input, method):
    """After training steps in train mode a frozen backbone is what it was, and all else has moved."""
    torch.manual_seed(0)
    vit = VisionTransformer(VitShape(width=24, depth=3, heads=3, mlp_width=48, grid=5, layer_scale=True, norm_pre=True))
    config = ModelConfig(**(SMALL | {"backbone": "timm:some", "method": method, "prompt_length": 6}))
    network = build_network(config, "skip", MODALITIES, CLASSES, vit).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=0.01, weight_decay=0.1)
    values, valid = make_input(network)
    for _ in range(2):  # A has no gradient while B is zero, so one step would not move it
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(network(values, valid), torch.randint(0, CLASSES, (5, 6, 6)))
        (loss + network.take_balance_loss()).backward()
        optimiser.step()
    after = network.state_dict()
    frozen = {name for name in after if name.startswith("backbone.")}
    assert frozen
    for name, value in after.items():
        facts = name in dict(network.named_buffers())  # of the inputs: set before training, not by it
        assert torch.equal(value, before[name]) == (name in frozen or facts), name
    assert set(network.trainable_state()) == set(after) - frozen


def test_trained_backbone_is_part_of_the_state(make_network):
    """`compact` trains as a whole."""
    network = make_network()
    assert set(network.trainable_state()) == set(network.state_dict())
    assert all(weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize("keys", [SMALL, CENTRE])
def test_bfloat16_autocast(make_network, make_input, keys):
    """Under autocast the logits are near those of float32, and gradients flow."""
    network = make_network(**keys | {"top_k": 2})  # of two experts: no choice hangs on rounding
    values, valid = make_input(network)
    exact = network(values, valid)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(values, valid)
    assert (rough.float() - exact).abs().max() < 0.03 * exact.abs().max()
    rough.float().sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters() if weight.grad is not None)


def test_cost_by_hand(make_network):
    """The counted cost of a centre network equals the sum written out by hand."""
    network = make_network(**(CENTRE | {"method": "linear", "stem_width": 8}))
    side, stem, width, depth, tokens = 12, 8, 32, 2, 145
    multiplications = 0
    for bands in (7, 1, 2):
        multiplications += side * side * (bands * 9 * stem + stem * width)
        block = tokens * 3 * width * width + 2 * tokens * tokens * width + tokens * (width * width + 8 * width * width)
        last = tokens * 2 * width * width + width * width + 2 * tokens * width + width * width + 8 * width * width
        multiplications += (depth - 1) * block + last
    multiplications += 3 * width * CLASSES
    assert flops_per_pixel(network) == 2 * multiplications
    assert flops_per_pixel(network, (True, False, True)) < flops_per_pixel(network)
