"""Features of pixels: where they are read, and that geometry holds."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.fusion import Fusion, shown
from engine.model.readout import DenseReadout, core_offset, core_presence


@given(window=st.integers(1, 64), core=st.integers(1, 64))
def test_core_lies_in_the_window(window, core):
    """The core is inside, centred to within a pixel; a core of one is the paper's centre pixel."""
    core = min(core, window)
    offset = core_offset(window, core)
    assert 0 <= offset <= window - core
    assert abs(offset - (window - core - offset)) <= 1
    assert core_offset(window, 1) == window // 2


def test_core_presence_keeps_rows_and_columns():
    """Axis order is (window, row, col, modality)."""
    valid = torch.zeros(1, 2, 8, 8, dtype=torch.bool)
    valid[0, 1, 3, 4] = True
    assert core_presence(valid, 4).nonzero().tolist() == [[0, 1, 2, 1]]


@pytest.mark.parametrize("kind", ["concat", "sum", "gated", "attention"])
def test_fusion_ignores_what_is_absent(kind):
    """Features of absent modalities, NaN included, have no influence; nothing present is zero or constant."""
    torch.manual_seed(0)
    fusion = Fusion(kind, modalities=3, width=6)
    feature = torch.randn(2, 4, 3, 6)
    present = torch.rand(2, 4, 3) > 0.4
    present[0, 0] = False
    clean = fusion(shown(feature.unbind(-2), present), present)
    hidden = torch.where(present[..., None], feature, float("nan"))
    dirty = fusion(shown(hidden.unbind(-2), present), present)
    assert clean.shape == (2, 4, fusion.output_width)
    assert torch.equal(clean, dirty)
    assert torch.isfinite(clean).all()
    assert clean[0, 0].abs().max() == 0
    nowhere = present & torch.tensor([True, False, True])
    left_out = fusion(shown([feature[..., 0, :], None, feature[..., 2, :]], nowhere), nowhere)
    assert torch.equal(left_out, fusion(shown(feature.unbind(-2), nowhere), nowhere))


@pytest.mark.parametrize("kind", ["gated", "attention"])
def test_single_modality_is_used_in_full(kind):
    """With one modality present, a weighted mean gives that modality's feature the whole weight."""
    fusion = Fusion(kind, modalities=3, width=6)
    feature, present = torch.randn(5, 3, 6), torch.tensor([[False, True, False]]).expand(5, 3)
    fused = fusion(shown(feature.unbind(-2), present), present)
    if kind == "gated":
        assert torch.allclose(fused, feature[:, 1])
    else:
        alone = Fusion(kind, modalities=1, width=6)
        alone.load_state_dict({k: v[1:2] if k == "modality_MF" else v for k, v in fusion.state_dict().items()})
        assert torch.allclose(fused, alone([feature[:, 1]], present[:, 1:2]), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    grid=st.integers(1, 7),
    token_px=st.integers(1, 4),
    core=st.integers(1, 28),
)
def test_pixels_read_their_own_token(grid, token_px, core):
    """Tokens that carry their own place give every pixel of the core its place, whatever is kept of them."""
    window = grid * token_px
    core = min(core, window)
    readout = DenseReadout(width=2, feature_width=2, prefix=1, grid=grid, token_px=token_px, core=core)
    with torch.no_grad():
        readout.own.weight.copy_(torch.eye(2))
        readout.whole.weight.copy_(torch.eye(2))
        for layer in (readout.own, readout.whole):
            layer.bias.zero_()
    row, col = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    place = torch.stack([row, col], dim=-1).reshape(1, -1, 2).float()
    tokens = torch.cat([torch.full((1, 1, 2), 99.0), place], dim=1)[:, list(readout.keep)]
    found = readout(tokens)
    assert found.shape == (1, core, core, 2)
    pixel = torch.arange(core) + core_offset(window, core)
    expected = 99 + (pixel // token_px).float()  # the class token speaks for all
    assert torch.allclose(found[0, :, :, 0], expected[:, None].expand(core, core), atol=1e-5)
    assert torch.allclose(found[0, :, :, 1], expected[None].expand(core, core), atol=1e-5)


def test_kept_tokens_are_enough():
    """Leaving out tokens that no pixel reads changes nothing."""
    torch.manual_seed(0)
    module, everything = (
        DenseReadout(width=6, feature_width=4, prefix=1, grid=7, token_px=2, core=4).eval() for _ in range(2)
    )
    everything.load_state_dict(module.state_dict())
    everything.kept_first, everything.kept = 0, 7
    tokens = torch.randn(2, 50, 6)
    assert len(module.keep) < 50
    assert torch.allclose(module(tokens[:, list(module.keep)]), everything(tokens), atol=1e-6)
