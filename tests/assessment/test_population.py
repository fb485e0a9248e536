"""Pixels are counted, drawn and looked up block by block, whatever the blocks are."""

import numpy as np
import pytest

from engine.assessment import population
from engine.assessment.population import count_pixels, open_map, values_at
from engine.assessment.sampling import draw
from engine.errors import LabelError

RNG = np.random.default_rng(0)
CLASSES = RNG.integers(0, 4, (23, 37)).astype(np.uint8)
STRATA = RNG.integers(0, 3, (23, 37)).astype(np.uint8)


@pytest.fixture(params=[1, 7, 16, 64])
def sources(request, make_raster, monkeypatch):
    """A map and its strata, read in blocks of several sides."""
    monkeypatch.setattr(population, "_BLOCK_PX", request.param)
    return [open_map(make_raster(f"{name}.tif", values)) for name, values in (("map", CLASSES), ("strata", STRATA))]


def test_combinations_are_counted_as_one_array_would_be(sources):
    counted = count_pixels(sources)
    pairs, pixels = np.unique(np.stack([CLASSES.ravel(), STRATA.ravel()], axis=1), axis=0, return_counts=True)
    assert counted.values.tolist() == pairs.tolist() and counted.pixels.tolist() == pixels.tolist()
    assert counted.area_m2 == pytest.approx(100.0 * pixels)


def test_values_are_found_at_any_pixels(sources):
    rows, cols = RNG.integers(0, 23, 50), RNG.integers(0, 37, 50)
    assert (values_at(sources[0], rows, cols) == CLASSES[rows, cols]).all()


def test_drawn_pixels_are_of_their_class(sources):
    wanted = {value: (int((CLASSES == value).sum()), 20) for value in (1, 2, 3)}
    drawn = draw(sources[0], wanted, seed=1)
    assert len(set(zip(drawn.rows.tolist(), drawn.cols.tolist(), strict=True))) == 60
    assert (CLASSES[drawn.rows, drawn.cols] == drawn.values).all()
    assert np.bincount(drawn.values).tolist() == [0, 20, 20, 20]


def test_a_wide_map_is_not_read_whole(make_raster, monkeypatch):
    """No block is larger than it has to be: memory does not grow with the width."""
    source = open_map(make_raster("map.tif", np.ones((20, 300), np.uint8)))
    monkeypatch.setattr(population, "_BLOCK_PX", 16)
    read, largest = source.read, 0

    def watch(window, bands):
        nonlocal largest
        largest = max(largest, window.height * window.width)
        return read(window, bands)

    monkeypatch.setattr(type(source), "read", lambda _, window, bands: watch(window, bands))
    assert count_pixels([source]).pixels.tolist() == [6000]
    values_at(source, np.array([0, 19]), np.array([0, 299]))
    assert largest <= 256


def test_numbers_that_would_be_taken_for_others_are_refused(make_raster):
    """2^24 + 1 as float32 is 2^24: two strata would become one."""
    source = open_map(make_raster("strata.tif", np.array([[2**24 + 1, 2**24 + 3]], np.uint32)))
    with pytest.raises(LabelError, match="below 16,777,216"):
        count_pixels([source])
