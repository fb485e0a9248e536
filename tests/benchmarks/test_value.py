"""Which sensor is worth buying: a finished model on a labelled scene, with the figures of its training's report."""

import json
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from engine.benchmarks.value.held_out import choose_pixels
from engine.benchmarks.value.measure import patterns_of, run_value
from engine.benchmarks.value.page import write_page
from engine.bundle import read_info
from engine.config import load_config
from engine.data.scene import open_scenes_for
from engine.data.splits import make_splits
from engine.errors import Cancelled, NodataError, SplitError
from engine.progress import SilentProgress
from engine.training.prepare import Prepared, resolve
from engine.training.record import split_facts
from engine.training.run import run_training
from tests.benchmarks.test_suites import SETTINGS
from tests.conftest import write_raster, write_scene

QUICK = ("--device", "cpu", "--precision", "float32", "--threads", "1")
STEPS = SETTINGS.replace("steps = 3", "steps = 12")


def three_sensors(folder, seed=0, cols=60):
    """The scene of `write_scene` with a third sensor, and holes in two of them. Return its job."""
    job = write_scene(folder, STEPS, cols=cols, seed=seed)
    rng = np.random.default_rng(seed + 9)
    with rasterio.open(folder / "labels.tif") as file:
        classes = file.read(1)
    radar = rng.standard_normal((2, *classes.shape)) + (classes == 3)
    radar[:, :10] = np.nan
    write_raster(folder / "radar.tif", radar.astype(np.float32))
    with rasterio.open(folder / "height.tif") as file:
        height = file.read(1)
    height[:, 50:] = np.nan
    write_raster(folder / "height.tif", height)
    job.write_text(job.read_text().replace("[scene.labels]", "radar = 'radar.tif'\n[scene.labels]"))
    return job


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A scene with three sensors and a run trained on it: (folder of both, job, run)."""
    folder = tmp_path_factory.mktemp("trained")
    job = three_sensors(folder)
    run_training(load_config(job), folder / "run", device="cpu", precision="float32", threads=1)
    return folder, job, folder / "run"


@pytest.fixture
def value(run_command, trained, tmp_path):
    """Judge the trained model: (exit code, stdout, stderr); results are in tmp_path / "out"."""

    def call(job, *arguments, model=None):
        model = model or trained[2] / "model.safetensors"
        return run_command(
            "benchmark", "value", "--model", model, "--config", job, "--out", tmp_path / "out", *QUICK, *arguments
        )

    return call


@pytest.fixture
def facts(tmp_path):
    return lambda: json.loads((tmp_path / "out" / "value.json").read_text())


def edited(job, old, new, name="other.toml"):
    """A copy of a job beside it, with another text in it."""
    text = job.read_text()
    assert old in text
    path = job.with_name(name)
    path.write_text(text.replace(old, new))
    return path


def figures(patterns):
    return {name: {key: part[key] for key in ("oa", "aa", "kappa", "n")} for name, part in patterns.items()}


@pytest.mark.parametrize("which", [(), ("--pixels", "test")])
def test_figures_are_those_of_the_training_report(value, trained, facts, which):
    """Exactly, with the job as it was written and with the complete one of the run."""
    _, job, run = trained
    report = json.loads((run / "report.json").read_text())
    for config in (job, run / "config.toml"):
        code, _, err = value(config, *which)
        assert code == 0, err
        found = facts()
        assert figures(found["patterns"]) == figures(report["patterns"]) and len(found["patterns"]) == 7
        assert found["sensors"] == report["sensors"] is not None
        assert found["pixels"] == {"side": "test", "n": sum(report["pixels"]["test"]), "trained_on": 0}
        assert found["warnings"] == [] and found["absent"] == []


def test_all_labelled_pixels_are_those_of_the_map(value, trained, facts, run_command, tmp_path):
    """Their accuracy is that of a map of the whole scene; and it is said that some of them were trained on."""
    folder, job, run = trained
    code, _, err = value(job, "--pixels", "all")
    assert code == 0, err
    report, found = json.loads((run / "report.json").read_text()), facts()
    assert found["pixels"] == {"side": "all", "n": 48 * 60, "trained_on": sum(report["pixels"]["train"])}
    assert "accuracy is flattered" in found["warnings"][0] and "accuracy is flattered" in err
    page = (tmp_path / "out" / "value.html").read_text()
    assert 'class="warning"' in page and "own test" in page
    assert found["patterns"]["optical"]["own_test"]["oa"] == report["patterns"]["optical"]["oa"]

    layers = [f"--layer={name}={folder / name}.tif" for name in ("optical", "height", "radar")]
    code, _, err = run_command("predict", run / "model.safetensors", "--out", tmp_path / "map.tif", *layers, *QUICK)
    assert code == 0, err
    with rasterio.open(tmp_path / "map.tif") as mapped, rasterio.open(folder / "labels.tif") as labels:
        right = (mapped.read(1) == labels.read(1))[10:, :50]  # where all sensors are
    assert found["patterns"]["optical+height+radar"]["n"] == right.size == found["sensors"]["n"]
    assert found["patterns"]["optical+height+radar"]["oa"] == pytest.approx(right.mean(), abs=2e-3)


def test_another_scene_with_some_sensors(value, facts, tmp_path):
    """A foreign scene without one of the sensors, its layers in another order: values are over those there are."""
    job = three_sensors(tmp_path / "elsewhere", seed=5, cols=57)
    without = edited(
        job, "optical = 'optical.tif'\nheight = 'height.tif'\nradar", "radar = 'radar.tif'\nheight = 'height.tif'\n# "
    )
    code, out, err = value(without, "--progress", "json")
    assert code == 0, err
    found, lines = facts(), [json.loads(line) for line in out.splitlines()]
    assert list(found["patterns"]) == ["height+radar", "height", "radar"] and found["absent"] == ["optical"]
    assert found["sensors"]["sensors"].keys() == {"height", "radar"}
    gains = [sensor["value"]["oa"] for sensor in found["sensors"]["sensors"].values()]
    both = found["patterns"]["height+radar"]["oa"]
    assert found["sensors"]["none"]["oa"] + sum(gains) == pytest.approx(both)
    assert [found["patterns"][name]["n"] for name in ("height+radar", "height", "radar")] == [38 * 50, 48 * 50, 38 * 57]
    assert found["pixels"] == {"side": "all", "n": 48 * 57, "trained_on": None}
    assert "do not give the split" in found["warnings"][0]
    assert lines[-1]["type"] == "result" and lines[-1]["sensors"] == found["sensors"]
    steps = [line for line in lines if line["type"] == "progress"]
    assert steps[-1]["stage"] == "measuring" and steps[-1]["done"] == 48 * 57
    assert "No layer of optical" in (tmp_path / "out" / "value.md").read_text()


def test_one_sensor_alone_has_no_value_beside_others(value, trained, facts, tmp_path):
    job = edited(trained[1], "height = 'height.tif'\nradar = 'radar.tif'\n", "", "alone.toml")
    code, _, err = value(job)
    assert code == 0, err
    found = facts()
    assert found["sensors"] is None and list(found["patterns"]) == ["optical"]
    assert found["pixels"]["side"] == "test"  # labels and grid are those of the training
    assert "cannot be told" in (tmp_path / "out" / "value.md").read_text()


def test_a_scene_may_lack_classes(value, facts, tmp_path):
    job = three_sensors(tmp_path / "elsewhere", seed=5)
    with rasterio.open(tmp_path / "elsewhere" / "labels.tif") as file:
        classes = file.read(1)
    write_raster(tmp_path / "elsewhere" / "labels.tif", np.where(classes == 2, 0, classes).astype(np.uint8), nodata=0)
    assert value(job)[0] == 0
    assert facts()["pixels"]["n"] == int((classes != 2).sum())


def test_layers_are_read_as_mapping_reads_them(trained, tmp_path):
    """Resampled as the model says; on the grid with pixels like those of the training, where the job names none."""
    job = three_sensors(tmp_path / "elsewhere", seed=5)
    info = read_info(trained[2] / "model.safetensors")
    modalities = [replace(modality, resampling="nearest") for modality in info.modalities]
    (scene,) = open_scenes_for(load_config(job), modalities, info.legend)
    with scene.stack as stack:
        assert [modality.resampling for modality in stack.modalities] == 3 * ["nearest"]
    optical = np.ones((4, 12, 15), np.float32)
    write_raster(tmp_path / "elsewhere" / "optical.tif", optical, transform=from_origin(500_000, 5_800_000, 40, 40))
    (scene,) = judge(trained, job, tmp_path / "out")["scenes"]
    assert scene["reference"] == "radar" and "48 x 60" in scene["grid"]  # optical has more bands, and pixels of 40 m
    named = edited(job, "[scene]\n", "[scene]\nreference = 'optical'\n")
    facts = judge(trained, named, tmp_path / "out")
    assert facts["scenes"][0]["reference"] == "optical" and "pixels of 40 are mapped" in "".join(facts["warnings"])


def told(result, *words):
    code, _, err = result
    assert code == 2 and err.count("error: ") == 1 and "Traceback" not in err, err
    assert all(word in err for word in words), err
    return True


def test_what_does_not_fit_is_told(value, trained, tmp_path):
    folder, job, _ = trained
    other = partial(edited, job, name="wrong.toml")
    assert told(value(other("radar = ", "raddar = ")), "raddar", "optical, height, radar", "[scene.modalities]")
    assert told(value(other("'radar.tif'", "'height.tif'")), "height.tif", "1 band", "2 of radar")
    assert told(value(other("'radar.tif'", "{ path = 'radar.tif', bands = [1] }")), "radar.tif", "bands")
    assert told(value(other("path = 'labels.tif'", "")), "scene.labels.path is missing")
    assert told(value(other("'labels.tif'", "'nothing.tif'")), "nothing.tif")
    assert told(value(job, "--set", "split.block_px=16", "--pixels", "test"), "config.toml of its run", "--pixels all")
    assert told(value(job, model=folder / "radar.tif"), "radar.tif")
    assert not list((tmp_path / "out").iterdir())


def test_labels_of_other_classes_or_nowhere(value, trained, tmp_path):
    job = three_sensors(tmp_path / "elsewhere", seed=5)
    labels = tmp_path / "elsewhere" / "labels.tif"
    write_raster(labels, np.full((48, 60), 9, np.uint8), nodata=0)
    assert told(value(job), "labels.tif", "'class 9' (value 9)", "class 1, class 2, class 3")
    write_raster(labels, np.zeros((48, 60), np.uint8), nodata=0)
    assert told(value(job), "no label inside")


def test_arguments_that_are_needed(run_command, tmp_path):
    for arguments in ((), ("--model", "m"), ("--config", "c"), ("--model", "m", "--config", "c", "--config", "d")):
        assert told(run_command("benchmark", "value", "--out", tmp_path, *arguments), "--model", "--config")


def test_labels_where_nothing_has_data(trained, tmp_path):
    job = three_sensors(tmp_path / "elsewhere")
    for name, bands in (("optical", 4), ("height", 1), ("radar", 2)):
        write_raster(tmp_path / "elsewhere" / f"{name}.tif", np.full((bands, 48, 60), np.nan, np.float32))
    with pytest.raises(NodataError, match="labelled pixels has data of optical, height, radar"):
        judge(trained, job, tmp_path / "out")


def judge(trained, job, out, cancelled=lambda: False):
    out.mkdir(exist_ok=True)
    return run_value(
        trained[2] / "model.safetensors", load_config(job), out, "auto", device="cpu", precision="float32", threads=1,
        progress=SilentProgress(), cancelled=cancelled,
    )  # fmt: skip


@pytest.mark.parametrize("calls", [0, 1, 5])
def test_a_cancelled_run_writes_nothing(trained, tmp_path, calls):
    """In the look at the layers, and between patterns."""
    asked = iter(range(10**6))
    with pytest.raises(Cancelled):
        judge(trained, trained[1], tmp_path / "out", cancelled=lambda: next(asked) >= calls)
    assert not list((tmp_path / "out").iterdir())


@pytest.fixture
def split_as(trained):
    """Labels and split of the trained scene's job with other settings, and a model that was trained with that split."""
    with ExitStack() as opened:

        def make(*settings, job=trained[1]):
            info = read_info(trained[2] / "model.safetensors")
            config = resolve(load_config(job, settings))
            data = Prepared(config, open_scenes_for(config, info.modalities, info.legend), info.legend, splits=[])
            opened.callback(data.close)
            splits = make_splits(data.scenes, data.legend, config.split, info.window, 0)
            return data, replace(info, training=split_facts(replace(data, splits=splits)))

        yield make


def test_a_split_without_test_side(split_as):
    data, info = split_as("split.test_fraction=0")
    chosen = choose_pixels(data, info, "auto")
    assert chosen.side == "all" and chosen.count == 48 * 60
    assert chosen.trained_on == sum(info.training["pixels"]["train"]) and len(chosen.warnings) == 1
    with pytest.raises(SplitError, match="has no test side"):
        choose_pixels(data, info, "test")


@pytest.mark.parametrize("kind", ["random", "paper"])
def test_splits_that_leak_say_so(split_as, kind):
    """The paper's draws training and test pixels independently: some are both."""
    data, info = split_as(f"split.kind={kind}")
    chosen = choose_pixels(data, info, "auto")
    assert chosen.side == "test" and (chosen.trained_on > 0) == (kind == "paper")
    assert any(f'split.kind = "{kind}" tests on' in warning for warning in chosen.warnings)


def test_pixels_of_unknown_origin(split_as, tmp_path):
    """A scene of other labels, whatever the kind of split; files that do not tell their split."""
    data, info = split_as("split.kind=paper")
    elsewhere, _ = split_as("split.kind=paper", job=three_sensors(tmp_path / "elsewhere", cols=57))
    assert choose_pixels(data, info, "auto").side == "test"
    strangers = [{}, {"split": 3}, {"split": {"seed": -1}}, info.training | {"pixels": {}}]
    pairs = [(elsewhere, info), *((data, replace(info, training=training)) for training in strangers)]
    for scene, model in pairs:
        chosen = choose_pixels(scene, model, "auto")
        assert chosen.side == "all" and chosen.trained_on is None and len(chosen.warnings) == 1


def test_patterns_that_are_asked_for(trained):
    """All of up to five sensors; of more, those of the model that have the sensors at hand are among them."""
    info = read_info(trained[2] / "model.safetensors")
    assert patterns_of(info, ["optical", "radar"]) == [(True, False, True), (True, False, False), (False, False, True)]
    names = [f"s{number}" for number in range(7)]
    many = replace(
        info,
        modalities=tuple(replace(info.modalities[0], name=name) for name in names),
        patterns={"s1+s2+s3": {}, "s0+s1": {}},
    )
    patterns = patterns_of(many, names[1:])
    assert len(patterns) == len(set(patterns)) == 1 + 6 + 6 + 1 and not any(pattern[0] for pattern in patterns)
    assert tuple(name in ("s1", "s2", "s3") for name in names) in patterns


def test_names_of_strangers_are_only_text(tmp_path):
    """In pages, tables and pictures."""
    accuracy = {"oa": 0.5, "aa": None}
    sensor = {what: {"oa": 0.5, "aa": 0.5} for what in ("alone", "last", "value")}
    bad = "<script>|$\\frac$"
    facts = {
        "scenes": [{"name": bad, "reference": bad, "grid": "g", "pixels": 5}],
        "pixels": {"side": "all", "n": 5, "trained_on": None},
        "absent": [bad],
        "patterns": {bad: accuracy | {"kappa": None, "n": 5, "trained": False, "own_test": None}},
        "sensors": {"n": 5, "none": {"oa": 0.1, "aa": 0.1}, "sensors": {bad: sensor, "sar": sensor}},
        "warnings": [f"{bad}: doubtful"],
        "device": "a chip", "precision": "float32", "seconds": 1.0,
        "model": {"path": bad, "sha256": "0" * 64},
        "provenance": {"date": "today", "files": {bad: {"path": bad, "sha256": ""}}},
    }  # fmt: skip
    text = write_page(facts, tmp_path).read_text()
    assert f"| {bad.replace('|', chr(92) + '|')} (never trained) | 50.0 | – | – | 5 | – | – |" in text
    assert f"> **Warning:** {bad}: doubtful." in text
    assert "<script>" not in (tmp_path / "value.html").read_text()
    assert (tmp_path / "value_sensors.png").stat().st_size > 2000
