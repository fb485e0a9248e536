"""What each sensor is worth."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.assessment.sensor_value import sensor_section, sensor_values, shapley


def subsets(sensors):
    return [frozenset(g) for size in range(len(sensors) + 1) for g in itertools.combinations(sensors, size)]


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_shapley_is_the_mean_over_all_orders(count, seed):
    """Against its definition; the values add up to the whole gain."""
    sensors, rng = [f"s{i}" for i in range(count)], np.random.default_rng(seed)
    worth = {which: float(rng.random()) for which in subsets(sensors)}
    values = shapley(worth, sensors)
    gains = {sensor: [] for sensor in sensors}
    for order in itertools.permutations(sensors):
        for place, sensor in enumerate(order):
            before = frozenset(order[:place])
            gains[sensor].append(worth[before | {sensor}] - worth[before])
    for sensor in sensors:
        assert values[sensor] == pytest.approx(np.mean(gains[sensor]))
    assert sum(values.values()) == pytest.approx(worth[frozenset(sensors)] - worth[frozenset()])


def test_a_sensor_that_knows_all_and_one_that_knows_nothing():
    """All the gain is the first one's; the second, which changes no answer, is worth nothing."""
    reference = np.repeat([0, 1], [60, 40])
    guess = np.zeros(100, int)
    patterns = [frozenset({"a", "b"}), frozenset({"a"}), frozenset({"b"})]
    found = sensor_values(["a", "b"], patterns, np.stack([reference, reference, guess]), reference, 2)
    assert found["n"] == 100 and found["none"] == {"oa": 0.6, "aa": 0.5}
    assert found["sensors"]["a"]["value"] == pytest.approx({"oa": 0.4, "aa": 0.5})
    assert found["sensors"]["b"]["value"] == pytest.approx({"oa": 0.0, "aa": 0.0})
    assert found["sensors"]["a"]["last"]["oa"] == pytest.approx(0.4) and found["sensors"]["a"]["alone"]["oa"] == 1
    page = "".join(sensor_section(found))
    assert "+40.0" in page and "60.0</data> % OA" in page


def test_only_pixels_with_all_sensors_count():
    """What one combination was not asked about is left out for all; without such pixels, or combinations, nothing."""
    reference = np.array([0, 0, 1, 1])
    predicted = np.array([[0, 0, -1, 1], [0, 0, 1, 1], [0, 1, -1, 0]])
    patterns = [frozenset({"a", "b"}), frozenset({"a"}), frozenset({"b"})]
    found = sensor_values(["a", "b"], patterns, predicted, reference, 2)
    assert found["n"] == 3 and found["sensors"]["b"]["alone"]["oa"] == pytest.approx(1 / 3)
    assert sensor_values(["a", "b"], patterns, predicted[:, 2:3], reference[2:3], 2) is None
    assert sensor_values(["a", "b"], patterns[:2], predicted[:2], reference, 2) is None
    assert sensor_values(["a"], [frozenset({"a"})], predicted[1:2], reference, 2) is None
    assert sensor_section(None) == []
