"""Edges of polygons follow the projection: beside a slow reference that moves every point of a dense edge."""

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS

from engine.raster.aoi import AreaOfInterest
from engine.raster.grid import Grid
from engine.raster.labels import read_labels
from engine.raster.vector_crs import to_crs_of

GRID = Grid(120, 100, Affine(10, 0, 400_000, 0, -10, 5_650_000), CRS.from_epsg(32633))
WGS84 = pyproj.CRS("EPSG:4326")


def series(*shapes, crs=WGS84):
    return geopandas.GeoSeries(list(shapes), crs=crs)


def inside(shape):
    """Which pixel centres lie in a polygon of degrees, asked in degrees (H, W)."""
    row, col = np.mgrid[: GRID.height, : GRID.width] + 0.5
    x, y = 400_000 + 10 * col, 5_650_000 - 10 * row
    degrees = pyproj.Transformer.from_crs(32633, 4326, always_xy=True).transform(x, y)
    return shapely.contains_xy(shape, *degrees)


def covered(shape, tmp_path):
    geopandas.GeoDataFrame({"class": [1]}, geometry=[shape], crs=WGS84).to_file(tmp_path / "aoi.gpkg")
    mask = AreaOfInterest(tmp_path / "aoi.gpkg", GRID).mask(GRID.window)
    labels = read_labels(tmp_path / "aoi.gpkg", field="class", grid=GRID)
    burnt = np.zeros_like(mask)
    burnt[labels.rows, labels.cols] = True
    assert (burnt == mask).all()
    return mask


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(13.2, 50.99, 14.2, 51.5),  # its lower edge crosses the grid, and bulges by 100 m
        shapely.box(-180, -90, 180, 90),
        shapely.box(-180, 0, 180, 50.99),
        shapely.Polygon([(10, 48), (17, 48), (13.6, 51.0)]),
    ],
    ids=["one degree", "the world", "half of it", "a tip"],
)
def test_long_edges_are_where_they_are_in_degrees(tmp_path, shape):
    """Area of interest and labels: but for pixels whose centre is a quarter of a pixel from the edge."""
    expected = inside(shape)
    assert expected.any()
    assert (covered(shape, tmp_path) != expected).mean() < 0.005


@settings(max_examples=40, deadline=None)
@given(st.floats(0.001, 3), st.floats(0.001, 3), st.floats(-180, 180))
def test_a_straight_edge_is_right_to_a_quarter_of_a_pixel(width, height, turn):
    shape = shapely.affinity.rotate(shapely.box(-width, -height, width, height), turn)
    shape = shapely.affinity.translate(shape, 13.57, 50.99)
    moved = to_crs_of(series(shape), GRID).iloc[0]
    dense = shapely.get_coordinates(shapely.segmentize(shape, 0.0005))
    x, y = pyproj.Transformer.from_crs(4326, 32633, always_xy=True).transform(dense[:, 0], dense[:, 1])
    near = (abs(x - 400_500) < 900) & (abs(y - 5_649_400) < 1000)
    off = shapely.distance(shapely.points(x[near], y[near]), moved.boundary)
    assert (off < 0.26 * 10).all()


def test_what_needs_no_points_gets_none():
    small = shapely.box(13.57, 50.99, 13.571, 50.991)
    shapes = series(small, shapely.Point(13.57, 50.99), None, shapely.Polygon())
    moved = to_crs_of(shapes, GRID)
    assert shapely.get_num_coordinates(moved.iloc[0]) == shapely.get_num_coordinates(small)
    assert moved.iloc[0].equals_exact(shapes.to_crs(32633).iloc[0], 1e-6)
    assert moved.iloc[1].geom_type == "Point" and moved.iloc[2] is None and moved.iloc[3].is_empty
    same = series(shapely.box(0, 0, 1, 1), crs="EPSG:32633")
    assert to_crs_of(same, GRID) is same


def test_holes_and_parts_stay(tmp_path):
    ring = shapely.box(12, 50, 15, 52) - shapely.box(13.578, 50.985, 13.584, 50.992)
    parts = shapely.box(13.5, 50.9, 13.58, 51.2) - shapely.box(13, 50.988, 14, 50.99)
    both = shapely.MultiPolygon(shapely.get_parts(parts).tolist())
    for shape in (ring, both):
        expected = inside(shape)
        assert expected.any() and not expected.all()
        assert (covered(shape, tmp_path) != expected).mean() < 0.005
