"""The command end to end on a small scene: stored, paired, resumed."""

import csv
import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from engine.benchmarks import cases, floors, overlap, roads, sparse_centre, suites
from engine.benchmarks.speed import rates
from engine.config import load_config
from engine.training.prepare import resolve
from tests.benchmarks.test_simulator import SMALL as SMALL_SHAPE

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
    with (out / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["family"], row["pixels"]) for row in rows] == [
        (run["method"], run["family"], run["pixels"]) for run in runs
    ]
    assert all(row["device"] and int(row["test_pixels"]) > 0 for row in rows)
    ours = next(row for row in rows if not row["family"])
    assert ours["torch"] and ours["precision"] and int(ours["parameters"]) > int(ours["method_parameters"]) > 0
    assert (ours["steps"], ours["backbone"], ours["scikit-learn"]) == ("3", "compact", "")
    header = (out / "pairs.csv").read_text().splitlines()[0]
    assert header.startswith("case,first,second,pattern,seeds,pixels,oa_one")

    monkeypatch.setattr("engine.benchmarks.suites.run_training", None)  # nothing is run again
    monkeypatch.setattr("engine.benchmarks.floors._score", None)
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    assert lines(out / "runs.jsonl") == runs


def test_simulated_is_real_on_made_up_scenes(run_command, tmp_path, small, monkeypatch):
    """All shapes, or those that are asked for; our training beside the floors; no scene of anybody's."""
    shape = replace(SMALL_SHAPE, rows=40, cols=48, bands={"hsi": 12, "sar": 2})
    monkeypatch.setattr(cases, "Case", partial(cases.Case, contexts_px=(1,)))
    monkeypatch.setattr(cases, "SHAPES", {"trento": shape, "augsburg3": shape})
    keys = ("split.buffer_px=0", "model.window=8", "model.token_px=2", "model.width=16", "model.depth=1",
            "model.heads=1", "training.steps=3", "training.batch_size=4")  # fmt: skip
    arguments = ("simulated", "--out", tmp_path / "out", "--seeds", "1", "--threads", "1", "--device", "cpu",
                 *(part for key in keys for part in ("--set", key)))  # fmt: skip
    code, _, err = run_command("benchmark", *arguments, "--simulated", "augsburg3")
    assert code == 0, err
    first = lines(tmp_path / "out" / "runs.jsonl")
    assert {run["case"] for run in first} == {"simulated_augsburg3_1"}
    assert {run["method"] for run in first if not run["family"]} == {"mamol"} and len({r["pixels"] for r in first}) == 1
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    runs = lines(tmp_path / "out" / "runs.jsonl")
    assert runs[: len(first)] == first and len(runs) == 2 * len(first)
    assert "## simulated_trento_1" in (tmp_path / "out" / "tables.md").read_text()
    for option in ("--data", "--config"):
        code, _, err = run_command("benchmark", *arguments, option, tmp_path)
        assert code == 2 and "real --simulated A,B measures on both" in err


def test_readouts_have_speeds(make_scene, run_command, tmp_path, small, monkeypatch):
    short = {name: (*settings, "training.steps=3") for name, settings in suites.READOUTS.items()}
    monkeypatch.setattr(suites, "READOUTS", short)
    out = tmp_path / "out"
    arguments = ("--config", make_scene(SETTINGS), "--out", out, "--seeds", "1", "--threads", "1", "--device", "cpu")
    code, _, err = run_command("benchmark", "readouts", *arguments)
    assert code == 0, err
    tables = (out / "tables.md").read_text()
    assert "pixels per second" in tables and "### mamol and mamol centre" in tables


def test_the_frontier_has_every_road(make_scene, run_command, tmp_path, small, monkeypatch):
    """Both read-outs are trained and timed, and the sparse mode costs as many windows of `centre` as it says."""
    few = {name: settings for name, settings in roads.ROADS.items() if name in (suites.OURS, suites.CENTRE)}
    monkeypatch.setattr(roads, "ROADS", {name: (*settings, "training.steps=3") for name, settings in few.items()})
    out = tmp_path / "out"
    arguments = ("--config", make_scene(SETTINGS), "--out", out, "--seeds", "1", "--threads", "1", "--device", "cpu")
    code, _, err = run_command("benchmark", "frontier", *arguments)
    assert code == 0, err
    runs = {run["method"]: run for run in lines(out / "runs.jsonl")}  # the last of each: with its facts
    for every in sparse_centre.EVERY_PX:
        sparse, centre = runs[sparse_centre.method_name(every)], runs[suites.CENTRE]
        assert sparse["pixels"] == centre["pixels"] and sparse["test"].keys() == centre["test"].keys()
        windows = sparse["facts"][sparse_centre.WINDOWS]
        assert 1 / every**2 <= windows <= 1
        rates_of = [run["facts"]["pixels_per_second"] for run in (centre, sparse)]
        assert rates_of[1] == pytest.approx(rates_of[0] / windows)
    assert "every 4 px" in (out / "tables.md").read_text()
    monkeypatch.setattr(sparse_centre, "_scored", None)
    assert run_command("benchmark", "frontier", *arguments)[0] == 0


def test_a_sparse_map_asks_where_neighbours_disagree():
    """Grid of every 4th of 10 pixels: 0, 4, 8; pixels on it are their own neighbours, the last has none behind it."""
    before, after = sparse_centre.corners(np.array([0, 3, 4, 7, 8, 9]), 10, 4)
    assert before.tolist() == [0, 0, 4, 4, 8, 8] and after.tolist() == [0, 4, 4, 8, 8, 8]
    around = np.array([[1, 1, -1], [1, 2, -1], [1, 1, -1], [1, 1, -1]])
    classes, refined = sparse_centre.merged(around, own=np.array([5, 6, 7]))
    assert classes.tolist() == [1, 6, 7] and refined.tolist() == [False, True, True]


def test_all_roads_are_settings_that_fit(make_scene):
    """None names an unknown key or sizes that do not fit each other."""
    for settings in roads.ROADS.values():
        resolve(load_config(make_scene(), settings))


def test_compare_pairs_any_settings(make_scene, run_command, tmp_path, small):
    """The first method beside the others, on the same pixels."""
    out = tmp_path / "out"
    arguments = ("--config", make_scene(SETTINGS), "--out", out, "--seeds", "2", "--threads", "1", "--device", "cpu")
    methods = ("--method", "as shipped", "--method", "no/adapters", "model.dynamic_experts=0",
               "model.shared_expert=false", "model.modality_experts=false", "model.window=4")  # fmt: skip
    code, _, err = run_command("benchmark", "compare", *arguments, *methods)
    assert code == 0, err
    tables = (out / "tables.md").read_text()
    assert "### as shipped and no/adapters" in tables and "pixels per second" in tables
    runs = [run for run in lines(out / "runs.jsonl") if "pixels_per_second" not in run["facts"]]
    assert [run["method"] for run in runs] == 2 * ["as shipped", "no/adapters"]
    assert runs[0]["pixels"] == runs[1]["pixels"] != runs[2]["pixels"]
    assert (out / "frontier.png").stat().st_size > 5000


def test_overlap_scores_maps(make_scene, run_command, tmp_path, small, monkeypatch):
    """Maps are scored where training was, with every pattern; what is done is not done again."""
    monkeypatch.setattr(overlap, "OVERLAPS", (1, 2))
    out = tmp_path / "out"
    arguments = ("--config", make_scene(SETTINGS), "--out", out, "--seeds", "1", "--threads", "1", "--device", "cpu",
                 "--precision", "float32")  # fmt: skip
    code, _, err = run_command("benchmark", "overlap", *arguments)
    assert code == 0, err
    trained, *maps = lines(out / "runs.jsonl")
    assert [run["method"] for run in maps] == ["overlap 1", "overlap 2"]
    for run in maps:
        assert run["test"].keys() == trained["test"].keys() and run["pixels"] == trained["pixels"]
        assert 0 < run["facts"]["consistency"] <= 1 and run["facts"]["pixels_per_second"] > 0
        # Another window around each pixel: nearly the same answers as in training's test.
        assert all(abs(run["test"][name]["oa"] - scores["oa"]) < 0.2 for name, scores in trained["test"].items())
    assert "same class when shifted" in (out / "tables.md").read_text()
    monkeypatch.setattr(overlap, "_mapped", None)
    assert run_command("benchmark", "overlap", *arguments)[0] == 0


def test_bad_input_is_told(run_command, tmp_path):
    assert "nothing to measure on" in run_command("benchmark", "floors", "--out", tmp_path)[2]
    job = ("--config", tmp_path / "job.toml")
    for methods in ((), ("--method", "one", "--method", "one", "model.width=9")):
        assert "names of their own" in run_command("benchmark", "compare", "--out", tmp_path, *job, *methods)[2]
    data = ("--data", tmp_path, "--out", tmp_path / "out")
    assert "unknown case" in run_command("benchmark", "floors", *data, "--cases", "mars")[2]
    code, _, err = run_command("benchmark", "floors", *data)
    assert code == 2 and "no such folder" in err
