"""The batch suite on two tiny scenes: every way makes the same maps, and is timed."""

import json

from engine.benchmarks.speed import batch


def test_the_whole_suite(run_command, tmp_path, monkeypatch):
    for name, value in {"_SCENES": 2, "_SIDE_PX": 40, "_ROUNDS": 1, "_TRAINING_PX": 128}.items():
        monkeypatch.setattr(batch, name, value)
    monkeypatch.setattr("engine.training.pixel_bank._UNLABELLED", 100)
    code, _, err = run_command("benchmark", "batch", "--out", tmp_path, "--threads", "1", "--device", "cpu")
    assert code == 0, err
    facts = json.loads((tmp_path / "batch.json").read_text())
    assert facts["maps"] == 6 and facts["differing_pixels"] == 0
    assert all(seconds[0] > 0 for seconds in facts["seconds"].values()) and len(facts["seconds"]) == 3
    page = (tmp_path / "batch.md").read_text()
    assert all(way in page for way in ("one process", "two workers", "one thread"))
    rows = (tmp_path / "jobs.csv").read_text().splitlines()
    assert rows[1] == "000-all,scenes/000/msi.tif,scenes/000/sar.tif,scenes/000/dem.tif"
    assert rows[2].startswith("000-without,,") and rows[3] == "000-alone,scenes/000/msi.tif,,"
