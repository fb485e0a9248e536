"""What is mixed, and how it is labelled: properties that hold for any samples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.mixing import (
    balanced_blend,
    contributions,
    draw_mixes,
    gradient_scales,
    mix_shares,
    select,
    sensor_weights,
    soft_labels,
)


@st.composite
def samples(draw, complete=False):
    """Classes (S,) and sensors (S, M) of some samples, of two to five sensors."""
    seed, count, modalities = draw(st.integers(0, 10**6)), draw(st.integers(1, 60)), draw(st.integers(2, 5))
    rng = np.random.default_rng(seed)
    classes = rng.integers(draw(st.integers(1, 6)), size=count) * 2
    available = np.ones((count, modalities), bool) if complete else rng.random((count, modalities)) < 0.7
    available[~available.any(axis=1), 0] = True
    return classes, available


@given(samples(), st.integers(0, 99))
def test_pairs_differ_in_class_and_give_what_they_have(some, seed):
    """Different classes; neither source gives all sensors; what is taken the donor has, what is left the host has."""
    classes, available = some
    mix = draw_mixes(np.random.default_rng(seed), classes, available, 40)
    assert (classes[mix.host] != classes[mix.donor]).all()
    assert mix.taken.any(axis=1).all() and not mix.taken.all(axis=1).any()
    assert available[mix.donor][mix.taken].all() and available[mix.host][~mix.taken].all()
    incomplete = ~available[mix.host].all(axis=1)
    assert (mix.taken[incomplete] == ~available[mix.host][incomplete]).all()


@given(samples(complete=True), st.integers(0, 99))
def test_complete_samples_of_two_classes_always_mix(some, seed):
    """As many pairs as asked for, the same from the same seed; none where there is only one class."""
    classes, available = some
    mix, again = (draw_mixes(np.random.default_rng(seed), classes, available, 40) for _ in range(2))
    assert len(mix.host) == (40 if len(np.unique(classes)) > 1 else 0)
    for name in ("host", "donor", "taken"):
        assert (getattr(mix, name) == getattr(again, name)).all()


def test_classes_and_parts_are_drawn_alike():
    """Every class is host as often as any other, and donor; every part of the sensors is taken as often."""
    classes = np.repeat([0, 1, 2], [1000, 30, 2])
    mix = draw_mixes(np.random.default_rng(0), classes, np.ones((len(classes), 3), bool), 12_000)
    for role in (mix.host, mix.donor):
        assert np.bincount(classes[role]) == pytest.approx([4000] * 3, rel=0.05)
    _, counts = np.unique(mix.taken, axis=0, return_counts=True)
    assert counts == pytest.approx([2000] * 6, rel=0.1)


def test_sensors_that_never_meet_are_mixed():
    """Without one complete sample, each side takes from the other what it lacks."""
    classes, available = np.array([0, 1, 0, 1]), np.array([[True, False], [False, True]])[[0, 0, 1, 1]]
    mix = draw_mixes(np.random.default_rng(0), classes, available, 50)
    assert len(mix.host) == 50
    assert (mix.taken == ~available[mix.host]).all()
    assert set(zip(mix.host.tolist(), mix.donor.tolist(), strict=True)) == {(0, 3), (1, 2), (2, 1), (3, 0)}


@given(st.integers(2, 5), st.integers(0, 10**6), st.sampled_from(["confidence", "uniform", "inverse"]))
def test_labels_are_two_shares_of_one(modalities, seed, labelling):
    """Shares add up to 1, no sensor's is tiny; a label has exactly two classes and adds up to 1."""
    rng = np.random.default_rng(seed)
    confidence = rng.random((20, modalities)) ** 3
    shares = mix_shares(confidence, labelling, None, confidence.mean(axis=0))
    least = 0.3 if modalities == 2 else 0.5 / modalities
    assert shares.sum(axis=1) == pytest.approx(1) and (shares > least / 2 - 1e-9).all()
    if modalities == 2:
        assert (shares >= least - 1e-9).all()
    taken = rng.integers(2, size=(20, modalities)) > 0
    taken[:, 0], taken[:, 1] = True, False
    host, donor = np.full(20, 4), rng.integers(4, size=20)
    labels = soft_labels(shares, taken, host, donor, 6)
    assert labels.sum(axis=1) == pytest.approx(1)
    for row in range(20):
        expected = np.zeros(6)
        for modality in range(modalities):
            expected[donor[row] if taken[row, modality] else host[row]] += shares[row, modality]
        assert labels[row] == pytest.approx(expected)
        assert set(np.flatnonzero(labels[row])) == {host[row], donor[row]}


def test_shares_follow_confidence():
    """In proportion to what each sensor says of its own source; the other way round for "inverse"."""
    confidence = np.array([[0.6, 0.4], [0.99, 0.01], [0.0, 0.0]])
    assert mix_shares(confidence, "confidence") == pytest.approx(np.array([[0.6, 0.4], [0.7, 0.3], [0.5, 0.5]]))
    assert mix_shares(confidence, "confidence", 0.1)[1] == pytest.approx([0.9, 0.1])
    assert mix_shares(confidence, "uniform") == pytest.approx(np.full((3, 2), 0.5))
    assert mix_shares(confidence, "inverse", 0.0, np.array([0.75, 0.25])) == pytest.approx(np.array([[0.25, 0.75]] * 3))


def test_weak_sensors_weigh_more():
    assert sensor_weights(np.array([0.8, 0.5, 0.6]), 2.0).tolist() == pytest.approx([1, 1.6, 1])
    assert sensor_weights(np.array([0.8, 0.0]), 2.0).tolist() == [1, 2]
    assert sensor_weights(np.array([0.8, 0.4]), 1.0).tolist() == [1, 1]


@given(st.integers(1, 5), st.integers(0, 10**6), st.floats(0, 3))
def test_gradient_scales_by_hand(modalities, seed, alpha):
    """Only the sensor that says more than the others is held back, by how many times more that is."""
    reliability = np.random.default_rng(seed).random(modalities)
    expected = [1.0] * modalities
    for sensor in range(modalities):
        others = [float(reliability[other]) for other in range(modalities) if other != sensor]
        if others and reliability[sensor] > max(others):
            ratio = float(reliability[sensor]) / max(sum(others) / len(others), 1e-3)
            expected[sensor] = 1 - math.tanh(alpha * ratio)
    assert gradient_scales(reliability, alpha).tolist() == pytest.approx(expected)


def test_gradient_scales_at_the_ends():
    assert gradient_scales(np.array([0.8, 0.4]), 0.5).tolist() == pytest.approx([1 - math.tanh(1), 1])
    assert gradient_scales(np.array([0.4, 0.4]), 0.5).tolist() == [1, 1]
    assert gradient_scales(np.array([0.4]), 0.5).tolist() == [1]
    assert gradient_scales(np.zeros(3), 0.5).tolist() == [1, 1, 1]
    assert gradient_scales(np.array([0.0, 0.9, 0.0]), 0.5).tolist() == [1, 0, 1]
    assert gradient_scales(np.array([0.9, 0.1, 0.1]), 0.0).tolist() == [1, 1, 1]


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_balanced_blend_by_hand(modalities, seed):
    """One number after the other, as odds; both places keep their order, and what contributes more is blended more."""
    rng = np.random.default_rng(seed)
    share, reliability = rng.beta(0.4, 0.4, size=20), rng.random(modalities)
    blend = balanced_blend(share, reliability)
    said = [max(float(one), 1e-3) for one in reliability]
    assert contributions(reliability) == pytest.approx([one / sum(said) for one in said])
    for row in range(20):
        if not 1e-9 < share[row] < 1 - 1e-9:
            continue
        for modality in range(modalities):
            odds = math.log(share[row] / (1 - share[row])) * (sum(said) / modalities) / said[modality]
            assert blend[row, modality] == pytest.approx(1 / (1 + math.exp(min(-odds, 700))), abs=1e-7)
    assert blend.shape == (20, modalities) and ((blend >= 0) & (blend <= 1)).all()
    assert ((blend > 0.5) == (share > 0.5)[:, None]).all()
    nearness = -np.abs(blend[:, np.argsort(reliability)] - 0.5)
    assert (np.diff(nearness, axis=1) >= -1e-12).all()
    if modalities == 1:
        assert blend[:, 0] == pytest.approx(share)


def test_sensors_that_contribute_alike_are_blended_alike():
    """Ordinary mixup; a sensor that says nothing, or shares at the ends, make no number that is none."""
    share = np.array([0.0, 1e-300, 0.2, 0.5, 0.9, 1.0])
    assert balanced_blend(share, np.full(3, 0.4)) == pytest.approx(np.tile(share[:, None], 3))
    assert contributions(np.zeros(4)).tolist() == [0.25] * 4
    blend = balanced_blend(share, np.array([0.9, 0.0]))
    assert np.isfinite(blend).all() and blend[:, 1] == pytest.approx([0, 0, 0, 0.5, 1, 1])
    assert ((blend[2:5, 0] - share[2:5]) * (0.5 - share[2:5]) >= 0).all() and blend[2, 0] > 0.25


@given(st.integers(0, 10**6), st.floats(0.05, 1), st.floats(0, 0.9), st.integers(1, 5))
def test_selected_samples_are_right_and_allowed(seed, share, confidence, at_least):
    """All are predicted well; of each class the best, a share of it but so many at least; none is left out twice."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(4, size=80)
    probability = rng.dirichlet([0.3] * 4, 80)
    allowed = rng.random(80) < 0.8
    chosen = select(classes, probability, allowed, share=share, confidence=confidence, at_least=at_least)
    own = probability[np.arange(80), classes]
    well = allowed & (probability.argmax(axis=1) == classes) & (own >= confidence)
    assert well[chosen].all() and len(np.unique(chosen)) == len(chosen)
    for number in range(4):
        members, kept = np.flatnonzero(well & (classes == number)), chosen[classes[chosen] == number]
        assert len(kept) == min(len(members), max(at_least, int(np.ceil(share * len(members)))))
        assert sorted(own[kept]) == sorted(own[members])[len(members) - len(kept) :]
