"""Bad input, each with its one sentence and exit code 2; and nothing half-written under a final name."""

import struct

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from tests.conftest import UTM33, write_raster, write_scene

TINY = """
[split]
block_px = 12
[model]
window = 8
token_px = 2
width = 16
depth = 1
heads = 1
[training]
steps = 2
batch_size = 4
validate_every = 2
"""
ELSEWHERE = from_origin(700_000, 5_000_000, 10, 10)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A scene and a model trained on it for two steps: (folder of the scene, model file)."""
    from engine.config import load_config
    from engine.training.run import run_training

    folder = tmp_path_factory.mktemp("trained")
    result = run_training(load_config(write_scene(folder, TINY)), folder / "run", device="cpu", threads=1)
    return folder, result.model


@pytest.fixture
def train(run_command, make_scene, tmp_path):
    """Train on a scene of which something was spoilt: (exit code, the one line on stderr, folder)."""

    def call(spoil=lambda folder: None, *arguments, extra=TINY, out=tmp_path / "run"):
        config = make_scene(extra)
        spoil(config.parent)
        code, _, err = run_command("train", config, "--out", out, "--device", "cpu", "--threads", "1", *arguments)
        return code, [line for line in err.splitlines() if line.startswith("error: ")], err

    return call


@pytest.fixture
def predict(run_command, trained, tmp_path):
    """Map layers with the trained model: (exit code, error lines, stderr)."""

    def call(*arguments, model=trained[1], out=tmp_path / "map.tif", **layers):
        given = [f"--layer={name}={path}" for name, path in layers.items()]
        command = ("predict", model, "--out", out, "--device", "cpu", "--threads", "1", *given, *arguments)
        before = out.read_bytes() if out.is_file() else None
        code, _, err = run_command(*command)
        assert code == 0 or (out.read_bytes() if out.is_file() else None) == before
        return code, [line for line in err.splitlines() if line.startswith("error: ")], err

    return call


def told(result, *words):
    """Whether a command ended with 2, one sentence that has all words, and no traceback."""
    code, errors, err = result
    assert code == 2 and len(errors) == 1 and "Traceback" not in err, err
    assert err.splitlines()[-1] == errors[0]
    for word in words:
        assert word.lower() in errors[0].lower(), errors[0]
    return True


def replace_labels(folder, **fields):
    """Points instead of the label raster."""
    (folder / "labels.tif").unlink()
    frame = geopandas.GeoDataFrame(fields | {"geometry": shapely.points([[500_005.0, 5_799_995.0]])}, crs=UTM33)
    frame.to_file(folder / "labels.gpkg")
    config = folder / "config.toml"
    config.write_text(config.read_text().replace("path = 'labels.tif'", "path = 'labels.gpkg'\nfield = 'class'"))


def cut_file(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def test_train_missing_file(train):
    assert told(train(lambda folder: (folder / "height.tif").unlink()), "height.tif")


def test_train_unreadable_raster(train):
    assert told(train(lambda folder: (folder / "height.tif").write_text("no raster")), "height.tif")


def test_train_truncated_raster(train):
    assert told(train(lambda folder: cut_file(folder / "optical.tif")), "optical.tif")


def test_train_no_overlap(train):
    def move(folder):
        write_raster(folder / "height.tif", np.ones((48, 60), np.float32), transform=ELSEWHERE)

    assert told(train(move), "height", "optical", "overlap")


def test_train_no_crs_beside_a_crs(train):
    def strip(folder):
        write_raster(folder / "height.tif", np.ones((48, 60), np.float32), crs=None)

    assert told(train(strip), "height", "optical", "CRS")


def test_train_no_valid_pixel(train):
    def empty(folder):
        write_raster(folder / "optical.tif", np.full((4, 48, 60), np.nan, np.float32))

    assert told(train(empty), "optical")


def test_train_no_labels_inside(train):
    def move(folder):
        write_raster(folder / "labels.tif", np.ones((48, 60), np.uint8), transform=ELSEWHERE)

    assert told(train(move), "labels.tif")


def test_train_one_class_only(train):
    def flatten(folder):
        write_raster(folder / "labels.tif", np.ones((48, 60), np.uint8))

    assert told(train(flatten), "labels.tif", "one class")


def test_train_unknown_field_lists_the_fields(train):
    assert told(train(lambda folder: replace_labels(folder, kind=["water"])), "class", "kind")


def test_train_unknown_key_names_the_nearest(train):
    assert told(train(extra="[model]\nwindwo = 8\n"), "windwo", "window")
    assert told(train(lambda folder: None, "--set", "training.stepz=1"), "training.stepz", "steps")


def test_train_output_not_writable(train, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    assert told(train(out=file / "run"), "--out")


def test_train_does_not_overwrite_a_run(train):
    assert train()[0] == 0
    assert told(train(), "--resume")


def test_train_disk_full(train, small_disk):
    (small_disk / "fill").write_bytes(b"x" * 900_000)
    assert told(train(out=small_disk / "run"), "no space left")


def test_predict_missing_truncated_or_unknown_layer(predict, trained, tmp_path):
    assert told(predict(optical=tmp_path / "nothing.tif"), "nothing.tif")
    assert told(predict(radar=trained[0] / "optical.tif"), "radar", "optical", "height")
    assert told(predict(), "--layer")
    broken = tmp_path / "broken.tif"
    broken.write_bytes((trained[0] / "optical.tif").read_bytes())
    cut_file(broken)
    assert told(predict(optical=broken), "broken.tif")


def test_predict_wrong_band_count(predict, trained):
    assert told(predict(optical=trained[0] / "height.tif"), "optical", "1 band", "4")


def test_predict_layers_that_do_not_fit_together(predict, trained, make_raster):
    height = np.ones((48, 60), np.float32)
    optical = trained[0] / "optical.tif"
    assert told(predict(optical=optical, height=make_raster("far.tif", height, transform=ELSEWHERE)), "overlap")
    assert told(predict(optical=optical, height=make_raster("none.tif", height, crs=None)), "CRS")


def test_predict_no_valid_pixel(predict, make_raster):
    assert told(predict(height=make_raster("empty.tif", np.full((48, 60), np.nan, np.float32))), "valid")


def test_predict_layers_without_any_crs_are_fine(predict, trained, make_raster):
    layers = {}
    for name in ("optical", "height"):
        with rasterio.open(trained[0] / f"{name}.tif") as file:
            layers[name] = make_raster(f"local_{name}.tif", file.read(), crs=None)
    assert predict(**layers)[0] == 0


def test_predict_output_not_writable_or_there_already(predict, trained, tmp_path):
    layers = {"optical": trained[0] / "optical.tif"}
    file = tmp_path / "file"
    file.write_text("")
    assert told(predict(out=file / "map.tif", **layers), "map.tif")
    assert predict(**layers)[0] == 0
    assert told(predict(**layers), "--overwrite")


def test_predict_disk_full(predict, trained, small_disk):
    (small_disk / "fill").write_bytes(b"x" * 1_040_000)
    assert told(predict(out=small_disk / "map.tif", optical=trained[0] / "optical.tif"), "no space left")
    assert not list(small_disk.glob("*.tif"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data[: len(data) // 2], "truncated"),
        (lambda data: b"GIF89a" + data[6:], "not a model file"),
        (lambda data: b"", "not a model file"),
        (lambda data: data.replace(b'\\"format_version\\": 1', b'\\"format_version\\": 9'), "format"),
        (lambda data: struct.pack("<Q", 2**40) + data[8:], "not a model file"),
    ],
)
def test_predict_damaged_model(predict, trained, tmp_path, spoil, words):
    model = tmp_path / "model.safetensors"
    data = trained[1].read_bytes()
    model.write_bytes(spoil(data))
    assert model.read_bytes() != data
    assert told(predict(model=model, optical=trained[0] / "optical.tif"), "model.safetensors", words)


def test_predict_foreign_safetensors(predict, trained, tmp_path):
    from safetensors.numpy import save_file

    model = tmp_path / "foreign.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, model)
    assert told(predict(model=model, optical=trained[0] / "optical.tif"), "not a MaMOL model")
