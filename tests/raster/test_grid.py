import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.enums import WktVersion

from engine.errors import GridMismatchError
from engine.raster.grid import Grid, apply_affine, crs_name, is_local, same_crs
from engine.raster.windows import Window

UTM33 = CRS.from_epsg(32633)
LOCAL = CRS.from_wkt('LOCAL_CS["survey grid",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]')


@st.composite
def grids(draw):
    """Grids of any orientation: north-up, south-up, mirrored, rotated."""
    size = draw(st.floats(0.1, 100))
    angle = draw(st.sampled_from([0.0, 0.0, 0.3, 1.2, 2.0]))
    x0, y0 = draw(st.floats(-1e6, 1e6)), draw(st.floats(-1e6, 1e7))
    flip = draw(st.sampled_from([-1, 1]))
    cos, sin = np.cos(angle) * size, np.sin(angle) * size
    transform = Affine(cos, sin * flip, x0, sin, -cos * flip, y0)
    return Grid(draw(st.integers(1, 60)), draw(st.integers(1, 60)), transform, UTM33)


@given(grids(), st.data())
def test_a_window_is_found_again_from_its_bounds(grid, data):
    row, col = data.draw(st.integers(0, grid.height - 1)), data.draw(st.integers(0, grid.width - 1))
    height = data.draw(st.integers(1, grid.height - row))
    width = data.draw(st.integers(1, grid.width - col))
    window = Window(row, col, height, width)
    found = grid.window_of_bounds(grid.window_bounds(window))
    if grid.transform.b == 0:
        assert found == window
    else:  # the bounds of a rotated window hold more than the window
        assert found.contains(window)


@given(grids(), st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 20), st.integers(1, 20))
def test_a_part_knows_its_offset(grid, row, col, height, width):
    part = Grid(height, width, grid.window_transform(Window(row, col, height, width)), grid.crs)
    assert grid.offset_of(part) == (row, col)
    assert part.offset_of(grid) == (-row, -col)
    assert grid.same_as(part) == ((row, col, height, width) == (0, 0, grid.height, grid.width))


@given(grids(), st.floats(-1, 1), st.floats(-1, 1))
def test_float_noise_makes_no_other_grid_but_a_hundredth_of_a_pixel_does(grid, right, down):
    def moved(pixels):
        x, y = apply_affine(grid.transform, right * pixels, down * pixels)
        t = grid.transform
        return Grid(grid.height, grid.width, Affine(t.a, t.b, float(x), t.d, t.e, float(y)), grid.crs)

    assert grid.same_as(moved(5e-4))
    if max(abs(right), abs(down)) > 0.5:
        assert not grid.same_as(moved(1e-2))


def test_pixel_sizes_that_drift_apart_make_another_grid(utm_grid):
    t = utm_grid.transform
    stretched = Affine(t.a * 1.001, t.b, t.c, t.d, t.e, t.f)
    assert not utm_grid.same_as(Grid(utm_grid.height, utm_grid.width, stretched, utm_grid.crs))


@given(grids())
def test_json_round_trip(grid):
    again = Grid.from_json(grid.to_json())
    assert again == grid
    assert Grid.from_json(Grid(2, 3, Affine.identity()).to_json()).crs is None


def test_one_crs_written_in_several_ways():
    esri = CRS.from_wkt(UTM33.to_wkt(version=WktVersion.WKT1_ESRI))
    proj = CRS.from_string("+proj=utm +zone=33 +datum=WGS84 +units=m")
    assert same_crs(UTM33, esri) and same_crs(UTM33, proj) and same_crs(None, None)
    assert not same_crs(UTM33, CRS.from_epsg(32634)) and not same_crs(UTM33, None) and not same_crs(None, UTM33)


def test_local_crs_is_told_apart():
    assert is_local(LOCAL) and not is_local(UTM33) and not is_local(None)
    assert crs_name(LOCAL) == "survey grid" and crs_name(UTM33) == "EPSG:32633" and crs_name(None) == "no CRS"


def test_bounds_outside_or_empty_are_errors(utm_grid):
    with pytest.raises(GridMismatchError, match="outside the reference grid"):
        utm_grid.window_of_bounds((0, 0, 10, 10))
    with pytest.raises(GridMismatchError, match="is empty"):
        utm_grid.window_of_bounds((500_100, 5_799_900, 500_050, 5_799_950))


def test_bounds_are_snapped_outward_and_clipped(utm_grid):
    assert utm_grid.window_of_bounds((500_015, 5_799_971, 500_021, 5_799_989)) == Window(1, 1, 2, 2)
    assert utm_grid.window_of_bounds((0, 0, 1e7, 1e7)) == utm_grid.window


def test_a_message_shows_the_grid(utm_grid):
    assert str(utm_grid) == "40 x 50 pixels of 10, EPSG:32633"
    assert utm_grid.resolution == (10, 10)
    assert utm_grid.bounds == (500_000, 5_799_600, 500_500, 5_800_000)
