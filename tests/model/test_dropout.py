"""Dropout and noise from random bytes: right shares, right spread, every number for itself."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.model.dropout import Dropout, dropout, noisy, random_bytes


def test_bytes_are_uniform_and_independent():
    """Every value is equally frequent at each of the eight places of a drawn number, the sign bit's included."""
    torch.manual_seed(0)
    drawn = random_bytes(torch.Size([100_000, 8])).long()
    counts = torch.stack([drawn[:, place].bincount(minlength=256) for place in range(8)]).double()
    expected = len(drawn) / 256
    chi_square = ((counts - expected) ** 2 / expected).sum(dim=1)
    assert ((chi_square > 170) & (chi_square < 350)).all()  # 255 +- 4 deviations
    assert torch.corrcoef(drawn.T.double()).fill_diagonal_(0).abs().max() < 0.02


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_dropout_keeps_the_mean(share, dtype):
    """The share is right to 1/256, what is kept is scaled by what was really dropped, gradients go the same way."""
    torch.manual_seed(0)
    x = torch.ones(1000, 1000, dtype=dtype, requires_grad=True)
    out = dropout(x, share)
    zeros = (out == 0).double().mean().item()
    assert abs(zeros - share) < 1 / 512 + 0.002
    assert out.double().mean().item() == pytest.approx(1, abs=0.005)
    assert len(out.unique()) == 2
    out.sum().backward()
    assert torch.equal(x.grad, out)


@given(rows=st.integers(0, 5), cols=st.integers(0, 9))
def test_any_shape(rows, cols):
    x = torch.ones(rows, cols)
    assert dropout(x, 0.5).shape == noisy(x, 0.1).shape == x.shape


def test_nothing_is_drawn_where_nothing_is_wanted():
    x = torch.randn(4, 4)
    assert dropout(x, 0.0) is x or torch.equal(dropout(x, 0.0), x)
    assert noisy(x, 0.0) is x
    assert Dropout(0.5).eval()(x) is x


def test_a_share_next_to_one_leaves_finite_numbers():
    assert torch.equal(dropout(torch.ones(100), 1.0), torch.zeros(100))
    assert torch.isfinite(dropout(torch.ones(100), 0.999)).all()


@pytest.mark.parametrize("share", [1e-6, 0.001, 1 / 513])
def test_a_share_below_half_a_byte_step_drops_that_share_and_no_more(share):
    """256 kept of 256 is 0 in a byte, which would keep nothing at all."""
    torch.manual_seed(0)
    out = dropout(torch.ones(1000, 1000), share)
    assert (out == 0).double().mean().item() == pytest.approx(share, abs=2e-4)
    assert out.double().mean().item() == pytest.approx(1, abs=5e-4)


def test_noise_has_the_deviation_asked_for():
    torch.manual_seed(0)
    noise = noisy(torch.zeros(1000, 1000), 0.1)
    assert noise.mean().abs() < 1e-3
    assert noise.std().item() == pytest.approx(0.1, rel=0.01)


def test_the_same_seed_gives_the_same_numbers():
    """Resumed training repeats a step bit for bit."""
    x = torch.ones(50, 7)
    results = []
    for _ in range(2):
        torch.manual_seed(3)
        results.append((dropout(x, 0.3), noisy(x, 0.2)))
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))
