import geopandas
import numpy as np
import pytest
import rasterio

from engine.benchmarks.scenes.cases import REAL, Case, real_cases
from engine.benchmarks.scenes.houston import SPACING_PX, spread_pixels
from tests.conftest import write_raster


@pytest.fixture
def partial(tmp_path):
    """The structure of the real folder: a cube valid at training pixels, heights at labelled ones, two label maps."""
    rng = np.random.default_rng(0)
    train, test = np.zeros((70, 80), np.uint8), np.zeros((70, 80), np.uint8)
    train[2:5, 3:9], train[60:69, 70:78], test[30:33, 30:40] = 1, 2, 2
    cube = np.where(train > 0, rng.random((5, 70, 80)), np.nan).astype(np.float32)
    heights = np.where((train > 0) | (test > 0), rng.random((2, 70, 80)), np.nan).astype(np.float32)
    for name, array in (("hsi", cube), ("lidar", heights), ("train", train), ("test", test)):
        write_raster(tmp_path / "houston2013_partial" / f"{name}.tif", array)
    return tmp_path / "houston2013_partial"


def test_pixels_are_moved_apart_and_nothing_else(partial, tmp_path):
    folder = spread_pixels(partial, tmp_path / "spread")
    for name in ("hsi", "lidar"):
        with rasterio.open(partial / f"{name}.tif") as before, rasterio.open(folder / f"{name}.tif") as after:
            one, many = before.read(), after.read()
            assert after.bounds == pytest.approx(before.bounds)
        np.testing.assert_array_equal(many[:, 1::SPACING_PX, 1::SPACING_PX], one)
        assert np.isfinite(many).sum() == np.isfinite(one).sum()
        valid = np.isfinite(many[0])
        alone = sum(np.roll(valid, shift, (0, 1)) for shift in np.ndindex(SPACING_PX, SPACING_PX))
        assert alone.max() == 1  # no window of 3 x 3 holds two valid pixels


def test_regions_become_features_on_the_valid_pixels(partial, tmp_path):
    folder = spread_pixels(partial, tmp_path / "spread")
    frame = geopandas.read_file(folder / "train.gpkg")
    assert sorted(frame["class"]) == [1, 2]
    with rasterio.open(folder / "hsi.tif") as file:
        inside = rasterio.features.geometry_mask(frame.geometry, file.shape, file.transform, invert=True)
        assert (inside == np.isfinite(file.read(1))).all()


def test_done_work_is_not_done_again(partial, tmp_path):
    folder = spread_pixels(partial, tmp_path / "spread")
    (partial / "hsi.tif").unlink()
    assert spread_pixels(partial, tmp_path / "spread") == folder


def test_cases_are_jobs_that_train(partial, tmp_path):
    cases = real_cases(tmp_path, tmp_path / "out", "houston2013_no_cube,houston2013_regions")
    config = cases[0].config(seed=3)
    assert config.split.kind == "files" and config.scene[0].labels.test is not None and config.training.seed == 3
    assert cases[1].config(seed=0).split.kind == "blocks"
    assert cases[0].contexts_px == (1,)


@pytest.mark.parametrize("name", [name for name in REAL if "houston" not in name])
def test_real_scenes_open_and_split(real_data, tmp_path, name):
    from engine.training.prepare import prepare

    (case,) = real_cases(real_data, tmp_path, name)
    assert isinstance(case, Case)
    data = prepare(case.config(seed=0))
    assert (data.counts["train"] > 0).all() and 0 < data.counts["test"].sum() <= 5000
