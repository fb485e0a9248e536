import threading

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp

from engine.errors import BandCountError, RasterOpenError
from engine.raster.sources import open_source
from engine.raster.windows import Window


def read_all(path, bands=None):
    source = open_source(path)
    values, valid = source.read(source.grid.window, bands or range(1, source.count + 1))
    source.close()
    return values, valid


@pytest.fixture
def ramp():
    """3 bands of 5 x 6 different whole numbers."""
    return np.arange(90, dtype=np.int16).reshape(3, 5, 6)


def test_values_and_grid_come_as_written(make_raster, ramp):
    source = open_source(make_raster("a.tif", ramp))
    assert (source.count, source.grid.height, source.grid.width) == (3, 5, 6)
    values, valid = source.read(Window(1, 2, 3, 2), [3, 1])
    assert values.dtype == np.float32 and valid.dtype == bool and valid.all()
    np.testing.assert_array_equal(values, ramp[[2, 0], 1:4, 2:4])


def test_a_window_may_leave_the_grid(make_raster, ramp):
    source = open_source(make_raster("a.tif", ramp + 1))
    values, valid = source.read(Window(-2, 4, 4, 5), [1])
    expected = np.zeros((4, 5))
    expected[2:, :2] = ramp[0, :2, 4:] + 1
    np.testing.assert_array_equal(values[0], expected)
    np.testing.assert_array_equal(valid[0], expected > 0)
    assert not source.read(Window(100, 100, 2, 2), [1])[1].any()


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [("int16", -9999), ("uint8", 0), ("float32", -3.4028234663852886e38), ("float32", np.nan), ("float64", -1.7e308)],
)
def test_nodata_values_are_invalid(make_raster, dtype, nodata):
    array = np.arange(1, 13).reshape(1, 3, 4).astype(dtype)
    array[0, 1, 1] = nodata
    values, valid = read_all(make_raster("a.tif", array, nodata=nodata))
    assert not valid[0, 1, 1] and valid.sum() == 11
    assert values[0, 1, 1] == 0


def test_nodata_that_the_type_cannot_hold_hides_nothing(make_raster):
    path = make_raster("a.tif", np.full((2, 2), 255, np.uint8))
    text = path.with_suffix(".vrt")
    text.write_text(
        '<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Byte" band="1">'
        "<NoDataValue>-9999</NoDataValue><SimpleSource><SourceFilename relativeToVRT='1'>a.tif</SourceFilename>"
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    assert read_all(text)[1].all()


def test_bands_of_different_types_in_one_vrt(make_raster):
    make_raster("a.tif", np.array([[1, 2], [3, 255]], np.uint8), nodata=255)
    make_raster("b.tif", np.array([[0.5, -3.4028234663852886e38], [1e6, 2]], np.float32), nodata=-3.4028234663852886e38)
    bands = "".join(
        f"<VRTRasterBand dataType='{kind}' band='{band}'><NoDataValue>{nodata}</NoDataValue><SimpleSource>"
        f"<SourceFilename relativeToVRT='1'>{name}</SourceFilename></SimpleSource></VRTRasterBand>"
        for band, kind, nodata, name in ((1, "Byte", 255, "a.tif"), (2, "Float32", "-3.4028235e+38", "b.tif"))
    )
    vrt = make_raster("c.tif", np.zeros((2, 2), np.uint8)).with_name("c.vrt")
    vrt.write_text(f"<VRTDataset rasterXSize='2' rasterYSize='2'>{bands}</VRTDataset>")
    values, valid = read_all(vrt)
    np.testing.assert_array_equal(valid, [[[True, True], [True, False]], [[True, False], [True, True]]])
    np.testing.assert_array_equal(values, [[[1, 2], [3, 0]], [[0.5, 0], [1e6, 2]]])


def test_what_no_sensor_measures_is_invalid_without_a_tag(make_raster):
    array = np.array([[1, np.nan, np.inf], [-np.inf, -3.4028235e38, 2]], np.float32)
    values, valid = read_all(make_raster("a.tif", array))
    np.testing.assert_array_equal(valid[0], [[True, False, False], [False, False, True]])
    np.testing.assert_array_equal(values[0], [[1, 0, 0], [0, 0, 2]])


def test_scale_and_offset_are_applied_after_nodata(make_raster):
    path = make_raster("a.tif", np.array([[[0, 100], [200, -1]]], np.int16).repeat(2, 0), nodata=-1)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.01, 1.0), (-0.1, 0.0)
    values, valid = read_all(path)
    np.testing.assert_allclose(values, [[[-0.1, 0.9], [1.9, 0]], [[0, 100], [200, 0]]], rtol=1e-6)
    assert not valid[:, 1, 1].any() and valid.sum() == 6


def test_an_alpha_band_masks_the_others_unless_asked_for(make_raster):
    array = np.arange(4 * 6, dtype=np.uint8).reshape(4, 2, 3) + 1
    array[3] = [[255, 0, 255], [1, 255, 255]]
    path = make_raster("a.tif", array, photometric="RGB", alpha="YES")
    source = open_source(path)
    assert source.count == 4 and source.bad_bands == {4}
    _, valid = source.read(source.grid.window, [1, 2, 3])
    assert (valid == (array[3] > 0)).all()
    # Some programs tag the near infrared of a four-band image as alpha; the user can ask for it.
    values, valid = source.read(source.grid.window, [4, 1])
    assert valid.all() and (values[0] == array[3]).all()


def test_a_mask_band_counts_beside_nodata(make_raster):
    array = np.ones((2, 4, 5), np.float32)
    array[0, 3, 3] = -1
    path = make_raster("a.tif", array, nodata=-1)
    mask = np.full((4, 5), 255, np.uint8)
    mask[0] = 0
    with rasterio.open(path, "r+") as file:
        file.write_mask(mask)
    _, valid = read_all(path)
    expected = np.broadcast_to(mask > 0, (2, 4, 5)).copy()
    expected[0, 3, 3] = False
    np.testing.assert_array_equal(valid, expected)


def test_an_internal_mask_is_read(make_raster):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        test_a_mask_band_counts_beside_nodata(make_raster)


def test_wavelengths_and_bad_bands_from_band_tags(make_raster, ramp):
    tags = [
        {"wavelength": str(w), "wavelength_units": "Micrometers", "bbl": b} for w, b in ((0.4, 1), (0.5, 0), (2, 1))
    ]
    source = open_source(make_raster("a.tif", ramp, tags=tags))
    assert source.wavelengths_nm == (400, 500, 2000)
    assert source.bad_bands == {2}


def test_wavelengths_from_the_imagery_domain(make_raster, ramp):
    path = make_raster("a.tif", ramp)
    with rasterio.open(path, "r+") as file:
        for band in (1, 2, 3):
            file.update_tags(band, ns="IMAGERY", CENTRAL_WAVELENGTH_UM=f"{0.4 + band / 10}")
    assert open_source(path).wavelengths_nm == (500, 600, 700)


def test_wavelengths_of_some_bands_only_are_none(make_raster, ramp):
    source = open_source(make_raster("a.tif", ramp, tags=[{"wavelength": "400"}, {"wavelength": "500"}]))
    assert source.wavelengths_nm is None


def test_threads_read_the_same_as_one(make_raster):
    array = np.random.default_rng(0).integers(0, 1000, (3, 200, 150)).astype(np.uint16)
    source = open_source(make_raster("a.tif", array, tiled=True, blockxsize=64, blockysize=64, compress="deflate"))
    wrong = []

    def read(seed):
        rng = np.random.default_rng(seed)
        for _ in range(30):
            window = Window(int(rng.integers(0, 150)), int(rng.integers(0, 100)), 50, 50)
            values, _ = source.read(window, [1, 2, 3])
            if not (values == array[:, *window.slices]).all():
                wrong.append(window)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    source.close()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RasterOpenError, match=r"gone\.tif: no such file"):
        open_source(tmp_path / "gone.tif")


def test_what_is_no_raster_is_refused(tmp_path):
    (tmp_path / "notes.tif").write_text("hello")
    with pytest.raises(RasterOpenError, match="not a readable raster"):
        open_source(tmp_path / "notes.tif")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.99])
@pytest.mark.parametrize("profile", [{}, {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}])
def test_a_truncated_tiff_is_found_at_opening_or_reading(make_raster, share, profile):
    array = np.random.default_rng(0).integers(0, 60000, (3, 200, 150)).astype(np.uint16)
    path = make_raster("a.tif", array, **profile)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(RasterOpenError, match=r"a\.tif"):
        read_all(path)


def test_a_vrt_whose_source_is_gone_is_found_at_reading(make_raster, ramp):
    path = make_raster("a.tif", ramp)
    vrt = path.with_suffix(".vrt")
    vrt.write_text(
        '<VRTDataset rasterXSize="6" rasterYSize="5"><VRTRasterBand dataType="Int16" band="1"><SimpleSource>'
        "<SourceFilename relativeToVRT='1'>a.tif</SourceFilename><SourceBand>1</SourceBand>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    np.testing.assert_array_equal(read_all(vrt)[0][0], ramp[0])
    path.unlink()
    with pytest.raises(RasterOpenError, match=r"a\.vrt"):
        read_all(vrt)


def test_bands_that_are_not_there(make_raster, ramp):
    source = open_source(make_raster("a.tif", ramp))
    for bands in ([4], [0], []):
        with pytest.raises(BandCountError, match="it has 1 to 3"):
            source.read(source.grid.window, bands)


def test_complex_values_are_refused(make_raster):
    with pytest.raises(RasterOpenError, match="complex values"):
        open_source(make_raster("a.tif", np.ones((2, 2), np.complex64)))


def test_control_points_alone_are_refused(tmp_path):
    path = tmp_path / "gcp.tif"
    points = [GroundControlPoint(row, col, 10 + col, 50 - row) for row, col in ((0, 0), (0, 9), (9, 0), (9, 9))]
    with rasterio.open(path, "w", driver="GTiff", width=10, height=10, count=1, dtype="uint8") as file:
        file.gcps = (points, "EPSG:4326")
    with pytest.raises(RasterOpenError, match="ground control points"):
        open_source(path)


def test_paths_with_spaces_and_umlauts(make_raster, ramp):
    values, _ = read_all(make_raster("Söll Höhe 1/über all.tif", ramp))
    np.testing.assert_array_equal(values, ramp)


def test_only_mat_files_have_variables(make_raster, ramp):
    with pytest.raises(RasterOpenError, match=r"only \.mat files"):
        open_source(make_raster("a.tif", ramp), "cube")


def test_alpha_in_a_grey_image_of_one_band_stays_data(make_raster):
    path = make_raster("a.tif", np.ones((1, 2, 2), np.uint8))
    with rasterio.open(path, "r+") as file:
        file.colorinterp = [ColorInterp.alpha]
    assert open_source(path).bad_bands == frozenset()
