"""The command end to end on a small scene: stored, paired, resumed."""

import csv
import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from engine.benchmarks import bench, floors, suites
from engine.benchmarks.readouts import overlap, roads, sparse_centre
from engine.benchmarks.scenes import cases
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
    runs = lines(out / "real.jsonl")
    assert len(runs) == 2 * (3 * 4 + 1)
    assert len({run["pixels"] for run in runs if run["seed"] == 0}) == 1
    tables = (out / "real.md").read_text()
    assert "optical+height" in tables and "2 seeds" in tables
    with (out / "real.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["family"], row["pixels"]) for row in rows] == [
        (run["method"], run["family"], run["pixels"]) for run in runs
    ]
    assert all(row["device"] and int(row["test_pixels"]) > 0 for row in rows)
    ours = next(row for row in rows if not row["family"])
    assert ours["torch"] and ours["precision"] and int(ours["parameters"]) > int(ours["method_parameters"]) > 0
    assert (ours["steps"], ours["backbone"], ours["scikit-learn"]) == ("3", "compact", "")
    header = (out / "real_pairs.csv").read_text().splitlines()[0]
    assert header.startswith("case,first,second,pattern,seeds,pixels,oa_one")

    monkeypatch.setattr("engine.benchmarks.suites.run_training", None)  # nothing is run again
    monkeypatch.setattr("engine.benchmarks.floors._score", None)
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    assert lines(out / "real.jsonl") == runs


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
    first = lines(tmp_path / "out" / "simulated.jsonl")
    assert {run["case"] for run in first} == {"simulated_augsburg3_1"}
    assert {run["method"] for run in first if not run["family"]} == {"mamol"} and len({r["pixels"] for r in first}) == 1
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    runs = lines(tmp_path / "out" / "simulated.jsonl")
    assert runs[: len(first)] == first and len(runs) == 2 * len(first)
    assert "## simulated_trento_1" in (tmp_path / "out" / "simulated.md").read_text()
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
    tables = (out / "readouts.md").read_text()
    assert "pixels per second" in tables and "### mamol and mamol centre" in tables


def test_the_frontier_has_every_road(make_scene, run_command, tmp_path, small, monkeypatch):
    """Both read-outs are trained and timed, and the sparse mode costs as many windows of `centre` as it says."""
    few = {name: settings for name, settings in roads.ROADS.items() if name in (suites.OURS, suites.CENTRE)}
    monkeypatch.setattr(roads, "ROADS", {name: (*settings, "training.steps=30") for name, settings in few.items()})
    monkeypatch.setattr(sparse_centre, "EVERY_PX", (1, 4))
    out = tmp_path / "out"
    arguments = ("--config", make_scene(SETTINGS), "--out", out, "--seeds", "1", "--threads", "1", "--device", "cpu")
    code, _, err = run_command("benchmark", "frontier", *arguments)
    assert code == 0, err
    runs = {run["method"]: run for run in lines(out / "frontier.jsonl")}  # the last of each: with its facts
    for every in sparse_centre.EVERY_PX:
        sparse, centre = runs[sparse_centre.method_name(every)], runs[suites.CENTRE]
        assert sparse["pixels"] == centre["pixels"] and sparse["test"].keys() == centre["test"].keys()
        windows = sparse["facts"][sparse_centre.WINDOWS]
        assert 1 / every**2 <= windows <= 1
        rates_of = [run["facts"]["pixels_per_second"] for run in (centre, sparse)]
        assert rates_of[1] == pytest.approx(rates_of[0] / windows)
        if every == 1:  # all pixels are asked: nothing but `centre` itself
            for name, scores in sparse["test"].items():
                assert scores["oa"] == pytest.approx(centre["test"][name]["oa"], abs=0.01), name
    assert "every 4 px" in (out / "frontier.md").read_text()
    monkeypatch.setattr(sparse_centre, "_scored", None)
    assert run_command("benchmark", "frontier", *arguments)[0] == 0


def test_windows_of_different_sizes_get_the_buffer_of_the_largest(make_scene, tmp_path):
    """Otherwise a large window of one method would see test pixels while it learns."""
    asked = bench.Bench(
        "compare", tmp_path, [cases.Case("scene", make_scene())], [0], [], "cpu", "float32", 1, None, lambda: False
    )
    methods = {"small": ("model.window=8", "model.core=4"), "large": ("model.window=24", "model.core=4")}
    for order in (methods, dict(reversed(methods.items()))):
        found = suites.paired_configs(asked, asked.cases[0], 0, order)
        assert [config.split.buffer_px for config in found.values()] == [12, 12]


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
    tables = (out / "compare.md").read_text()
    assert "### as shipped and no/adapters" in tables and "pixels per second" in tables
    runs = [run for run in lines(out / "compare.jsonl") if "pixels_per_second" not in run["facts"]]
    assert [run["method"] for run in runs] == 2 * ["as shipped", "no/adapters"]
    assert runs[0]["pixels"] == runs[1]["pixels"] != runs[2]["pixels"]
    assert (out / "compare.png").stat().st_size > 5000


def test_overlap_scores_maps(make_scene, run_command, tmp_path, small, monkeypatch):
    """Maps are scored where training was, with every pattern; what is done is not done again."""
    monkeypatch.setattr(overlap, "OVERLAPS", (1, 2))
    out = tmp_path / "out"
    arguments = ("--config", make_scene(SETTINGS), "--out", out, "--seeds", "1", "--threads", "1", "--device", "cpu",
                 "--precision", "float32")  # fmt: skip
    code, _, err = run_command("benchmark", "overlap", *arguments)
    assert code == 0, err
    trained, *maps = lines(out / "overlap.jsonl")
    assert [run["method"] for run in maps] == ["overlap 1", "overlap 2"]
    for run in maps:
        assert run["test"].keys() == trained["test"].keys() and run["pixels"] == trained["pixels"]
        assert 0 < run["facts"]["consistency"] <= 1 and run["facts"]["pixels_per_second"] > 0
        # Another window around each pixel: nearly the same answers as in training's test.
        assert all(abs(run["test"][name]["oa"] - scores["oa"]) < 0.2 for name, scores in trained["test"].items())
    assert "same class when shifted" in (out / "overlap.md").read_text()
    monkeypatch.setattr(overlap, "_mapped", None)
    assert run_command("benchmark", "overlap", *arguments)[0] == 0


def test_a_changed_job_is_not_mixed_with_the_old(make_scene, run_command, tmp_path, small, monkeypatch):
    """Neither trainings nor floors: what is stored was made of another job."""
    monkeypatch.setattr(floors, "CONTEXTS_PX", (1,))
    config, out = make_scene(SETTINGS), tmp_path / "out"
    arguments = ("real", "--config", config, "--out", out, "--threads", "1", "--device", "cpu", "--seeds")
    assert run_command("benchmark", *arguments, "1")[0] == 0
    before = config.read_text()
    config.write_text(before.replace("steps = 3", "steps = 4"))
    code, _, err = run_command("benchmark", *arguments, "2")
    assert code == 2 and "mamol on" in err and "another job" in err and "new --out" in err
    config.write_text(before.replace("block_px = 12", "block_px = 16"))
    code, _, err = run_command("benchmark", *arguments, "2")
    assert code == 2 and "floors of" in err and "other pixels" in err and "new --out" in err
    config.write_text(before)
    code, _, err = run_command("benchmark", *arguments, "2", "--set", "training.prior_correction=1")
    assert code == 2 and "floors of" in err
    config.write_text(before.replace("[scene]\n", "[scene]\nname = 'another'\n", 1))
    code, _, err = run_command("benchmark", *arguments, "2")
    assert code == 2 and "floors of" in err and "other scenes" in err and "new --out" in err
    assert [run["seed"] for run in lines(out / "real.jsonl") if not run["family"]] == [0]


def test_suites_do_not_mix(make_scene, run_command, tmp_path, small, monkeypatch):
    """In one --out every suite has runs and tables of its own, with windows of its own."""
    monkeypatch.setattr(suites, "READOUTS", {suites.OURS: ("training.steps=3",)})
    config, out = make_scene(SETTINGS), tmp_path / "out"
    arguments = ("--config", config, "--out", out, "--seeds", "1", "--threads", "1", "--device", "cpu")
    wide = ("--method", "narrow", "training.steps=2", "--method", suites.OURS, "model.window=16")
    for suite, more in (("readouts", ()), ("compare", wide)):
        code, _, err = run_command("benchmark", suite, *arguments, *more)
        assert code == 0, err
    assert next(run["method"] for run in lines(out / "readouts.jsonl")) == suites.OURS
    assert {run["method"] for run in lines(out / "compare.jsonl")} == {"narrow", suites.OURS}
    assert "narrow" not in (out / "readouts.md").read_text()


def test_nothing_is_trained_where_a_method_does_not_fit(make_scene, run_command, tmp_path, small):
    """Told before the first training, not after hours of others."""
    code, _, err = run_command(
        "benchmark", "compare", "--config", make_scene(SETTINGS), "--out", tmp_path / "out", "--seeds", "1",
        "--method", "fits", "--method", "does not", "model.window=7",
    )  # fmt: skip
    assert code == 2 and "window" in err and not (tmp_path / "out" / "compare.jsonl").exists()


def test_scenes_have_names_of_their_own(make_scene, run_command, tmp_path):
    """Else the second would be taken for the first, and never be run."""
    text = make_scene(SETTINGS).read_text()
    one, two = (tmp_path / folder / "job.toml" for folder in ("here", "there"))
    for path in (one, two):
        path.parent.mkdir()
        path.write_text(text)
    code, _, err = run_command("benchmark", "real", "--config", one, "--config", two, "--out", tmp_path / "out")
    assert code == 2 and "2 scenes are called" in err and "rename" in err


def test_every_name_has_a_folder_of_its_own():
    names = ["a b", "a,b", "a_b", "..", ".", "cache", "A/../b", "MaMOL + MM", "simulated_trento_0.5"]
    folders = [bench.folder_name(name) for name in names]
    assert len(set(folders)) == len(names) and not any("/" in name or name.strip(".") == "" for name in folders)
    assert bench.folder_name("simulated_trento_0.5") == "simulated_trento_0.5"


def test_a_job_is_known_by_what_it_says(make_scene):
    """Its settings and layers, wherever its files and weights lie."""
    config = load_config(make_scene(SETTINGS))
    digest = bench.job_digest(config)
    layers = config.scene[0].modalities
    moved = {
        name: layer.model_copy(update={"path": "/elsewhere" / layer.path.relative_to("/")})
        for name, layer in layers.items()
    }

    def told(**scene):
        return bench.job_digest(config.model_copy(update={"scene": (config.scene[0].model_copy(update=scene),)}))

    assert told(modalities=moved) == digest
    assert told(modalities=dict(list(layers.items())[:1])) != digest
    assert bench.job_digest(load_config(make_scene(SETTINGS), ("training.steps=5",))) != digest


def test_windows_of_a_sparse_map_are_counted():
    """By drawing one: every pixel of the grid has a window, and every other whose neighbours there disagree."""
    said = np.random.default_rng(0).integers(2, size=(24, 24)).repeat(4, 0).repeat(4, 1)[:93, :93]
    rows, cols = (index.ravel() for index in np.indices(said.shape))
    for every in (2, 4):
        (up, down), (left, right) = sparse_centre.corners(rows, 93, every), sparse_centre.corners(cols, 93, every)
        around = np.stack([said[r, c] for r in (up, down) for c in (left, right)])
        _, refined = sparse_centre.merged(around, said.ravel())
        on_grid = (rows % every == 0) & (cols % every == 0)
        assert not refined[on_grid].any()
        counted = float((on_grid | refined).mean())
        assert sparse_centre.windows_per_pixel(every, float(refined.mean())) == pytest.approx(counted, abs=0.02)


def test_bad_input_is_told(run_command, tmp_path):
    assert "nothing to measure on" in run_command("benchmark", "floors", "--out", tmp_path)[2]
    for arguments, words in (
        (("real", "--config", "c.toml", "--method", "a"), "--method: real does not take it"),
        (("real", "--config", "c.toml", "--cases", "scene_a"), "--cases: needs --data"),
        (("trento", "--config", "c.toml"), "--config: trento does not take it"),
        (("methods", "--simulated", "trento", "--tables", "1"), "--tables: methods does not take it"),
        (("methods", "--simulated", "trento", "--protocol", "standard"), "--protocol: methods does not take it"),
        (("methods", "trento"), "NAME: methods does not take it"),
        (("simulated", "trento"), "NAME: simulated does not take it"),
        (("simulated", "--data", "d"), "--data: real --simulated A,B measures on both"),
        (("trento", "--data", "d", "--difficulty", "0"), "--difficulty: is of simulated scenes"),
        (("real", "--data", "d", "--difficulty", "2"), "--difficulty: is of simulated scenes"),
        (("trento", "--difficulty", "-1"), "--difficulty -1: expected 0 to 3"),
        (("simulated", "--difficulty", "nan"), "--difficulty nan: expected 0 to 3"),
        (("speed", "--set", "x=1"), "--set: speed does not take it"),
        (("batch", "--seeds", "2"), "--seeds: batch does not take it"),
        (("real", "--config", "c.toml", "--pixels", "all"), "--pixels: real does not take it"),
        (("value", "--data", "d"), "--data: value does not take it"),
    ):
        code, _, err = run_command("benchmark", *arguments, "--out", tmp_path)
        assert code == 2 and words in err, err
    job = ("--config", tmp_path / "job.toml")
    for methods in ((), ("--method", "one", "--method", "one", "model.width=9")):
        assert "names of their own" in run_command("benchmark", "compare", "--out", tmp_path, *job, *methods)[2]
    data = ("--data", tmp_path, "--out", tmp_path / "out")
    assert "unknown case" in run_command("benchmark", "floors", *data, "--cases", "mars")[2]
    code, _, err = run_command("benchmark", "floors", *data)
    assert code == 2 and "no such folder" in err
