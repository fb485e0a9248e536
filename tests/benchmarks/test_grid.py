"""The grid of methods: run once, paired, told honestly."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from engine.benchmarks import floors
from engine.benchmarks.comparison import grid, methods, trial
from engine.benchmarks.comparison.trial import experts_apart, run_trial
from engine.benchmarks.runs import settings_text
from engine.config import load_config
from engine.training.loop import fit
from engine.training.outcome import Examiner
from engine.training.prepare import resolve
from tests.benchmarks.test_suites import SETTINGS
from tests.conftest import ROOT


def lines(path):
    """Stored trainings; floors are stored beside them."""
    runs = [json.loads(line) for line in path.read_text().splitlines()]
    return [run for run in runs if not run["family"]]


@pytest.fixture
def short(monkeypatch):
    """Few methods, few steps."""
    few = {name: methods.EVERY[name] for name in ("MaMOL", "MaMOL + MM", "DCP")}
    monkeypatch.setattr(floors, "TREES", 5)
    monkeypatch.setattr(grid, "STEPS", 3)
    monkeypatch.setattr(grid, "METHODS", (grid.Block("tokens", 70, few), grid.Block("shipped", 50, {"MaMOL": ()})))


def test_every_method_runs_once(make_scene, run_command, tmp_path, short, monkeypatch):
    """One training for all conditions of a method, on the same pixels; a second call does nothing but write tables."""
    out = tmp_path / "out"
    arguments = ("methods", "--config", make_scene(SETTINGS), "--out", out, "--seeds", "2", "--threads", "1",
                 "--device", "cpu")  # fmt: skip
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    runs = lines(out / "methods.jsonl")
    assert [(run["seed"], run["facts"]["reading"], run["method"]) for run in runs[:4]] == [
        (0, "tokens", "MaMOL"), (0, "tokens", "MaMOL + MM"), (0, "tokens", "DCP"), (0, "shipped", "MaMOL"),
    ]  # fmt: skip
    assert len(runs) == 8 and all(len(run["test"]) == len(run["validation"]) == 3 for run in runs)
    assert len({run["pixels"] for run in runs if run["seed"] == 0}) == 1
    assert not list((out / "runs").rglob("cache")) and not list((out / "runs").rglob("*.safetensors"))
    text = (out / "methods.md").read_text()
    assert "| DCP | 2 |" in text and "tokens, 70 %" in text and "strongest missing" in text
    assert (out / "methods.html").read_text().count("data:image/png") == 1
    floors_of = 2 * 3 * 4  # seeds, neighbourhoods; specialists and mean-filled, corrected and not
    assert len((out / "methods.csv").read_text().splitlines()) == 1 + 8 + floors_of
    assert len((out / "methods_scores.csv").read_text().splitlines()) == 1 + 8 * 6 + floors_of // 2 * (6 + 3)
    monkeypatch.setattr(trial, "run_trial", None)
    assert run_command("benchmark", *arguments)[0] == 0
    assert lines(out / "methods.jsonl") == runs


def test_floors_of_another_job_are_found_before_the_first_training(make_scene, run_command, tmp_path, short, stop_at):
    """Hours of training must not end in a refusal that could have come first."""
    out = tmp_path / "out"
    arguments = ("methods", "--config", make_scene(SETTINGS), "--out", out, "--threads", "1", "--device", "cpu")
    assert run_command("benchmark", *arguments, "--seeds", "1")[0] == 0
    store = out / "methods.jsonl"
    runs = [json.loads(line) for line in store.read_text().splitlines()]
    for run in runs:
        if run["family"]:
            run["facts"]["job"] = "of long ago"
    store.write_text("".join(json.dumps(run) + "\n" for run in runs))
    calls = stop_at(trial, 0)
    code, _, err = run_command("benchmark", *arguments, "--seeds", "2")
    assert code == 2 and "seed 0, are of other scenes" in err and not calls


def test_a_stopped_grid_tells_what_it_knows(make_scene, run_command, tmp_path, short, stop_at):
    """Tables of the runs that are done; the same command then does the others."""
    calls = stop_at(trial, 2)
    out = tmp_path / "out"
    arguments = ("methods", "--config", make_scene(SETTINGS), "--out", out, "--seeds", "1", "--threads", "1",
                 "--device", "cpu")  # fmt: skip
    assert run_command("benchmark", *arguments)[0] == 3
    assert "| MaMOL | 1 |" in (out / "methods.md").read_text() and len(lines(out / "methods.jsonl")) == 1
    assert run_command("benchmark", *arguments)[0] == 0
    assert len(lines(out / "methods.jsonl")) == len(calls) - 1 == 4


def test_a_killed_grid_goes_on(make_scene, run_command, tmp_path, short):
    """Killed after its first run, at whatever it is; the same command, of few methods here, does each once."""
    out = tmp_path / "out"
    arguments = ("methods", "--config", make_scene(SETTINGS), "--out", out, "--seeds", "1", "--threads", "1",
                 "--device", "cpu", "--set", "training.steps=2", "--set", "split.test_pixels=200")  # fmt: skip
    command = [sys.executable, "-m", "engine.benchmark", *map(str, arguments)]
    store = out / "methods.jsonl"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (store.exists() and store.stat().st_size):
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    before = store.read_text()
    assert before.endswith("\n") and not (out / "methods.md").exists()
    assert lines(store)[0]["method"] == "MaMOL"
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    assert store.read_text().startswith(before)  # what was stored is kept as it was, and every line is whole
    done = [(run["facts"]["reading"], run["facts"]["eta"], run["method"]) for run in lines(store)]
    assert len(set(done)) == len(done)
    assert set(done) >= {(block.reading, block.eta, name) for block in grid.METHODS for name in block.methods}
    assert len({run["pixels"] for run in lines(store)}) == 1


def test_search_chooses_by_validation(make_scene, run_command, tmp_path, short):
    """Settings beside the first of them, with what validation pixels say."""
    out = tmp_path / "out"
    code, _, err = run_command(
        "benchmark", "search", "--config", make_scene(SETTINGS), "--out", out, "--seeds", "2", "--threads", "1",
        "--device", "cpu", "--method", "as it is", "--method", "slow", "training.adapter_learning_rate=0.1",
    )  # fmt: skip
    assert code == 0, err
    runs = lines(out / "search.jsonl")
    assert [run["method"] for run in runs] == 2 * ["as it is", "slow"]
    table = (out / "search.md").read_text()
    row = next(line for line in table.splitlines() if line.startswith("| slow |")).split("|")

    def mean(method, side):
        scores = [run[side].values() for run in runs if run["method"] == method]
        return float(np.mean([np.mean([values["oa"] for values in patterns]) for patterns in scores]))

    for column, side in ((3, "validation"), (5, "test")):
        shown = row[column].split()
        assert float(shown[0]) == pytest.approx(100 * mean("slow", side), abs=0.051)
        change = 100 * (mean("slow", side) - mean("as it is", side))
        assert float(shown[1].strip("*")) == pytest.approx(change, abs=0.051)


def test_other_settings_are_not_mixed(make_scene, run_command, tmp_path, short, monkeypatch):
    """In one --out a method of a name has one set of settings, however they are written."""
    monkeypatch.setattr(grid, "METHODS", (grid.Block("tokens", 70, {"MaMOL": ()}),))
    arguments = ("methods", "--config", make_scene(SETTINGS), "--out", tmp_path / "out", "--seeds", "1", "--threads",
                 "1", "--device", "cpu", "--set", "model.rank=2", "--set")  # fmt: skip
    assert run_command("benchmark", *arguments, "training.noise=0.2")[0] == 0
    stored = lines(tmp_path / "out" / "methods.jsonl")
    code, _, err = run_command("benchmark", *arguments, "training.noise=0.3")
    assert code == 2 and "other settings" in err and "training.noise=0.2" in err and "new --out" in err
    again = ("training.noise=0.3", "--set", "training.noise=0.2")
    code, _, err = run_command("benchmark", *arguments, *again)
    assert code == 0, err
    assert lines(tmp_path / "out" / "methods.jsonl") == stored
    assert settings_text(("a=1", "model.weights=here", "b=2")) == settings_text(("b=3", "b=2", "a=1"))


def test_last_weights_are_kept(make_scene, run_command, tmp_path, short, monkeypatch):
    """Also with another number of steps: nothing is validated on the way, so no checkpoint is chosen."""
    done = []

    def kept(*arguments):
        done.append(run_trial(*arguments))
        return done[-1]

    monkeypatch.setattr(grid, "METHODS", (grid.Block("tokens", 70, {"MaMOL": ()}),))
    monkeypatch.setattr(trial, "run_trial", kept)
    code, _, err = run_command(
        "benchmark", "methods", "--config", make_scene(SETTINGS), "--out", tmp_path / "out", "--seeds", "1",
        "--threads", "1", "--device", "cpu", "--set", "training.steps=7",
    )  # fmt: skip
    assert code == 0, err
    assert [(entry["step"], trial.fitted.best_step) for trial in done for entry in trial.fitted.history] == [(7, 7)]


def test_a_trial_asks_its_validation_pixels_once(make_scene, run_command, tmp_path, short, monkeypatch):
    """At the end; what is stored is what they would say asked again, before anything is calibrated."""
    asked, done = [], []
    validation = Examiner.validation

    def counted(examiner, network, limit=None):
        asked.append((examiner, limit))
        return validation(examiner, network, limit)

    def kept(*arguments):
        done.append(run_trial(*arguments))
        (examiner,) = (examiner for examiner, limit in asked if limit is None)
        answers = validation(examiner, done[0].fitted.network)
        again = answers.confusions(done[0].data.names)
        assert done[0].validation == {name: confusion.summary() for name, confusion in again.items() if confusion.n}
        return done[0]

    monkeypatch.setattr(Examiner, "validation", counted)
    monkeypatch.setattr(grid, "METHODS", (grid.Block("tokens", 70, {"MaMOL": ()}),))
    monkeypatch.setattr(trial, "run_trial", kept)
    code, _, err = run_command(
        "benchmark", "methods", "--config", make_scene(SETTINGS), "--out", tmp_path / "out", "--seeds", "1",
        "--threads", "1", "--device", "cpu",
    )  # fmt: skip
    assert code == 0 and len(done[0].validation) == 3, err


def test_a_trial_counts_its_earlier_sittings(make_scene, run_command, tmp_path, short, monkeypatch):
    began = []

    def resumed(*arguments, started, **options):
        began.append(started)
        return replace(fit(*arguments, started=started, **options), earlier_seconds=1e4)

    monkeypatch.setattr(grid, "METHODS", (grid.Block("tokens", 70, {"MaMOL": ()}),))
    monkeypatch.setattr(trial, "fit", resumed)
    now = time.monotonic()
    code, _, err = run_command(
        "benchmark", "methods", "--config", make_scene(SETTINGS), "--out", tmp_path / "out", "--seeds", "1",
        "--threads", "1", "--device", "cpu",
    )  # fmt: skip
    assert code == 0, err
    (run,) = lines(tmp_path / "out" / "methods.jsonl")
    assert now < began[0] and 1e4 < run["seconds"] < 1e4 + time.monotonic() - now


def test_methods_share_windows(make_scene, run_command, tmp_path, short):
    """A setting that would need other windows than those that are shared is refused, not served with these."""
    code, _, err = run_command(
        "benchmark", "search", "--config", make_scene(SETTINGS), "--out", tmp_path / "out", "--seeds", "1",
        "--threads", "1", "--device", "cpu", "--method", "as it is", "--method", "wide", "model.window=16",
    )  # fmt: skip
    assert code == 2 and "wide" in err and "suite compare" in err
    assert not (tmp_path / "out" / "search.jsonl").exists()  # before hours of others, not after them


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("missing.rate=0.3", "--set missing.rate: this suite runs several"),
        ("model.pixels=true", "--set model.pixels: this suite runs several"),
        # Validation pixels, by which checkpoints are chosen, must not stand in for a test side.
        ("split.test_fraction=0", "split.test_fraction = 0 leaves no test pixels"),
    ],
)
def test_what_tables_rest_on_cannot_be_overridden(make_scene, run_command, tmp_path, override, words):
    code, _, err = run_command(
        "benchmark", "search", "--config", make_scene(SETTINGS), "--out", tmp_path / "out", "--set", override,
        "--method", "as it is", "--method", "wide", "model.width=32",
    )  # fmt: skip
    assert code == 2 and words in err


def test_every_setting_of_the_search_fits(make_scene):
    """None names an unknown key or a value out of range; each changes something."""
    jobs = {name: resolve(load_config(make_scene(), keys)) for name, keys in methods.SEARCH.items()}
    unchanged = jobs.pop(methods.MAMOL)
    assert len(jobs) > 15 and all(job != unchanged for job in jobs.values())


def test_frozen_needs_a_backbone(make_scene, run_command, tmp_path):
    code, _, err = run_command("benchmark", "frozen", "--config", make_scene(SETTINGS), "--out", tmp_path / "out")
    assert code == 2 and "frozen needs a pretrained backbone" in err


def test_experts_apart():
    """One block tells patterns apart by a half; the other serves two alike, and computes nothing for the third."""
    share = {"hsi+sar": [[0.5, 0.5], [0.2, 0.8]], "hsi": [[0.0, 1.0], [0.2, 0.8]], "sar": [[0.3, 0.7], [0.0, 0.0]]}
    experts = {"blocks": [0, 1], "patterns": {name: {"share": rows, "tokens": 9} for name, rows in share.items()}}
    assert experts_apart(experts) == {"experts_apart": pytest.approx(0.25)}
    assert experts_apart(None) == {}
    only = experts | {"patterns": {"sar": experts["patterns"]["sar"]}}
    assert experts_apart(only) == {}  # nothing to be apart from
