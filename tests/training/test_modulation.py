"""Gradient modulation in training: what is held back, from when on, and what stays as it is."""

import math

import numpy as np
import pytest
import torch

from engine.config import parse_config
from engine.errors import ConfigError
from engine.training.teacher import Teacher
from tests.training.small import CENTRE


def batch_gradients(ready, mixer, number):
    """Loss of a batch and its gradients by name, the same chance each time."""
    torch.manual_seed(0)
    ready.network.zero_grad(set_to_none=True)
    loss = ready.loss(Teacher(ready.network, 0.9), mixer)(number, taught=True)
    loss.backward()
    return loss.item(), {name: w.grad for name, w in ready.network.named_parameters() if w.grad is not None}


@pytest.mark.parametrize("kind", ["modality", "balanced_mixup"])
@pytest.mark.parametrize("model", [{}, {"pixels": False, "fusion": "attention"}, CENTRE])
def test_the_strongest_sensor_is_held_back(make_ready, model, kind):
    """Once mixing is on: gradients of its stem and its pixel features shrink by its lead's factor, no others' do."""
    sensors, alpha = 3, 0.3
    ready, mixer = make_ready(
        model=model, mixing={"kind": kind, "gradient_modulation": alpha}, sensors=sensors, learnt=8
    )
    assert mixer.gradient_scales is None  # nothing is mixed yet
    batch_gradients(ready, mixer, 0)
    assert ready.network.gradient_scales is None
    mixer.prepare(0)
    means = [mixer.confidence[mixer.available[:, m], m].mean() for m in range(sensors)]
    first = int(np.argmax(means))
    rho = means[first] / ((sum(means) - means[first]) / (sensors - 1))
    scales = [1 - math.tanh(alpha * rho) if m == first else 1 for m in range(sensors)]
    assert mixer.gradient_scales == pytest.approx(scales, rel=1e-5) and scales[first] < 0.8

    config = mixer.config
    mixer.config = config.model_copy(update={"gradient_modulation": 0.0})
    loss, plain = batch_gradients(ready, mixer, 1)
    mixer.config = config
    again, scaled = batch_gradients(ready, mixer, 1)
    assert again == loss and plain.keys() == scaled.keys()
    for modality, scale in enumerate(scales):
        own = [name for name in plain if name.startswith((f"stems.{modality}.", f"pixels.linear.{modality}."))]
        assert own
        for name in own:
            size = plain[name].abs().max().item()
            assert torch.allclose(scaled[name], scale * plain[name], rtol=1e-3, atol=1e-5 * size + 1e-9), name
    for name in [name for name in plain if ".head." in name]:
        assert torch.equal(scaled[name], plain[name])
    shared = [name for name in plain if name.startswith("backbone.blocks") and name.endswith("fc1.weight")]
    assert shared and all(not torch.allclose(scaled[name], plain[name], rtol=1e-3) for name in shared)


def test_what_was_said_is_kept_for_a_resumed_run(make_ready):
    """The scales follow from what a checkpoint holds."""
    ready, mixer = make_ready(mixing={"gradient_modulation": 0.5}, learnt=2)
    mixer.prepare(0)
    other = ready.mixer(Teacher(ready.network, 0.9), 10)
    assert other.gradient_scales is None
    other.restore(mixer.state())
    assert other.gradient_scales == mixer.gradient_scales is not None


def test_modulation_out_of_range(make_job):
    with pytest.raises(ConfigError, match=r"mixing\.gradient_modulation: .*greater than or equal to 0 \(got -1\)"):
        parse_config(make_job() | {"mixing": {"gradient_modulation": -1}})
