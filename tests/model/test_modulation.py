"""Modulated gradients against those of features that are cut off one after the other; scores stay as they are."""

from __future__ import annotations

import pytest
import torch

from engine.model.modulation import modulated
from tests.model.small import CENTRE, SMALL

SCALES = (0.25, 1.0, 0.5)
VARIANTS = [
    SMALL | {"fusion": ["sum", "gated"]},
    SMALL | {"fusion": "attention", "pixels": False},
    CENTRE,
    CENTRE | {"fusion": "gated"},
    SMALL | {"method": "moe_rep", "fusion": "concat"},
    CENTRE | {"method": "dcp", "prompt_length": 6, "fusion": "attention"},
]


def test_identity_with_a_scaled_gradient():
    """By hand: d/dx sum(w x) = w times the scale; nothing is made of what is not there or not scaled."""
    x = torch.randn(4, 3, requires_grad=True)
    w = torch.randn(4, 3)
    out, gone, same = modulated([x, None, x], [0.3, 0.5, 1.0])
    assert gone is None and same is x and torch.equal(out, x)
    (gradient,) = torch.autograd.grad((w * out).sum(), x)
    assert torch.equal(gradient, w * 0.3)
    half = torch.randn(4, 3, dtype=torch.bfloat16, requires_grad=True)
    modulated([half], [0.3])[0].sum().backward()
    assert half.grad.dtype == torch.bfloat16 and half.grad[0, 0].item() == pytest.approx(0.3, rel=1e-2)


def gradients(network, score):
    """Of a loss that no sensor is without, by name of the weight."""
    network.zero_grad(set_to_none=True)
    score().sin().sum().backward()
    weights = dict(network.named_parameters())
    return {name: torch.zeros_like(w) if w.grad is None else w.grad.clone() for name, w in weights.items()}


def cut(network, monkeypatch, score, kept):
    """Gradients that flow back through the features of the sensors `kept`, and through fusion and head."""
    whole = network._classify

    def classify(features, present):
        there = enumerate(features)
        return whole([f.detach() if f is not None and m not in kept else f for m, f in there], present)

    with monkeypatch.context() as patch:
        patch.setattr(network, "_classify", classify)
        return gradients(network, score)


@pytest.mark.parametrize("path", ["windows", "pixels"])
@pytest.mark.parametrize("absent", ["skip", "dummy"])
@pytest.mark.parametrize("keys", VARIANTS)
def test_each_sensors_part_of_a_gradient_is_scaled(make_network, make_input, monkeypatch, keys, absent, path):
    """Any fusion: head's + sum of scale times sensor's part, for every weight; the same scores, bit for bit."""
    network = make_network(absent=absent, **keys)
    values, valid = make_input(network)
    if path == "pixels":
        if network.pixels is None:
            return
        at = torch.ones(len(valid), network.core, network.core).nonzero(as_tuple=True)
        numbers, present = network.describe(values, valid, at), torch.rand(len(at[0]), 3) < 0.6
    score = (
        (lambda: network(values, valid)) if path == "windows" else lambda: network.classify_numbers(numbers, present)
    )
    with torch.no_grad():
        before = score()
    plain, direct = gradients(network, score), cut(network, monkeypatch, score, ())
    parts = [cut(network, monkeypatch, score, (modality,)) for modality in range(3)]
    network.gradient_scales = SCALES
    scaled = gradients(network, score)
    with torch.no_grad():
        assert torch.equal(score(), before)
    changed = 0
    for name, found in scaled.items():
        own = [part[name] - direct[name] for part in parts]
        size = plain[name].abs().max() + sum(part.abs().max() for part in own)
        assert torch.allclose(plain[name], direct[name] + sum(own), atol=1e-4 * size.item() + 1e-9), name
        expected = direct[name] + sum(scale * part for scale, part in zip(SCALES, own, strict=True))
        assert torch.allclose(found, expected, atol=1e-4 * size.item() + 1e-9), name
        changed += not torch.allclose(found, plain[name], atol=1e-3 * size.item() + 1e-9)
    assert changed >= 3
    heads = [name for name in scaled if name.startswith("classifiers.0.head.layers")]
    assert heads and all(torch.equal(scaled[name], plain[name]) for name in heads)
