"""Sample sizes, allocations and draws."""

import json

import geopandas
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.assessment.population import open_map
from engine.assessment.sampling import (
    ALLOCATIONS,
    allocate,
    draw,
    expected_accuracies,
    expected_se,
    sample_size,
    size_for,
)
from engine.errors import ConfigError

# Olofsson et al. 2014 (doi 10.1016/j.rse.2014.02.015), section 5.1.1 and table 5, p. 53.
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])
EXPECTED = np.array([0.7, 0.6, 0.9, 0.95])


def test_olofsson_2014_sample_size_and_allocation():
    assert sample_size(PIXELS, EXPECTED, 0.01) == 641
    assert allocate(PIXELS, EXPECTED, 641, "proportional", 0).tolist() == [13, 10, 205, 413]
    assert sorted(allocate(PIXELS, EXPECTED, 641, "equal", 0)) == [160, 160, 160, 161]


def test_neyman_follows_size_and_spread():
    spread = PIXELS * np.sqrt(EXPECTED * (1 - EXPECTED))
    assert allocate(PIXELS, EXPECTED, 641, "neyman", 0) == pytest.approx(641 * spread / spread.sum(), abs=1)


@pytest.mark.parametrize("rule", ALLOCATIONS)
@pytest.mark.parametrize("at_least", [0, 75])
def test_the_standard_error_is_reached_under_every_allocation(rule, at_least):
    """As small a sample as can be; Cochran 1977, eq. 5.25, the paper's eq. 13, is for Neyman's allocation alone."""
    size = size_for(PIXELS, EXPECTED, 0.01, rule, at_least)
    errors = [expected_se(PIXELS, EXPECTED, allocate(PIXELS, EXPECTED, n, rule, at_least)) for n in (size - 4, size)]
    assert errors[1] <= 0.01 < errors[0]
    assert (size == pytest.approx(641, abs=1)) == (rule == "neyman" and at_least == 0)


def test_expected_standard_error_by_hand():
    found = expected_se(np.array([100, 300]), np.array([0.5, 0.9]), np.array([20, 30]))
    assert found == pytest.approx(np.sqrt(0.25**2 * 0.25 / 20 * 0.8 + 0.75**2 * 0.09 / 30 * 0.9))
    assert size_for(np.array([20, 30]), np.array([0.5, 0.5]), 1e-6, "equal", 0) == 50  # the whole map
    assert size_for(np.array([3, 10**7]), np.array([0.8, 0.8]), 0.01, "proportional", 0) == 1600  # 3 pixels are no harm


def test_minimum_is_taken_from_the_others():
    shares = allocate(PIXELS, EXPECTED, 641, "proportional", 75)
    assert shares[:2].tolist() == [75, 75] and shares.sum() == 641
    assert shares[2] / shares[3] == pytest.approx(PIXELS[2] / PIXELS[3], rel=0.01)


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=8), st.integers(0, 60), st.floats(0, 1),
    st.sampled_from(ALLOCATIONS), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_allocation_keeps_every_bound(sizes, at_least, filled, rule, seed):
    pixels = np.array(sizes)
    expected = np.random.default_rng(seed).uniform(0, 1, len(sizes)).round(1)
    lowest = np.minimum(at_least, pixels)
    size = max(int(lowest.sum() + filled * (pixels.sum() - lowest.sum())), 1)
    found = allocate(pixels, expected, size, rule, at_least)
    assert found.sum() == size and (found >= lowest).all() and (found <= pixels).all()


def test_impossible_samples_are_told():
    with pytest.raises(ConfigError, match="at least 50 each need 200"):
        allocate(PIXELS, EXPECTED, 100, "equal", 50)
    with pytest.raises(ConfigError, match="more than the 9 that"):
        allocate(np.array([4, 5]), EXPECTED[:2], 10, "equal", 0)
    with pytest.raises(ConfigError, match="no such class; it has: wood"):
        expected_accuracies(["wood"], 0.8, {"water": 0.5})


def test_every_pixel_has_the_same_chance_and_none_comes_twice(make_raster):
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 3, (40, 30)).astype(np.uint8)
    source = open_map(make_raster("map.tif", classes, nodata=0))
    count = np.bincount(classes.ravel())
    times = np.zeros(classes.shape)
    for seed in range(400):
        drawn = draw(source, {1: (count[1], 20), 2: (count[2], 40)}, seed)
        assert len(set(zip(drawn.rows.tolist(), drawn.cols.tolist(), strict=True))) == 60
        assert (classes[drawn.rows, drawn.cols] == drawn.values).all()
        times[drawn.rows, drawn.cols] += 1
    assert (times[classes == 0] == 0).all()
    for value, n in ((1, 20), (2, 40)):
        mean = 400 * n / count[value]
        assert times[classes == value].mean() == pytest.approx(mean)
        assert abs(times[classes == value] - mean).max() < 6 * np.sqrt(mean)
    assert (draw(source, {1: (count[1], 20)}, 7).rows == draw(source, {1: (count[1], 20)}, 7).rows).all()


def test_command_writes_points_to_be_filled_in(make_raster, run_command, tmp_path):
    classes = np.repeat(np.array([[1, 2, 2, 0]], np.uint8), 30, axis=0).repeat(10, axis=1)
    path, out = make_raster("map.tif", classes, nodata=0), tmp_path / "points.gpkg"
    arguments = (path, "--size", 60, "--allocation", "equal", "--min-per-class", 10, "--seed", 3, "--out", out)
    code, text, err = run_command("sample", *arguments, "--progress", "json")
    assert code == 0, err
    result = json.loads(text.splitlines()[-1])
    assert result["size"] == 60 and [item["points"] for item in result["classes"]] == [30, 30]
    points = geopandas.read_file(out)
    assert points["reference"].isna().all() and len(points) == 60
    assert points.groupby("stratum")[["stratum_pixels", "stratum_ha"]].first().to_numpy().tolist() == [
        [300, 3.0], [600, 6.0],
    ]  # fmt: skip
    col = ((points.geometry.x - 500_000) / 10).to_numpy()
    row = ((5_800_000 - points.geometry.y) / 10).to_numpy()
    assert (col % 1 == 0.5).all() and (classes[row.astype(int), col.astype(int)] == points["stratum"]).all()
    first = np.sort(np.unique(points["stratum"].to_numpy()[:20]))
    assert first.tolist() == [1, 2]  # random order: who stops early still has a random sample
    style = out.with_suffix(".qml").read_text()
    assert "ValueMap" in style and "class 2" in style and "Hidden" in style
    assert not [name for name in tmp_path.iterdir() if name.name.startswith(".")]

    code, _, err = run_command("sample", *arguments)
    assert code == 2 and "exists already" in err
    (tmp_path / "map.qml").write_text("<qgis><pipe><rasterrenderer/></pipe></qgis>")
    code, _, err = run_command("sample", *arguments[:-1], tmp_path / "map.gpkg")
    assert code == 2 and "map.qml: is the style of a raster layer" in err and not (tmp_path / "map.gpkg").exists()
    assert run_command("sample", *arguments, "--overwrite")[0] == 0
    assert geopandas.read_file(out).geometry.equals(points.geometry)  # the same seed


def test_command_finds_the_size_for_a_standard_error(make_raster, run_command, tmp_path):
    path = make_raster("map.tif", np.tile(np.array([[1, 2]], np.uint8), (200, 50)), nodata=0)
    arguments = (
        path,
        "--target-se",
        0.02,
        "--min-per-class",
        0,
        "--out",
        tmp_path / "points.gpkg",
        "--progress",
        "json",
    )
    expected = ("--expected-accuracy", "0.9", "--expected-accuracy", "class 2=0.5")
    code, text, err = run_command("sample", *arguments, *expected)
    assert code == 0, err
    result, variance = json.loads(text.splitlines()[-1]), (0.09 + 0.25) / 2  # within classes, shared in proportion
    assert result["size"] == pytest.approx(variance / (0.02**2 + variance / 20_000), abs=2)
    assert 0.0199 < result["expected_se"] <= 0.02


def test_a_class_without_points_is_told(make_raster, run_command, tmp_path):
    classes = np.ones((40, 40), np.uint8)
    classes[0, 0] = 2
    arguments = (make_raster("map.tif", classes, nodata=0), "--size", 20, "--min-per-class", 0)
    code, _, err = run_command("sample", *arguments, "--out", tmp_path / "points.gpkg")
    assert code == 0 and "warning: class 2 gets no point" in err
    assert "overall accuracy 0.800 with a standard error of 0.0" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "10", "--out", "points.shp"], "ends with .gpkg"),
        (["--size", "10", "--target-se", "0.1", "--out", "p.gpkg"], "not allowed with"),
        (["--out", "p.gpkg"], "required"),
        (["--target-se", "2", "--out", "p.gpkg"], "between 0 and 0.5"),
        (["--size", "10", "--expected-accuracy", "wood=x", "--out", "p.gpkg"], "expected U or CLASS=U"),
        (["--size", "10", "--expected-accuracy", "1.5", "--out", "p.gpkg"], "fraction from 0 to 1"),
        (["--size", "10", "--out", "no/such/folder/p.gpkg"], "at least 50 each"),
        (["--size", "10", "--min-per-class", "0", "--out", "/no/such/folder/p.gpkg"], "cannot be written"),
    ],
)
def test_bad_input_ends_with_2(make_raster, run_command, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    path = make_raster("map.tif", np.array([[1, 2]] * 50, np.uint8), nodata=0)
    code, _, err = run_command("sample", path, *arguments)
    assert code == 2 and message in err and len(err.splitlines()) == 1


def test_a_map_without_classes_is_told(make_raster, run_command, tmp_path):
    path = make_raster("map.tif", np.zeros((5, 5), np.uint8), nodata=0)
    code, _, err = run_command("sample", path, "--size", 5, "--out", tmp_path / "p.gpkg")
    assert code == 2 and "no pixel has a class" in err
