"""What real files look like; skipped where the real scenes are not at hand."""

import numpy as np
import pytest

from engine.raster.labels import read_labels
from engine.raster.sources import open_source
from engine.raster.stack import LayerSpec, RasterStack
from engine.raster.windows import Window

pytestmark = pytest.mark.data


def open_scene(folder, *names):
    return RasterStack([LayerSpec(name, folder / f"{name}.tif") for name in names])


@pytest.mark.parametrize("scene", ["scene_a", "scene_b"])
def test_origins_that_differ_by_a_nanometre_are_one_grid(real_data, scene):
    stack = open_scene(real_data / scene, "msi", "sar", "dem")
    dem = open_source(real_data / scene / "dem.tif")
    assert dem.grid != stack.grid and dem.grid.same_as(stack.grid)
    block = stack.read(stack.grid.window)
    np.testing.assert_array_equal(block.values["dem"], dem.read(dem.grid.window, [1])[0])
    assert all(valid.all() for valid in block.valid.values())
    assert stack.reference == "msi" and [m.unit for m in stack.modalities] == ["linear", "db", "linear"]


def test_bands_absorbed_by_water_vapour_are_left_out(real_data):
    stack = open_scene(real_data / "enmap_potsdam", "vnir", "swir")
    assert stack.dropped_bands == {"swir": (39, 40, 41, 42, 43, 44)}
    vnir, swir = stack.modalities
    assert (vnir.bands, swir.bands) == (91, 127)
    assert vnir.wavelengths_nm[0] == pytest.approx(418.24) and swir.wavelengths_nm[-1] == pytest.approx(2445.53)
    valid = stack.read(stack.grid.window).valid
    assert 0.5 < valid["swir"].mean() < 0.7


def test_a_cube_that_is_valid_at_a_few_pixels(real_data):
    folder = real_data / "houston2013_partial"
    stack = open_scene(folder, "hsi", "lidar")
    train = read_labels(folder / "train.tif", grid=stack.grid)
    assert len(train.rows) == 2832 and len(train.legend) == 15 and len(np.unique(train.region)) == 185
    block = stack.read(Window(0, 0, 349, 600))
    here = train.cols < 600
    assert block.valid["hsi"].sum() == here.sum()
    assert block.valid["hsi"][train.rows[here], train.cols[here]].all()
    assert len(read_labels(folder / "test.tif", grid=stack.grid).rows) == 12_197


def test_label_counts(real_data):
    grid = open_source(real_data / "enmap_potsdam/vnir.tif").grid
    labels = read_labels(real_data / "enmap_potsdam/landcover.tif", grid=grid)
    assert np.bincount(labels.classes).tolist() == [505, 953, 1694, 2070, 91, 359]
