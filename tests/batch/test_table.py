"""Job lists from careful people, careless ones and strangers."""

import json
from pathlib import Path

import pytest

from engine.batch.catalogue import read_scenes
from engine.batch.scene import id_fault
from engine.errors import ConfigError

NAMES = ("optical", "height")


def write(tmp_path, text, name="jobs.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return str(path)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_become_scenes(tmp_path, separator):
    text = "id,optical,height,datetime\r\na-1, o/1.tif ,,\r\n\r\nb,,/data/h.tif,2021-06-01T10:00:00+02:00\r\n"
    first, second = read_scenes(write(tmp_path, "\ufeff" + text.replace(",", separator)), NAMES)
    assert (first.id, dict(first.layers), first.datetime) == ("a-1", {"optical": tmp_path / "o/1.tif"}, None)
    assert (second.id, dict(second.layers)) == ("b", {"height": Path("/data/h.tif")})
    assert second.datetime == "2021-06-01T10:00:00+02:00"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table is empty"),
        ("id,optical\n", "no scene in the table"),
        ("optical\na.tif\n", "row 1: no column 'id'"),
        ("id,datetime\na,\n", "row 1: no column of a modality (optical, height)"),
        ("id,hight\na,b.tif\n", "row 1, column 2: unknown column 'hight'; did you mean 'height'?"),
        ("id,optical,optical\na,b,c\n", "row 1, column 3: 'optical' is there twice"),
        ("id,optical\na,b,c\n", "row 2: 3 cells, expected 2"),
        ("id,optical,height\na,,\n", "row 2: no raster; give one of at least one modality"),
        ("id,optical\na,x\nA,y\n", "row 3, column id: 'A' stands in row 2, too"),
        ("id,optical\n../up,x\n", "row 2, column id: '../up' cannot name a folder"),
        ("id,optical\n,x\n", "row 2, column id: the id is empty"),
        ("id,optical\na,x\0y\n", "row 2, column optical: not the name of a file"),
        ("id,optical,datetime\na,x,yesterday\n", "row 2, column datetime: 'yesterday': expected a time like"),
        ('id,optical\na,"x\n', "not a CSV table"),
        ("id,optical\n" + "a,\n" * 9, "; and 12 more"),
    ],
)
def test_a_fault_is_a_sentence_with_its_place(tmp_path, text, message):
    with pytest.raises(ConfigError) as error:
        read_scenes(write(tmp_path, text), NAMES)
    assert message in str(error.value) and str(tmp_path / "jobs.csv") in str(error.value)


def test_what_is_no_table(tmp_path):
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        read_scenes(write(tmp_path, "id,optical\nä,x\n", encoding="latin-1"), NAMES)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_scenes(str(tmp_path / "nowhere.csv"), NAMES)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_scenes(str(tmp_path), NAMES)


@pytest.mark.parametrize("name", ["a", "T32UQD_2021.06", "0-0", "x" * 100])
def test_ids_that_will_do(name):
    assert id_fault(name) is None


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "=1+1", "+a", "-a", "@a", "a b", "a\n", "con", "NUL.txt", "com1", "x" * 101, "ü",
     "manifest.csv", "Mosaic.tif", "a.", "\0"],
)  # fmt: skip
def test_ids_that_lead_astray(name):
    assert id_fault(name) is not None


def test_files_by_pattern(tmp_path):
    for name in ("t1_optical.tif", "t1_height.tif", "t2_x_height.tif", "t3_thermal.tif", "notes.txt"):
        (tmp_path / name).touch()
    scenes = read_scenes(f"{tmp_path}/{{id}}_{{modality}}.tif", NAMES)
    assert {scene.id: set(scene.layers) for scene in scenes} == {"t1": {"optical", "height"}, "t2_x": {"height"}}
    (tmp_path / "p[1]" / "a").mkdir(parents=True)
    (tmp_path / "p[1]" / "a" / "a_height.tif").touch()
    (tmp_path / "p[1]" / "a" / "b_height.tif").touch()
    (scene,) = read_scenes(f"{tmp_path}/p[1]/{{id}}/{{id}}_{{modality}}.tif", NAMES)
    assert scene.id == "a" and scene.layers["height"].name == "a_height.tif"
    for pattern in ("{id}.tif", "{modality}.tif", "{id}{modality}{x}", "{id}/{modality}/{modality}"):
        with pytest.raises(ConfigError, match="expected"):
            read_scenes(pattern, NAMES)
    with pytest.raises(ConfigError, match="no file of that name"):
        read_scenes(f"{tmp_path}/{{id}}-{{modality}}.tif", NAMES)


def item(name, **hrefs):
    assets = {key: {"href": href} for key, href in hrefs.items()}
    return {"type": "Feature", "id": name, "properties": {"datetime": "2021-06-01T10:00:00Z"}, "assets": assets}


def test_stac_collections_and_features(tmp_path):
    features = {"type": "FeatureCollection", "features": [item("a", optical="a.tif", thumbnail="https://x/a.png")]}
    (first,) = read_scenes(write(tmp_path, json.dumps(features), "items.json"), NAMES)
    assert first.layers == {"optical": tmp_path / "a.tif"} and first.datetime == "2021-06-01T10:00:00Z"
    (tmp_path / "b").mkdir()
    write(
        tmp_path / "b", json.dumps(item("b", height="../h%20b.tif", optical=f"file://{tmp_path}/h%20b.tif")), "b.json"
    )
    links = [{"rel": "item", "href": "./b/b.json"}, {"rel": "child", "href": "sub.json"}, {"rel": "root", "href": "/x"}]
    write(tmp_path, json.dumps({"type": "Collection", "links": links}), "collection.json")
    back = [{"rel": "child", "href": "collection.json"}, {"rel": "item", "href": "c.json"}]
    write(tmp_path, json.dumps({"type": "Catalog", "links": back}), "sub.json")
    write(tmp_path, json.dumps(item("c", height="/data/c.tif")), "c.json")
    second, third = read_scenes(str(tmp_path / "collection.json"), NAMES)
    assert second.layers == {"height": tmp_path / "b" / "../h%20b.tif", "optical": tmp_path / "h b.tif"}
    assert third.id == "c" and third.layers == {"height": Path("/data/c.tif")}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (item("a", optical="https://example.org/a.tif"), "item 'a', asset optical: .* is not a file of this machine"),
        (item("a", optical="s3://bucket/a.tif"), "is not a file of this machine"),
        (item("a", optical="/vsicurl/https://example.org/a.tif"), "is not a file of this machine"),
        (item("a", optical="//server/share/a.tif"), "is not a file of this machine"),
        (item("a", thermal="a.tif"), "no asset is named like a modality"),
        (item("../a", optical="a.tif"), "cannot name a folder"),
        ({"type": "Feature"}, "no asset is named like"),
        ({"type": "FeatureCollection", "features": 3}, "no item in it"),
        ({"type": "Collection", "links": [{"rel": "item", "href": "http://example.org/i.json"}]}, "only files of this"),
        ({"type": "Collection", "links": [{"rel": "item", "href": "nowhere.json"}]}, "cannot be read"),
        ({"type": "Topology"}, "is none of STAC's"),
        ([], "expected a JSON object"),
    ],
)
def test_stac_that_will_not_do(tmp_path, data, message):
    with pytest.raises(ConfigError, match=message):
        read_scenes(write(tmp_path, json.dumps(data), "items.json"), NAMES)


def test_the_same_item_twice(tmp_path):
    data = {"type": "FeatureCollection", "features": [item("a", optical="a.tif"), item("A", optical="b.tif")]}
    with pytest.raises(ConfigError, match="id 'A': is there twice"):
        read_scenes(write(tmp_path, json.dumps(data), "items.json"), NAMES)
    with pytest.raises(ConfigError, match="not valid JSON"):
        read_scenes(write(tmp_path, "[" * 100_000, "deep.json"), NAMES)
