"""The table of calibration errors."""

import json

from engine.benchmarks.calibration import calibration_table, write_calibration


def patterns(shift):
    error = {"calibration_error_before": 0.2, "calibration_error": 0.1 + shift, "calibration_error_by_chance": 0.02}
    both = {"n": 50, "oa": 0.75, **error, "calibration_error_validation": None}
    return {"hsi+sar": both, "hsi": both | {"oa": 0.25}, "sar": {"n": 0, "oa": None}}


def test_means_over_seeds_and_combinations():
    lines = calibration_table([patterns(0.0), patterns(0.05)]).splitlines()
    assert lines[0] == "| sensors, 2 seeds | OA | before | after | by chance | after, validation |"
    assert lines[2:] == [
        "| hsi+sar | 75.0 | 20.0 | 12.5 | 2.0 | – |",
        "| hsi | 25.0 | 20.0 | 12.5 | 2.0 | – |",
        "| mean | 50.0 | 20.0 | 12.5 | 2.0 | – |",
    ]


def test_combinations_that_not_all_seeds_have_are_left_out():
    """With many sensors those that occur are measured, and what occurs may differ by split."""
    first, second = patterns(0.0), patterns(0.0)
    del second["hsi"]
    assert "| hsi |" not in calibration_table([first, second]) and "| hsi+sar |" in calibration_table([first, second])
    assert "No combination" in calibration_table([{"hsi": {"n": 0}}])


def test_all_trainings_of_a_benchmark_are_found(tmp_path):
    assert write_calibration(tmp_path) is None
    for case, seed in (("b", 0), ("a", 0), ("a", 1)):
        folder = tmp_path / "runs" / "real" / case / "mamol" / str(seed)
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps({"patterns": patterns(0.0)}))
    text = write_calibration(tmp_path).read_text(encoding="utf-8")
    assert text.index("## a, mamol\n\n| sensors, 2 seeds") < text.index("## b, mamol\n\n| sensors, 1 seeds")
