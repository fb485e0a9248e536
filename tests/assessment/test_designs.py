"""Reference samples under their designs, from the files to the figures; a map that is known everywhere is the truth."""

import json

import geopandas
import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.assessment.facts import accuracy_facts
from engine.assessment.map_check import check_map
from engine.errors import ConfigError, GridMismatchError, LabelError
from engine.raster.area import row_area_m2
from engine.raster.grid import Grid
from engine.raster.windows import Window


@pytest.fixture
def place(make_raster):
    """A map of 120 x 100 pixels, right at 80 % of them, worse where sensors are fewer; with a nodata corner."""
    rng = np.random.default_rng(5)
    truth = np.repeat(np.repeat(rng.choice([1, 2, 3], (12, 10), p=[0.5, 0.4, 0.1]), 10, 0), 10, 1).astype(np.uint8)
    used = np.where(np.arange(100) < 30, 1, 3).astype(np.uint8)[None].repeat(120, 0)
    wrong = rng.random(truth.shape) < np.where(used == 1, 0.4, 0.1)
    mapped = np.where(wrong, truth % 3 + 1, truth).astype(np.uint8)
    mapped[:10, :20] = 0
    other = np.where(rng.random(truth.shape) < 0.3, truth % 3 + 1, truth).astype(np.uint8)
    arrays = {"map": mapped, "truth": truth, "used": used, "other": other, "strata": truth % 2 + 1}
    return {name: make_raster(f"{name}.tif", array, nodata=0) for name, array in arrays.items()} | {
        "arrays": {name: array.astype(int) for name, array in arrays.items()}
    }


@pytest.fixture
def sample(place, run_command, tmp_path):
    """Draw points from a map and fill them in."""

    def make(name="map", size=400, answered=1.0, **options):
        path = tmp_path / f"{name}_points.gpkg"
        extra = [text for key, value in options.items() for text in (f"--{key.replace('_', '-')}", value)]
        code, _, err = run_command("sample", place[name], "--size", size, "--out", path, "--overwrite", *extra)
        assert code == 0, err
        points = geopandas.read_file(path)
        with rasterio.open(place["truth"]) as file:
            values = np.array(
                [value[0] for value in file.sample(zip(points.geometry.x, points.geometry.y, strict=True))]
            )
        points["reference"] = np.where(np.arange(len(points)) < answered * len(points), values, np.nan)
        points.to_file(path, driver="GPKG")
        return path

    return make


def close(figures, name, truth, errors=4):
    """The truth lies within so many standard errors."""
    assert figures[f"{name}_se"] > 0
    assert abs(figures[name] - truth) < errors * figures[f"{name}_se"], name
    assert figures[f"{name}_low"] < figures[name] < figures[f"{name}_high"]


def test_points_come_back_with_their_design(place, sample):
    accuracy = check_map(place["map"], sample(), sensors_used=place["used"])
    facts, arrays = accuracy_facts(accuracy), place["arrays"]
    inside = arrays["map"] > 0
    right = (arrays["map"] == arrays["truth"])[inside]
    close(facts["overall"], "oa", right.mean())
    assert facts["overall"]["mapped_ha"] == pytest.approx(inside.sum() / 100)
    assert facts["design"]["text"].endswith("as the points were drawn")
    assert [item["pixels"] for item in facts["design"]["strata"]] == [
        int((arrays["map"] == k).sum()) for k in (1, 2, 3)
    ]
    for k, item in enumerate(facts["classes"], start=1):
        true_ha = (arrays["truth"][inside] == k).sum() / 100
        assert item["mapped_ha"] == pytest.approx((arrays["map"] == k).sum() / 100)
        assert abs(item["area_ha"] - true_ha) < 4 * item["area_ha_se"]
        assert item["area_km2"] == pytest.approx(item["area_ha"] / 100)
        assert item["users_accuracy_wilson_low"] < item["users_accuracy"] < item["users_accuracy_wilson_high"]
    assert sum(item["area_ha"] for item in facts["classes"]) == pytest.approx(inside.sum() / 100)
    for bits, part in ((1, facts["patterns"]["sensors 1"]), (3, facts["patterns"]["sensors 3"])):
        here = inside & (arrays["used"] == bits)
        close(part, "oa", (arrays["map"] == arrays["truth"])[here].mean())
        assert part["mapped_pixels"] == here.sum()
        assert sum(item["area_ha"] for item in part["classes"]) == pytest.approx(here.sum() / 100)


def test_strata_of_one_map_serve_to_evaluate_another(place, sample):
    """Stehman 2014: points drawn from `other`, which has a class everywhere, tell how good `map` is."""
    accuracy = check_map(place["map"], sample("other", size=700))
    arrays = place["arrays"]
    inside = arrays["map"] > 0
    close(accuracy_facts(accuracy)["overall"], "oa", (arrays["map"] == arrays["truth"])[inside].mean())
    assert accuracy.unmapped > 0


@pytest.mark.parametrize("strata", [None, "strata"])
def test_stratified_by_map_classes_or_by_a_raster(place, sample, strata, tmp_path):
    points = geopandas.read_file(sample(strata or "map", size=500, allocation="equal"))[["reference", "geometry"]]
    path = tmp_path / "plain.gpkg"  # without the design
    points.to_file(path, driver="GPKG")
    kind = {"design": "stratified", "strata": place[strata] if strata else None}
    accuracy = check_map(place["map"], path, "reference", **kind)
    arrays = place["arrays"]
    inside = arrays["map"] > 0
    close(accuracy_facts(accuracy)["overall"], "oa", (arrays["map"] == arrays["truth"])[inside].mean())
    plain = check_map(place["map"], path, "reference")
    assert plain.design is None and "oa_se" not in plain.whole.figures.overall


def test_the_whole_truth_is_a_census(place):
    accuracy = check_map(place["map"], place["truth"], design="random", other=place["other"])
    arrays = place["arrays"]
    inside = arrays["map"] > 0
    overall = accuracy.whole.figures.overall
    assert overall["oa"] == pytest.approx((arrays["map"] == arrays["truth"])[inside].mean())
    assert overall["oa_se"] == 0 and accuracy.notes == (
        "map or reference has no class names: classes are matched by value; check that values agree",
    )
    assert accuracy.nodata_pixels == 200 and accuracy.unmapped == 200


def test_one_map_beside_another(place, sample):
    found = check_map(place["map"], sample(size=600), other=place["other"]).comparison
    arrays = place["arrays"]
    inside = arrays["map"] > 0
    this, other = ((arrays[name] == arrays["truth"])[inside] for name in ("map", "other"))
    assert abs(found.difference - (this.mean() - other.mean())) < 4 * found.difference_se
    assert found.n == 600 and found.only_this > found.only_other and found.p_exact < 0.05


def test_points_without_an_answer(place, sample):
    accuracy = check_map(place["map"], sample(answered=0.5))
    assert accuracy.unanswered == 200 and accuracy.whole.figures.overall["n"] == 200
    with pytest.raises(LabelError, match="none of its 400 points has a class"):
        check_map(place["map"], sample(answered=0))


def test_a_stratum_without_answers_is_left_out_and_told(place, sample):
    path = sample()
    points = geopandas.read_file(path)
    points.loc[points["stratum"] == 3, "reference"] = np.nan
    points.loc[points.index[points["stratum"] == 2][1:], "reference"] = np.nan
    points.to_file(path, driver="GPKG")
    accuracy = check_map(place["map"], path)
    assert accuracy.design.unsampled == ("class 3",)
    assert any("no reference in class 3" in note for note in accuracy.notes)
    facts, known = accuracy_facts(accuracy), (place["arrays"]["map"] > 0) & (place["arrays"]["map"] != 3)
    assert sum(item["area_ha"] for item in facts["classes"]) == pytest.approx(known.sum() / 100)
    assert any("a single reference pixel in class 2" in note for note in accuracy.notes)
    assert accuracy.whole.figures.overall["oa_se"] is None


def test_a_stratum_whose_points_were_deleted_is_missed(place, sample):
    """As after saving only the points that are filled in; a map that they were not drawn from cannot tell."""
    path = sample()
    points = geopandas.read_file(path)
    points[points["stratum"] != 3].to_file(path, driver="GPKG")
    accuracy = check_map(place["map"], path, sensors_used=place["used"])
    assert accuracy.design.unsampled == ("class 3",)
    mapped = place["arrays"]["map"]
    assert accuracy.design.unsampled_share == pytest.approx((mapped == 3).sum() / (mapped > 0).sum())
    used, patterns = place["arrays"]["used"], accuracy_facts(accuracy)["patterns"]
    assert len(patterns) > 1
    for bits, facts in zip(np.unique(used[mapped > 0]), patterns.values(), strict=True):
        known = ((mapped > 0) & (mapped != 3) & (used == bits)).sum()  # not the whole map's share of each part
        assert sum(item["area_ha"] for item in facts["classes"]) == pytest.approx(known / 100)
    assert check_map(place["other"], path).design.unsampled == ()


def test_points_that_disagree_about_their_strata_are_refused(place, sample):
    path = sample()
    points = geopandas.read_file(path)
    points.loc[0, "stratum_pixels"] += 1
    points.to_file(path, driver="GPKG")
    with pytest.raises(LabelError, match="disagree about its size"):
        check_map(place["map"], path)


def test_polygons_are_no_sample_of_pixels(place):
    points = check_map(place["map"], place["truth"], design="stratified", strata=place["strata"])
    assert not any("groups" in note for note in points.notes)  # a census
    with rasterio.open(place["truth"]) as file:
        part = np.where(np.arange(100) < 60, file.read(1), 0)
        profile = file.profile
    with rasterio.open(place["truth"].with_name("part.tif"), "w", **profile) as file:
        file.write(part, 1)
    notes = check_map(place["map"], place["truth"].with_name("part.tif"), design="random").notes
    assert any("groups that resemble each other" in note for note in notes)


def test_what_a_design_leaves_out_or_overrules_is_told(place, sample, make_raster):
    strata = np.where(np.arange(100) < 50, place["arrays"]["strata"], 0).astype(np.uint8)
    half = make_raster("half.tif", strata, nodata=0)
    notes = check_map(place["map"], sample(), "reference", design="stratified", strata=half).notes
    assert any("belong to no stratum" in note for note in notes)
    assert any("another design was asked for" in note for note in notes)


def test_sensors_without_a_reference_pixel_are_named(place, sample):
    path = sample()
    points = geopandas.read_file(path)
    points.loc[(points.geometry.x - 500_000) / 10 < 30, "reference"] = np.nan
    points.to_file(path, driver="GPKG")
    facts = accuracy_facts(check_map(place["map"], path, sensors_used=place["used"]))
    assert facts["patterns"]["sensors 1"]["oa"] is None and facts["patterns"]["sensors 1"]["n"] == 0
    assert facts["patterns"]["sensors 1"]["mapped_pixels"] > 0


def test_points_of_a_finer_map_that_share_a_pixel(place, sample, make_raster):
    coarse = make_raster("coarse.tif", place["arrays"]["truth"][::10, ::10].astype(np.uint8), nodata=0,
                         transform=Affine(100, 0, 500_000, 0, -100, 5_800_000))  # fmt: skip
    accuracy = check_map(coarse, sample(size=700))
    assert accuracy.whole.figures.overall["oa"] == 1.0  # classes are squares of 10 x 10 pixels
    assert 0 < accuracy.whole.figures.overall["n"] < 120


def test_contradictions_are_told(place, make_raster):
    with pytest.raises(ConfigError, match="belongs to --design stratified"):
        check_map(place["map"], place["truth"], strata=place["strata"])
    small = make_raster("small.tif", np.ones((3, 3), np.uint8), nodata=0)
    for name in ("strata", "other"):
        with pytest.raises(GridMismatchError, match="map's grid"):
            check_map(place["map"], place["truth"], design="stratified", **{name: small})
    empty = make_raster("empty.tif", np.zeros((120, 100), np.uint8), nodata=0)
    with pytest.raises(LabelError, match="no reference pixel lies in a stratum"):
        check_map(place["map"], place["truth"], design="stratified", strata=empty)


def test_areas_on_a_geographic_grid_are_those_on_the_ground(make_raster):
    """Class 1 in the north, where pixels are small, class 2 in the south: the map is right, the areas are unequal."""
    transform = Affine(0.5, 0, 10, 0, -0.5, 70)
    classes = np.repeat(np.array([[1]] * 40 + [[2]] * 40, np.uint8), 20, axis=1)
    path = make_raster("map.tif", classes, transform=transform, crs="EPSG:4326", nodata=0)
    facts = accuracy_facts(check_map(path, path, design="random"))
    grid = Grid(80, 20, transform, rasterio.CRS.from_epsg(4326))
    rows = row_area_m2(grid, Window(0, 0, 80, 20)) * 20 / 1e4
    north, south = facts["classes"]
    assert north["mapped_ha"] == north["area_ha"] == pytest.approx(rows[:40].sum())
    assert south["mapped_ha"] == south["area_ha"] == pytest.approx(rows[40:].sum())
    assert south["area_km2"] == pytest.approx(rows[40:].sum() / 100)
    assert north["mapped_pixels"] == south["mapped_pixels"] and rows[:40].sum() < 0.8 * rows[40:].sum()


def test_without_a_unit_areas_are_shares(make_raster):
    path = make_raster("map.tif", np.repeat(np.array([[1, 2]], np.uint8), 8, 0), crs=None, nodata=0)
    facts = accuracy_facts(check_map(path, path, design="random"))
    assert "mapped_ha" not in facts["overall"] and "area_ha" not in facts["classes"][0]
    assert facts["classes"][0]["area_share"] == 0.5


def test_command_says_what_a_reader_must_know(place, sample, run_command, tmp_path):
    arguments = (place["map"], sample(answered=0.9), "--compare", place["other"], "--sensors-used", place["used"])
    code, out, err = run_command("evaluate", *arguments, "--out", tmp_path / "out", "--progress", "json")
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["type"] for line in lines] == ["warning", "result"]
    assert lines[-1]["oa_low"] < lines[-1]["oa"] < lines[-1]["oa_high"]
