"""What a sensor alone says, asked one window after the other."""

import numpy as np
import pytest
import torch

from engine.model.inputs import clean
from engine.model.tokens import presence_rows
from engine.training.strength import strength
from tests.training.small import CENTRE

SAMPLES, AT_ONCE = 70, 64  # more than one portion


def windows_around(ready, samples):
    """The window of each sample as `strength` places it: values and validity from the cache, row and column in it."""
    batches = ready.batches
    for start in range(0, len(samples), AT_ONCE):
        some = samples[start : start + AT_ONCE]
        rng = np.random.default_rng([batches.training.seed, start, 12])
        down, right = batches.core_offset + rng.integers(batches.core, size=(2, len(some)))
        for pixel, row, col in zip(some, down.tolist(), right.tolist(), strict=True):
            corner = batches.rows[[pixel]] - row, batches.cols[[pixel]] - col
            cut = batches.caches[0].read(*corner, batches.window)
            yield [torch.from_numpy(array) for array in cut.values], torch.from_numpy(cut.valid), row, col


def own_probability(logits, number):
    """Of one class, by hand."""
    powers = torch.exp(logits - logits.max())
    return (powers[number] / powers.sum()).item()


def ask(ready, samples):
    network = ready.network.eval()
    return strength(network, ready.batches, None, samples, 3, ready.device, "float32")


@pytest.fixture
def spread_samples():
    def choose(ready):
        """Samples of every part of the scene: some of them lack sensor b."""
        return np.linspace(0, len(ready.batches.classes) - 1, SAMPLES).astype(int)

    return choose


@pytest.mark.parametrize(
    "model",
    [
        {"pixels": False}, {"pixels": False, "fusion": "concat"}, {"pixels": False, "fusion": "attention"},
        CENTRE | {"fusion": "gated"},
    ],
)  # fmt: skip
def test_a_sensor_alone_is_a_window_without_the_others(make_ready, spread_samples, model):
    """Any fusion: a pass with NaN and no validity in the place of all other sensors, one window at a time."""
    ready, _ = make_ready(model=model, learnt=10)
    samples = spread_samples(ready)
    found = ask(ready, samples)
    offset = ready.batches.core_offset
    for number, (values, valid, row, col) in enumerate(windows_around(ready, samples)):
        there = valid[0, :, row, col].tolist()
        assert found.available[number].tolist() == there
        at = tuple(torch.tensor([index]) for index in (0, row - offset, col - offset))
        for kept in [(0, 1), (0,), (1,)]:
            shown = [value if m in kept else torch.full_like(value, torch.nan) for m, value in enumerate(values)]
            mask = torch.stack([valid[:, m] & (m in kept) & there[m] for m in range(2)], dim=1)
            with torch.no_grad():
                logits = ready.network(shown, mask, at=at)[0]
            own = own_probability(logits, ready.batches.classes[samples[number]])
            if len(kept) == 2:
                said = [own_probability(logits, other) for other in range(3)]
                assert found.probability[number] == pytest.approx(said, abs=1e-5)
            else:
                assert found.alone[number, kept[0]] == pytest.approx(own if there[kept[0]] else 0, abs=1e-5)
    assert found.available[:, 0].all() and 0 < found.available[:, 1].sum() < SAMPLES
    assert found.alone[found.available].std() > 0.01


@pytest.mark.parametrize("method", ["mamol", "linear"])
def test_a_sensor_alone_before_a_linear_head(make_ready, spread_samples, method):
    """Concatenation: q = softmax(W_m f_m + b), f_m from stem and transformer by hand.

    OGM-GE gives each sensor b / M, so that their scores add up to those of all; our network has learnt what to say of a
    sensor alone, and says it with the whole bias.
    """
    ready, _ = make_ready(model=CENTRE | {"method": method}, learnt=10)
    network, samples = ready.network, spread_samples(ready)
    found = ask(ready, samples)
    (classifier,) = network.classifiers
    weight, bias = classifier.head.layers[-1].weight, classifier.head.layers[-1].bias
    width = weight.shape[1] // 2
    adapters = dict(zip(network.placement, network.adapters, strict=True))
    prefix = network.backbone.prefix
    for number, (values, valid, row, col) in enumerate(windows_around(ready, samples)):
        for modality in range(2):
            if not valid[0, modality, row, col]:
                assert found.alone[number, modality] == 0
                continue
            mask = valid & torch.eye(2, dtype=torch.bool)[modality][None, :, None, None]
            with torch.no_grad():
                present = presence_rows(mask, network.token_px, prefix)
                given = clean(values[modality], valid[:, modality])
                tokens = network.stems[modality](given, present[:, prefix:, modality])
                encoded = network.backbone(tokens, adapters, present, network.readout.keep)
                logits = weight[:, modality * width : (modality + 1) * width] @ encoded[0, 0] + bias
            own = own_probability(logits, ready.batches.classes[samples[number]])
            assert found.alone[number, modality] == pytest.approx(own, abs=1e-5)
