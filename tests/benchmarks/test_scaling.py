"""The scaling suite on tiny scenes: mosaics are what they say, and processes are accounted for."""

import json
import sys

import numpy as np
import pytest
import rasterio

from engine.benchmarks.speed import scaling
from engine.benchmarks.speed.scene import write_timing_scene
from engine.errors import Cancelled, EngineError


def test_the_whole_suite(run_command, tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "_TILE_PX", 128)
    monkeypatch.setattr(scaling, "_SIZES", ((1, 1), (2, 1)))
    monkeypatch.setattr("engine.training.pixel_bank._UNLABELLED", 100)
    code, _, err = run_command("benchmark", "scaling", "--out", tmp_path, "--threads", "1", "--device", "cpu")
    assert code == 0, err
    facts = json.loads((tmp_path / "scaling.json").read_text())
    assert [size["pixels"] for size in facts["sizes"]] == [128**2, 256**2]
    assert facts["start"]["cpu_seconds"] > 0.5 and facts["start"]["memory"] > 1e8  # a process that imports torch
    assert "linear in size" in (tmp_path / "scaling.md").read_text()


def test_a_mosaic_repeats_its_tile(tmp_path):
    tile = write_timing_scene(tmp_path / "a & b", 20)
    for name, path in scaling._mosaics(tile, 3, tmp_path / "mosaic").items():
        with rasterio.open(tile.layers[name]) as one, rasterio.open(path) as many:
            assert (many.transform, many.crs, many.nodata, many.dtypes) == (
                one.transform, one.crs, one.nodata, one.dtypes,
            )  # fmt: skip
            assert np.array_equal(many.read(), np.tile(one.read(), (1, 3, 3)))


def test_a_process_is_accounted_for():
    """Its own memory, not that of this one, which has torch."""
    work = "import time\nblock = b'x' * 100_000_000\nwhile time.process_time() < 0.5: pass"
    seconds, memory = scaling._run([sys.executable, "-c", work], lambda: False)
    assert 0.5 <= seconds < 5 and 1e8 < memory < 1.5e8


def test_a_failing_process_is_an_error_and_a_cancelled_one_ends():
    with pytest.raises(EngineError, match="ended with 7"):
        scaling._run([sys.executable, "-c", "raise SystemExit(7)"], lambda: False)
    with pytest.raises(Cancelled):
        scaling._run([sys.executable, "-c", "import time; time.sleep(60)"], lambda: True)
