"""The command end to end on a small scene: stored, paired, resumed."""

import json

import pytest

from engine.benchmarks import floors
from engine.benchmarks.speed import rates

SETTINGS = """
[split]
block_px = 12
[model]
window = 8
token_px = 2
width = 16
depth = 1
heads = 1
[training]
steps = 3
batch_size = 4
validate_every = 3
"""


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(rates, "_SECONDS", 0.01)
    monkeypatch.setattr(floors, "CLASSIFIERS", ("forest",))
    monkeypatch.setattr(floors, "TREES", 5)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_real_pairs_ours_with_floors_and_goes_on(make_scene, run_command, tmp_path, small, monkeypatch):
    config, out = make_scene(SETTINGS), tmp_path / "out"
    arguments = ("real", "--config", config, "--out", out, "--seeds", "2", "--threads", "1", "--device", "cpu")
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    runs = lines(out / "runs.jsonl")
    assert len(runs) == 2 * (3 * 4 + 1)
    assert len({run["pixels"] for run in runs if run["seed"] == 0}) == 1
    tables = (out / "tables.md").read_text()
    assert "optical+height" in tables and "2 seeds" in tables
    header = (out / "pairs.csv").read_text().splitlines()[0]
    assert header.startswith("case,first,second,pattern,seeds,pixels,oa_one")

    monkeypatch.setattr("engine.benchmarks.suites.run_training", None)  # nothing is run again
    monkeypatch.setattr("engine.benchmarks.floors._score", None)
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    assert lines(out / "runs.jsonl") == runs


def test_readouts_have_speeds(make_scene, run_command, tmp_path, small):
    out = tmp_path / "out"
    arguments = ("--config", make_scene(SETTINGS), "--out", out, "--seeds", "1", "--threads", "1", "--device", "cpu")
    code, _, err = run_command("benchmark", "readouts", *arguments)
    assert code == 0, err
    tables = (out / "tables.md").read_text()
    assert "pixels per second" in tables and "### mamol and mamol centre" in tables


def test_compare_pairs_any_settings(make_scene, run_command, tmp_path, small):
    """The first method beside the others, on the same pixels."""
    out = tmp_path / "out"
    arguments = ("--config", make_scene(SETTINGS), "--out", out, "--seeds", "2", "--threads", "1", "--device", "cpu")
    methods = ("--method", "as shipped", "--method", "no adapters", "model.dynamic_experts=0",
               "model.shared_expert=false", "model.modality_experts=false", "model.window=4")  # fmt: skip
    code, _, err = run_command("benchmark", "compare", *arguments, *methods)
    assert code == 0, err
    assert "### as shipped and no adapters" in (out / "tables.md").read_text()
    runs = lines(out / "runs.jsonl")
    assert [run["method"] for run in runs] == 2 * ["as shipped", "no adapters"]
    assert runs[0]["pixels"] == runs[1]["pixels"] != runs[2]["pixels"]


def test_bad_input_is_told(run_command, tmp_path):
    assert "nothing to measure on" in run_command("benchmark", "floors", "--out", tmp_path)[2]
    job = ("--config", tmp_path / "job.toml")
    for methods in ((), ("--method", "one", "--method", "one", "model.width=9")):
        assert "names of their own" in run_command("benchmark", "compare", "--out", tmp_path, *job, *methods)[2]
    data = ("--data", tmp_path, "--out", tmp_path / "out")
    assert "unknown case" in run_command("benchmark", "floors", *data, "--cases", "mars")[2]
    code, _, err = run_command("benchmark", "floors", *data)
    assert code == 2 and "no such folder" in err
