import numpy as np
import pytest

from engine.assessment.calibration import Reliability


def error(confidence, correct):
    return Reliability.of(confidence, correct).error


def test_error_by_hand():
    right = np.array([True] * 9 + [False])
    assert error(np.full(10, 0.9), right) == pytest.approx(0.0)
    assert error(np.full(10, 1.0), right) == pytest.approx(0.1)
    assert error(np.array([0.6, 0.9]), np.array([False, True])) == pytest.approx((0.6 + 0.1) / 2)
    assert np.isnan(error(np.empty(0), np.empty(0, bool)))


def test_intervals_hold_what_falls_into_them():
    found = Reliability.of(np.array([0.05, 0.06, 0.5, 1.0]), np.array([True, False, True, True]), bins=10)
    assert found.count.tolist() == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert found.to_json() == [
        {"confidence": pytest.approx(0.055), "accuracy": 0.5, "n": 2},
        {"confidence": 0.5, "accuracy": 1.0, "n": 1},
        {"confidence": 1.0, "accuracy": 1.0, "n": 1},
    ]


def test_a_faultless_confidence_shows_the_error_of_chance():
    """In simulated pixels that are right exactly as often as they say."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.2, 1, 900)
    found = [Reliability.of(confidence, rng.random(900) < confidence) for _ in range(200)]
    assert np.mean([one.error for one in found]) == pytest.approx(found[0].error_by_chance, rel=0.05)
    assert np.isnan(Reliability.of(np.empty(0), np.empty(0, bool)).error_by_chance)
    assert Reliability.of(np.ones(9), np.ones(9, bool)).error_by_chance == 0
