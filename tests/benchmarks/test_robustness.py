"""Modality-mix learning with every fusion, and sensors that lie."""

import json

import numpy as np
import pytest

from engine.benchmarks.comparison import grid, robustness, trial
from engine.benchmarks.comparison.robustness import disturbed, sampled_places
from engine.benchmarks.comparison.robustness_tables import LOOKS, write_robustness
from engine.benchmarks.runs import Run
from tests.benchmarks.test_suites import SETTINGS
from tests.conftest import write_scene


def test_robustness_pairs_fusions_and_goes_on(make_scene, run_command, tmp_path, monkeypatch, stop_at):
    """Stopped after its first run it leaves tables; the same command does the second, and a third call nothing."""
    monkeypatch.setattr(grid, "STEPS", 3)
    monkeypatch.setattr(robustness, "FUSIONS", {"concat": ('model.fusion="concat"',)})
    calls = stop_at(trial, 2)
    asked, ask = [], robustness.ask

    def watch(network, read, rows, cols, *rest, **keywords):
        asked.append(read(rows[:4] - 2, cols[:4] - 2, 8)[0])
        return ask(network, read, rows, cols, *rest, **keywords)

    monkeypatch.setattr(robustness, "ask", watch)
    out = tmp_path / "out"
    arguments = ("robustness", "--config", make_scene(SETTINGS), "--out", out, "--seeds", 1, "--threads", "1",
                 "--device", "cpu")  # fmt: skip
    assert run_command("benchmark", *arguments)[0] == 3
    assert (out / "robustness.md").exists() and len((out / "robustness.jsonl").read_text().splitlines()) == 1
    for _ in range(2):
        code, _, err = run_command("benchmark", *arguments)
        assert code == 0, err
    assert len(calls) == 3
    noised, shifted, elsewhere = asked[:3]  # of the first sensor: each shown otherwise, the second sensor as it is
    assert all((one[1] == other[1]).all() for one, other in ((noised, shifted), (shifted, elsewhere)))
    assert not any((one[0] == other[0]).all() for one, other in ((noised, shifted), (shifted, elsewhere)))
    runs = [json.loads(line) for line in (out / "robustness.jsonl").read_text().splitlines()]
    assert [run["method"] for run in runs] == ["concat", "concat + MM"]
    assert len((out / "robustness.csv").read_text().splitlines()) == 1 + 2
    alone = [look for look in robustness.DISTURBANCES if look != "foreign"]  # there is no other scene
    assert runs[0]["under"].keys() == {f"{sensor} {look}" for sensor in ("optical", "height") for look in alone}
    assert "| concat |" in (out / "robustness.md").read_text() and (out / "robustness_mixing.png").exists()


def test_what_is_trained_is_not_lost_before_it_is_stored(make_scene, run_command, tmp_path, monkeypatch):
    """Killed while sensors are disturbed, a training goes on from its last step; nothing is left of a stored one."""
    monkeypatch.setattr(grid, "STEPS", 3)
    monkeypatch.setattr(robustness, "FUSIONS", {"concat": ('model.fusion="concat"',)})
    out = tmp_path / "out"
    arguments = ("robustness", "--config", make_scene(SETTINGS), "--out", out, "--seeds", 1, "--threads", "1",
                 "--device", "cpu")  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(robustness, "disturbed_scores", None)
        assert run_command("benchmark", *arguments)[0] == 1
    (kept,) = out.glob("runs/**/checkpoints/*")
    assert any(kept.iterdir()) and not (out / "robustness.jsonl").exists()
    assert run_command("benchmark", *arguments)[0] == 0
    assert not list(out.glob("runs/**/checkpoints/*"))


@pytest.mark.parametrize("disturbance", robustness.DISTURBANCES)
def test_a_disturbed_sensor_lies(disturbance):
    """Only the sensor meant is changed, where it is valid, and as said; validity stays."""
    scene = np.random.default_rng(0).normal(size=(2, 1, 60, 80)).astype(np.float32)
    holes = np.random.default_rng(1).random((60, 80)) < 0.9

    def read(rows, cols, side):
        cuts = [(slice(r, r + side), slice(c, c + side)) for r, c in zip(rows, cols, strict=True)]
        valid = np.stack([np.stack([holes[cut]] * 2) for cut in cuts])
        return [np.stack([layer[:, *cut] for cut in cuts]) for layer in scene], valid

    def holes_at(row, col):
        return holes[row : row + 4, col : col + 4]

    rows, cols = np.array([5, 9]), np.array([50, 51])
    clean, valid = read(rows, cols, 4)
    places = sampled_places(read, 1, np.arange(10, 50), np.arange(20, 60), 4, seed=0)
    values, kept = disturbed(read, 1, disturbance, 0, places)(rows, cols, 4)
    assert np.array_equal(values[0], clean[0]) and np.array_equal(kept, valid)
    at = valid[:, 1, None]
    assert np.array_equal(values[1][~at], clean[1][~at])
    if disturbance == "noised":
        assert 0.3 < (values[1] - clean[1])[at].std() < 2
    elif disturbance == "shifted":
        moved, there = read(rows + 3, cols + 3, 4)
        at &= there[:, 1, None]
        assert np.array_equal(values[1][at], moved[1][at]) and np.array_equal(values[1][~at], clean[1][~at])
    elif disturbance == "foreign":
        seen = []
        for window, row, col in zip(values[1], rows, cols, strict=True):
            there = [found & holes_at(row, col) for found in places.valid]
            seen += [n for n, at in enumerate(there) if np.array_equal(window[:, at], places.values[n][:, at])]
        assert len(seen) == 2
    else:
        for window, row, col in zip(values[1], rows, cols, strict=True):
            shown = [
                number
                for number, (other, there) in enumerate(zip(places.values, places.valid, strict=True))
                if np.array_equal(window[:, there & holes_at(row, col)], other[:, there & holes_at(row, col)])
            ]
            distance = np.hypot(places.rows - row, places.cols - col)
            assert len(shown) == 1 and distance[shown[0]] >= np.median(distance)


def test_values_of_another_scene_are_shown(run_command, tmp_path, monkeypatch):
    """Two scenes of the same sensors: one lies with what the other shows there; other company is refused."""
    monkeypatch.setattr(grid, "STEPS", 3)
    monkeypatch.setattr(robustness, "FUSIONS", {"concat": ('model.fusion="concat"',)})
    shown = []
    sampled = robustness.sampled_places

    def watch(read, sensor, rows, cols, side, seed):
        shown.append((sensor, read(rows[:1] - side // 2, cols[:1] - side // 2, side)[0][sensor]))
        return sampled(read, sensor, rows, cols, side, seed)

    monkeypatch.setattr(robustness, "sampled_places", watch)
    for seed, name in enumerate(("one", "two")):
        (tmp_path / name).mkdir()
        write_scene(tmp_path / name, SETTINGS, seed=seed)
    first, second = (tmp_path / name / "config.toml" for name in ("one", "two"))
    out = tmp_path / "out"
    arguments = ("robustness", "--config", first, "--out", out, "--seeds", 1, "--threads", "1", "--device", "cpu")
    code, _, err = run_command("benchmark", *arguments, "--config", second)
    assert code == 0, err
    runs = [json.loads(line) for line in (out / "robustness.jsonl").read_text().splitlines()]
    assert [(run["case"], run["facts"]["foreign"]) for run in runs[::2]] == [("one", "two"), ("two", "one")]
    assert all(f"{name} foreign" in run["under"] for run in runs for name in ("optical", "height"))
    elsewhere, foreign = shown[:2]
    assert elsewhere[0] == foreign[0] == 0 and not np.array_equal(elsewhere[1], foreign[1])
    page = (out / "robustness.md").read_text()
    assert "| noised | shifted | elsewhere | foreign |" in page
    code, _, err = run_command("benchmark", *arguments)
    assert code == 2 and "concat on one, seed 0, was shown values of two, and now there is none" in err


def test_another_place_has_values():
    """Of a sensor that lies in one corner only, no empty window is shown; of one that is nowhere, none at all."""
    values = np.random.default_rng(0).normal(size=(1, 40, 40)).astype(np.float32)
    covered = np.zeros((40, 40), bool)
    covered[:16, :24] = True

    def read(rows, cols, side):
        cuts = [(slice(r, r + side), slice(c, c + side)) for r, c in zip(rows, cols, strict=True)]
        valid = np.stack([np.stack([covered[cut], np.zeros((side, side), bool)]) for cut in cuts])
        return [np.stack([values[:, *cut] for cut in cuts])] * 2, valid

    rows, cols = (np.arange(16) * 2 + 4).repeat(16), np.tile(np.arange(16) * 2 + 4, 16)
    places = sampled_places(read, 0, rows, cols, 4, seed=0)
    assert len(places.rows) > 5 and places.valid.mean() > 0.8 and places.valid.any(axis=(1, 2)).all()
    assert sampled_places(read, 1, rows, cols, 4, seed=0) is None


def test_what_mixing_adds(tmp_path):
    """Paired by scene and seed; scenes count alike, also with unequal seeds; a pair that lacks one half is left out."""
    facts = {"device": "a chip", "precision": "float32", "torch": "3", "steps": 9, "backbone": "compact"}

    def made(case, seed, method, oa):
        scores = {"oa": oa, "aa": oa / 2, "kappa": None, "n": 100}
        under = {f"sar {look}": scores | {"oa": oa - 0.1} for look in LOOKS[1:]}
        return Run(case, seed, method, {"sar": scores}, facts=facts, under=under)

    runs = [made("a", 9, "concat", 0.99)]
    for case, gains in (("a", (0.02, 0.04)), ("b", (0.05, 0.06, 0.07))):
        for seed, gain in enumerate(gains):
            runs += [made(case, seed, "concat", 0.5), made(case, seed, "concat + MM", 0.5 + gain)]
    text = write_robustness(runs, tmp_path).read_text()
    oa, aa = (line.split(" | ") for line in text.splitlines() if line.startswith("| concat |"))
    assert oa[1].startswith("50.0, ") and oa[2].startswith("40.0, ") and oa[-1] == "5 |"
    gains = [float(cell.split(", ")[1].strip("*").split()[0]) for cell in (*oa[1:5], aa[1])]
    assert gains == pytest.approx([*[4.5] * 4, 2.25], abs=0.051)
    assert "a chip" in text and "11 runs" in text
    cost = next(line for line in text.splitlines() if line.startswith("| b | sar | concat |"))
    assert cost.endswith("| **+10.0 [+10.0, +10.0]** |")  # less than with the sensor as it is, with every seed
