import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.warp import transform

from engine.raster.grid import Grid, apply_affine
from engine.raster.placement import footprint, overlap, pieces, pixel_ratio, source_points, transform_points
from engine.raster.windows import Window

UTM33, UTM34, GEOGRAPHIC = (CRS.from_epsg(code) for code in (32633, 32634, 4326))
# A place at the border of two zones, 16 by 20 km.
HERE = Grid(800, 1000, Affine(20, 0, 700_000, 0, -20, 5_800_000), UTM33)
OTHER_ZONE = Grid(3000, 3000, Affine(10, 0, 285_000, 0, -10, 5_805_000), UTM34)
DEGREES = Grid(900, 1500, Affine(3e-4, 0, 17.9, 0, -3e-4, 52.4), GEOGRAPHIC)
TURNED = Grid(900, 900, Affine(12, 9, 695_000, 9, -12, 5_795_000), UTM33)


@pytest.mark.parametrize("source", [OTHER_ZONE, DEGREES, TURNED], ids=["other zone", "degrees", "turned"])
@given(st.data())
@settings(max_examples=20)
def test_pieces_cover_a_window_once_and_hit_the_right_pixels(source, data):
    row, col = data.draw(st.integers(-50, 700)), data.draw(st.integers(-50, 900))
    window = Window(row, col, data.draw(st.integers(1, 300)), data.draw(st.integers(1, 300)))
    count = np.zeros((window.height, window.width), int)
    for part, matrix in pieces(HERE, window, source):
        count[part.relative_to(window).slices] += 1
        cols = np.array([part.col, part.right - 1, part.col, part.right - 1]) + 0.5
        rows = np.array([part.row, part.row, part.bottom - 1, part.bottom - 1]) + 0.5
        exact = source_points(HERE, cols, rows, source)
        np.testing.assert_allclose(apply_affine(matrix, cols, rows), exact, atol=0.025)
    assert (count == 1).all()


def test_pieces_do_not_depend_on_the_window():
    def matrix_at(window, row, col):
        return next(m for part, m in pieces(HERE, window, DEGREES) if part.contains(Window(row, col, 1, 1)))

    assert matrix_at(HERE.window, 333, 444) == matrix_at(Window(330, 440, 7, 9), 333, 444)


def test_within_one_crs_whole_ratios_are_exact():
    # 10 m pixels in 20 m ones, at coordinates where 64-bit numbers have lost their last digits.
    fine = Grid(100, 100, Affine(10, 0, 717_729.8352053786, 0, -10, 5_700_093.330553154), UTM33)
    coarse = Grid(40, 40, Affine(20, 0, 717_729.8352053782 + 40, 0, -20, 5_700_093.330553154 - 60), UTM33)
    ((_, matrix),) = pieces(coarse, coarse.window, fine)
    assert tuple(matrix)[:6] == (2, 0, 4, 0, 2, 6)


def test_a_crs_torn_at_180_degrees_leaves_out_the_tear_only():
    world = Grid(1800, 3600, Affine(0.1, 0, -180, 0, -0.1, 90), GEOGRAPHIC)
    fiji = Grid(200, 400, Affine(1000, 0, 700_000, 0, -1000, 8_100_000), CRS.from_epsg(32760))  # 179 E to 177 W
    count = np.zeros((200, 400), int)
    for part, matrix in pieces(fiji, fiji.window, world):
        count[part.slices] += 1
        middle = np.array([part.col + part.width / 2]), np.array([part.row + part.height / 2])
        np.testing.assert_allclose(apply_affine(matrix, *middle), source_points(fiji, *middle, world), atol=1)
    assert count.max() == 1 and 0.9 < count.mean() < 1


def test_points_beyond_a_projection_are_infinite_and_spare_the_others():
    x, y = transform_points(GEOGRAPHIC, CRS.from_epsg(3857), np.array([10.0, 10.0, 11.0]), np.array([50.0, 1e9, 51.0]))
    assert np.isfinite(x).tolist() == [True, False, True]
    expected = transform(GEOGRAPHIC, CRS.from_epsg(3857), [10.0, 11.0], [50.0, 51.0])
    np.testing.assert_allclose([x[[0, 2]], y[[0, 2]]], expected)


def test_footprint_is_where_the_window_lies():
    found = footprint(HERE, Window(100, 200, 50, 60), TURNED)
    cols, rows = source_points(HERE, np.array([200, 260, 200, 260]), np.array([100, 100, 150, 150]), TURNED)
    assert abs(found.row - rows.min()) < 1.5 and abs(found.bottom - rows.max()) < 1.5
    assert abs(found.col - cols.min()) < 1.5 and abs(found.right - cols.max()) < 1.5


def test_overlap():
    far = Grid(10, 10, Affine(10, 0, 500_000, 0, -10, 1_000_000), UTM33)
    world = Grid(1800, 3600, Affine(0.1, 0, -180, 0, -0.1, 90), GEOGRAPHIC)
    tiny = Grid(3, 3, Affine(1, 0, 701_234, 0, -1, 5_795_678), UTM33)
    touching = Grid(800, 1000, Affine(20, 0, 700_000 + 20_000, 0, -20, 5_800_000), UTM33)
    for grid in (OTHER_ZONE, DEGREES, TURNED, world, tiny):
        assert overlap(HERE, grid) and overlap(grid, HERE)
    for grid in (far, touching):
        assert not overlap(HERE, grid) and not overlap(grid, HERE)


def test_pixel_ratio():
    assert pixel_ratio(HERE, OTHER_ZONE) == pytest.approx(2, rel=0.01)
    assert pixel_ratio(OTHER_ZONE, HERE) == pytest.approx(0.5, rel=0.01)
    assert pixel_ratio(HERE, TURNED) == pytest.approx(20 / 15)
