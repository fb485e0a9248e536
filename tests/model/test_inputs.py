"""Components and local features: against plain numpy, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.config import ModelConfig
from engine.modality import Modality
from engine.model.build import build_network
from engine.model.inputs import LocalFeatures, clean


def test_clean_values():
    """0 under the mask whatever stands there, outliers cut, all else untouched."""
    values = torch.tensor([[[[float("nan"), 1.5], [-70.0, float("inf")]]]])
    valid = torch.tensor([[[False, True], [True, False]]])
    assert clean(values, valid).flatten().tolist() == [0.0, 1.5, -5.0, 0.0]


def test_numbers_by_hand():
    """Mean and spread over a box count exactly the valid pixels inside the window."""
    side, core, offset = 8, 4, 2
    features = LocalFeatures(bands=2, boxes=(3, 7), bins=0, window=side, core=core, offset=offset)
    generator = torch.Generator().manual_seed(0)
    valid = torch.rand(3, side, side, generator=generator) > 0.3
    x = torch.where(valid[:, None], torch.randn(3, 2, side, side, generator=generator), 0.0)
    found = features.encode(features.numbers(x, valid)).numpy()
    assert found.shape == (3, core, core, 10)
    for window, row, col in np.ndindex(3, core, core):
        at_row, at_col = row + offset, col + offset
        expected = list(x[window, :, at_row, at_col].numpy())
        for box in (3, 7):
            reach = box // 2
            rows = slice(max(0, at_row - reach), at_row + reach + 1)
            cols = slice(max(0, at_col - reach), at_col + reach + 1)
            inside = valid[window, rows, cols].numpy()
            pixels = x[window, :, rows, cols].numpy()[:, inside]
            if not inside.any():
                pixels = np.zeros((2, 1))
            expected += list(pixels.mean(axis=1)) + list(np.sqrt(pixels.var(axis=1) + 1e-3))
        assert np.allclose(found[window, row, col], np.clip(expected, -3, 3), atol=1e-4)


def test_ramps_bend_at_training_quantiles():
    """A ramp is -0.5 below its quantile bin, 0.5 above, linear within; the plain number is standardised."""
    features = LocalFeatures(bands=1, boxes=(), bins=4, window=20, core=20, offset=0)
    valid = torch.ones(1, 20, 20, dtype=torch.bool)
    x = torch.linspace(-1, 1, 400).reshape(1, 1, 20, 20)
    features.fit(features.numbers(x, valid)[valid])
    encoded = features.encode(features.numbers(x, valid)).reshape(400, 5)
    assert abs(encoded[:, 0].mean()) < 1e-5
    assert abs(encoded[:, 0].std() - 1) < 1e-2
    position = torch.linspace(0, 4, 400)
    for ramp in range(4):
        assert torch.allclose(encoded[:, 1 + ramp], (position - ramp).clamp(0, 1) - 0.5, atol=0.02)


def test_constant_and_empty_inputs_stay_finite():
    """A flat modality and one without any valid pixel leave nothing undefined, gradients included."""
    features = LocalFeatures(bands=1, boxes=(3,), bins=4, window=8, core=4, offset=2)
    for valid in (torch.ones(2, 8, 8, dtype=torch.bool), torch.zeros(2, 8, 8, dtype=torch.bool)):
        x = torch.zeros(2, 1, 8, 8, requires_grad=True)
        features.fit(features.numbers(x, valid)[valid[:, 2:6, 2:6]])
        numbers = features.numbers(x, valid)
        numbers.sum().backward()
        assert torch.isfinite(features.encode(numbers)).all()
        assert torch.isfinite(x.grad).all()


def test_cubes_are_described_by_their_bands_alone():
    """Neighbourhoods and ramps are for modalities of few bands; a stack of two dozen gets ramps only."""
    modalities = (Modality("hsi", 40), Modality("height", 20), Modality("sar", 2))
    network = build_network(ModelConfig(bins=4), "skip", modalities, 3)
    assert [local.output_width for local in network.pixels.local] == [40, 20 * 5, 2 * 7 * 5]


def test_pixels_speak_for_themselves_in_the_smallest_window():
    """Where no box fits into the window, a pixel still says its bands."""
    network = build_network(ModelConfig(window=3, core=1, bins=4), "skip", (Modality("hsi", 40), Modality("sar", 2)), 3)
    assert [local.output_width for local in network.pixels.local] == [40, 2 * 5]


def test_even_boxes_are_refused():
    """A box has a centre."""
    with pytest.raises(ValueError, match="odd"):
        LocalFeatures(bands=1, boxes=(4,), bins=0, window=8, core=4, offset=2)


def test_fitting_sets_facts_that_training_leaves_alone(make_network, make_input):
    """Facts are buffers: saved with the network, no parameters; fitting them changes what the network says."""
    network = make_network()
    values, valid = make_input(network)
    with torch.no_grad():
        before = network(values, valid)
    at = torch.ones(len(valid), network.core, network.core).nonzero(as_tuple=True)
    present = torch.ones(len(at[0]), len(values), dtype=torch.bool)
    network.fit_inputs(network.describe([value * 3 + 1 for value in values], valid, at), present)
    facts = {name for name, _ in network.named_buffers()}
    assert facts
    assert facts <= set(network.trainable_state())
    with torch.no_grad():
        assert (network(values, valid) - before).abs().max() > 1e-3
