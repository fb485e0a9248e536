"""Simulated scenes: the shape of the benchmarks, one truth, and a knob that works."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio

from engine.benchmarks.bench import job_digest
from engine.benchmarks.scenes.cases import simulated_cases
from engine.benchmarks.scenes.simulator import write
from engine.benchmarks.scenes.simulator.landscape import make_landscape
from engine.benchmarks.scenes.simulator.materials import spectra
from engine.benchmarks.scenes.simulator.sensors import (
    light_on,
    simulate_cube,
    simulate_heights,
    simulate_sar,
    simulate_shares,
)
from engine.benchmarks.scenes.simulator.shapes import SHAPES
from engine.benchmarks.scenes.simulator.write import write_scene
from engine.config import load_config
from engine.data.scene import open_scenes
from engine.errors import ConfigError

OFFICIAL = {"houston2013": (2832, 12197, 15), "trento": (819, 29395, 6), "augsburg": (761, 77533, 7)}
SMALL = replace(SHAPES["augsburg3"], rows=60, cols=80, parcel_px=8, bands={"hsi": 12, "sar": 4, "dsm": 1})


@pytest.mark.parametrize("name", SHAPES)
def test_tables_are_those_of_the_data_sets(name):
    """Pixels of both sides and numbers of classes add up to the published ones; all materials are known."""
    covers = SHAPES[name].covers
    totals = sum(cover.train for cover in covers), sum(cover.test for cover in covers), len(covers)
    assert totals == OFFICIAL[{"augsburg3": "augsburg"}.get(name, name)]
    known = spectra(np.linspace(400, 2500, 50))
    assert all(set(cover.materials) <= set(known) for cover in covers)
    assert all(sum(cover.materials.values()) == pytest.approx(1) for cover in covers)
    assert all((0 < values).all() and (values < 1).all() for values in known.values())


def test_sides_keep_to_their_parcels():
    """Labels say the truth, each class is on both sides, and no parcel is on two."""
    land = make_landscape(np.random.default_rng(0), SMALL)
    for labels in (land.train, land.test):
        known = labels > 0
        assert (labels[known] - 1 == land.classes[known]).all()
        assert set(np.unique(labels[known])) == set(range(1, 8))
    assert not set(land.parcels[land.train > 0]) & set(land.parcels[land.test > 0])
    for index, cover in enumerate(SMALL.covers):
        assert 0 < (land.train == index + 1).sum() <= cover.train


def separation(values: np.ndarray, classes: np.ndarray) -> float:
    """Spread between classes over spread within them, mean over bands."""
    means = np.stack([values[:, classes == number].mean(axis=1) for number in np.unique(classes)])
    within = np.mean([values[:, classes == number].var(axis=1) for number in np.unique(classes)], axis=0)
    return float(np.mean(means.var(axis=0) / within))


def test_difficulty_blurs_every_sensor():
    """The harder, the less classes stand out from their own spread, in cube, heights and radar."""
    land = make_landscape(np.random.default_rng(0), SMALL)
    for sensor in ("cube", "heights", "sar"):
        found = []
        for difficulty in (0.0, 1.0, 2.0):
            rng = np.random.default_rng(1)
            match sensor:
                case "cube":
                    values = np.stack(list(simulate_cube(rng, SMALL, land, difficulty)))
                case "heights":
                    values = simulate_heights(rng, land, 1, difficulty)
                case _:
                    values = 10 * np.log10(simulate_sar(rng, SMALL, land, 2, difficulty))
            assert np.isfinite(values).all()
            found.append(separation(values, land.classes))
        assert found[0] > found[1] > found[2], (sensor, found)


def test_parcels_of_a_class_differ():
    """Shares of materials in the cube, backscatter in the radar: neighbouring fields of one crop are not alike."""
    land = make_landscape(np.random.default_rng(0), SMALL)
    shares = simulate_shares(np.random.default_rng(1), SMALL, land, 1.0)
    assert shares.sum(0) == pytest.approx(np.ones(land.classes.shape))
    sar = simulate_sar(np.random.default_rng(1), SMALL, land, 2, 1.0)
    names = list(spectra(np.linspace(400, 2500, 3)))
    for index, cover in enumerate(SMALL.covers):
        members = [n for n in np.unique(land.parcels[land.classes == index]) if (land.parcels == n).sum() > 20]
        assert len(members) > 1
        largest = max(cover.materials, key=cover.materials.get)
        mean = [shares[names.index(largest)][land.parcels == n].mean() for n in members]
        assert len(cover.materials) == 1 or np.std(mean) > 0.01, cover.name
        assert np.std([10 * np.log10(sar[0][land.parcels == n].mean()) for n in members]) > 0.4, cover.name
    calm = simulate_shares(np.random.default_rng(1), SMALL, land, 0.0)
    assert all(np.ptp(calm[:, land.classes == index], axis=1) == pytest.approx(0) for index in range(7))


def test_one_sun_lights_slopes_and_casts_shadows():
    """What faces away from the sun is darker than what faces it, and shadows fall there; none crosses the edge."""
    row, col = np.mgrid[:61, :61] - 30.0
    hill = 3 * np.exp(-(row**2 + col**2) / 200)  # too gentle for a shadow
    light = light_on(hill, 1.0, 1.0)
    assert light[40, 40] > 1 > light[20, 20] > 0.4
    tower = np.where((abs(row) < 3) & (abs(col) < 3), 6.0, 0.0)
    dark = np.argwhere(light_on(tower, 1.0, 1.0) == 0.4) - 30
    assert len(dark) and (dark < 3).all() and (dark.min(0) < -5).all()
    mast = np.where((row == 25) & (col == 25), 40.0, 0.0)  # its shadow is 40 / 0.9 m long: 31 steps of 1.41 m
    shadow = np.argwhere(light_on(mast, 1.0, 1.0) == 0.4)
    assert shadow.tolist() == [[55 - step, 55 - step] for step in range(31, 0, -1)]
    corner = np.where((row < -25) & (col < -25), 6.0, 0.0)  # its shadow falls beside the scene
    assert (light_on(corner, 1.0, 1.0) > 0.4).all()


def test_files_are_a_scene_that_training_opens(tmp_path):
    """Georeferenced, with wavelengths, class names and both sides; the same seed writes the same numbers."""
    job = write_scene(tmp_path / "scene", SMALL, 1.0, seed=3)
    (scene,), legend = open_scenes(load_config(job))
    assert [(m.name, m.bands) for m in scene.modalities] == [("hsi", 12), ("sar", 4), ("dsm", 1)]
    assert scene.modalities[0].wavelengths_nm[-1] == pytest.approx(2500)
    assert legend.names[:2] == ("forest", "residential area") or list(legend.names[:2]) == [
        "forest",
        "residential area",
    ]
    assert scene.given_test.any() and not scene.given_test.all()
    assert scene.stack.grid.crs.to_epsg() == 32632 and scene.stack.grid.resolution == (30, 30)
    scene.stack.close()
    again = write_scene(tmp_path / "again", SMALL, 1.0, seed=3)
    for name in ("hsi", "sar", "dsm", "train", "test"):
        with rasterio.open(job.parent / f"{name}.tif") as one, rasterio.open(again.parent / f"{name}.tif") as other:
            assert (one.read() == other.read()).all()


def test_scenes_of_another_version_are_written_again(tmp_path, monkeypatch):
    """Their files and runs are of another world: the job's fingerprint differs, so no suite goes on from there."""
    with monkeypatch.context() as patch:
        patch.setattr(write, "VERSION", 1)
        before = job_digest(load_config(write_scene(tmp_path / "scene", SMALL, 1.0, seed=3)))
        (tmp_path / "scene" / "hsi.tif").write_bytes(b"old")
    job = write_scene(tmp_path / "scene", SMALL, 1.0, seed=3)
    assert job_digest(load_config(job)) != before
    (tmp_path / "scene" / "sar.tif").write_bytes(b"kept")
    assert write_scene(tmp_path / "scene", SMALL, 1.0, seed=3) == job
    assert (tmp_path / "scene" / "sar.tif").read_bytes() == b"kept"
    with rasterio.open(job.parent / "hsi.tif") as file:
        assert file.count == 12


def test_wrong_names_and_numbers(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown shape \(known: houston2013, trento"):
        simulated_cases(tmp_path, "berlin", 1.0)
    with pytest.raises(ConfigError, match="expected 0 to 3"):
        simulated_cases(tmp_path, "trento", -1.0)
