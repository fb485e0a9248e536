"""The whole job on a small scene: what comes out, and that it can be stopped anywhere."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from engine.bundle import read_info
from engine.config import load_config, parse_config
from engine.errors import Cancelled, ConfigError, OutputError, ResumeError
from engine.progress import SilentProgress
from engine.training.run import prepare, resolve, run_training
from engine.training.run_folder import to_toml


def train(config, out, **options):
    return run_training(config, out, device="cpu", precision="float32", threads=1, **options)


def tensors(run):
    return load_file(run / "model.safetensors")


def same_weights(one, other):
    one, other = tensors(one), tensors(other)
    return one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)


class Spy(SilentProgress):
    def __init__(self):
        self.messages, self.stages = [], set()

    def log(self, message):
        self.messages.append(message)

    warning = log

    def step(self, stage, done, total, unit=""):
        self.stages.add(stage)


def test_a_run_leaves_everything(make_config, tmp_path):
    config, spy = make_config(steps=30, training={"learning_rate": 3e-3}), Spy()
    result = train(config, tmp_path / "run", progress=spy)
    run = tmp_path / "run"
    assert {path.name for path in run.iterdir()} == {
        "model.safetensors", "metrics.json", "history.csv", "report.html", "report.json", "report.csv", "config.toml",
        "checkpoint", "test_predictions.npz",
    }  # fmt: skip
    assert not (run / "checkpoint" / "cache").exists()
    assert {"training", "reading scenes"} <= spy.stages

    metrics = json.loads((run / "metrics.json").read_text())
    assert set(metrics) == {"patterns", "device", "seconds"}
    assert list(metrics["patterns"]) == ["a+b", "a", "b"]
    assert all(set(numbers) == {"oa", "aa", "kappa", "n"} for numbers in metrics["patterns"].values())
    assert metrics["patterns"] == result.patterns
    facts = json.loads((run / "report.json").read_text())
    assert set(facts["sensors"]["sensors"]) == {"a", "b"}
    assert facts["experts"]["blocks"] == [0] and list(facts["experts"]["patterns"]) == ["a+b", "a", "b"]
    assert "expert 1: " in (run / "report.html").read_text()
    assert metrics["patterns"]["a"]["oa"] > 0.5  # three classes
    assert metrics["patterns"]["b"]["n"] <= metrics["patterns"]["a"]["n"] == 500

    info = read_info(run / "model.safetensors")
    assert info.names == ("a", "b") and len(info.legend) == 3
    assert info.trained_patterns == ("a+b", "a", "b")
    assert set(info.patterns["a"]) == {"oa", "aa", "kappa", "n", "temperature", "bias"}
    trained = np.array(info.training["pixels"]["train"])
    assert info.priors == pytest.approx(trained / trained.sum(), abs=1e-12)  # not of the test side's labels

    rows = list(csv.DictReader((run / "history.csv").open()))
    assert [int(row["step"]) for row in rows] == list(range(3, 31, 3))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    html = (run / "report.html").read_text()
    assert "<svg" in html and "http" not in html and "a+b" in html
    assert load_config(run / "config.toml") == parse_config(json.loads(json.dumps(result_config(config))))


def result_config(config):
    """The configuration as a run writes it: resolved."""
    return resolve(config).model_dump(mode="json", exclude_none=True)


def test_predictions_give_the_metrics_again(make_config, tmp_path):
    result = train(make_config(), tmp_path / "run")
    with np.load(tmp_path / "run" / "test_predictions.npz", allow_pickle=False) as stored:
        for number, name in enumerate(stored["patterns"]):
            known = stored["predicted"][number] >= 0
            hits = stored["predicted"][number][known] == stored["reference"][known]
            assert known.sum() == result.patterns[name]["n"]
            assert hits.mean() == pytest.approx(result.patterns[name]["oa"])
        data = prepare(make_config())
        test = data.splits[0].test
        assert np.array_equal(stored["row"], data.scenes[0].rows[test])
        assert np.array_equal(stored["reference"], data.scenes[0].classes[test])


def test_same_seed_same_weights(make_config, tmp_path):
    for name in ("one", "two"):
        train(make_config(), tmp_path / name)
    train(make_config(training={"seed": 1}), tmp_path / "three")
    assert same_weights(tmp_path / "one", tmp_path / "two")
    assert not same_weights(tmp_path / "one", tmp_path / "three")


@pytest.mark.parametrize("stop_at", [1, 4])
def test_cancelled_and_resumed_equals_uninterrupted(make_config, tmp_path, stop_at):
    config = make_config()
    train(config, tmp_path / "whole")
    steps, started = [], time.monotonic()

    class Counter(SilentProgress):
        def step(self, stage, done, total, unit=""):
            steps.append((stage, done))

    with pytest.raises(Cancelled, match=f"after step {stop_at} of 6"):
        train(config, tmp_path / "parts", progress=Counter(), cancelled=lambda: ("training", stop_at) in steps)
    assert not (tmp_path / "parts" / "model.safetensors").exists()
    # Reading and waiting of the first sitting are part of the job, as are its steps.
    path = tmp_path / "parts" / "checkpoint" / "state.json"
    state = json.loads(path.read_text())
    assert state["progress"]["seconds"] < state["progress"]["job_seconds"] < time.monotonic() - started
    state["progress"]["job_seconds"] += 1e4
    path.write_text(json.dumps(state))
    resumed = train(config, tmp_path / "parts", resume=True)
    assert 1e4 < resumed.seconds < 1e4 + time.monotonic() - started
    told = [json.loads((tmp_path / "parts" / name).read_text()) for name in ("metrics.json", "report.json")]
    assert told[0]["seconds"] == told[1]["run"]["seconds"] == round(resumed.seconds, 1)
    assert same_weights(tmp_path / "whole", tmp_path / "parts")
    histories = [(tmp_path / name / "history.csv").read_text().splitlines() for name in ("whole", "parts")]
    without_time = [[[*line.split(",")[:1], *line.split(",")[2:]] for line in lines] for lines in histories]
    assert without_time[0] == without_time[1]


def test_killed_then_interrupted_then_resumed_equals_uninterrupted(make_job, tmp_path):
    job = make_job(steps=60, training={"checkpoint_seconds": 0, "validate_every": 20})
    config = parse_config(job)
    train(config, tmp_path / "whole")
    file = tmp_path / "job.toml"
    file.write_text(to_toml(config))
    command = [
        sys.executable, "-m", "engine.train", str(file), "--out", str(tmp_path / "parts"),
        "--device", "cpu", "--precision", "float32", "--threads", "1",
    ]  # fmt: skip
    assert run_until(command, tmp_path / "parts", 5, signal.SIGKILL) == -signal.SIGKILL
    after_kill = stored_step(tmp_path / "parts")
    assert run_until([*command, "--resume"], tmp_path / "parts", after_kill + 5, signal.SIGINT) == 3
    assert after_kill < stored_step(tmp_path / "parts") < 60
    train(config, tmp_path / "parts", resume=True)
    assert same_weights(tmp_path / "whole", tmp_path / "parts")


def stored_step(run):
    try:
        return json.loads((run / "checkpoint" / "state.json").read_text())["step"]
    except FileNotFoundError:
        return 0


def run_until(command, run, step, with_signal):
    """Start a training, send it a signal once its checkpoint has reached a step, return its exit code."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, cwd=root, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240  # a busy machine takes long to import torch
    while stored_step(run) < step and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(with_signal)
    return process.wait(timeout=240)


def test_an_existing_run_is_not_overwritten(make_config, tmp_path):
    train(make_config(steps=1), tmp_path / "run")
    with pytest.raises(OutputError, match="--resume"):
        train(make_config(steps=1), tmp_path / "run")


def test_resuming_another_job_is_an_error(make_config, tmp_path):
    config, spy = make_config(), Spy()
    with pytest.raises(Cancelled):
        train(config, tmp_path / "run", progress=spy, cancelled=lambda: "training" in spy.stages)
    written = (tmp_path / "run" / "config.toml").read_bytes()
    other = config.model_copy(update={"training": config.training.model_copy(update={"learning_rate": 0.5})})
    with pytest.raises(ResumeError, match=r"training\.learning_rate = 0\.\d+, now it is 0\.5"):
        train(other, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "config.toml").read_bytes() == written  # still what the checkpoint was trained with


def test_a_run_without_a_checkpoint_may_be_resumed_with_other_settings(make_config, tmp_path):
    """Nothing was trained yet; the settings of the new sitting are those that are written, before any work is done."""
    with pytest.raises(Cancelled):
        train(make_config(), tmp_path / "run", cancelled=lambda: True)
    assert load_config(tmp_path / "run" / "config.toml").training.steps == 6
    train(make_config(steps=1, split={"seed": 3}), tmp_path / "run", resume=True)
    assert load_config(tmp_path / "run" / "config.toml").training.steps == 1
    train(make_config(steps=1, split={"seed": 3}), tmp_path / "fresh")
    assert same_weights(tmp_path / "run", tmp_path / "fresh")


def test_out_below_a_file_is_an_output_error(make_config, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        train(make_config(), tmp_path / "file" / "run")


def test_warm_start_with_another_modality_and_classes(make_config, make_job, tmp_path):
    first = train(make_config(), tmp_path / "first")
    job = make_job(folder="other", classes=4, seed=5, steps=1)
    files = job["scene"][0]["modalities"]
    job["scene"][0]["modalities"] = {"c": files["b"], "b": files["b"], "a": files["a"]}
    job["training"] |= {"learning_rate": 1e-12, "average": 0.0}
    train(parse_config(job), tmp_path / "second", init=first.model)
    old, new = tensors(tmp_path / "first"), tensors(tmp_path / "second")
    for there, here in (("stems.0.pixels.weight", "stems.2.pixels.weight"), ("backbone.blocks.0.qkv.weight",) * 2):
        assert np.allclose(old[there], new[here], atol=1e-6)


def test_warm_start_of_another_architecture_is_an_error(make_config, tmp_path):
    first = train(make_config(steps=1), tmp_path / "first")
    with pytest.raises(ConfigError, match=r"model\.width = 32"):
        train(make_config(model={"width": 32}), tmp_path / "second", init=first.model)


def test_two_scenes_of_which_one_lacks_a_sensor(make_job, tmp_path):
    job, other = make_job(), make_job(folder="other", seed=1)
    lacking = other["scene"][0]
    del lacking["modalities"]["b"]
    result = train(parse_config(job | {"scene": [*job["scene"], lacking]}), tmp_path / "run")
    assert result.patterns["a"]["n"] == 1000
    assert result.patterns["a+b"]["n"] <= 500


@pytest.mark.parametrize(
    ("model", "training", "missing"),
    [
        ({"readout": "centre", "core": None, "window": 6, "token_px": 1}, {}, {}),
        ({"method": "linear"}, {"teaching": 0.0, "average": 0.0}, {"rate": 0.0}),
        ({}, {"balance": "weights", "epochs": 1, "accumulate": 2, "patience": 1}, {"protocol": "paper"}),
        ({}, {"balance": "none", "augment": False, "noise": 0}, {"absent": "dummy"}),
    ],
)
def test_other_settings_run(make_config, tmp_path, model, training, missing):
    split = {"train_per_class": 20, "buffer_px": 0}
    result = train(make_config(model=model, training=training, missing=missing, split=split), tmp_path / "run")
    assert result.patterns["a+b"]["n"] > 0


def test_no_validation_side_keeps_the_last_weights(make_config, tmp_path):
    spy = Spy()
    result = train(make_config(split={"validation_fraction": 0}), tmp_path / "run", progress=spy)
    assert result.patterns["a"]["n"] == 500
    assert read_info(result.model).training["best_step"] == 6
    assert any("no validation pixels" in message for message in spy.messages)


@pytest.mark.gpu
def test_bfloat16_on_a_gpu(make_config, tmp_path):
    config = make_config(steps=30, training={"learning_rate": 3e-3})
    result = run_training(config, tmp_path / "run", device="cuda", precision="bfloat16")
    assert result.patterns["a"]["oa"] > 0.5


def test_the_report_shows_maps_floors_and_calibration(make_config, tmp_path, monkeypatch):
    """With the floors that `engine.train --floors` measures, small forests here."""
    from engine.benchmarks import floors

    monkeypatch.setattr(floors, "TREES", 5)
    monkeypatch.setattr(floors, "CLASSIFIERS", ("forest",))
    train(make_config(steps=12), tmp_path / "run", floors=lambda data: floors.chosen_floors(data, threads=1))
    facts = json.loads((tmp_path / "run" / "report.json").read_text())
    assert facts["floor"] in ("forest 1x1 specialists", "forest 5x5 specialists")
    for name in ("a+b", "a", "b"):
        part = facts["patterns"][name]
        assert 0 < part["floor_oa"] <= 1 and 0 <= part["calibration_error"] <= 1
        assert sum(item["n"] for item in part["reliability_before"]) == part["n"]
    worth = facts["sensors"]
    gains = [sensor["value"]["oa"] for sensor in worth["sensors"].values()]
    together = worth["sensors"]["a"]["alone"]["oa"] + worth["sensors"]["b"]["last"]["oa"]
    assert worth["none"]["oa"] + sum(gains) == pytest.approx(together)
    html = (tmp_path / "run" / "report.html").read_text()
    assert html.count('src="data:image/png') == 4  # labels, a+b, a, b
    assert "rows 0 to 95, columns 0 to 95" in html and "floor OA" in html
    assert (
        facts["run"]["model_sha256"]
        == hashlib.sha256((tmp_path / "run" / "model.safetensors").read_bytes()).hexdigest()
    )
