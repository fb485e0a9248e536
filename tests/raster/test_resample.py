import numpy as np
import pytest
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS

from engine.raster import resample
from engine.raster.grid import Grid
from engine.raster.placement import transform_points
from engine.raster.resample import default_resampling, read_on_grid
from engine.raster.sources import open_source
from engine.raster.windows import Window
from tests.raster.conftest import UTM33, pixel_centres

UTM34 = CRS.from_epsg(32634)
METHODS = ("nearest", "bilinear", "average")
# 60 x 70 pixels of 20 m beside the border of two zones, and rasters around it in every guise.
HERE = Grid(60, 70, Affine(20, 0, 700_000, 0, -20, 5_800_000), UTM33)
GUISES = {
    "finer, north-up": Grid(180, 200, Affine(8, 0, 699_900, 0, -8, 5_800_100), UTM33),
    "south-up": Grid(180, 200, Affine(8, 0, 699_900, 0, 8, 5_798_700), UTM33),
    "turned": Grid(400, 400, Affine(5, 3, 699_000, 3, -5, 5_800_000), UTM33),
    "coarser": Grid(60, 60, Affine(30, 0, 699_850, 0, -30, 5_800_200), UTM33),
    "other zone": Grid(330, 330, Affine(8, 0, 290_600, 0, -8, 5_800_800), UTM34),
    "degrees": Grid(200, 320, Affine(1e-4, 0, 17.93, 0, -1e-4, 52.315), CRS.from_epsg(4326)),
}


def landscape(x, y):
    """A smooth field in UTM 33 coordinates: 300 m from crest to trough."""
    return 100 + 10 * np.sin((x - 700_000) / 100) + 10 * np.cos((y - 5_800_000) / 100)


def landscape_in(crs):
    def field(x, y):
        x33, y33 = transform_points(crs, UTM33, x.ravel(), y.ravel())
        return landscape(x33, y33).reshape(x.shape)

    return field


@pytest.fixture
def make_source(make_grid_raster):
    def make(guise, **profile):
        grid = GUISES[guise]
        return open_source(make_grid_raster(f"{guise}.tif", grid, landscape_in(grid.crs), **profile))

    return make


@pytest.mark.parametrize("guise", GUISES)
@pytest.mark.parametrize("method", METHODS)
def test_every_guise_shows_the_same_landscape(make_source, guise, method):
    source = make_source(guise)
    values, valid = read_on_grid(source, HERE, HERE.window, [1], method)
    assert valid.all()
    # Half a source pixel of displacement on a slope of 0.14 per metre, or smoothing over a footprint.
    tolerance = {"nearest": 0.1 * max(source.grid.resolution[0], 8), "bilinear": 0.5, "average": 2.0}[method]
    if source.grid.crs.is_geographic:
        tolerance = max(tolerance, 1.2) if method == "nearest" else tolerance
    np.testing.assert_allclose(values[0], landscape(*pixel_centres(HERE)), atol=tolerance)


@pytest.mark.parametrize("guise", GUISES)
@given(st.sampled_from(METHODS), st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_window_equals_the_crop_of_the_whole(make_source, guise, method, data):
    source = make_source(guise)
    whole = HERE.window.padded(30)
    values, valid = read_on_grid(source, HERE, whole, [1], method)
    row, col = data.draw(st.integers(-30, 80)), data.draw(st.integers(-30, 90))
    height, width = data.draw(st.integers(1, 90 - row)), data.draw(st.integers(1, 100 - col))
    window = Window(row, col, height, width)
    part_values, part_valid = read_on_grid(source, HERE, window, [1], method)
    crop = window.relative_to(whole).slices
    np.testing.assert_array_equal(part_valid, valid[crop])
    np.testing.assert_allclose(part_values[0], values[0][crop], atol=2e-5)


@pytest.mark.parametrize("method", METHODS)
def test_reading_in_small_portions_changes_nothing(make_source, monkeypatch, method):
    source = make_source("other zone")
    values, valid = read_on_grid(source, HERE, HERE.window, [1], method)
    monkeypatch.setattr(resample, "_VALUES_AT_ONCE", 2000)
    portion_values, portion_valid = read_on_grid(source, HERE, HERE.window, [1], method)
    np.testing.assert_array_equal(portion_valid, valid)
    np.testing.assert_allclose(portion_values, values, atol=2e-5)


@pytest.mark.parametrize("guise", GUISES)
@pytest.mark.parametrize("method", METHODS)
def test_values_under_invalid_pixels_change_nothing(make_grid_raster, guise, method):
    grid = GUISES[guise]
    hole = np.random.default_rng(0).random((grid.height, grid.width)) < 0.3

    def with_hole(fill):
        def field(x, y):
            return np.where(hole, fill, landscape_in(grid.crs)(x, y))

        return field

    marked = open_source(make_grid_raster("marked.tif", grid, with_hole(-9999), nodata=-9999))
    nan = open_source(make_grid_raster("nan.tif", grid, with_hole(np.nan)))
    ours, theirs = (read_on_grid(source, HERE, HERE.window, [1], method) for source in (marked, nan))
    np.testing.assert_array_equal(ours[1], theirs[1])
    np.testing.assert_array_equal(ours[0], theirs[0])
    assert ours[1].any() and (ours[0][0][~ours[1]] == 0).all()
    assert ours[0][0][ours[1]].min() > 79  # nothing of the -9999 came through


def test_average_is_the_mean_of_the_valid_pixels(make_raster):
    fine = np.arange(8 * 12, dtype=np.float32).reshape(8, 12)
    fine[0, 0] = fine[0, 2:4] = fine[1, 2:4] = np.nan
    fine[0, 4] = fine[0, 5] = fine[1, 4] = np.nan
    source = open_source(make_raster("a.tif", fine, transform=Affine(10, 0, 0, 0, -10, 80)))
    grid = Grid(4, 6, Affine(20, 0, 0, 0, -20, 80), UTM33)
    values, valid = read_on_grid(source, grid, grid.window, [1], "average")
    blocks = fine.reshape(4, 2, 6, 2).transpose(0, 2, 1, 3).reshape(4, 6, 4)
    expected_valid = np.isfinite(blocks).mean(2) >= 0.5
    assert expected_valid.sum() == 22  # one block without, one with a single valid pixel
    np.testing.assert_array_equal(valid, expected_valid)
    np.testing.assert_allclose(values[0][valid], np.nanmean(blocks[expected_valid], axis=1), rtol=1e-6)


def test_bilinear_between_two_pixels_weighs_by_distance(make_raster):
    source = open_source(
        make_raster("a.tif", np.array([[0.0, 40.0, 80.0]], np.float32), transform=Affine(40, 0, 0, 0, -40, 40))
    )
    grid = Grid(4, 12, Affine(10, 0, 0, 0, -10, 40), UTM33)
    values, valid = read_on_grid(source, grid, grid.window, [1], "bilinear")
    assert valid.all()
    np.testing.assert_allclose(values[0, 0, 2:10], [5, 15, 25, 35, 45, 55, 65, 75], rtol=1e-5)


def test_decibels_are_averaged_as_power(make_raster):
    fine = np.array([[-10.0, -20.0], [-10.0, -20.0]], np.float32)
    source = open_source(make_raster("a.tif", fine, transform=Affine(10, 0, 0, 0, -10, 20)))
    grid = Grid(1, 1, Affine(20, 0, 0, 0, -20, 20), UTM33)
    power, _ = read_on_grid(source, grid, grid.window, [1], "average", unit="db")
    plain, _ = read_on_grid(source, grid, grid.window, [1], "average", unit="linear")
    assert power[0, 0, 0] == pytest.approx(10 * np.log10((0.1 + 0.01) / 2), abs=1e-4)
    assert plain[0, 0, 0] == pytest.approx(-15)


def test_decibels_are_left_alone_by_nearest_and_direct_reading(make_raster):
    fine = np.random.default_rng(0).normal(-12, 4, (8, 8)).astype(np.float32)
    source = open_source(make_raster("a.tif", fine, transform=Affine(10, 0, 0, 0, -10, 80)))
    same, _ = read_on_grid(source, source.grid, source.grid.window, [1], "average", unit="db")
    np.testing.assert_array_equal(same[0], fine)
    shifted = Grid(8, 8, Affine(10, 0, 2, 0, -10, 82), UTM33)
    nearest, valid = read_on_grid(source, shifted, shifted.window, [1], "nearest", unit="db")
    assert set(nearest[0][valid]) <= set(fine.ravel())


def test_nearest_at_a_tie_is_the_same_in_every_window(make_raster):
    # Centres of the coarse pixels lie exactly on edges of the fine ones, at coordinates full of rounding errors.
    fine = np.random.default_rng(0).random((60, 60)).astype(np.float32)
    source = open_source(
        make_raster("a.tif", fine, transform=Affine(10, 0, 717_729.8352053786, 0, -10, 5_700_093.330553154))
    )
    grid = Grid(30, 30, Affine(20, 0, 717_729.8352053782, 0, -20, 5_700_093.330553154), UTM33)
    whole, _ = read_on_grid(source, grid, grid.window, [1], "nearest")
    for row in range(0, 30, 7):
        for col in range(0, 30, 4):
            window = Window(row, col, 5, 3)
            part, valid = read_on_grid(source, grid, window, [1], "nearest")
            np.testing.assert_array_equal(part[0][valid], whole[0, row : row + 5, col : col + 3].ravel()[: valid.sum()])


def test_the_same_pixels_are_read_without_resampling(make_raster, monkeypatch):
    monkeypatch.setattr(resample, "_warp", None)
    array = np.random.default_rng(0).random((2, 20, 30)).astype(np.float32)
    source = open_source(make_raster("a.tif", array, transform=Affine(10, 0, 1000.0000001, 0, -10, 2000)))
    part = Grid(10, 12, Affine(10, 0, 1050, 0, -10, 1970), UTM33)  # an offset of whole pixels
    values, valid = read_on_grid(source, part, part.window, [2], "bilinear")
    np.testing.assert_array_equal(values[0], array[1, 3:13, 5:17])
    assert valid.all()


def test_beyond_the_source_is_invalid(make_source):
    source = make_source("finer, north-up")
    values, valid = read_on_grid(source, HERE, HERE.window.padded(40), [1], "average")
    assert valid[40:100, 40:110].all() and not valid[:30].any() and not valid[:, :30].any()
    assert (values[0][~valid] == 0).all()
    assert not read_on_grid(source, HERE, Window(5000, 0, 10, 10), [1], "bilinear")[1].any()


def test_a_pixel_counts_only_with_all_bands(make_raster):
    array = np.ones((2, 8, 8), np.float32)
    array[1, :4] = np.nan
    source = open_source(make_raster("a.tif", array, transform=Affine(10, 0, 0, 0, -10, 80)))
    grid = Grid(4, 4, Affine(20, 0, 0, 0, -20, 80), UTM33)
    assert read_on_grid(source, grid, grid.window, [1], "average")[1].all()
    assert (
        read_on_grid(source, grid, grid.window, [1, 2], "average")[1].tolist() == [[False] * 4] * 2 + [[True] * 4] * 2
    )


def test_default_resampling():
    expected = {"finer, north-up": "average", "coarser": "bilinear", "other zone": "average", "turned": "average"}
    for guise, method in expected.items():
        assert default_resampling(HERE, GUISES[guise]) == method
    assert default_resampling(HERE, Grid(9, 9, Affine(19.5, 0, 700_000, 0, -19.5, 5_800_000), UTM33)) == "bilinear"
