"""Mosaics: later maps on top where they have data, nothing moved, and no mixture of grids."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from engine.errors import GridMismatchError
from engine.legend import LandClass, Legend
from engine.raster.mosaic import write_mosaic

LEGEND = Legend(tuple(LandClass(value, f"class {value}", (value, 0, 0)) for value in (1, 2, 3)))


def mosaic(tmp_path, maps):
    grid = write_mosaic(maps, tmp_path / "all.vrt", tmp_path / "all.tif", LEGEND)
    with rasterio.open(tmp_path / "all.vrt") as vrt, rasterio.open(tmp_path / "all.tif") as cog:
        np.testing.assert_array_equal(vrt.read(1), cog.read(1))
        assert cog.transform.almost_equals(grid.transform)
        return cog.read(1), cog.transform


def test_the_later_map_counts_where_it_has_data(make_raster, tmp_path):
    one = np.full((4, 6), 1, np.uint8)
    other = np.full((4, 6), 2, np.uint8)
    other[0] = 0
    maps = [
        make_raster("one.tif", one, transform=from_origin(500_000, 5_800_000, 10, 10), nodata=0),
        make_raster("sub/other.tif", other, transform=from_origin(500_040, 5_799_980, 10, 10), nodata=0),
    ]
    values, transform = mosaic(tmp_path, maps)
    expected = np.zeros((6, 10), np.uint8)
    expected[:4, :6] = 1
    expected[3:, 4:] = 2
    np.testing.assert_array_equal(values, expected)
    assert (transform.c, transform.f) == (500_000, 5_800_000)


def test_the_first_map_need_not_be_the_upper_left_one(make_raster, tmp_path):
    maps = [
        make_raster("one.tif", np.ones((2, 2), np.uint8), transform=from_origin(500_000, 5_800_000, 10, 10), nodata=0),
        make_raster(
            "other.tif", np.full((2, 2), 300, np.uint16), transform=from_origin(499_980, 5_800_020, 10, 10), nodata=0
        ),
    ]
    values, transform = mosaic(tmp_path, maps)
    np.testing.assert_array_equal(values, np.array([[300, 300, 0, 0]] * 2 + [[0, 0, 1, 1]] * 2))
    assert (transform.c, transform.f) == (499_980, 5_800_020)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crs": "EPSG:32632"}, "they lie in different CRSs"),
        ({"transform": from_origin(500_000, 5_800_000, 20, 20)}, "their pixels differ"),
    ],
)
def test_maps_of_different_grids_are_refused(make_raster, tmp_path, changes, message):
    maps = [make_raster("one.tif", np.ones((2, 2), np.uint8), nodata=0)]
    maps.append(make_raster("other.tif", np.ones((2, 2), np.uint8), nodata=0, **changes))
    with pytest.raises(GridMismatchError, match=message):
        mosaic(tmp_path, maps)
    assert {path.name for path in tmp_path.iterdir()} == {"one.tif", "other.tif"}
