import json
import os
import threading
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import scipy.io
from affine import Affine
from rasterio.crs import CRS

from engine.errors import BandCountError, ConfigError, GridMismatchError, ModalityError, RasterOpenError
from engine.raster.placement import transform_points
from engine.raster.stack import LayerSpec, RasterStack
from engine.raster.windows import Window

LOCAL = CRS.from_wkt('LOCAL_CS["survey grid",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]')
OTHER_LOCAL = CRS.from_wkt('LOCAL_CS["another grid",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]')


@pytest.fixture
def make_layer(make_raster):
    """Factory: a layer of random values with its raster; keywords as for `make_raster`."""

    def make(name, bands=1, height=40, width=50, **keywords):
        array = np.random.default_rng(bands).random((bands, height, width)).astype(np.float32)
        return LayerSpec(name, make_raster(f"{name}.tif", array, **keywords))

    return make


def test_layers_on_one_grid_are_read_as_they_are(make_layer):
    layers = [make_layer("hsi", 5), make_layer("lidar", 2)]
    with RasterStack(layers) as stack:
        block = stack.read(Window(-2, 3, 10, 60))
        assert stack.names == ("hsi", "lidar") and stack.reference == "hsi"
        assert [(m.bands, m.source_bands, m.source_count, m.role) for m in stack.modalities] == [
            (5, (1, 2, 3, 4, 5), 5, "hyperspectral"),
            (2, (1, 2), 2, "elevation"),
        ]
    for name, bands in (("hsi", 5), ("lidar", 2)):
        array = np.random.default_rng(bands).random((bands, 40, 50)).astype(np.float32)
        assert block.values[name].shape == (bands, 10, 60) and block.valid[name].shape == (10, 60)
        np.testing.assert_array_equal(block.values[name][:, 2:, :47], array[:, :8, 3:])
        assert block.valid[name][2:, :47].all() and block.valid[name].sum() == 8 * 47


def test_the_reference_does_not_depend_on_the_order(make_layer):
    layers = [
        make_layer("b", 3),
        make_layer("a", 3),
        make_layer("large", 3, height=60, width=80),
        make_layer("few", 1, height=90, width=90),
    ]
    assert {RasterStack(order).reference for order in permutations(layers)} == {"large"}
    assert {RasterStack(order).reference for order in permutations(layers[:2])} == {"a"}
    assert RasterStack(layers, reference="few").grid.height == 90


def test_a_block_does_not_depend_on_the_order(make_layer):
    layers = [make_layer("hsi", 3), make_layer("dem", 1, transform=Affine(7, 0, 500_003, 0, -7, 5_799_990))]
    one, other = (RasterStack(order).read(Window(5, 5, 20, 20)) for order in (layers, layers[::-1]))
    for name in ("hsi", "dem"):
        np.testing.assert_array_equal(one.values[name], other.values[name])
        np.testing.assert_array_equal(one.valid[name], other.valid[name])


def test_a_layer_in_another_crs_agrees_with_the_aligned_one(make_grid_raster, make_layer):
    from engine.raster.grid import Grid

    def field(x, y):
        return np.sin(x / 90) + np.cos(y / 110)

    def field_in_34(x, y):
        x33, y33 = transform_points(CRS.from_epsg(32634), CRS.from_epsg(32633), x.ravel(), y.ravel())
        return field(x33, y33).reshape(x.shape)

    hsi = make_layer("hsi", 3)
    aligned = make_grid_raster("aligned.tif", RasterStack([hsi]).grid, field)
    corner = transform_points(
        CRS.from_epsg(32633), CRS.from_epsg(32634), np.array([500_250.0]), np.array([5_799_800.0])
    )
    there = Grid(400, 400, Affine(4, 0, corner[0][0] - 800, 0, -4, corner[1][0] + 800), CRS.from_epsg(32634))
    stack = RasterStack(
        [hsi, LayerSpec("one", aligned), LayerSpec("other", make_grid_raster("other.tif", there, field_in_34))]
    )
    block = stack.read(stack.grid.window)
    assert block.valid["one"].all() and block.valid["other"].all()
    np.testing.assert_allclose(block.values["other"], block.values["one"], atol=0.02)


def test_a_layer_covering_a_part_is_invalid_elsewhere(make_layer):
    stack = RasterStack([make_layer("hsi", 3), make_layer("lidar", 1, height=10, width=12)])
    valid = stack.read(stack.grid.window).valid["lidar"]
    assert valid[:10, :12].all() and valid.sum() == 120


def test_a_pixel_is_valid_only_with_all_its_bands(make_raster):
    array = np.ones((3, 6, 7), np.float32)
    array[1, 2, 3] = np.nan
    stack = RasterStack([LayerSpec("hsi", make_raster("a.tif", array))])
    block = stack.read(stack.grid.window)
    assert np.argwhere(~block.valid["hsi"]).tolist() == [[2, 3]]
    assert (block.values["hsi"][:, 2, 3] == 0).all()
    only = RasterStack([LayerSpec("hsi", stack._layers[0].source.path, bands=(1, 3))])
    assert only.read(only.grid.window).valid["hsi"].all()


def test_bad_and_empty_bands_are_left_out_and_named(make_raster):
    array = np.ones((4, 6, 7), np.float32)
    array[2] = np.nan
    tags = [
        {"bbl": flag, "wavelength": w, "wavelength_units": "nm"} for flag, w in ((1, 500), (0, 600), (1, 700), (1, 800))
    ]
    layer = LayerSpec("hsi", make_raster("a.tif", array, tags=tags))
    stack = RasterStack([layer])
    assert stack.dropped_bands == {"hsi": (2, 3)}
    (modality,) = stack.modalities
    assert (modality.bands, modality.source_bands, modality.source_count) == (2, (1, 4), 4)
    assert modality.wavelengths_nm == (500, 800)
    assert stack.read(stack.grid.window).valid["hsi"].all()
    asked = RasterStack([replace(layer, bands=(4, 2))])
    assert asked.modalities[0].wavelengths_nm == (800, 600) and asked.dropped_bands == {}


def test_the_unit_of_sar_is_guessed_from_its_values(make_raster):
    rng = np.random.default_rng(0)
    decibels = make_raster("db.tif", rng.normal(-12, 4, (2, 20, 20)).astype(np.float32))
    power = make_raster("power.tif", rng.random((2, 20, 20)).astype(np.float32))
    assert RasterStack([LayerSpec("sar", decibels)]).modalities[0].unit == "db"
    assert RasterStack([LayerSpec("sar", power)]).modalities[0].unit == "linear"
    assert RasterStack([LayerSpec("sar", decibels, unit="linear")]).modalities[0].unit == "linear"
    assert RasterStack([LayerSpec("temperature", decibels)]).modalities[0].unit == "linear"


def test_a_stamp_changes_with_what_is_read(make_raster, tmp_path):
    """Opened again it is the same; another file, other bands or another way to read give another one."""
    rng = np.random.default_rng(0)
    path = make_raster("a.tif", rng.random((3, 20, 20)).astype(np.float32))
    layer = LayerSpec("hsi", path)
    stamps = [
        json.dumps(RasterStack([other]).stamp())
        for other in (
            layer, layer, replace(layer, bands=(1, 2)), replace(layer, resampling="nearest"), replace(layer, unit="db"),
            replace(layer, name="msi"),
        )
    ]  # fmt: skip
    assert stamps[0] == stamps[1] and len(set(stamps)) == 5
    make_raster("a.tif", rng.random((3, 20, 20)).astype(np.float32))
    os.utime(path, ns=(1, 1))
    stack = RasterStack([layer])
    assert json.dumps(stack.stamp()) not in stamps
    path.unlink()
    with pytest.raises(RasterOpenError, match="check the path"):
        stack.stamp()
    scipy.io.savemat(tmp_path / "a.mat", {name: rng.random((40, 50, 4)) for name in ("one", "two")})
    of_variables = [RasterStack([LayerSpec("hsi", f"{tmp_path / 'a.mat'}:{name}")]).stamp() for name in ("one", "two")]
    assert of_variables[0] != of_variables[1]


def test_layers_without_crs_on_one_grid_are_fine(make_layer, tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"cube": np.random.default_rng(0).random((40, 50, 4))})
    bare = make_layer("bare", crs=None, transform=Affine.identity())
    stack = RasterStack([LayerSpec("hsi", tmp_path / "a.mat"), bare])
    assert all(valid.all() for valid in stack.read(stack.grid.window).valid.values())


def test_layers_without_crs_on_other_grids_are_refused(make_layer):
    layers = [make_layer("a", 2, crs=None), make_layer("b", crs=None, transform=Affine(5, 0, 0, 0, -5, 0))]
    with pytest.raises(GridMismatchError, match=r"layers a \(.*\) and b \(.*\) have no CRS and different grids"):
        RasterStack(layers)


def test_a_shared_local_crs_is_fine(make_layer):
    layers = [
        make_layer("a", 2, crs=LOCAL),
        make_layer("b", crs=LOCAL, transform=Affine(5, 0, 500_000, 0, -5, 5_800_000)),
    ]
    stack = RasterStack(layers)
    assert stack.read(stack.grid.window).valid["b"][:19, :24].all()


@pytest.mark.parametrize("crs", [OTHER_LOCAL, "EPSG:32633"])
def test_a_local_crs_beside_another_is_refused(make_layer, crs):
    with pytest.raises(GridMismatchError, match="no way from"):
        RasterStack([make_layer("a", 2, crs=LOCAL), make_layer("b", crs=crs)])


@pytest.mark.parametrize("bare", ["a", "b"])
def test_no_crs_beside_layers_that_have_one_is_refused(make_layer, bare):
    layers = [
        make_layer(name, bands, **({"crs": None} if name == bare else {})) for name, bands in (("a", 2), ("b", 1))
    ]
    with pytest.raises(
        GridMismatchError, match=rf"layers a \(.*\) and b \(.*\) do not fit together: {bare} has no CRS"
    ):
        RasterStack(layers)


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:32634"])
def test_no_overlap_is_refused(make_layer, crs):
    with pytest.raises(GridMismatchError, match=r"layers hsi \(.*\) and dem \(.*\) do not overlap"):
        RasterStack(
            [make_layer("hsi", 2), make_layer("dem", crs=crs, transform=Affine(10, 0, 500_000, 0, -10, 100_000))]
        )


def test_names_and_reference_are_checked(make_layer):
    layer = make_layer("hsi", 2)
    with pytest.raises(ModalityError, match="no layer is given"):
        RasterStack([])
    with pytest.raises(ModalityError, match="layer hsi is given twice"):
        RasterStack([layer, layer])
    with pytest.raises(ConfigError, match="reference sar is none of the layers hsi"):
        RasterStack([layer], reference="sar")


def test_bands_asked_for_must_exist(make_layer):
    with pytest.raises(BandCountError, match="bands 1, 9 asked for, it has 1 to 2"):
        RasterStack([replace(make_layer("hsi", 2), bands=(1, 9))])


def test_a_missing_file_closes_the_others(make_layer, tmp_path):
    with pytest.raises(RasterOpenError, match=r"gone\.tif: no such file"):
        RasterStack([make_layer("hsi", 2), LayerSpec("dem", tmp_path / "gone.tif")])


def test_threads_read_the_same_as_one(make_layer):
    layers = [make_layer("hsi", 3), make_layer("dem", 1, transform=Affine(7, 0, 500_003, 0, -7, 5_799_990))]
    stack = RasterStack(layers)
    expected = stack.read(stack.grid.window)
    wrong = []

    def read():
        for row in range(0, 40, 8):
            block = stack.read(Window(row, 0, 8, 50))
            for name in stack.names:
                if not np.allclose(block.values[name], expected.values[name][:, row : row + 8], atol=1e-6):
                    wrong.append((row, name))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
