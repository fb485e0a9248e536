"""A batch from the command line: right, whole, and never more than is missing."""

import json
import os
import shutil

import numpy as np
import pytest

from engine.batch import work
from tests.batch.conftest import pixels, read_rows, write_scenes, write_table


def predict(run_command, model, row, folder, out, *options):
    layers = [f"--layer={name}={folder / row[name]}" for name in ("optical", "height") if row[name]]
    code, _, error = run_command(
        "predict", model, *layers, "--out", out, "--device=cpu", "--precision=float32", *options
    )
    assert code == 0, error


def test_every_map_is_what_predict_makes(generate, run_command, model, jobs, tmp_path):
    code, _, error = generate(jobs, "--confidence", "--sensors-used")
    assert code == 0, error
    rows = {row["id"]: row for row in read_rows(tmp_path / "maps" / "manifest.csv")}
    for row in read_rows(jobs):
        name, folder = row["id"], tmp_path / "maps" / row["id"]
        alone = tmp_path / "alone" / f"{name}.tif"
        others = ["--confidence", alone.with_name("c.tif"), "--sensors-used", alone.with_name("s.tif"), "--overwrite"]
        predict(run_command, model, row, tmp_path, alone, *others)
        np.testing.assert_array_equal(pixels(folder / f"{name}.tif"), pixels(alone))
        np.testing.assert_array_equal(pixels(folder / f"{name}_confidence.tif"), pixels(alone.with_name("c.tif")))
        np.testing.assert_array_equal(pixels(folder / f"{name}_sensors.tif"), pixels(alone.with_name("s.tif")))
        assert rows[name]["state"] == "done" and rows[name]["error"] == ""
        assert int(rows[name]["pixels"]) == (pixels(alone) > 0).sum()
        counted = dict(part.split("=") for part in rows[name]["patterns"].split(";"))
        bits, counts = np.unique(pixels(alone.with_name("s.tif")), return_counts=True)
        names = {1: "optical", 2: "height", 3: "optical+height"}
        assert counted == {names[bit]: str(n) for bit, n in zip(bits.tolist(), counts.tolist(), strict=True) if bit}
        assert {path.name for path in folder.iterdir()} == {
            f"{name}{end}"
            for end in (
                ".json", "_report.json", ".tif", ".tif.aux.xml", ".qml", "_confidence.tif", "_confidence.qml",
                "_sensors.tif", "_sensors.tif.aux.xml", "_sensors.qml",
            )
        }  # fmt: skip


def test_bad_scenes_are_told_and_stop_nobody(generate, jobs, tmp_path):
    rows = read_rows(jobs)
    rows[1]["optical"] = "is_not_there.tif"
    (tmp_path / "broken.tif").write_bytes((tmp_path / "height0.tif").read_bytes()[:200])
    rows[2]["height"] = "broken.tif"
    write_table(jobs, rows)
    code, stdout, error = generate(jobs, "--progress=json")
    assert code == 2 and "Traceback" not in error
    assert "2 of 6 scenes could not be mapped" in error and "place0-optical" in error and "is_not_there.tif" in error
    manifest = {row["id"]: row for row in read_rows(tmp_path / "maps" / "manifest.csv")}
    assert [row["state"] for row in manifest.values()] == ["done", "failed", "failed", "done", "done", "done"]
    assert "is_not_there.tif" in manifest["place0-optical"]["error"]
    lines = [json.loads(line) for line in stdout.splitlines()]
    assert sum("to be tried again" in line.get("message", "") for line in lines) == 4  # two retries each
    assert next(line for line in lines if line["type"] == "result")["failed"] == 2
    assert not (tmp_path / "maps" / "place0-optical" / "place0-optical.tif").exists()


def test_a_rerun_does_only_what_is_missing(generate, jobs, tmp_path, monkeypatch):
    assert generate(jobs)[0] == 0
    maps = sorted((tmp_path / "maps").glob("*/*.tif"))
    before = {path: path.stat().st_mtime_ns for path in maps}
    shutil.rmtree(tmp_path / "maps" / "place1-both")
    performed = []
    original = work.perform
    monkeypatch.setattr(
        "engine.batch.pool.perform", lambda task, *rest: (performed.append(task), original(task, *rest))[1]
    )
    assert generate(jobs)[0] == 0
    assert [task.scene.id for task in performed] == ["place1-both"]
    again = {path: path.stat().st_mtime_ns for path in maps}
    assert {path.parent.name for path in maps if again[path] != before[path]} == {"place1-both"}


def test_a_lost_manifest_is_made_again_without_mapping(generate, jobs, tmp_path, monkeypatch):
    assert generate(jobs)[0] == 0
    path = tmp_path / "maps" / "manifest.csv"
    expected = [{**row, "seconds": ""} for row in read_rows(path)]
    path.unlink()
    monkeypatch.setattr(work, "map_or_cut", None)  # whoever maps fails
    assert generate(jobs)[0] == 0
    assert [{**row, "seconds": ""} for row in read_rows(path)] == expected


def test_work_of_a_process_that_died_right_after_naming_its_map_is_removed(generate, jobs, tmp_path):
    assert generate(jobs)[0] == 0
    left = tmp_path / "maps" / "place0-both" / "place0-both.tif.work"
    left.mkdir()
    (left / "classes.raw").write_bytes(b"pixels")
    (tmp_path / "maps" / "manifest.csv").unlink()  # which had not been told yet
    assert generate(jobs)[0] == 0
    assert not left.exists()


def test_other_rasters_need_overwrite(generate, jobs, tmp_path):
    assert generate(jobs)[0] == 0
    os.utime(tmp_path / "height1.tif", (1, 1))
    code, _, error = generate(jobs)
    assert code == 2 and "2 maps there were made from other rasters" in error and "place1-both" in error
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "maps").glob("*/*.tif")}
    assert generate(jobs, "--overwrite")[0] == 0
    changed = {path.parent.name for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert changed == {"place1-both", "place1-height"}
    assert generate(jobs)[0] == 0


def test_files_of_a_process_that_died_while_naming_them_are_replaced(generate, jobs, tmp_path):
    assert generate(jobs, "--confidence")[0] == 0
    expected = pixels(tmp_path / "maps" / "place0-both" / "place0-both.tif")
    (tmp_path / "maps" / "place0-both" / "place0-both.tif").unlink()
    (tmp_path / "maps" / "manifest.csv").unlink()
    assert generate(jobs, "--confidence")[0] == 0
    np.testing.assert_array_equal(pixels(tmp_path / "maps" / "place0-both" / "place0-both.tif"), expected)


def test_shards_equal_the_whole(generate, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.mapping.plan._CORES_PER_SIDE", 2)
    jobs = write_scenes(tmp_path, count=1)
    assert generate(jobs)[0] == 0
    whole = {path.name: pixels(path) for path in (tmp_path / "maps").glob("*/*.tif")}
    shutil.rmtree(tmp_path / "maps")
    kinds = []
    original = work.perform

    def performed(task, *rest):
        kinds.append("shard" if task.rows else "merge" if task.strips else "scene")
        return original(task, *rest)

    monkeypatch.setattr("engine.batch.pool.perform", performed)
    assert generate(jobs, "--shard-pixels=800")[0] == 0
    assert kinds[:5] == ["scene", "shard", "shard", "shard", "merge"] and len(kinds) == 15
    for path in (tmp_path / "maps").glob("*/*.tif"):
        np.testing.assert_array_equal(pixels(path), whole[path.name])
    assert not list((tmp_path / "maps").glob("*/*.work"))


def test_a_bug_in_one_scene_is_a_bug_and_stops_nobody(generate, jobs, tmp_path, monkeypatch):
    original = work.map_or_cut

    def broken(job, *rest):
        if "place0-height" in str(job.out):
            raise KeyError("oops")
        return original(job, *rest)

    monkeypatch.setattr(work, "map_or_cut", broken)
    code, _, error = generate(jobs)
    assert code == 1 and "a bug of ours" in error and "oops" in error
    states = {row["id"]: row["state"] for row in read_rows(tmp_path / "maps" / "manifest.csv")}
    assert states.pop("place0-height") == "failed" and set(states.values()) == {"done"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--overlap=99"], "--overlap 99: expected 1 to 8"),
        (["--reference=sonar"], "--reference sonar: not a modality of the model; it knows optical, height"),
        (["--workers=2", "--scheduler=tcp://127.0.0.1:1"], "not allowed with"),
        (["--workers=0"], "expected a whole number >= 1"),
    ],
)
def test_what_would_fail_every_scene_is_refused_at_once(generate, jobs, tmp_path, options, message):
    code, _, error = generate(jobs, *options)
    assert code == 2 and message in error and len(error.splitlines()) == 1
    assert not (tmp_path / "maps").exists()


def test_two_batches_do_not_share_a_folder(generate, jobs, tmp_path):
    from engine.mapping.store import sole_user

    with sole_user(tmp_path / "maps" / "manifest.work"):
        code, _, error = generate(jobs)
    assert code == 2 and "another process is at work" in error
