"""Whose pixels are mapped where nobody says (the plugin's tests ask the same of it), and how layers get there."""

import dataclasses

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from engine.mapping.layers import default_reference, open_stack, pixel_sizes
from engine.raster.grid import Grid
from tests.mapping.conftest import make_info

BANDS = {"cube": 40, "dem": 1, "s1": 2, "s2": 2}
UTM, FEET, DEGREES = "EPSG:32633", "EPSG:2263", "EPSG:4326"


def trained_at(resolution, crs=UTM):
    return make_info(BANDS, grid={"resolution": [resolution, resolution], "crs": crs})


def grid(size, crs=UTM, side=10):
    return Grid(side, side, Affine(size, 0, 0, 0, -size, 0), crs and CRS.from_string(crs))


@pytest.mark.parametrize(
    ("grids", "chosen"),
    [
        ({"cube": grid(5), "dem": grid(2.5), "s1": grid(10)}, "cube"),
        ({"dem": grid(2.5), "s1": grid(10)}, "dem"),  # equally near: the finer
        ({"cube": grid(30), "s1": grid(10), "dem": grid(1)}, "s1"),  # a ratio counts, not a difference
        ({"dem": grid(5), "s1": grid(5.2)}, "s1"),  # nearly the same: bands
        ({"dem": grid(5), "s1": grid(5.3)}, "dem"),
        ({"dem": grid(2.5), "s1": grid(2.6), "cube": grid(10)}, "s1"),
        ({"s1": grid(5), "s2": grid(5, side=20)}, "s2"),  # then pixels
        ({"s2": grid(5), "s1": grid(5)}, "s1"),  # then the alphabet
        ({"dem": grid(5 / 0.3048, FEET), "s1": grid(10)}, "dem"),
        ({"s1": grid(5, DEGREES), "dem": grid(1)}, "dem"),  # those that cannot be compared stand back
        ({"s1": grid(5, None), "dem": grid(1, None)}, "s1"),  # unless none can
    ],
)
def test_pixels_as_in_training_are_mapped(grids, chosen):
    for order in (grids, dict(reversed(grids.items()))):
        assert default_reference(trained_at(5.0), order) == chosen


@pytest.mark.parametrize("crs", [None, "", DEGREES, "EPSG:99999999"])
def test_where_training_cannot_be_compared_bands_decide(crs):
    assert default_reference(trained_at(5.0, crs), {"s1": grid(10), "dem": grid(5)}) == "s1"


def test_degrees_are_compared_with_degrees():
    assert pixel_sizes(trained_at(0.5, DEGREES), grid(2, DEGREES)) == (2, 0.5)


def test_the_stack_of_a_map_has_that_reference(make_raster):
    info = make_info({"optical": 3, "height": 1}, grid={"resolution": [5.0, 5.0], "crs": UTM})
    layers = {
        "optical": make_raster("optical.tif", np.ones((3, 8, 8)), transform=Affine(20, 0, 0, 0, -20, 0)),
        "height": make_raster("height.tif", np.ones((1, 32, 32)), transform=Affine(5, 0, 0, 0, -5, 0)),
    }
    with open_stack(info, layers) as stack:
        assert stack.reference == "height" and stack.grid.resolution == (5, 5)
    with open_stack(info, layers, reference="optical") as stack:
        assert stack.reference == "optical"
    with open_stack(dataclasses.replace(info, grid={}), layers) as stack:
        assert stack.reference == "optical"


def test_resampling_of_training_is_that_of_the_map(make_job, make_raster, make_predictor):
    """A modality trained with nearest neighbours is mapped so: no values between those of the layer."""
    info = make_predictor({"optical": 3, "height": 1}).info
    optical, height = info.modalities
    coarse = Affine(30, 0, 500_000, 0, -30, 5_800_000)
    values = np.random.default_rng(0).standard_normal((1, 13, 18)).astype(np.float32)
    layers = make_job().layers | {"height": make_raster("coarse.tif", values, transform=coarse)}
    for resampling, between in (("nearest", False), (None, True)):
        trained = dataclasses.replace(info, modalities=(optical, dataclasses.replace(height, resampling=resampling)))
        with open_stack(trained, layers, reference="optical") as stack:
            block = stack.read(stack.grid.window)
        found = block.values["height"][:, block.valid["height"]]
        assert (not np.isin(found, values).all()) == between
