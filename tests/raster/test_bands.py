import numpy as np
import pytest

from engine.errors import BandCountError
from engine.modality import Modality
from engine.raster.bands import bands_with_data, describe_bands, match_bands
from engine.raster.sources import open_source
from engine.raster.wavelengths import nanometres


def tags_of(centres_nm, bad=()):
    return [
        {"wavelength": str(centre), "wavelength_units": "nanometers", "bbl": "0" if number in bad else "1"}
        for number, centre in enumerate(centres_nm, 1)
    ]


@pytest.fixture
def make_source(make_raster):
    """Factory: a raster with so many bands, at these wavelengths."""

    def make(count, centres_nm=None, bad=()):
        tags = (
            tags_of(centres_nm, bad) if centres_nm else [{"bbl": "0" if b in bad else "1"} for b in range(1, count + 1)]
        )
        return open_source(make_raster(f"{count}.tif", np.ones((count, 4, 5), np.float32), tags=tags))

    return make


def test_wavelengths_decide_where_both_sides_know_them(make_source):
    model = Modality("hsi", 3, wavelengths_nm=(450.0, 660.0, 2202.0), source_bands=(1, 2, 3), source_count=5)
    source = make_source(5, (2186, 442, 559, 665, 842))  # in another order, and of a sister instrument
    assert match_bands(model, source) == (2, 4, 1)


def test_a_wavelength_that_is_not_there(make_source):
    model = Modality("swir", 2, wavelengths_nm=(1000.0, 1600.0))
    with pytest.raises(BandCountError, match=r"no band near 1600 nm, which the model reads of swir .* 900 to 1100 nm"):
        match_bands(model, make_source(3, (900, 1000, 1100)))


def test_the_training_selection_is_taken_again_from_a_like_raster(make_source):
    model = Modality("hsi", 3, source_bands=(1, 2, 5), source_count=5)
    assert match_bands(model, make_source(5)) == (1, 2, 5)


def test_as_many_bands_as_the_model_reads(make_source):
    model = Modality("hsi", 3, source_bands=(1, 2, 5), source_count=5)
    assert match_bands(model, make_source(3)) == (1, 2, 3)
    assert match_bands(model, make_source(4, bad=(2,))) == (1, 3, 4)


def test_a_wrong_number_of_bands_is_one_sentence(make_source):
    model = Modality("hsi", 3, source_bands=(1, 2, 5), source_count=5)
    with pytest.raises(
        BandCountError, match=r"7\.tif: 7 bands, but the model reads 3 of hsi \(trained on a raster of 5\)"
    ):
        match_bands(model, make_source(7))


def test_bands_without_data_are_left_out(make_raster):
    array = np.ones((4, 300, 200), np.float32)
    array[1] = np.nan
    array[2] = np.nan
    array[2, 137, 111] = 5  # one valid pixel is data
    array[:, :, :64] = np.nan
    source = open_source(make_raster("a.tif", array))
    assert bands_with_data(source, (1, 2, 3, 4)) == (1, 3, 4)


def test_an_empty_raster_keeps_its_bands(make_raster):
    source = open_source(make_raster("a.tif", np.full((3, 10, 10), np.nan, np.float32)))
    assert bands_with_data(source, (1, 2, 3)) == (1, 2, 3)


def test_bands_that_are_odd_are_told(make_source, make_raster):
    """A bad band that a model asks for by wavelength; zeros of one band that the file's nodata value makes gaps of."""
    marked = make_source(4, [500, 600, 700, 800], bad=(3,))
    assert describe_bands(marked, (1, 3)) == ["band 3 is read and is marked as bad in the file"]
    assert describe_bands(marked, (1, 2, 4)) == []
    water = np.ones((3, 40, 40), np.uint16)
    water[:, :4] = 0  # beside the swath
    assert describe_bands(open_source(make_raster("swath.tif", water, nodata=0)), (1, 2, 3)) == []
    water[1, :13] = 0
    (sentence,) = describe_bands(open_source(make_raster("water.tif", water, nodata=0)), (1, 2, 3))
    assert "25% of its pixels lack some bands only, most often band 2" in sentence and "nodata value" in sentence
    assert describe_bands(open_source(make_raster("zeros.tif", water)), (1, 2, 3)) == []


def test_the_scan_of_a_large_raster_is_sparse(make_raster):
    source = open_source(make_raster("a.tif", np.full((1, 1500, 1500), np.nan, np.float32), compress="deflate"))
    read = source.read
    pixels = []
    source.read = lambda window, bands: pixels.append(window.height * window.width) or read(window, bands)
    bands_with_data(source, (1,))
    assert len(pixels) <= 64 and sum(pixels) <= 64 * 64**2


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        (["400", "2500"], "Nanometers", (400, 2500)),
        (["0.4", "2.5"], "Micrometers", (400, 2500)),
        (["0.4", "2.5"], "µm", (400, 2500)),
        (["0.4", "2.5"], None, (400, 2500)),
        (["400", "2500"], "Unknown", (400, 2500)),
        (["1", "2"], "Index", None),
        (["red", "blue"], "nm", None),
        (["0", "500"], "nm", None),
    ],
)
def test_nanometres(values, unit, expected):
    assert nanometres(values, unit) == expected
