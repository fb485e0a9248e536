"""The report of an assessment: safe, and the same in HTML, JSON and CSV."""

import csv
import html
import json

import geopandas
import numpy as np
import pytest

from tests.assessment.reports import needs_nothing

NASTY = ["nodata", '<script>alert("x")</script>', "Gewässer & Süßgräser 'naß'", "x" * 80]


@pytest.fixture
def folder(make_raster, run_command, tmp_path):
    """Everything that evaluate writes for a sample, two maps and two combinations of sensors."""
    rng = np.random.default_rng(2)
    truth = rng.integers(1, 4, (60, 50)).astype(np.uint8)
    mapped = np.where(rng.random(truth.shape) < 0.8, truth, 1).astype(np.uint8)
    other = np.where(rng.random(truth.shape) < 0.6, truth, 2).astype(np.uint8)
    used = np.where(np.arange(50) < 20, 1, 3).astype(np.uint8)[None].repeat(60, 0)
    paths = {}
    for name, array in {"map": mapped, "other": other, "used": used}.items():
        paths[name] = make_raster(f"{name}.tif", array, nodata=0)
        names = NASTY if name != "used" else ["nodata", "<i>sar</i>", "", "sar + hsi"]
        categories = "".join(f"<Category>{html.escape(text)}</Category>" for text in names)
        (tmp_path / f"{name}.tif.aux.xml").write_text(
            "<PAMDataset><PAMRasterBand band='1'><CategoryNames>"
            f"{categories}</CategoryNames></PAMRasterBand></PAMDataset>",
            encoding="utf-8",
        )
    points = tmp_path / "points <1>.gpkg"
    code, _, err = run_command("sample", paths["map"], "--size", 300, "--out", points)
    assert code == 0, err
    frame = geopandas.read_file(points)
    col, row = (frame.geometry.x - 500_000) // 10, (5_800_000 - frame.geometry.y) // 10
    frame["reference"] = truth[row.astype(int), col.astype(int)]
    frame.to_file(points, driver="GPKG")
    arguments = (paths["map"], points, "--sensors-used", paths["used"], "--compare", paths["other"])
    code, _, err = run_command("evaluate", *arguments, "--out", tmp_path / "out")
    assert code == 0, err
    return tmp_path / "out"


def test_page_is_complete_safe_and_needs_no_network(folder):
    page = needs_nothing((folder / "report.html").read_text(encoding="utf-8"))
    for text in (*NASTY[1:], "<i>sar</i>", "sar + hsi", "points <1>.gpkg", "McNemar", "SHA-256", "Sampling design"):
        assert text in page.text, text


def test_values_are_equal_in_html_json_and_csv(folder):
    facts = json.loads((folder / "accuracy.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((folder / "accuracy.csv").open(encoding="utf-8")))
    in_csv = {(row["sensors"], row["class"], row["figure"]): row["value"] for row in rows}
    assert len(in_csv) == len(rows)
    shown = needs_nothing((folder / "report.html").read_text(encoding="utf-8")).values

    def equal(value, *key):
        assert in_csv[key] == ("" if value is None else str(value)), key

    for sensors, part in {"all": facts["overall"] | facts, **facts["patterns"]}.items():
        for figure in ("oa", "oa_se", "oa_low", "aa", "kappa", "kappa_high", "n", "mapped_pixels", "mapped_ha"):
            equal(part[figure], sensors, "", figure)
        assert {part["oa"], part["oa_low"], part["oa_high"], part["aa"], part["kappa"]} <= set(shown)
        for item in part["classes"]:
            for figure, value in item.items():
                if figure != "name":
                    equal(value, sensors, item["name"], figure)
            figures = ("users_accuracy", "producers_accuracy_wilson_low", "f1", "iou_high", "area_ha_low", "area_km2")
            assert {item[figure] for figure in figures} <= set(shown)
    for figure, value in facts["comparison"].items():
        if figure != "other":
            equal(value, f"compared with {facts['comparison']['other']}", "", figure)
    for item in facts["design"]["strata"]:
        equal(item["pixels"], "all", item["name"], "stratum_pixels")
    names = [item["name"] for item in facts["classes"]]
    for sensors, part in {"all": facts, **facts["patterns"]}.items():
        for i, j in np.ndindex(len(names), len(names)):
            equal(part["confusion"][i][j], sensors, names[i], f"pixels mapped as {names[j]}")
            equal(part["shares"][i][j], sensors, names[i], f"share mapped as {names[j]}")
    assert set(shown) <= {float(value) for value in in_csv.values() if value}


def test_confusion_matrix_is_that_of_the_json(folder):
    facts = json.loads((folder / "accuracy.json").read_text(encoding="utf-8"))
    rows = list(csv.reader((folder / "confusion.csv").open(encoding="utf-8")))
    assert rows[0][1:] == [row[0] for row in rows[1:]] == [item["name"] for item in facts["classes"]]
    assert [[int(cell) for cell in row[1:]] for row in rows[1:]] == facts["confusion"]
    assert np.sum(facts["confusion"]) == 300
    assert sum(np.array(part["confusion"]) for part in facts["patterns"].values()).tolist() == facts["confusion"]


def test_provenance_tells_what_was_compared(folder):
    facts = json.loads((folder / "accuracy.json").read_text(encoding="utf-8"))["provenance"]
    assert set(facts["files"]) == {"map", "reference", "sensors used", "compared with"}
    assert all(len(item["sha256"]) == 64 for item in facts["files"].values())
    assert {"engine", "numpy", "scipy", "rasterio"} <= set(facts["versions"])
