"""A map made strip by strip is the map made at once; and nobody else works in its folder."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Cancelled, NodataError, OutputError, ResumeError
from engine.mapping.map import predict_map
from engine.mapping.shards import cut_rows, map_or_cut, map_shard, merge_shards
from engine.mapping.store import sole_user, work_folder
from engine.raster.windows import Window
from tests.mapping.conftest import Listener, everything, read


def never():
    return False


@given(
    row=st.integers(0, 50), height=st.integers(1, 200), width=st.integers(1, 40),
    block=st.integers(1, 30), pixels=st.integers(1, 5000),
)  # fmt: skip
def test_strips_are_whole_block_rows_and_cover_the_area_once(row, height, width, block, pixels):
    strips = cut_rows(Window(row, 3, height, width), block, pixels)
    assert strips[0][0] == row and strips[-1][1] == row + height
    for (_, bottom), (first, _) in itertools.pairwise(strips):
        assert bottom == first and first % block == 0
    for first, bottom in strips:
        block_rows = (bottom - 1) // block - first // block + 1
        assert block_rows == 1 or (bottom - first) * width <= pixels


@pytest.mark.parametrize("extent", [None, (500_070, 5_799_650, 500_470, 5_799_950)])
def test_strips_equal_the_whole(make_job, predictor, tmp_path, small_blocks, extent):
    whole = make_job("whole.tif", **everything(tmp_path, "whole_"), extent=extent)
    expected = predict_map(whole, predictor=predictor)
    job = make_job(**everything(tmp_path), extent=extent, resume=True, report=tmp_path / "report.json")
    strips = map_or_cut(job, 900, Listener(), never, predictor)
    assert len(strips) > 1
    for rows in reversed(strips):
        map_shard(job, rows, Listener(), never, predictor)
    assert not job.out.exists()
    facts = merge_shards(job, strips, Listener(), never, predictor)
    for one, other in zip(whole.rasters.values(), job.rasters.values(), strict=True):
        for band in (1, 2, 3) if "probabilities" in one.name else (1,):
            np.testing.assert_array_equal(read(one, band), read(other, band))
    assert [item["pixels"] for item in facts["classes"]] == [item["pixels"] for item in expected["classes"]]
    for mine, theirs in zip(facts["classes"], expected["classes"], strict=True):
        assert mine["area_ha"] == pytest.approx(theirs["area_ha"])
    assert facts["patterns"] == expected["patterns"]
    assert not work_folder(job.out).exists() and not list(tmp_path.glob("*.part"))


def test_a_small_map_is_made_at_once(make_job, predictor, tmp_path):
    assert isinstance(map_or_cut(make_job(), 10**6, Listener(), never, predictor), dict)
    assert (tmp_path / "map.tif").exists()


def test_an_interrupted_strip_goes_on_and_an_unfinished_one_is_not_merged(make_job, predictor, small_blocks):
    job = make_job(resume=True)
    strips = map_or_cut(job, 900, Listener(), never, predictor)
    listener = Listener()
    with pytest.raises(Cancelled):
        map_shard(job, strips[0], listener, lambda: len(listener.steps) > 2, predictor)
    for rows in strips[1:]:
        map_shard(job, rows, Listener(), never, predictor)
    with pytest.raises(ResumeError, match="shard is not finished"):
        merge_shards(job, strips, Listener(), never, predictor)
    assert not job.out.exists()
    listener = Listener()
    map_shard(job, strips[0], listener, never, predictor)
    assert any("resuming after" in text for text in listener.logs)
    merge_shards(job, strips, Listener(), never, predictor)
    whole = make_job("whole.tif")
    predict_map(whole, predictor=predictor)
    np.testing.assert_array_equal(read(job.out), read(whole.out))


def test_strips_of_another_job_are_not_merged(make_job, predictor, small_blocks, two_layers):
    job = make_job(resume=True)
    strips = map_or_cut(job, 900, Listener(), never, predictor)
    for rows in strips:
        map_shard(job, rows, Listener(), never, predictor)
    os.utime(two_layers["height"], (1, 1))
    with pytest.raises(ResumeError, match="differs in layers"):
        merge_shards(job, strips, Listener(), never, predictor)


def test_empty_strips_are_fine_but_not_an_empty_map(make_job, predictor, make_raster, small_blocks):
    optical = np.full((3, 40, 20), np.nan, np.float32)
    layers = {"optical": make_raster("empty.tif", optical)}
    job = make_job(layers=layers, resume=True)
    with pytest.raises(NodataError, match="no pixel of the area"):
        map_or_cut(job, 300, Listener(), never, predictor)
    optical[:, 30:] = 1
    layers = {"optical": make_raster("half.tif", optical)}
    job = make_job(layers=layers, resume=True)
    strips = map_or_cut(job, 300, Listener(), never, predictor)
    for rows in strips:
        map_shard(job, rows, Listener(), never, predictor)
    assert merge_shards(job, strips, Listener(), never, predictor)["mapped_pixels"] == 200


def test_a_work_folder_has_one_user_and_forgets_a_killed_one(tmp_path):
    """Another process holds the lock: we are told. It is killed: we hold it."""
    folder = tmp_path / "map.tif.work"
    code = (
        "import sys, time; from pathlib import Path; from engine.mapping.store import sole_user\n"
        f"with sole_user(Path({str(folder)!r})): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match="another process is at work there"), sole_user(folder):
            pass
        other.kill()
    with sole_user(folder):
        assert folder.is_dir()
    assert not folder.exists()
