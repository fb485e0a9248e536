import json

import numpy as np
import pytest
from affine import Affine
from pyproj import Geod
from rasterio.crs import CRS

from engine.mapping.summary import Totals, row_area_m2
from engine.raster.grid import Grid
from engine.raster.windows import Window


def test_counting_by_hand():
    totals = Totals()
    classes = np.array([[1, 2, 0], [2, 2, 0]])
    sensors = np.array([[3, 3, 0], [1, 3, 0]])
    percent = np.array([[50, 60, 255], [70, 80, 255]], np.uint8)
    totals.add(classes, percent, sensors, np.array([10.0, 20.0]))
    totals.add(classes, percent, sensors, np.array([10.0, 20.0]))
    assert (totals.pixels, totals.mapped) == (12, 8)
    assert totals.classes == {1: 2, 2: 6}
    assert totals.area_m2 == {1: 20.0, 2: 100.0}
    assert totals.patterns == {1: 2, 3: 6}
    assert totals.confidence == {1: 140, 3: 380}
    assert Totals.from_json(json.loads(json.dumps(totals.to_json()))) == totals
    assert Totals.from_json({}) == Totals()


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
