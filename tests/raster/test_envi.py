import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from engine.errors import RasterOpenError
from engine.raster.envi import class_table, data_file, header_list
from engine.raster.sources import open_source


@pytest.fixture
def make_envi(tmp_path):
    """Factory: write an ENVI cube and append lines to its header; returns (header, data file, array)."""

    def make(name="cube.dat", extra="", interleave="bil", dtype=np.int16):
        array = (np.arange(4 * 20 * 30).reshape(4, 20, 30) % 1000).astype(dtype)
        path = tmp_path / name
        profile = {"driver": "ENVI", "interleave": interleave, "crs": "EPSG:32633", "dtype": array.dtype}
        transform = from_origin(500_000, 5_800_000, 10, 10)
        with rasterio.open(path, "w", width=30, height=20, count=4, transform=transform, **profile) as file:
            file.write(array)
        (tmp_path / f"{name}.aux.xml").unlink(missing_ok=True)
        header = path.with_suffix(".hdr")
        with header.open("a") as text:
            text.write(extra)
        return header, path, array

    return make


WAVELENGTHS = "wavelength units = {}\nwavelength = {{0.45, 0.55,\n 0.65, 1.38}}\nbbl = {{1, 1, 1, 0}}\n"


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_header_and_data_file_open_the_same_cube(make_envi, interleave):
    header, data, array = make_envi(interleave=interleave)
    for path in (header, data):
        source = open_source(path)
        values, valid = source.read(source.grid.window, [1, 2, 3, 4])
        np.testing.assert_array_equal(values, array)
        assert valid.all() and source.grid.crs.to_epsg() == 32633


@pytest.mark.parametrize("unit", ["Micrometers", "Unknown", ""])
def test_wavelengths_and_bad_bands(make_envi, unit):
    header, *_ = make_envi(extra=WAVELENGTHS.format(unit))
    source = open_source(header)
    assert source.wavelengths_nm == (450, 550, 650, 1380)
    assert source.bad_bands == {4}


def test_an_index_is_no_wavelength(make_envi):
    header, *_ = make_envi(extra=WAVELENGTHS.format("Index"))
    assert open_source(header).wavelengths_nm is None


def test_gain_and_ignored_value(make_envi):
    header, _, array = make_envi(extra="data ignore value = 7\ndata gain values = {0.1, 0.1, 0.1, 0.1}\n")
    source = open_source(header)
    values, valid = source.read(source.grid.window, [1])
    np.testing.assert_array_equal(valid[0], array[0] != 7)
    np.testing.assert_allclose(values[valid], array[0][array[0] != 7] * 0.1, rtol=1e-6)


def test_a_truncated_data_file_is_found_at_opening(make_envi):
    header, data, _ = make_envi()
    data.write_bytes(data.read_bytes()[:-100])
    with pytest.raises(RasterOpenError, match=r"cube\.dat: truncated: its header promises 4800 bytes, it has 4700"):
        open_source(header)


def test_header_names_of_both_habits(tmp_path):
    for header, data in (("a.hdr", "a"), ("b.hdr", "b.BSQ"), ("c.dat.hdr", "c.dat")):
        (tmp_path / header).write_text("ENVI")
        (tmp_path / data).write_bytes(b"")
        assert data_file(tmp_path / header) == tmp_path / data


def test_a_header_alone_is_an_error(tmp_path):
    (tmp_path / "a.hdr").write_text("ENVI")
    with pytest.raises(RasterOpenError, match="no data file beside this ENVI header"):
        open_source(tmp_path / "a.hdr")
    with pytest.raises(RasterOpenError, match="no such file"):
        open_source(tmp_path / "b.hdr")


def test_lists_and_classes():
    header = {"class_names": "{Unclassified, Meadow, Wood}", "class_lookup": "{0,0,0, 10,200,30, 1,2,3}", "bbl": ""}
    assert header_list(header, "bbl") == [] and header_list(header, "gone") == []
    names, colours = class_table(header)
    assert names[2] == "Wood" and colours[1] == (10, 200, 30)
    assert class_table({"class_lookup": "{a, b}"}) == ({}, {})
