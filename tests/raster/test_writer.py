import errno
import tracemalloc

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS

from engine.errors import Cancelled, OutputError
from engine.legend import LandClass, Legend
from engine.raster.grid import Grid
from engine.raster.writer import (
    RasterLayout,
    discard_parts,
    part_path,
    publish,
    unsigned_dtype,
    write_geotiff,
    writing,
)

CLASSES = RasterLayout("uint8", 0, "mode", ("class",))
LEGEND = Legend((LandClass(1, "a", (9, 8, 7)), LandClass(2, "b", (1, 2, 3))))


def make_grid(height, width):
    return Grid(height, width, Affine(10, 0, 500_000, 0, -10, 5_800_000), CRS.from_epsg(32633))


def rows_of(array):
    return lambda band, row, count: array[band, row : row + count]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 600), st.integers(1, 600), st.sampled_from(["uint8", "uint16", "uint32"]), st.integers(1, 3))
def test_what_is_written_is_read_back(tmp_path, height, width, dtype, bands):
    array = np.random.default_rng(height).integers(0, 200, (bands, height, width)).astype(dtype)
    path = tmp_path / "map.tif"
    layout = RasterLayout(dtype, 255, "average", tuple(f"band {band}" for band in range(bands)))
    write_geotiff(path, layout, make_grid(height, width), rows_of(array), tags={"MAMOL_X": "ü"})
    assert part_path(path).exists()
    publish([path], {})
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(), array)
        assert file.tags()["MAMOL_X"] == "ü"
        assert file.nodata == 255 and file.descriptions == layout.band_names
        assert Grid(file.height, file.width, file.transform, file.crs).same_as(make_grid(height, width))
    assert not part_path(path).exists()


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_class_maps_have_colours_and_overviews_by_mode(tmp_path, dtype):
    array = np.zeros((1, 1000, 700), dtype)
    array[:, :, 1::4] = 1  # three of four are something else: the mode among those with data stays 1
    array[0, 500:] = 2
    path = tmp_path / "map.tif"
    layout = RasterLayout(dtype, 0, "mode", ("class",))
    write_geotiff(path, layout, make_grid(1000, 700), rows_of(array), legend=LEGEND)
    publish([path], {})
    with rasterio.open(path) as file:
        assert file.colormap(1)[1] == (9, 8, 7, 255)
        assert file.overviews(1) == [2, 4]
        assert file.block_shapes == [(256, 256)]
    with rasterio.open(path, overview_level=1) as small:
        values = small.read(1)
        assert set(np.unique(values)) <= {0, 1, 2}
        assert (values[:120] == 1).mean() > 0.9 and (values[130:] == 2).all()


def test_cancelling_leaves_no_final_name(tmp_path):
    path = tmp_path / "map.tif"
    calls = iter([False, True])
    with pytest.raises(Cancelled):
        write_geotiff(
            path,
            CLASSES,
            make_grid(600, 10),
            rows_of(np.ones((1, 600, 10), np.uint8)),
            cancelled=lambda: next(calls),
        )
    assert not path.exists()
    discard_parts([path])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changed_on_its_way_is_noticed(tmp_path, monkeypatch):
    from engine.raster import writer

    original = writer._add_overviews

    def damage(part, layout):
        original(part, layout)
        with rasterio.open(part, "r+") as file:
            file.write(np.full((1, 1), 7, np.uint8), 1, window=((3, 4), (3, 4)))

    monkeypatch.setattr(writer, "_add_overviews", damage)
    with pytest.raises(OutputError, match="cannot be read back"):
        write_geotiff(tmp_path / "map.tif", CLASSES, make_grid(9, 9), rows_of(np.ones((1, 9, 9), np.uint8)))


def test_sidecars_come_first_and_all_get_their_names(tmp_path):
    path = tmp_path / "map.tif"
    write_geotiff(path, CLASSES, make_grid(5, 5), rows_of(np.ones((1, 5, 5), np.uint8)))
    publish([path], {tmp_path / "map.qml": "style ü"})
    assert {item.name for item in tmp_path.iterdir()} == {"map.tif", "map.qml"}
    assert (tmp_path / "map.qml").read_text(encoding="utf-8") == "style ü"


def test_memory_does_not_grow_with_the_raster(tmp_path):
    def peak(height):
        tracemalloc.start()
        write_geotiff(
            tmp_path / "map.tif",
            CLASSES,
            make_grid(height, 2000),
            lambda band, row, count: np.full((count, 2000), row % 3, np.uint8),
        )
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(8000) < 1.2 * peak(2000)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on the disk"),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
        (rasterio.errors.RasterioIOError("write failed"), "write failed"),
    ],
)
def test_trouble_is_one_sentence_with_the_path(tmp_path, error, message):
    with pytest.raises(OutputError, match=message) as caught, writing(tmp_path / "map.tif"):
        raise error
    assert str(tmp_path / "map.tif") in str(caught.value) and "\n" not in str(caught.value)


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_geotiff(tmp_path / "file" / "map.tif", CLASSES, make_grid(5, 5), rows_of(np.ones((1, 5, 5), np.uint8)))


def test_full_disk_is_noticed_whatever_gdal_says(small_disk):
    noise = np.random.default_rng(0).integers(0, 255, (1, 1500, 1500)).astype(np.uint8)
    path = small_disk / "map.tif"
    with pytest.raises(OutputError):
        write_geotiff(path, CLASSES, make_grid(1500, 1500), rows_of(noise))
    assert not path.exists()


def test_smallest_type_that_fits():
    assert [unsigned_dtype(value) for value in (0, 255, 256, 65535, 65536)] == [
        "uint8", "uint8", "uint16", "uint16", "uint32",
    ]  # fmt: skip
