"""Which layer is which sensor, and what does not fit."""

from pathlib import Path

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsRectangle

from qgis_plugin.binding import bind, check_fit, name_layers, reference_of, split_names
from qgis_plugin.layers import LayerError, RasterInput
from qgis_plugin.modelfile import Modality, Model

pytestmark = pytest.mark.usefixtures("qgis_app")


def modality(name, role, bands=1, wavelengths=False, source_count=None):
    return Modality(name, role, bands, source_count or bands, wavelengths)


def model(*modalities):
    return Model(Path("m"), modalities, ("water",), {}, frozenset(), 8)


def raster(title="layer", bands=1, epsg=32633, corner=0.0, alpha=0, side=100.0):
    crs = QgsCoordinateReferenceSystem.fromEpsgId(epsg) if epsg else QgsCoordinateReferenceSystem()
    west, south = (500_000 + corner, 5_800_000) if epsg != 4326 else (15.0 + corner, 52.35)
    extent = QgsRectangle(west, south, west + side, south + side)
    return RasterInput(Path(f"{title}.tif"), title, bands, alpha, 100, crs, extent, [])


FULL = model(modality("hsi", "hyperspectral", 40), modality("dem", "elevation"), modality("s1", "sar", 2))
TWINS = model(modality("vnir", "hyperspectral", 4), modality("swir", "hyperspectral", 6))


def test_roles_and_names_find_their_sensors():
    cube, dem, sar = raster("cube", 40), raster("My DEM 2020"), raster("x", 2)
    bound = bind(FULL, {"hyperspectral": cube}, [("", dem), ("s1", sar)])
    assert bound == {"hsi": cube, "dem": dem, "s1": sar} and list(bound) == ["hsi", "dem", "s1"]


@pytest.mark.parametrize(
    ("known", "by_role", "others", "words"),
    [
        (FULL, {}, [], "No layer is given.*hsi, dem, s1"),
        (FULL, {"multispectral": raster()}, [], "no sensor of the role multispectral"),
        (TWINS, {"hyperspectral": raster()}, [], "2 sensors of the role hyperspectral: vnir, swir"),
        (FULL, {}, [("lidar", raster())], 'no sensor "lidar"; it knows hsi \\(hyperspectral\\)'),
        (FULL, {}, [("", raster("photo"))], '"photo" does not tell which sensor'),
        (FULL, {}, [("", raster("dem and s1"))], "does not tell which sensor"),
        (FULL, {"elevation": raster("a")}, [("dem", raster("b"))], '"a" and "b" are both given for dem'),
    ],
)
def test_what_cannot_be_bound_is_told(known, by_role, others, words):
    with pytest.raises(LayerError, match=words):
        bind(known, by_role, others)


@pytest.mark.parametrize(
    ("sensor", "given", "fits"),
    [
        (modality("a", "other", 4), raster(bands=4), True),
        (modality("a", "other", 4), raster(bands=5, alpha=1), True),
        (modality("a", "other", 4), raster(bands=5), False),
        (modality("a", "other", 4), raster(bands=3), False),
        (modality("a", "other", 36, source_count=40), raster(bands=40), True),
        (modality("a", "hyperspectral", 36, source_count=40), raster(bands=200), True),  # some may be bad
        (modality("a", "other", 4, wavelengths=True), raster(bands=12), True),  # found by wavelength
        (modality("a", "hyperspectral", 36, source_count=40), raster(bands=20), False),
    ],
)
def test_numbers_of_bands(sensor, given, fits):
    if fits:
        check_fit(model(sensor), {"a": given}, "a")
    else:
        with pytest.raises(LayerError, match=f"has {given.bands} bands, the model reads {sensor.bands}"):
            check_fit(model(sensor), {"a": given}, "a")


def test_places():
    base = raster("base", 40)
    check_fit(FULL, {"hsi": base, "dem": raster(epsg=4326, side=0.01)}, "hsi")
    check_fit(FULL, {"hsi": raster(bands=40, epsg=0), "dem": raster(epsg=0)}, "hsi")
    with pytest.raises(LayerError, match='"base" and "far" do not overlap'):
        check_fit(FULL, {"hsi": base, "dem": raster("far", corner=5000)}, "hsi")
    with pytest.raises(LayerError, match='"base" and "there" do not overlap'):
        check_fit(FULL, {"hsi": base, "dem": raster("there", epsg=4326, corner=3, side=0.01)}, "hsi")
    with pytest.raises(LayerError, match='"bare" has no CRS'):
        check_fit(FULL, {"hsi": base, "dem": raster("bare", epsg=0)}, "hsi")


def test_the_reference_is_the_engine_s_choice():
    bound = {"s1": raster(), "dem": raster()}
    assert reference_of(bound, {"s1": 2, "dem": 1}, "") == "s1"
    assert reference_of(bound, {"s1": 1, "dem": 1}, "") == "dem"
    assert reference_of(bound, {"s1": 2, "dem": 1}, "dem") == "dem"
    with pytest.raises(LayerError, match=r'"hsi" is to be the reference.*s1, dem'):
        reference_of(bound, {}, "hsi")


def test_names_of_new_sensors():
    named = name_layers(
        {"hyperspectral": raster(), "multispectral": raster()}, [("", raster("DEM (1 m) + x=y")), ("v", raster())]
    )
    assert list(named) == ["hsi", "msi", "DEM_1_m_x_y", "v"]
    with pytest.raises(LayerError, match='named "sar"'):
        name_layers({"sar": raster()}, [("sar", raster())])


def test_lists_of_names():
    assert split_names(" a ,b", 2) == ["a", "b"] and split_names(" ", 2) == ["", ""]
    with pytest.raises(LayerError, match="3 names are given for 2"):
        split_names("a,b,c", 2)
