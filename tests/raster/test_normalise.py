import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NodataError
from engine.raster.normalise import BandStats, RunningStats, range_warning


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.floats(-1e4, 1e4), st.floats(1, 1e3))
def test_streamed_statistics_equal_those_of_all_values(sizes, level, spread):
    sizes = [*sizes, 5]
    values = (level + spread * np.random.default_rng(0).standard_normal((3, sum(sizes)))).astype(np.float32)
    running = RunningStats(3)
    for piece in np.split(values, np.cumsum(sizes)[:-1], axis=1):
        running.update(piece)
    stats = running.stats()
    exact = values.astype(np.float64)
    np.testing.assert_allclose(stats.mean, exact.mean(1), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(stats.std, exact.std(1), rtol=1e-9)
    np.testing.assert_array_equal([stats.minimum, stats.maximum], [exact.min(1), exact.max(1)])
    assert stats.count == sum(sizes)
    standardised = stats.apply(values)
    assert standardised.dtype == np.float32
    np.testing.assert_allclose(standardised.mean(1), 0, atol=1e-2)
    np.testing.assert_allclose(standardised.std(1), 1, atol=1e-2)


def test_json_round_trip_is_exact():
    running = RunningStats(4)
    running.update(np.random.default_rng(1).random((4, 50)))
    stats = running.stats()
    again = BandStats.from_json(json.loads(json.dumps(stats.to_json())))
    for name in ("mean", "std", "minimum", "maximum"):
        np.testing.assert_array_equal(getattr(again, name), getattr(stats, name))
    assert again.count == 50


def test_a_constant_band_becomes_zero():
    running = RunningStats(2)
    running.update(np.array([[0.1] * 7, [0] * 7], np.float32))
    stats = running.stats()
    np.testing.assert_array_equal(stats.std, [1, 1])
    np.testing.assert_allclose(stats.apply(np.array([[[0.1]], [[0.0]]], np.float32)), 0, atol=1e-7)


def test_no_pixel_is_an_error_that_names_the_layer():
    with pytest.raises(NodataError, match="lidar: no valid pixel"):
        RunningStats(1, "lidar").stats()


@pytest.fixture
def reflectance_stats():
    running = RunningStats(4)
    running.update(np.random.default_rng(2).normal(2000, 700, (4, 1000)).clip(1))
    return running.stats()


@pytest.mark.parametrize("factor", [100, 255, 1000, 10000])
def test_values_in_other_units_are_noticed(reflectance_stats, factor):
    values = np.random.default_rng(3).normal(1800, 500, (4, 500)).clip(1)
    assert f"likely factor {factor}" in range_warning(reflectance_stats, values / factor)
    assert f"likely factor {factor}" in range_warning(reflectance_stats, values * factor)


def test_a_darker_place_is_no_other_unit(reflectance_stats):
    water = np.random.default_rng(3).normal(150, 20, (4, 500))
    assert range_warning(reflectance_stats, water) is None
    assert range_warning(reflectance_stats, np.zeros((4, 0))) is None


def test_decibels_against_power_are_noticed():
    decibels, power = RunningStats(1), RunningStats(1)
    values = np.random.default_rng(4).normal(-12, 3, (1, 500)).clip(max=-1)
    decibels.update(values)
    power.update(10 ** (values / 10))
    assert "decibels" in range_warning(decibels.stats(), 10 ** (values / 10))
    assert "decibels" in range_warning(power.stats(), values)
    assert range_warning(decibels.stats(), values) is None
