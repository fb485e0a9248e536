"""Which layer is which sensor, and what does not fit."""

import json
import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsRectangle

from qgis_plugin.binding import bind, check_fit, name_layers, split_names
from qgis_plugin.layers import LayerError, RasterInput
from qgis_plugin.modelfile import Modality, Model
from qgis_plugin.reference import reference_of

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("qgis_app")


def modality(name, role, bands=1, wavelengths=False, source_count=None):
    return Modality(name, role, bands, source_count or bands, wavelengths)


def model(*modalities):
    return Model(Path("m"), modalities, ("water",), {}, frozenset(), core=8, resolution=None, crs="")


def raster(title="layer", bands=1, epsg=32633, corner=0.0, alpha=0, side=100.0, resolution=10.0):
    crs = QgsCoordinateReferenceSystem.fromEpsgId(epsg) if epsg else QgsCoordinateReferenceSystem()
    west, south = (500_000 + corner, 5_800_000) if epsg != 4326 else (15.0 + corner, 52.35)
    extent = QgsRectangle(west, south, west + side, south + side)
    return RasterInput(Path(f"{title}.tif"), title, bands, alpha, 100, resolution, crs, extent, [])


FULL = model(modality("hsi", "hyperspectral", 40), modality("dem", "elevation"), modality("s1", "sar", 2))
TWINS = model(modality("vnir", "hyperspectral", 4), modality("swir", "hyperspectral", 6))


def test_roles_and_names_find_their_sensors():
    cube, dem, sar = raster("cube", 40), raster("My DEM 2020"), raster("x", 2)
    bound = bind(FULL, {"hyperspectral": cube}, [("", dem), ("s1", sar)])
    assert bound == {"hsi": cube, "dem": dem, "s1": sar} and list(bound) == ["hsi", "dem", "s1"]


@pytest.mark.parametrize("title", ["Canopy height 2020", "DEM (1 m) + x=y", "Äcker-2", "++"])
def test_a_layer_is_found_under_the_name_that_training_made_of_its_own(title):
    layer = raster(title)
    (name,) = name_layers({}, [("", layer)])
    assert bind(model(modality("hsi", "hyperspectral"), modality(name, "other")), {}, [("", layer)]) == {name: layer}


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("west canopy-height 2020 v2", "Canopy_height_2020"), ("Sentinel 1 of June", "sentinel-1"),
        ("dem slope of 2020", "dem_slope"), ("the dem", "dem"), ("height canopy 2020", None), ("canopy height", None),
        ("dem and sentinel 1", None),
    ],
)  # fmt: skip
def test_names_of_several_words_are_found_in_titles(title, found):
    names = ("Canopy_height_2020", "sentinel-1", "dem", "dem_slope")
    known, layer = model(*(modality(name, "other") for name in names)), raster(title)
    if found:
        assert bind(known, {}, [("", layer)]) == {found: layer}
    else:
        with pytest.raises(LayerError, match="does not tell which sensor"):
            bind(known, {}, [("", layer)])


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


def test_the_reference_is_the_one_wanted_or_has_most_bands():
    bound = {"s1": raster(bands=2), "dem": raster()}
    assert reference_of(bound, "") == reference_of(bound, "", FULL) == "s1"
    assert reference_of({"s1": raster(), "dem": raster()}, "") == "dem"
    assert reference_of(bound, "dem") == "dem"
    with pytest.raises(LayerError, match=r'"hsi" is to be the reference.*s1, dem'):
        reference_of(bound, "hsi")


def test_the_reference_of_a_map_has_pixels_as_in_training():
    trained = replace(FULL, resolution=5.0, crs="EPSG:25833")
    bound = {"s1": raster(bands=2, resolution=10.0), "dem": raster(resolution=2.5)}
    assert reference_of(bound, "", trained) == "dem" and reference_of(bound, "") == "s1"


ASK_ENGINE = """
import json, sys
from types import SimpleNamespace
from affine import Affine
from rasterio.crs import CRS
from engine.mapping.layers import default_reference
from engine.raster.grid import Grid
for case in json.load(sys.stdin):
    info = SimpleNamespace(
        grid={"resolution": [case["resolution"]] * 2, "crs": case["crs"]},
        modalities=[SimpleNamespace(name=name, bands=layer["bands"]) for name, layer in case["layers"].items()],
    )
    grids = {}
    for name, layer in case["layers"].items():
        crs = layer["crs"] and CRS.from_string(layer["crs"])
        grids[name] = Grid(10, layer["pixels"] // 10, Affine.scale(layer["resolution"]), crs)
    print(default_reference(info, grids))
"""


def test_the_reference_is_the_engine_s_choice(real_engine):
    """Made-up cases: metres, feet, degrees and nothing, sizes that are the same or nearly so, ties of all kinds."""
    chance = random.Random(0)
    crss = ["EPSG:32633", "EPSG:32633", "EPSG:3035", "EPSG:2263", "EPSG:4326", None]

    def made_up() -> dict:
        sizes = [1.25, 2.5, 5.0, 5.1, 4.9, 10.0, 16.4, 20.0]
        layers = {
            name: {
                "crs": chance.choice(crss), "resolution": chance.choice(sizes), "bands": chance.choice([1, 2, 40]),
                "pixels": chance.choice([100, 400]),
            }
            for name in chance.sample(["hsi", "dem", "s1", "msi"], chance.randint(1, 4))
        }  # fmt: skip
        return {"crs": chance.choice(crss), "resolution": chance.choice([5.0, 16.4]), "layers": layers}

    cases = [made_up() for _ in range(300)]
    told = subprocess.run(
        [str(real_engine), "-c", ASK_ENGINE], input=json.dumps(cases), cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout.split()  # fmt: skip
    assert len(told) == len(cases)
    for number, case in enumerate(cases):
        layers = case["layers"]
        known = model(*(modality(name, "other", layer["bands"]) for name, layer in layers.items()))
        known = replace(known, resolution=case["resolution"], crs=case["crs"] or "")
        bound = {
            name: replace(raster(), resolution=layer["resolution"], pixels=layer["pixels"],
                          crs=QgsCoordinateReferenceSystem(layer["crs"] or ""))
            for name, layer in layers.items()
        }  # fmt: skip
        assert reference_of(bound, "", known) == told[number], case


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
