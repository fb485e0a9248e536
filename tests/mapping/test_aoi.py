import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.crs import CRS

from engine.errors import ConfigError, GridMismatchError
from engine.raster.aoi import AreaOfInterest
from engine.raster.grid import Grid
from engine.raster.windows import Window, blocks

GRID = Grid(40, 50, Affine(10, 0, 500_000, 0, -10, 5_800_000), CRS.from_epsg(32633))
SHAPES = [
    shapely.Point(500_100, 5_799_900).buffer(72),
    shapely.box(500_303, 5_799_707, 500_431, 5_799_801) - shapely.box(500_350, 5_799_750, 500_380, 5_799_770),
]


@pytest.fixture
def path(tmp_path):
    shapes = geopandas.GeoSeries([*SHAPES, shapely.Point(0, 0), None], crs="EPSG:32633")
    shapes.to_file(tmp_path / "aoi.gpkg")
    return tmp_path / "aoi.gpkg"


def test_mask_is_pixel_centres_and_independent_of_windows(path):
    aoi = AreaOfInterest(path, GRID)
    centres = np.meshgrid(500_005 + 10 * np.arange(50), 5_799_995 - 10 * np.arange(40))
    expected = shapely.contains_xy(shapely.union_all(SHAPES), *centres)
    np.testing.assert_array_equal(aoi.mask(GRID.window), expected)
    for block in blocks(40, 50, 7):
        np.testing.assert_array_equal(aoi.mask(block), expected[block.slices])
    assert aoi.window == Window(2, 2, 28, 42)


def test_what_cannot_be_used_is_one_sentence(tmp_path, path):
    geopandas.GeoSeries([shapely.Point(0, 0)], crs="EPSG:32633").to_file(tmp_path / "points.gpkg")
    geopandas.GeoSeries([shapely.box(0, 0, 1, 1)], crs="EPSG:32633").to_file(tmp_path / "far.gpkg")
    geopandas.GeoSeries(SHAPES).to_file(tmp_path / "bare.gpkg")
    with pytest.raises(ConfigError, match="holds no polygon"):
        AreaOfInterest(tmp_path / "points.gpkg", GRID)
    with pytest.raises(GridMismatchError, match="do not touch the layers"):
        AreaOfInterest(tmp_path / "far.gpkg", GRID)
    with pytest.raises(GridMismatchError, match="has no CRS"):
        AreaOfInterest(tmp_path / "bare.gpkg", GRID)
    for layer in ("first", "second"):
        geopandas.GeoSeries(SHAPES, crs="EPSG:32633").to_file(tmp_path / "two.gpkg", layer=layer)
    with pytest.raises(ConfigError, match=r"several layers \(first, second\); save the one"):
        AreaOfInterest(tmp_path / "two.gpkg", GRID)
    with pytest.raises(ConfigError, match="cannot be read"):
        AreaOfInterest(tmp_path / "missing.gpkg", GRID)
