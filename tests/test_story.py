"""The whole story through the commands, each in its own process as users start it: simulate, train, map, evaluate."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = (
    "training.steps=60", "training.batch_size=8", "training.validate_every=30", "training.learning_rate=0.003",
    "model.width=32", "model.heads=2", "model.depth=2", "model.window=16", "split.block_px=20", "split.buffer_px=4",
)  # fmt: skip


def call(*arguments, code=0):
    """Run a Python command in the project's folder; return its JSON lines."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A small sample scene and a model trained on it for a moment."""
    folder = tmp_path_factory.mktemp("story")
    call("scripts/make_sample_data.py", folder / "scene", "--rows", "96", "--cols", "120", "--bands", "8")
    (folder / "scene" / "config.toml").write_text((ROOT / "sample_data" / "config.toml").read_text())
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    train = ("engine.train", folder / "scene" / "config.toml", "--out", folder / "run", "--device", "cpu")
    lines = call("-m", *train, "--threads", "1", "--progress", "json", *settings)
    assert lines[-1]["type"] == "result" and any(line["type"] == "progress" for line in lines)
    return folder


def layers(story, **files):
    return [part for name, file in files.items() for part in ("--layer", f"{name}={story / 'scene' / file}")]


def predict(story, out, *arguments, **files):
    model = story / "run" / "model.safetensors"
    command = ("engine.predict", model, "--out", out, "--device", "cpu", "--threads", "1", "--progress", "json")
    return call("-m", *command, *arguments, *layers(story, **files))[-1]


def test_run_folder_is_complete(story):
    names = {path.name for path in (story / "run").iterdir()}
    assert names >= {"model.safetensors", "metrics.json", "history.csv", "report.html", "config.toml"}
    metrics = json.loads((story / "run" / "metrics.json").read_text())
    assert set(metrics) == {"patterns", "device", "seconds"}
    assert next(iter(metrics["patterns"])) == "hsi+lidar+sar" and len(metrics["patterns"]) == 7
    assert {"oa", "aa", "kappa", "n"} <= set(metrics["patterns"]["lidar"])


def test_map_of_a_cut_cube_uses_what_is_there(story):
    out, used = story / "cut.tif", story / "cut_used.tif"
    predict(story, out, "--sensors-used", used, hsi="hsi_cut.tif", lidar="lidar.tif", sar="sar.tif")
    with rasterio.open(out) as file, rasterio.open(story / "scene" / "hsi_cut.tif") as cube:
        assert (file.shape, file.transform, file.crs) == (cube.shape, cube.transform, cube.crs)
        classes, there = file.read(1), cube.dataset_mask() > 0
        assert file.nodata == 0 and classes.min() >= 1  # SAR is everywhere
    with rasterio.open(used) as file:
        assert ((file.read(1) & 1).astype(bool) == there).all()
    evaluate = ("engine.evaluate", out, story / "scene" / "truth.tif", "--sensors-used", used, "--progress", "json")
    result = call("-m", *evaluate, "--out", story / "accuracy")[-1]
    assert result["n"] == classes.size and result["oa"] > 0.3  # six classes, a moment's training: chance is a sixth
    figures = json.loads((story / "accuracy" / "accuracy.json").read_text())
    assert "hsi+lidar+sar" in figures["patterns"] and "lidar+sar" in figures["patterns"]
    assert figures["classes"][0]["name"] in ("water", "trees", "grass", "crops", "built-up", "bare soil")


def test_missing_layer_equals_layer_full_of_nodata(story):
    with rasterio.open(story / "scene" / "hsi.tif") as file:
        profile, empty = file.profile, np.full((file.count, *file.shape), file.nodata, file.dtypes[0])
        tags, scales = [file.tags(band) for band in file.indexes], file.scales
    with rasterio.open(story / "scene" / "no_cube.tif", "w", **profile) as file:
        file.write(empty)
        file.scales = scales
        for band, band_tags in enumerate(tags, start=1):
            file.update_tags(band, **band_tags)
    predict(story, story / "one.tif", "--reference", "sar", lidar="lidar.tif", sar="sar.tif")
    predict(story, story / "two.tif", "--reference", "sar", hsi="no_cube.tif", lidar="lidar.tif", sar="sar.tif")
    with rasterio.open(story / "one.tif") as one, rasterio.open(story / "two.tif") as two:
        assert (one.read() == two.read()).all()


def test_bfloat16_maps_what_float32_maps(story):
    """At least 99 % of the labels are the same, and 99.9 % where float32 is sure by a tenth."""
    labels = {}
    for precision in ("float32", "bfloat16"):
        out, shares = story / f"{precision}.tif", story / f"{precision}_shares.tif"
        predict(
            story, out, "--precision", precision, "--probabilities", shares,
            hsi="hsi_cut.tif", lidar="lidar.tif", sar="sar.tif",
        )  # fmt: skip
        with rasterio.open(out) as file:
            labels[precision] = file.read(1)
        if precision == "float32":
            with rasterio.open(shares) as file:
                ordered = np.sort(file.read().astype(float), axis=0)
                margin = (ordered[-1] - ordered[-2]) / ordered.sum(axis=0)
    same = labels["float32"] == labels["bfloat16"]
    assert same.mean() >= 0.99
    assert same[margin >= 0.1].mean() >= 0.999


def test_inspect_tells_what_the_model_knows(story):
    (result,) = call("-m", "engine.inspect", story / "run" / "model.safetensors", "--progress", "json")
    assert [item["name"] for item in result["model"]["modalities"]] == ["hsi", "lidar", "sar"]
    assert len(result["model"]["patterns"]) == 7


def test_bad_input_ends_with_2(story):
    arguments = ("--out", story / "x.tif", "--layer", f"hsi={story / 'scene' / 'lidar.tif'}", "--progress", "json")
    lines = call("-m", "engine.predict", story / "run" / "model.safetensors", *arguments, code=2)
    assert lines[-1]["type"] == "error" and "bands" in lines[-1]["message"]
    assert not (story / "x.tif").exists()
