"""Pixels to tokens, and who is present where."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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
