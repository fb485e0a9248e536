"""A map against its reference, by numbers worked by hand."""

import json

import geopandas
import numpy as np
import pytest
import shapely

from engine.assessment.facts import accuracy_facts
from engine.assessment.map_check import check_map
from engine.errors import BandCountError, GridMismatchError, LabelError

MAP = np.array([[1, 1, 2, 2], [1, 2, 2, 0], [3, 3, 3, 3]], np.uint8)
TRUTH = np.array([[1, 1, 2, 1], [1, 1, 2, 2], [0, 0, 3, 3]], np.uint8)
USED = np.array([[3, 3, 3, 1], [1, 1, 1, 0], [3, 3, 3, 1]], np.uint8)
COLOURS = {1: (0, 0, 255, 255), 2: (0, 99, 0, 255), 3: (255, 0, 0, 255)}


def test_figures_are_those_counted_by_hand(make_raster):
    accuracy = check_map(
        make_raster("map.tif", MAP, nodata=0),
        make_raster("truth.tif", TRUTH, nodata=0),
        sensors_used=make_raster("used.tif", USED, nodata=0),
    )
    assert accuracy.legend.values == [1, 2, 3]
    assert accuracy.whole.figures.counts.tolist() == [[3, 2, 0], [0, 2, 0], [0, 0, 2]]
    assert not accuracy.by_name
    assert accuracy.unmapped == 1  # (1, 3): labelled, not mapped
    assert accuracy.whole.figures.overall["oa"] == pytest.approx(7 / 9)
    assert {name: part.figures.overall["n"] for name, part in accuracy.patterns.items()} == {
        "sensors 1": 5,
        "sensors 3": 4,
    }
    facts = accuracy_facts(accuracy)
    assert facts["patterns"]["sensors 1"]["oa"] == pytest.approx(3 / 5)
    assert facts["classes"][0] == {
        "value": 1, "name": "class 1", "n": 5, "n_map": 3, "producers_accuracy": pytest.approx(0.6),
        "users_accuracy": 1.0, "f1": pytest.approx(0.75), "iou": pytest.approx(0.6),
        "mapped_pixels": 3, "mapped_ha": pytest.approx(0.03), "mapped_km2": pytest.approx(0.0003),
    }  # fmt: skip


def test_classes_are_matched_by_name(make_raster, tmp_path):
    """The reference numbers its classes otherwise, in another CRS, as points."""
    path = make_raster("map.tif", MAP, nodata=0)
    names = "".join(f"<Category>{name}</Category>" for name in ("nodata", "water", "trees", "roof"))
    (tmp_path / "map.tif.aux.xml").write_text(
        f"<PAMDataset><PAMRasterBand band='1'><CategoryNames>{names}</CategoryNames></PAMRasterBand></PAMDataset>"
    )
    x, y = 500_005 + 10 * np.arange(4), 5_799_995 - 10 * np.arange(3)
    points = geopandas.GeoDataFrame(
        {"kind": ["Trees", "Trees", "water", "roof"]},
        geometry=shapely.points([x[0], x[2], x[1], x[3]], [y[0], y[0], y[0], y[2]]),
        crs="EPSG:32633",
    ).to_crs("EPSG:4326")
    points.to_file(tmp_path / "points.gpkg")
    accuracy = check_map(path, tmp_path / "points.gpkg", "kind")
    assert accuracy.by_name and accuracy.whole.figures.overall["n"] == 4
    assert accuracy.whole.figures.overall["oa"] == pytest.approx(0.75)
    assert sorted(name.lower() for name in accuracy.legend.names) == ["roof", "trees", "water"]


def test_bad_input_is_told(make_raster):
    good = make_raster("map.tif", MAP, nodata=0)
    with pytest.raises(BandCountError, match="2 bands"):
        check_map(make_raster("two.tif", np.stack([MAP, MAP])), good)
    with pytest.raises(LabelError, match="no class at any"):
        check_map(make_raster("empty.tif", MAP * 0, nodata=0), good)
    with pytest.raises(LabelError, match="share neither name nor value"):
        check_map(good, make_raster("other.tif", (MAP > 0) * np.uint8(9) + (MAP == 1), nodata=0))
    with pytest.raises(GridMismatchError, match="used"):
        check_map(good, good, sensors_used=make_raster("used.tif", USED[:2], nodata=0))


def test_command_writes_everything(make_raster, run_command, tmp_path):
    arguments = [make_raster("map.tif", MAP, nodata=0), make_raster("truth.tif", TRUTH, nodata=0)]
    arguments += ["--sensors-used", make_raster("used.tif", USED, nodata=0), "--out", tmp_path / "new" / "out"]
    code, out, err = run_command("evaluate", *arguments, "--progress", "json")
    assert code == 0, err
    assert json.loads(out.splitlines()[-1])["oa"] == pytest.approx(7 / 9)
    assert json.loads(out.splitlines()[0])["type"] == "warning"  # by value: both have no names
    folder = tmp_path / "new" / "out"
    assert {path.name for path in folder.iterdir()} == {"accuracy.json", "accuracy.csv", "confusion.csv", "report.html"}
    assert json.loads((folder / "accuracy.json").read_text())["overall"]["n"] == 9
    assert "sensors 1,,n,5" in (folder / "accuracy.csv").read_text().splitlines()
    assert (folder / "confusion.csv").read_text().splitlines()[1] == "class 1,3,2,0"
    assert "sensors 3" in (folder / "report.html").read_text()


def test_command_tells_what_to_change(make_raster, run_command, tmp_path):
    path = make_raster("map.tif", MAP, nodata=0)
    assert run_command("evaluate", path, tmp_path / "missing.tif", "--out", tmp_path / "out")[0] == 2
    code, _, err = run_command("evaluate", path, path, "--out", path / "inside")
    assert code == 2 and "choose another --out" in err.splitlines()[-1]
