"""Pixels to tokens, and who is present where."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from engine.model.tokens import Stem, presence_rows


@settings(max_examples=30, deadline=None)
@given(
    token_px=st.integers(1, 4),
    grid=st.integers(1, 5),
    prefix=st.integers(1, 3),
    share=st.sampled_from([0.1, 0.5, 0.95]),
    seed=st.integers(0, 99),
)
def test_presence_rows_by_hand(token_px, grid, prefix, share, seed):
    """A token is present if any of its pixels is; prefix tokens carry the centre pixel's row."""
    side = token_px * grid
    valid = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(seed)) < share
    rows = presence_rows(valid, token_px, prefix)
    assert rows.shape == (2, prefix + grid * grid, 3)
    for window in range(2):
        for modality in range(3):
            for token in range(prefix):
                assert rows[window, token, modality] == valid[window, modality, side // 2, side // 2]
            for row in range(grid):
                for col in range(grid):
                    pixels = [
                        bool(valid[window, modality, row * token_px + i, col * token_px + j])
                        for i in range(token_px)
                        for j in range(token_px)
                    ]
                    assert rows[window, prefix + row * grid + col, modality] == any(pixels)


def test_token_without_data_is_the_dummy():
    """Whatever lies around it, a token without a valid pixel is the modality's dummy token."""
    stem = Stem(bands=3, stem_width=8, width=16, token_px=2, activate=True)
    valid = torch.ones(1, 8, 8, dtype=torch.bool)
    valid[0, 2:4, 4:6] = False
    present = presence_rows(valid[:, None], 2, 1)[:, 1:, 0]
    tokens = stem(torch.randn(1, 3, 8, 8), present)
    assert tokens.shape == (1, 16, 16)
    is_dummy = (tokens == stem.dummy_D).all(dim=-1)[0]
    assert is_dummy.tolist() == [index == 6 for index in range(16)]


def test_tokens_stand_in_row_order():
    """Token i of the grid covers rows (i // G) and columns (i % G)."""
    stem = Stem(bands=1, stem_width=4, width=8, token_px=2, activate=False)
    values = torch.zeros(1, 1, 8, 8)
    present = torch.ones(1, 16, dtype=torch.bool)
    plain = stem(values, present)
    values[0, 0, 4, 1] = 1.0  # token row 2, column 0; its 3x3 footprint touches row 1 of tokens, too
    changed = ((stem(values, present) - plain).abs().amax(dim=-1) > 1e-7)[0].reshape(4, 4)
    assert changed.nonzero().tolist() == [[1, 0], [1, 1], [2, 0], [2, 1]]


@pytest.mark.parametrize(("bands", "stem_width", "token_px"), [(3, 32, 4), (1, 32, 1), (40, 8, 1)])
def test_two_linear_convolutions_are_one(bands, stem_width, token_px):
    """In values and gradients, whichever way is cheaper; an activation between them keeps them apart."""
    stem = Stem(bands=bands, stem_width=stem_width, width=16, token_px=token_px, activate=False)
    values, present = torch.randn(2, bands, 8, 8), torch.ones(2, (8 // token_px) ** 2, dtype=torch.bool)
    weights = [stem.pixels.weight, stem.pixels.bias, stem.tokens.weight, stem.tokens.bias]
    apart = stem.tokens(stem.pixels(values)).flatten(2).transpose(1, 2)
    together = functional.conv2d(values, *stem._as_one(), token_px, padding=1).flatten(2).transpose(1, 2)
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(stem(values, present), apart, rtol=1e-5, atol=1e-5)
    for one, other in zip(*(torch.autograd.grad(x.square().sum(), weights) for x in (together, apart)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    assert stem._is_cheaper_as_one == (bands < 40)
    stem.activate = True
    assert not stem._is_cheaper_as_one
