"""Published archives as scenes: on small ones of the structure that the package hands over."""

import sys
import types

import numpy as np
import pytest
import rasterio
from scipy.sparse import coo_array

from engine.benchmarks.scenes.archive import fetch, write_archive
from engine.config import load_config
from engine.data.scene import open_scenes
from engine.errors import ConfigError, RasterOpenError


def some_archive(bands=6, other=1, maps=2, dtype=np.uint16, classes=3):
    """Cube, other sensor, sparse label maps and facts, as `rs-fusion-datasets` has them."""
    rng = np.random.default_rng(0)
    cube = rng.integers(0, 4000, (bands, 30, 40)).astype(dtype)
    labels = []
    for number in range(maps):
        label = np.zeros((30, 40), np.int64)
        label[10 * number : 10 * number + 8] = rng.integers(1, classes + 1, (8, 40))
        labels.append(coo_array(label))
    facts = {
        "full_name": "Some place", "label_name": {i: f"class {i}" for i in range(1, classes + 1)},
        "wavelength": np.linspace(400, 1000, bands),
    }  # fmt: skip
    return cube, rng.random((other, 30, 40)), *labels, facts


@pytest.mark.parametrize(
    ("name", "sensor", "parts"),
    [
        ("houston2013", "lidar", {"dtype": np.uint16}),
        ("augsburg", "sar", {"other": 4, "maps": 3}),
        ("trento", "lidar", {"other": 2, "maps": 1, "dtype": np.float64}),
        ("muufl", "lidar", {"other": 2, "maps": 1, "dtype": np.float32}),
    ],
)
def test_archives_become_scenes(tmp_path, name, sensor, parts):
    """All values, labels on their sides, names, wavelengths, zone and pixel size arrive."""
    found = some_archive(**parts)
    config = load_config(write_archive(name, found, tmp_path / name))
    assert config.split.kind == ("blocks" if name in ("trento", "muufl") else "files")
    (scene,), legend = open_scenes(config)
    assert [m.name for m in scene.modalities] == ["hsi", sensor]
    assert scene.modalities[0].wavelengths_nm == pytest.approx(found[-1]["wavelength"])
    assert list(legend.names) == ["class 1", "class 2", "class 3"]
    assert scene.stack.grid.resolution == ({"houston2013": 2.5, "augsburg": 30}.get(name, 1),) * 2
    scene.stack.close()
    with rasterio.open(tmp_path / name / "hsi.tif") as file:
        assert (file.read() == found[0]).all() and "arbitrary" in file.tags()["georeferencing"]
    for side, labels in zip(("train", "test"), found[2:-1], strict=False):
        with rasterio.open(tmp_path / name / f"{side}.tif") as file:
            assert (file.read(1) == labels.toarray()).all()


@pytest.mark.parametrize(("classes", "fifth"), [(7, "Allotment"), (8, "class 5")])
def test_augsburg_has_no_soil(tmp_path, classes, fifth):
    """The package names eight classes; where labels are those of the seven published ones, theirs are the names."""
    *arrays, facts = some_archive(other=4, maps=3, classes=classes)
    facts["label_name"] = {i: f"class {i}" for i in range(1, 9)}
    (scene,), legend = open_scenes(load_config(write_archive("augsburg", (*arrays, facts), tmp_path / "scene")))
    scene.stack.close()
    assert len(legend) == classes and legend.names[4] == fifth


def test_fetching_asks_the_package(tmp_path, monkeypatch):
    """The data set's own function is called, and what it gives is written; its failure is one sentence."""
    package = types.ModuleType("rs_fusion_datasets")
    package.fetch_trento = lambda: some_archive(maps=1)
    package.fetch_muufl = lambda: (_ for _ in ()).throw(OSError("no route"))
    monkeypatch.setitem(sys.modules, "rs_fusion_datasets", package)
    assert fetch("trento", tmp_path / "trento").read_text().startswith("[scene]")
    with pytest.raises(RasterOpenError, match="muufl: cannot be downloaded or read"):
        fetch("muufl", tmp_path / "muufl")
    assert not (tmp_path / "muufl").exists()


def test_what_cannot_be_fetched(tmp_path, monkeypatch, run_command):
    monkeypatch.setitem(sys.modules, "rs_fusion_datasets", None)
    code, _, err = run_command("benchmark", "fetch", "trento", "--out", tmp_path)
    assert code == 2 and "pip install rs-fusion-datasets" in err
    code, _, err = run_command("benchmark", "fetch", "berlin", "--out", tmp_path)
    assert code == 2 and "known: houston2013, trento" in err
    code, _, err = run_command("benchmark", "fetch", "--out", tmp_path)
    assert code == 2 and "fetch what?" in err
    with pytest.raises(ConfigError, match="unknown data set"):
        fetch("berlin", tmp_path)


def test_parts_that_do_not_fit(tmp_path):
    cube, other, train, test, facts = some_archive()
    with pytest.raises(RasterOpenError, match=r"do not fit each other \(cube 30 x 40, lidar 30 x 39"):
        write_archive("trento", (cube, other[:, :, 1:], train, test, facts), tmp_path / "scene")
    assert not (tmp_path / "scene").exists()
