"""Prompts against plain loops: what they are, and what blocks do with them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from engine.model.baselines.dcp import CorrelatedPrompts
from engine.model.baselines.mmp import MissingAwarePrompts
from engine.model.baselines.prompts import Sequences
from tests.model.baselines import reference
from tests.model.small import SMALL

WIDTH, MODALITIES = 32, 3


def randomised(module):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
    return module.double().eval()


def some_sequences(tokens: int) -> Sequences:
    """Two windows: all three modalities; the last two, of which the second has dummy tokens alone."""
    present = torch.rand(5, tokens, MODALITIES, generator=torch.Generator().manual_seed(3)) > 0.3
    present[4] = False
    present[:3, 0], present[3:, 0] = torch.tensor([True, False, True]), torch.tensor([False, True, False])
    present[3, 1:, 1], present[3, :, 2] = True, False
    return Sequences(
        window=torch.tensor([0, 0, 0, 1, 1]), modality=torch.tensor([0, 1, 2, 1, 2]), windows=2,
        present_NTM=present, present_BM=torch.stack([present[0, 0], present[3, 0]]),
    )  # fmt: skip


@pytest.mark.parametrize("use", ["input", "attention"])
def test_missing_aware_prompts_in_the_blocks(make_network, use):
    """Tokens of one sequence after a backbone with MMP, as a plain loop has them; here two of three blocks."""
    network = make_network(**(SMALL | {"method": "mmp", "prompt_length": 4, "prompt_level": use, "depth": 3}))
    network.double()
    randomised(network.prompts)
    backbone, tokens = network.backbone, 36
    sequences = some_sequences(tokens + 1)
    x = torch.randn(5, tokens, WIDTH, dtype=torch.float64)
    with torch.no_grad():
        prompts_of = partial(network.prompts, sequences=sequences)
        found = backbone(x, None, sequences.present_NTM, None, network.placement, prompts_of)
    entries = reference.weights_of(network.prompts)["table.entries"]
    weights = reference.weights_of(backbone)
    for row in (0, 3, 4):
        stream = np.concatenate([weights["prefix_PD"], x[row].numpy() + weights["position_LD"]])
        prompts = entries[reference.code(sequences.present_NTM[row, 0].numpy())]
        for index, block in enumerate(backbone.blocks):
            keys = values = np.zeros((0, WIDTH))
            if index < 2 and use == "input":
                stream = np.concatenate([stream, prompts[index]])
            elif index < 2:
                keys, values = prompts[index][:2], prompts[index][2:]
            stream = reference.block_by_hand(reference.weights_of(block), stream, 2, 1e-6, keys, values)
        assert len(stream) == tokens + 1 + (8 if use == "input" else 0)
        expected = [reference.layer_norm(x, weights, "norm_post", 1e-6) for x in stream[: tokens + 1]]
        assert np.abs(found[row].numpy() - np.stack(expected)).max() < 1e-8


def test_correlated_prompts_equal_the_loop():
    """Own, common and dynamic prompts, and their way through the blocks."""
    prompts = randomised(CorrelatedPrompts(width=WIDTH, modalities=MODALITIES, blocks=3, length=6))
    sequences = some_sequences(10)
    x = torch.randn(5, 10, WIDTH, dtype=torch.float64)
    with torch.no_grad():
        given = prompts(x, sequences)
    assert given.use == "replace" and len(given.blocks) == 3
    weights, seen = reference.weights_of(prompts), [{0: 0, 1: 1, 2: 2}, {1: 3}]
    for window, rows in enumerate(seen):
        tokens = {modality: x[row].numpy() for modality, row in rows.items()}
        expected = reference.correlated_prompts(weights, tokens, sequences.present_BM[window].numpy(), 3)
        for row in range(5):
            if sequences.window[row] == window:
                for block in range(3):
                    by_hand = expected[block][int(sequences.modality[row])]
                    assert np.abs(given.blocks[block][row].numpy() - by_hand).max() < 1e-8


@pytest.mark.parametrize("placement", [[0, 1], [1, 2]])
def test_correlated_prompts_in_the_blocks(make_network, placement):
    """Tokens of one sequence after a backbone with DCP, as a plain loop has them; here two of three blocks.

    Prompts come behind the tokens, take the place of the former block's, and stay to the end once they are there.
    """
    network = make_network(
        **(SMALL | {"method": "dcp", "prompt_length": 6, "depth": 3, "adapter_blocks": 2, "placement": placement})
    )
    network.double()
    randomised(network.prompts)
    backbone, tokens = network.backbone, 36
    sequences = some_sequences(tokens + 1)
    x = torch.randn(5, tokens, WIDTH, dtype=torch.float64)
    with torch.no_grad():
        prompts_of = partial(network.prompts, sequences=sequences)
        found = backbone(x, None, sequences.present_NTM, None, network.placement, prompts_of)
    weights = reference.weights_of(backbone)
    starts = [np.concatenate([weights["prefix_PD"], row.numpy() + weights["position_LD"]]) for row in x]
    seen = [{0: 0, 1: 1, 2: 2}, {1: 3}]  # of each window: the rows of the modalities that have values
    for row in range(5):
        window, modality = int(sequences.window[row]), int(sequences.modality[row])
        inputs = {number: starts[other] for number, other in seen[window].items()}
        present = sequences.present_BM[window].numpy()
        prompts = reference.correlated_prompts(reference.weights_of(network.prompts), inputs, present, 2)
        stream, nothing = starts[row], np.zeros((0, WIDTH))
        for index, block in enumerate(backbone.blocks):
            if index in placement:
                stream = np.concatenate([stream[: tokens + 1], prompts[placement.index(index)][modality]])
            stream = reference.block_by_hand(reference.weights_of(block), stream, 2, 1e-6, nothing, nothing)
        assert len(stream) == tokens + 1 + 6
        expected = [reference.layer_norm(x, weights, "norm_post", 1e-6) for x in stream[: tokens + 1]]
        assert np.abs(found[row].numpy() - np.stack(expected)).max() < 1e-8


def test_replacing_prompts_keep_the_length(make_network, make_input, monkeypatch):
    """Each block's correlated prompts take the place of the former ones, and end where they are placed."""
    network = make_network(**(SMALL | {"method": "dcp", "prompt_length": 6, "depth": 3, "adapter_blocks": 2}))
    lengths = []
    for block in network.backbone.blocks:
        plain = block.forward
        monkeypatch.setattr(block, "forward", lambda x, *rest, f=plain: lengths.append(x.shape[1]) or f(x, *rest))
    with torch.no_grad():
        network(*make_input(network))
    assert lengths == [37 + 6] * 3


def test_every_prompt_learns(make_network, make_input):
    """Also the queries of dynamic prompts, which the published code leaves as they are."""
    for method, length in (("dcp", 6), ("mmp", 4)):
        network = make_network(**(SMALL | {"method": method, "prompt_length": length})).train()
        values, valid = make_input(network)
        network(values, valid).square().sum().backward()
        patterns = {"prompts.table.entries", "prompts.common.entries", "prompts.own_M2PD"}
        for name, weight in network.named_parameters():
            if name.startswith("prompts."):
                assert weight.grad is not None and weight.grad.any(), name
                everywhere = weight.grad.reshape(len(weight), -1).any(1).all()  # of each sensor, of each block
                assert name in patterns or everywhere, name


def test_patterns_have_prompts_of_their_own():
    """Changing one pattern's prompts changes the sequences of that pattern, and no other."""
    prompts = MissingAwarePrompts(width=WIDTH, modalities=MODALITIES, blocks=2, length=4, level="input")
    sequences = some_sequences(10)
    before = prompts(torch.empty(5, 10, WIDTH), sequences).blocks
    with torch.no_grad():
        prompts.table.entries[0b101] += 1.0
    after = prompts(torch.empty(5, 10, WIDTH), sequences).blocks
    assert [bool((a != b).any()) for a, b in zip(after[0], before[0], strict=True)] == [True, True, True, False, False]
