"""`python -m engine.train` as users meet it: what comes out agrees with the map, bad input is one sentence."""

import json

import numpy as np
import pytest
import rasterio

from engine.training.run_folder import to_toml

QUICK = ("--device", "cpu", "--precision", "float32", "--threads", "1")


@pytest.fixture
def job_file(make_config, tmp_path):
    def write(**options):
        path = tmp_path / "job.toml"
        path.write_text(to_toml(make_config(**options)))
        return path

    return write


@pytest.fixture
def train(run_command, tmp_path):
    def train(job, *arguments, out="run"):
        return run_command("train", job, "--out", tmp_path / out, *QUICK, *arguments)

    return train


def test_accuracy_is_that_of_the_map(job_file, train, run_command, tmp_path):
    """Test pixels are predicted with the windows that mapping uses: same classes wherever the margin is clear."""
    code, out, err = train(job_file(steps=12, split={"test_pixels": None}), "--progress", "json")
    assert code == 0, err
    result = json.loads(out.splitlines()[-1])
    assert result["type"] == "result" and result["patterns"]["a+b"]["oa"] > 0.4
    files = {name: tmp_path / "scene" / f"{name}.tif" for name in ("a", "b")}
    layers = [part for name, file in files.items() for part in ("--layer", f"{name}={file}")]
    code, _, err = run_command("predict", result["model"], "--out", tmp_path / "map.tif", *layers, *QUICK)
    assert code == 0, err
    with rasterio.open(tmp_path / "map.tif") as file:
        mapped = file.read(1)
    with np.load(tmp_path / "run" / "test_predictions.npz", allow_pickle=False) as stored:
        answers = dict(zip(stored["patterns"].tolist(), stored["predicted"], strict=True))
        on_map = mapped[stored["row"], stored["col"]].astype(int) - 1
        complete = answers["a+b"] >= 0
        assert 0 < complete.sum() < len(complete)
        expected = np.where(complete, answers["a+b"], answers["a"])
    assert (on_map == expected).mean() > 0.999


def test_settings_on_the_command_line_win(job_file, train, tmp_path):
    code, _, err = train(job_file(), "--set", "training.steps=2", "--seed", "7")
    assert code == 0, err
    text = (tmp_path / "run" / "config.toml").read_text()
    assert "steps = 2\n" in text and "seed = 7\n" in text


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("training.step=3", "unknown key training.step; did you mean steps?"),
        ("split.test_fraction=2", "split.test_fraction: input should be less than 1"),
        ("model.window=7", "model.window = 7 is no multiple of model.token_px"),
        ("split.buffer_px=95", "labelled pixels is left on the training side of blocks of 16 px"),
    ],
)
def test_wrong_settings(job_file, train, setting, sentence):
    code, _, err = train(job_file(), "--set", setting)
    assert code == 2 and err.count("\n") <= 2
    assert sentence in err


@pytest.mark.parametrize("name", ["x+y", "x=y", "none", " x", "x\\n", ""])
def test_names_that_no_pattern_or_layer_can_have(job_file, train, name):
    """Patterns are written a+b and none, layers NAME=PATH."""
    path = job_file()
    path.write_text(path.read_text().replace("[scene.modalities.a]", f'[scene.modalities."{name}"]'))
    code, _, err = train(path)
    assert code == 2 and err.count("\n") <= 2 and "a modality cannot be called" in err, err


def one_class(place):
    with rasterio.open(place / "labels.tif", "r+") as file:
        file.write(np.minimum(file.read(), 1))


def no_labels(place):
    with rasterio.open(place / "labels.tif", "r+") as file:
        file.write(np.zeros_like(file.read()))


def elsewhere(place):
    with rasterio.open(place / "labels.tif", "r+") as file:
        file.transform = rasterio.Affine(10, 0, 100000, 0, -10, 1000000)


def empty_sensor(place):
    with rasterio.open(place / "b.tif", "r+") as file:
        file.write(np.full_like(file.read(), -9999))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (one_class, "only one class"),
        (no_labels, "no label inside the reference grid"),
        (elsewhere, "no label inside the reference grid"),
        (empty_sensor, "b: no valid pixel"),
        (lambda place: (place / "a.tif").unlink(), "a.tif"),
        (lambda place: (place / "a.tif").write_bytes((place / "a.tif").read_bytes()[:5000]), "a.tif"),
    ],
)
def test_unusable_input(job_file, train, tmp_path, damage, words):
    job = job_file()
    damage(tmp_path / "scene")
    code, _, err = train(job)
    assert code == 2 and words in err
    assert not (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:9/a.tif", "//host/share/a.tif", r"\\host\share\a.tif", "/vsis3/b/a.tif"]
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("optical = 'optical.tif'", "optical = 'NAME'"),
        ("height = 'height.tif'", "height = {path = 'NAME'}"),
        ("path = 'labels.tif'", "path = 'NAME'"),
        ("path = 'labels.tif'", "path = 'labels.tif'\ntest = 'NAME'"),
        ("[scene]\n", "[model]\nbackbone = 'timm:vit_tiny_patch16_224'\nweights = 'NAME'\n[scene]\n"),
    ],
)
def test_a_configuration_names_no_other_machine(make_scene, train, tmp_path, before, after, name):
    job = make_scene()
    text = job.read_text()
    job.write_text(text.replace(before, after.replace("NAME", name), 1))
    assert job.read_text() != text
    code, _, err = train(job)
    assert code == 2 and "not a file on this machine's disks; copy it here, or set MAMOL_NETWORK=1" in err
    assert err.count("\n") == 1 and not (tmp_path / "run").exists()


def test_the_command_line_names_other_machines_one_by_one(make_scene, train, tmp_path):
    """What is named there is trusted, and nothing else: "//" begins a share, and here also leads to the file."""
    job = make_scene()
    text = job.read_text().replace("'optical.tif'", f"{{path = '/{tmp_path}/optical.tif'}}")
    job.write_text(text.replace("'labels.tif'", f"'/{tmp_path}/labels.tif'"))
    optical = ("--set", f"scene.modalities.optical.path=/{tmp_path}/optical.tif")
    labels = ("--set", f'scene.labels.path="/{tmp_path}/labels.tif"')
    for settings in ((), optical, labels, (*optical, "--set", f"training.seed=/{tmp_path}/labels.tif")):
        code, _, err = train(job, *settings)
        assert code == 2, err
    code, _, err = train(job, *optical, *labels, "--set", "training.steps=1")
    assert code == 0, err


def test_out_below_a_file(job_file, train, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = train(job_file(), out="file/run")
    assert code == 2 and "cannot be written" in err


def test_full_disk(job_file, run_command, small_disk):
    (small_disk / "other.bin").write_bytes(bytes(800_000))
    code, _, err = run_command("train", job_file(), "--out", small_disk / "run", *QUICK)
    assert code == 2 and ("No space left" in err or "disk is full" in err)
    assert not (small_disk / "run" / "model.safetensors").exists()


def test_foreign_init(job_file, train, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"no model")
    code, _, err = train(job_file(), "--init", tmp_path / "model.safetensors")
    assert code == 2 and "not a model file" in err
