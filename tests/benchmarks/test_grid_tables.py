"""Tables of the grid: paired, honest about what they rest on."""

from dataclasses import replace

import pytest

from engine.benchmarks.comparison.grid_scores import CONDITIONS, MEAN, paired, scores, sensors_by_strength
from engine.benchmarks.comparison.grid_tables import grid_parts, write_grid
from engine.benchmarks.comparison.robustness_tables import write_robustness
from engine.benchmarks.comparison.search_tables import write_search
from engine.benchmarks.floors import SPECIALISTS
from engine.benchmarks.runs import Run
from engine.errors import ResumeError


def made_run(scene, seed, method, oa, **facts):
    """A run with OA by pattern, of two sensors; AA is half of it."""
    test = {name: {"oa": value, "aa": value / 2, "kappa": None, "n": 100} for name, value in oa.items()}
    alone = {name: {"oa": oa, "aa": oa, "kappa": None, "n": 9} for name, oa in (("hsi", 0.9), ("sar", 0.4))}
    known = {"scene": scene, "reading": "tokens", "eta": 70, "device": "a chip", "precision": "float32", "torch": "3",
             "steps": 9, "backbone": "compact"}  # fmt: skip
    return Run(f"{scene}, tokens", seed, method, test, alone, facts=known | facts, seconds=2.0)


def test_conditions_are_patterns():
    """Strongest missing: the weakest alone, and the other way round; a scene with one pattern has one condition."""
    whole = {"hsi+sar": 0.9, "hsi": 0.8, "sar": 0.4}
    runs = [made_run("a", 0, "MaMOL", whole), made_run("b", 0, "MaMOL", {"sar": 0.5})]
    order = {scene: sensors_by_strength(runs, scene) for scene in "ab"}
    assert order == {"a": ["hsi", "sar"], "b": ["hsi", "sar"]}
    found = scores(runs, order)
    assert [found["a", 0, "MaMOL"][name]["oa"] for name in (*CONDITIONS, MEAN)] == pytest.approx(
        [0.4, 0.8, 0.7, 1.9 / 3]
    )
    assert found["b", 0, "MaMOL"].keys() == {CONDITIONS[0], MEAN}


def test_differences_are_paired():
    """A seed that one method lacks on one scene does not count there; what is decided is bold."""
    runs = []
    for seed, shift in enumerate((0.00, 0.05, 0.10)):
        for scene in "ab":
            for method, lead in (("MaMOL", 0.02 + 0.003 * seed), ("DCP", 0.0)):
                if (seed, scene, method) != (2, "b", "DCP"):
                    patterns = dict.fromkeys(("hsi+sar", "hsi", "sar"), 0.5 + shift + lead)
                    runs.append(made_run(scene, seed, method, patterns))
    found = scores(runs, {scene: ["hsi", "sar"] for scene in "ab"})
    by_scene = paired(found, "MaMOL", "DCP", MEAN, "oa")
    assert by_scene["a"] == pytest.approx([0.02, 0.023, 0.026]) and by_scene["b"] == pytest.approx([0.02, 0.023])
    table = next(part for part in grid_parts(runs) if part.title.startswith("All scenes"))
    row = next(row for row in table.rows if row[0] == "DCP")
    assert row[1] == "2 to 3" and row[3] == "**+2.2 [+1.9, +2.6]**"
    assert row[2] == f"{100 * (0.55 + 0.525) / 2:.1f}"  # of the three seeds of one scene and two of the other


def test_runs_on_other_pixels_are_never_compared(tmp_path):
    whole = {"hsi+sar": 0.9, "hsi": 0.8, "sar": 0.4}
    runs = [replace(made_run("a", 0, method, whole), pixels=method) for method in ("MaMOL", "DCP")]
    for write in (write_grid, write_search, write_robustness):
        with pytest.raises(ResumeError, match="MaMOL and DCP were tested on different pixels"):
            write(runs, tmp_path)


def test_a_scene_without_validation_pixels_has_no_strongest_sensor():
    """All patterns are still a condition; a single pattern is none."""
    runs = [
        made_run("a", 0, "MaMOL", {"hsi+sar": 0.9, "hsi": 0.8, "sar": 0.4}),
        made_run("b", 0, "MaMOL", {"sar": 0.4}),
    ]
    runs = [replace(run, validation={}) for run in runs]
    found = scores(runs, {scene: sensors_by_strength(runs, scene) for scene in "ab"})
    assert found["a", 0, "MaMOL"].keys() == {CONDITIONS[2], MEAN} and ("b", 0, "MaMOL") not in found
    assert any(part.title == "Sensors" for part in grid_parts(runs))


def test_floors_stand_beside_the_methods(tmp_path):
    """Forests of the family that validation pixels choose, paired by seed, on the same pixels."""
    runs = []
    for seed in range(3):
        runs.append(made_run("a", seed, "MaMOL", dict.fromkeys(("hsi+sar", "hsi", "sar"), 0.6 + seed / 100)))
        for family, known, told in (("forest 1x1", 0.3, 0.9), ("forest 5x5", 0.5, 0.5)):
            test = {name: {"oa": told, "aa": told, "kappa": None, "n": 100} for name in ("hsi+sar", "hsi", "sar")}
            validation = {"hsi": {"oa": known, "aa": known, "kappa": None, "n": 9}}
            runs.append(Run("a", seed, SPECIALISTS, test, validation, family))
    text = write_grid(runs, tmp_path).read_text()
    row = next(line for line in text.splitlines() if line.startswith("| forest specialists | 3 |")).split(" | ")
    assert row[2:4] == ["50.0", "**+11.0 [+8.5, +13.5]**"] and "without gaps" in text and "3 runs;" in text
    partly = [run for run in runs if not run.family or run.seed == 0]  # stopped among the floors
    rows = [line for line in write_grid(partly, tmp_path).read_text().splitlines() if line.startswith("| MaMOL | 3 |")]
    assert rows[0].split(" | ")[2] == "61.0"
    runs[1] = replace(runs[1], pixels="others")
    with pytest.raises(ResumeError, match="different pixels"):
        write_grid(runs, tmp_path)


def test_it_is_said_on_how_many_scenes_a_condition_rests():
    whole = {"hsi+sar": 0.9, "hsi": 0.8, "sar": 0.4}
    runs = [made_run("a", 0, "MaMOL", whole), made_run("b", 0, "MaMOL", {"sar": 0.5})]
    table = next(part for part in grid_parts(runs) if part.title.startswith("All scenes"))
    assert "of 2 scenes (strongest missing), 1 scene (weakest missing), 1 scene (all patterns)" in table.note
