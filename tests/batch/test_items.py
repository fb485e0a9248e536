"""STAC items have what the specifications ask for, and say what the map says."""

import itertools
import json
import re
from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from engine.batch.items import classes_json, map_item
from engine.batch.model_item import model_item
from engine.batch.scene import Scene
from engine.legend import LandClass, Legend
from engine.modelfile import read_info
from engine.raster.grid import Grid

LEGEND = Legend((LandClass(1, "Forêt / bois", (10, 160, 0)), LandClass(7, "水", (0, 0, 255))))
FACTS = {
    "outputs": {"classes": "maps/a/a.tif", "sensors": "maps/a/a_sensors.tif"}, "model_sha256": "0" * 64,
    "mapped_pixels": 5, "patterns": [{"name": "hsi+sar", "pixels": 5}],
}  # fmt: skip
NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def check_item(item):
    """Required by STAC 1.1 of every item."""
    assert item["type"] == "Feature" and item["stac_version"] == "1.1.0" and item["id"]
    assert {"geometry", "properties", "links", "assets"} <= set(item)
    assert (item["geometry"] is None) == ("bbox" not in item)
    properties = item["properties"]
    if properties["datetime"] is None:
        assert properties["start_datetime"] and properties["end_datetime"]
    else:
        assert datetime.fromisoformat(properties["datetime"]).tzinfo
    assert all(asset["href"] for asset in item["assets"].values())
    assert all(link["href"] and link["rel"] for link in item["links"])
    if any(link["rel"] == "collection" for link in item["links"]):
        assert item["collection"]
    json.dumps(item, allow_nan=False)


def check_classes(classes):
    """Required by the Classification extension."""
    assert len({item["value"] for item in classes}) == len(classes)
    for item in classes:
        assert re.fullmatch("[0-9A-Za-z_-]+", item["name"])
        assert re.fullmatch("[0-9A-F]{6}", item.get("color_hint", "000000"))


def test_item_of_a_map():
    grid = Grid(50, 100, Affine(10, 0, 500_000, 0, -10, 5_800_000), CRS.from_epsg(32633))
    item = map_item(Scene("a", {}, "2021-01-01T00:00:00Z"), grid, LEGEND, FACTS, NOW)
    check_item(item)
    west, south, east, north = item["bbox"]
    assert west == pytest.approx(15.0, abs=0.001) and east == pytest.approx(15.0147, abs=0.001)
    assert south == pytest.approx(52.344, abs=0.01) and north == pytest.approx(52.3491, abs=0.01)
    ring = item["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1] and len(ring) > 4
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(ring))
    assert area > 0  # counterclockwise
    assert item["properties"]["datetime"] == "2021-01-01T00:00:00Z"
    assert item["properties"]["created"] == "2024-05-06T07:08:09Z"
    assert item["properties"]["proj:code"] == "EPSG:32633" and item["properties"]["proj:shape"] == [50, 100]
    assert item["properties"]["proj:transform"] == [10, 0, 500_000, 0, -10, 5_800_000]
    assert item["assets"]["classes"]["href"] == "./a.tif"
    check_classes(item["assets"]["classes"]["classification:classes"])


def test_item_of_a_map_that_lies_nowhere():
    item = map_item(Scene("a", {}), Grid(5, 5, Affine(1, 0, 0, 0, 1, 0)), LEGEND, FACTS, NOW)
    check_item(item)
    assert item["geometry"] is None and item["properties"]["datetime"] == "2024-05-06T07:08:09Z"


def test_class_names_are_kept_beside_those_for_machines():
    nodata, forest, water = classes_json(LEGEND)
    assert nodata["value"] == 0 and nodata["nodata"]
    assert (forest["name"], forest["title"], forest["color_hint"]) == ("For_t_bois", "Forêt / bois", "0AA000")
    assert (water["name"], water["title"]) == ("class_7", "水")


def test_item_of_a_model(model):
    """Required by the Machine Learning Model extension 1.5."""
    info = read_info(model)
    item = model_item(info, "../model.safetensors", "model", "ab" * 32, 1234)
    check_item(item)
    properties = item["properties"]
    for key in ("mlm:name", "mlm:architecture", "mlm:tasks", "mlm:input", "mlm:output"):
        assert properties[key]
    named = {band["name"] for band in properties["bands"]}
    assert len(named) == 4
    for part in properties["mlm:input"]:
        assert part["name"] and set(part["bands"]) <= named
        assert set(part["input"]) == {"shape", "dim_order", "data_type"}
        assert part["input"]["shape"][1] == len(part["bands"]) == len(part["value_scaling"])
        assert part["input"]["dim_order"][1] == "bands"
        assert all(band.keys() == {"type", "mean", "stddev"} for band in part["value_scaling"])
    (output,) = properties["mlm:output"]
    assert set(output["result"]) == {"shape", "dim_order", "data_type"} and output["tasks"]
    check_classes(output["classification:classes"])
    assert all(re.fullmatch("[0-9a-zA-Z_.-]+", key) for key in properties["mlm:hyperparameters"])
    (asset,) = item["assets"].values()
    assert "mlm:model" in asset["roles"] and asset["mlm:artifact_type"]
    assert asset["bands"] == properties["bands"]
    assert properties["mamol:patterns"]["optical+height"]["oa"] == 0.9


def test_items_of_a_batch_hang_together(generate, jobs, tmp_path):
    assert generate(jobs, "--sensors-used")[0] == 0
    out = tmp_path / "maps"
    collection = json.loads((out / "collection.json").read_text())
    for key in ("type", "stac_version", "id", "description", "license", "extent", "links"):
        assert collection[key]
    assert collection["extent"]["temporal"]["interval"] == [["2021-06-01T10:00:00Z"] * 2]
    (box,) = collection["extent"]["spatial"]["bbox"]
    paths = [out / link["href"] for link in collection["links"] if link["rel"] == "item"]
    assert len(paths) == 6
    for path in paths:
        item = json.loads(path.read_text())
        check_item(item)
        assert box[0] <= item["bbox"][0] and item["bbox"][2] <= box[2]
        for asset in item["assets"].values():
            assert (path.parent / asset["href"]).is_file()
        for link in item["links"]:
            assert (path.parent / link["href"]).is_file()
        with rasterio.open(path.parent / item["assets"]["classes"]["href"]) as file:
            assert list(file.shape) == item["properties"]["proj:shape"]
            assert (file.read() > 0).sum() == item["properties"]["mamol:mapped_pixels"]
    check_item(json.loads((out / "model.json").read_text()))


def test_a_mosaic_holds_every_map(generate, jobs, tmp_path):
    rows = jobs.read_text().splitlines()
    jobs.write_text("\n".join(row for row in rows if not row.startswith("place") or "-both" in row))
    assert generate(jobs, "--mosaic")[0] == 0
    out = tmp_path / "maps"
    assert not list(out.glob("*.part*"))
    with rasterio.open(out / "mosaic.vrt") as vrt, rasterio.open(out / "mosaic.tif") as cog:
        assert vrt.shape == cog.shape == (40, 100) and vrt.crs == cog.crs
        assert cog.transform.almost_equals(vrt.transform)
        assert cog.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        whole = cog.read(1)
        np.testing.assert_array_equal(vrt.read(1), whole)
        assert cog.colormap(1)[1] == vrt.colormap(1)[1]
    for place in (0, 1):
        with rasterio.open(out / f"place{place}-both" / f"place{place}-both.tif") as file:
            np.testing.assert_array_equal(whole[:, 50 * place : 50 * place + 50], file.read(1))
