"""Portions cover every window once, also where there is none; results do not hang on them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.model import parts
from tests.model.small import CENTRE, SMALL


@given(count=st.integers(0, 50), pixels=st.integers(1, 10_000), grad=st.booleans())
def test_portions_cover_all(count, pixels, grad):
    with torch.set_grad_enabled(grad):
        portions = parts.portions(count, pixels, torch.device("cpu"))
    numbers = list(range(count))
    assert [number for some in portions for number in numbers[some]] == numbers
    assert len(portions) >= 1  # something to put together, also of nothing
    if not grad:
        assert all(len(numbers[some]) * pixels <= max(pixels, parts._PIXELS_AT_ONCE) for some in portions)


@pytest.mark.parametrize("keys", [SMALL, CENTRE])
@pytest.mark.parametrize("at_once", [1, 100])
def test_portions_do_not_change_a_result(make_network, make_input, monkeypatch, keys, at_once):
    network = make_network(**keys)
    values, valid = make_input(network, windows=7)
    with torch.inference_mode():
        whole = network(values, valid, [True] * 3)
        monkeypatch.setattr(parts, "_PIXELS_AT_ONCE", at_once)
        assert torch.allclose(network(values, valid, [True] * 3), whole, atol=1e-6)


def test_no_pixel_at_all(make_network, make_input):
    network = make_network()
    values, valid = make_input(network)
    nothing = torch.empty(0, dtype=torch.long)
    numbers = network.describe(values, valid, (nothing, nothing, nothing))
    present = torch.empty(0, 3, dtype=torch.bool)
    assert network.classify_numbers(numbers, present).shape == (0, 4)
    with torch.no_grad():
        assert network.classify_numbers(numbers, present).shape == (0, 4)
