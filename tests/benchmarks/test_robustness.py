"""Modality-mix learning with every fusion, and sensors that lie."""

import json

import numpy as np
import pytest

from engine.benchmarks import grid, robustness, trial
from engine.benchmarks.robustness import disturbed
from engine.benchmarks.robustness_tables import LOOKS, write_robustness
from engine.benchmarks.runs import Run
from engine.benchmarks.trial import run_trial
from engine.errors import Cancelled
from tests.benchmarks.test_suites import SETTINGS


def test_robustness_pairs_fusions_and_goes_on(make_scene, run_command, tmp_path, monkeypatch):
    """Stopped after its first run it leaves tables; the same command does the second, and a third call nothing."""
    calls = []

    def stopping(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise Cancelled("stopped")
        return run_trial(*arguments)

    monkeypatch.setattr(grid, "STEPS", 3)
    monkeypatch.setattr(robustness, "FUSIONS", {"concat": ('model.fusion="concat"',)})
    monkeypatch.setattr(trial, "run_trial", stopping)
    out = tmp_path / "out"
    arguments = ("robustness", "--config", make_scene(SETTINGS), "--out", out, "--seeds", 1, "--threads", "1",
                 "--device", "cpu")  # fmt: skip
    assert run_command("benchmark", *arguments)[0] == 3
    assert (out / "robustness.md").exists() and len((out / "runs.jsonl").read_text().splitlines()) == 1
    for _ in range(2):
        code, _, err = run_command("benchmark", *arguments)
        assert code == 0, err
    assert len(calls) == 3
    runs = [json.loads(line) for line in (out / "runs.jsonl").read_text().splitlines()]
    assert [run["method"] for run in runs] == ["concat", "concat + MM"]
    assert len((out / "robustness.csv").read_text().splitlines()) == 1 + 2
    assert runs[0]["under"].keys() == {f"{s} {d}" for s in ("optical", "height") for d in robustness.DISTURBANCES}
    assert "| concat |" in (out / "robustness.md").read_text() and (out / "robustness_mixing.png").exists()


@pytest.mark.parametrize("disturbance", robustness.DISTURBANCES)
def test_a_disturbed_sensor_lies(disturbance):
    """Only the sensor meant is changed, where it is valid, and as said; validity stays."""
    scene = np.random.default_rng(0).normal(size=(2, 1, 60, 80)).astype(np.float32)
    holes = np.random.default_rng(1).random((60, 80)) < 0.9

    def read(rows, cols, side):
        cuts = [(slice(r, r + side), slice(c, c + side)) for r, c in zip(rows, cols, strict=True)]
        valid = np.stack([np.stack([holes[cut]] * 2) for cut in cuts])
        return [np.stack([layer[:, *cut] for cut in cuts]) for layer in scene], valid

    rows, cols = np.array([5, 9]), np.array([50, 51])
    clean, valid = read(rows, cols, 4)
    values, kept = disturbed(read, 1, disturbance, (60, 80), seed=0)(rows, cols, 4)
    assert np.array_equal(values[0], clean[0]) and np.array_equal(kept, valid)
    assert not values[1][~valid[:, 1, None]].any()
    at = valid[:, 1, None]
    if disturbance == "noised":
        assert 0.3 < (values[1] - clean[1])[at].std() < 2
    else:
        moved = {"shifted": (3, 3), "elsewhere": (30, -40)}[disturbance]
        assert np.array_equal(values[1][at], read(rows + moved[0], cols + moved[1], 4)[0][1][at])


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
