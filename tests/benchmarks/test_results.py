import csv
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from engine.benchmarks.results import chosen_family, interval, markdown, paired_table, pooled_interval, pooled_row
from engine.benchmarks.runs import Run, append_run, read_runs, scores_csv, write_csv
from engine.benchmarks.tables import pooled_section
from engine.errors import ResumeError


def run(seed, method, oa, family="", validation=0.5, patterns=("a+b", "a"), case="scene"):
    def scores(value):
        return {name: {"oa": value - i / 10, "aa": value, "kappa": 0.0, "n": 100} for i, name in enumerate(patterns)}

    return Run(case, seed, method, scores(oa), scores(validation), family)


def test_runs_survive_a_kill_in_the_middle_of_a_line(tmp_path):
    path = tmp_path / "new" / "runs.jsonl"
    first, second = run(0, "ours", 0.7), run(1, "ours", 0.8)
    append_run(path, first)
    with path.open("a") as file:
        file.write('{"case": "sce')
    append_run(path, second)
    assert read_runs(path) == [first, second]
    assert read_runs(tmp_path / "missing") == []


def test_runs_of_another_version_are_not_forgotten(tmp_path):
    """Left out, they would be run again and stand beside themselves."""
    path = tmp_path / "real.jsonl"
    append_run(path, run(0, "ours", 0.7))
    path.write_text(path.read_text().replace('"seed"', '"split"'))
    with pytest.raises(ResumeError, match=r"real.jsonl, line 1: not a run as this version stores it .*new --out"):
        read_runs(path)


def test_interval_is_students():
    # mean 2, standard deviation 1, t(0.975, 2 degrees of freedom) = 4.3027: half width 4.3027 / sqrt(3)
    assert interval([1, 2, 3]) == pytest.approx((2, 2 - 2.4841, 2 + 2.4841), abs=1e-4)
    assert np.isnan(interval([1])[1])


def test_scenes_are_pooled_with_spreads_of_their_own():
    """Two equal groups: Student's interval of twice the freedom. A wide group counts for the interval as it should."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=5)
    mean, low, high = pooled_interval([noise, noise[::-1] + 2])
    spread = np.std(noise, ddof=1) / np.sqrt(5) / np.sqrt(2)
    assert mean == pytest.approx(noise.mean() + 1)
    assert high - mean == pytest.approx(mean - low) and high - mean == pytest.approx(stats.t.ppf(0.975, 8) * spread)
    _, low, high = pooled_interval([noise, np.full(4, 1.0)])  # no doubt about the second
    assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 4) * np.std(noise, ddof=1) / np.sqrt(5) / 2)
    assert np.isnan(pooled_interval([noise, [1.0]])[1]) and pooled_interval([[1.0, 1.0]]) == (1.0, 1.0, 1.0)


def test_pooled_interval_holds_the_truth_as_often_as_it_says():
    """95 of 100 times, with few seeds, scenes of different spread and unequal numbers of them."""
    rng, hits = np.random.default_rng(1), 0
    for _ in range(2000):
        _, low, high = pooled_interval([rng.normal(1, 1, 5), rng.normal(2, 3, 3), rng.normal(3, 0.5, 4)])
        hits += low <= 2 <= high
    assert 0.93 < hits / 2000 < 0.99


def test_family_is_chosen_on_validation_only():
    runs = [
        run(0, "floor", 0.9, "forest", validation=0.4),
        run(0, "floor", 0.1, "boosting", validation=0.6),
        run(1, "floor", 0.1, "boosting", validation=0.3),
    ]
    assert chosen_family(runs, "scene", "floor") == "boosting"
    assert chosen_family(runs, "elsewhere", "floor") == ""


def test_pairs_are_of_equal_seeds_and_patterns():
    runs = [run(seed, "ours", 0.70 + seed / 100) for seed in range(5)]
    runs += [run(seed, "floor", 0.65 + seed / 100, patterns=("a+b", "a", "b")) for seed in range(1, 7)]
    rows = paired_table(runs, "scene", ("ours", ""), ("floor", ""))
    assert [row["pattern"] for row in rows] == ["a+b", "a", "mean"]
    assert rows[0]["seeds"] == 4
    for row in rows:  # the seeds' common ups and downs cancel
        assert row["oa_difference"] == pytest.approx(0.05) and row["oa_low"] == pytest.approx(0.05)
    assert rows[2]["oa_one"] == pytest.approx(0.725 - 0.05)
    text = markdown(rows, "ours", "floor")
    assert "| a+b | 72.5 | 67.5 | +5.0 [+5.0, +5.0] |" in text


def test_scores_of_both_sides_are_rows():
    lines = scores_csv([run(3, "ours", 0.7)]).splitlines()
    assert len(lines) == 5 and lines[1] == "scene,3,ours,,test,a+b,0.70000,0.70000,0.00000,100,0.0"


def test_runs_are_rows(tmp_path):
    """Means over patterns, of which some may have no kappa; facts of all runs; what has commas stays one cell."""
    facts = {"device": "a chip, 2 threads", "settings": "model.rank=2 missing.patterns={ a = 1, b = 2 }"}
    ours = replace(run(0, "ours", 0.7), facts=facts, seconds=12.34, pixels="f00d")
    ours.test["a"] |= {"kappa": None, "n": 60}
    floor = replace(run(0, "floor", 0.5, "forest"), facts={"device": "a chip", "trees": 9}, validation={})
    write_csv([ours, floor], tmp_path, "name")
    with (tmp_path / "name.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert first == {
        "case": "scene", "seed": "0", "method": "ours", "family": "",
        "test_oa": "0.65000", "test_aa": "0.70000", "test_kappa": "0.00000",
        "validation_oa": "0.45000", "validation_aa": "0.50000", "validation_kappa": "0.00000",
        "patterns": "2", "test_pixels": "100", "pixels": "f00d", "seconds": "12.3", **facts, "trees": "",
    }  # fmt: skip
    assert (
        second["trees"] == "9" and second["settings"] == second["validation_oa"] == "" and second["family"] == "forest"
    )
    assert len((tmp_path / "name_scores.csv").read_text().splitlines()) == 1 + 4 + 2


def test_pooled_cases_count_alike():
    """Twice the patterns do not give a case twice the say; seeds that a case lacks do not count."""
    gains = {"one": 0.10, "two": 0.02}
    runs = []
    for case, patterns in (("one", ("a+b", "a")), ("two", ("a+b", "a", "b", "c"))):
        runs += [run(seed, "ours", 0.70 + gains[case], patterns=patterns, case=case) for seed in range(3)]
        runs += [
            run(seed, "floor", 0.70, "forest" if case == "one" else "", patterns=patterns, case=case)
            for seed in range(4)
        ]
    pairs = {"one": (("ours", ""), ("floor", "forest")), "two": (("ours", ""), ("floor", ""))}
    row = pooled_row(runs, pairs)
    assert row["seeds"] == 3 and row["pixels"] == 200
    assert row["oa_difference"] == pytest.approx(0.06) and row["aa_low"] == pytest.approx(0.06)
    assert pooled_row([one for one in runs if one.case == "one"], pairs) is None


def test_only_pairs_that_all_cases_have_are_pooled():
    scores = {"ours": 0.7, "other": 0.6}
    runs = [
        run(seed, method, oa, case=case)
        for case in ("one", "two")
        for method, oa in scores.items()
        for seed in range(3)
    ]
    runs += [run(seed, "third", 0.5, case="one") for seed in range(3)]
    title, _, table = pooled_section(runs, ["one", "two"])
    assert title == "## All cases" and "| methods |" in table
    assert "| ours and other | 65.0 | 55.0 | +10.0 [+10.0, +10.0] |" in table and "third" not in table
    assert pooled_section(runs, ["one"]) == []
