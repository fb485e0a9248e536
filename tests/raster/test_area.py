import numpy as np
import pytest
from affine import Affine
from pyproj import Geod, Proj
from rasterio.crs import CRS

from engine.raster.area import row_area_m2
from engine.raster.grid import Grid
from engine.raster.windows import Window


def test_area_of_projected_pixels_follows_the_unit():
    metres = Grid(5, 5, Affine(10, 0, 0, 0, -20, 0), CRS.from_epsg(32633))
    feet = Grid(5, 5, Affine(10, 0, 0, 0, -20, 0), CRS.from_epsg(2263))
    local = Grid(5, 5, Affine(10, 0, 0, 0, -20, 0), CRS.from_wkt('LOCAL_CS["here",UNIT["metre",1]]'))
    window = Window(1, 1, 2, 3)
    assert row_area_m2(metres, window) == pytest.approx([200, 200])
    assert row_area_m2(local, window) == pytest.approx([200, 200])
    assert row_area_m2(feet, window) == pytest.approx([200 * 0.3048006096**2] * 2)
    assert row_area_m2(Grid(5, 5, Affine.identity(), None), window) is None


def test_area_of_geographic_pixels_agrees_with_the_ellipsoid():
    step = 0.01
    grid = Grid(3, 4, Affine(step, 0, 12, 0, -step, 60), CRS.from_epsg(4326))
    areas = row_area_m2(grid, grid.window)
    for row, area in enumerate(areas):
        south, north = 60 - step * (row + 1), 60 - step * row
        exact = abs(Geod(ellps="WGS84").polygon_area_perimeter([12, 12 + step] * 2, [south, south, north, north])[0])
        ring = [12, 12 + step, 12 + step, 12], [south, south, north, north]
        exact = abs(Geod(ellps="WGS84").polygon_area_perimeter(*ring)[0])
        assert area == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize(("epsg", "x", "y"), [(3857, 1_500_000, 6_900_000), (3031, 1_000_000, 1_000_000)])
def test_area_of_distorted_pixels_agrees_with_the_ellipsoid(epsg, x, y):
    size = 100
    grid = Grid(3, 1, Affine(size, 0, x, 0, -size, y), CRS.from_epsg(epsg))
    for row, area in enumerate(row_area_m2(grid, grid.window)):
        top = y - size * row
        ring = Proj(epsg)(np.array([x, x + size, x + size, x]), np.array([top - size] * 2 + [top] * 2), inverse=True)
        exact = abs(Geod(ellps="WGS84").polygon_area_perimeter(*ring)[0])
        assert area == pytest.approx(exact, rel=3e-3)
        assert abs(size**2 / exact - 1) > 0.02  # what would be wrong without


def test_surveyors_metres_are_metres():
    grid = Grid(2, 2, Affine(10, 0, 600_000, 0, -10, 5_800_000), CRS.from_epsg(32633))
    assert row_area_m2(grid, grid.window).tolist() == [100, 100]
