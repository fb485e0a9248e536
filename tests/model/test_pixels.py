"""Pixels that speak for themselves: the same answer from stored numbers, and its place in the whole."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def everywhere():
    """Every pixel of the cores of some windows."""

    def index(network, windows):
        return torch.ones(windows, network.core, network.core).nonzero(as_tuple=True)

    return index


def test_answer_is_the_mean_of_two_readings(make_network, make_input, everywhere):
    """With tokens that say nothing both readings are one, and stored numbers give it; with tokens they differ."""
    network = make_network(fusion="sum")
    values, valid = make_input(network)
    at = everywhere(network, len(valid))
    present = valid[:, :, network.core_offset :, network.core_offset :].permute(0, 2, 3, 1)[at]
    with torch.no_grad():
        own = network.classify_numbers(network.describe(values, valid, at), present)
        both = network(values, valid, at=at)
        assert (both - own).abs().max() > 1e-3
        for name, parameter in network.readout.named_parameters():
            assert name.endswith(("weight", "bias"))
            parameter.zero_()
        assert torch.allclose(network(values, valid, at=at), own, atol=1e-5)


@pytest.mark.parametrize("absent", ["skip", "dummy"])
def test_numbers_of_an_absent_modality_do_not_count(make_network, make_input, everywhere, absent):
    """A pattern hides the numbers of what it lacks, NaN included."""
    network = make_network(absent=absent)
    values, valid = make_input(network, holes=False)
    at = everywhere(network, len(valid))
    numbers = network.describe(values, valid, at)
    present = torch.ones(len(at[0]), len(values), dtype=torch.bool)
    present[:, 0] = False
    with torch.no_grad():
        clean = network.classify_numbers(numbers, present)
        numbers[0] = torch.full_like(numbers[0], float("nan"))
        assert torch.equal(network.classify_numbers(numbers, present), clean)


def test_token_dropout_hides_tokens_of_whole_windows(make_network, make_input, everywhere):
    """In training a share of the windows is read without tokens: with all of them dropped, tokens get no gradient."""
    for share, heard in ((1.0, False), (0.0, True)):
        network = make_network(token_dropout=share).train()
        values, valid = make_input(network)
        network(values, valid).square().sum().backward()
        assert (network.readout.own.weight.grad.abs().sum() > 0) == heard
