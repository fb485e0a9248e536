"""A model without a network: fast, with an answer that can be worked out by hand, and a memory of how it was called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from engine.legend import LandClass, Legend, distinct_colour
from engine.mapping import plan as plan_module
from engine.mapping.job import MapJob
from engine.modality import Modality, all_patterns, pattern_name
from engine.modelfile import ModelInfo
from engine.progress import SilentProgress
from engine.raster.normalise import BandStats

BANDS = {"optical": 3, "height": 1}


class FakeNetwork:
    """Scores that depend on each pixel's own values and on the mean of its whole window, by modality.

    A pixel's score of class y is the sum over the modalities it has of `weights[m][y] @ (value + 0.5 * window mean)`.
    """

    def __init__(self, weights: list[np.ndarray], core: int, offset: int) -> None:
        self.weights = [torch.from_numpy(part) for part in weights]
        self.core, self.offset = core, offset
        self.calls: list[tuple[int, tuple[bool, ...]]] = []
        self.largest_batch = 10**9

    def __call__(self, values, valid, compute=None):
        batch = valid.shape[0]
        if batch > self.largest_batch:
            raise torch.OutOfMemoryError("fake")
        self.calls.append((batch, tuple(compute)))
        inner = slice(self.offset, self.offset + self.core)
        total = torch.zeros(batch, len(self.weights[0]), self.core, self.core)
        for modality, weight in enumerate(self.weights):
            mask = valid[:, modality]
            if values[modality] is None:
                assert not mask.any()
                continue
            clean = torch.where(mask[:, None], values[modality], 0.0)
            mean = clean.sum(dim=(2, 3)) / mask.sum(dim=(1, 2)).clamp(min=1)[:, None]
            feature = clean[:, :, inner, inner] + 0.5 * mean[:, :, None, None]
            score = torch.einsum("yc,bchw->byhw", weight, feature)
            total += torch.where(mask[:, None, inner, inner], score, 0.0)
        return total


class FakePredictor:
    def __init__(self, info: ModelInfo, network: FakeNetwork) -> None:
        self.info, self.network = info, network


def make_info(bands: dict[str, int], classes: int = 3, window: int = 8, core: int = 4, **changes) -> ModelInfo:
    names = list(bands)
    legend = Legend(tuple(LandClass(y + 1, f"class {y + 1}", distinct_colour(y)) for y in range(classes)))
    patterns = {
        pattern_name(names, present): {
            "oa": 0.9,
            "aa": 0.8,
            "kappa": 0.85,
            "n": 100,
            "temperature": 1.0 + 0.5 * sum(present),
            "bias": [0.1 * y * sum(present) for y in range(classes)],
        }
        for present in all_patterns(len(names))
    }
    values = {
        "modalities": tuple(Modality(name, count, source_count=count) for name, count in bands.items()),
        "stats": {
            name: BandStats(np.full(n, 0.5), np.full(n, 2.0), np.full(n, -9.0), np.full(n, 9.0), 100)
            for name, n in bands.items()
        },
        "legend": legend,
        "model": {"window": window, "core": core, "token_px": 1, "readout": "dense"},
        "patterns": patterns,
        "trained_patterns": tuple(patterns),
    }
    return ModelInfo(**values | changes)


@pytest.fixture
def make_predictor() -> Callable[..., FakePredictor]:
    """Factory: a fake model of the given modalities (bands by name); keywords as in `make_info`."""

    def make(bands: dict[str, int], **changes) -> FakePredictor:
        info = make_info(bands, **changes)
        rng = np.random.default_rng(0)
        weights = [rng.standard_normal((len(info.legend), n)).astype(np.float32) for n in bands.values()]
        return FakePredictor(info, FakeNetwork(weights, info.core, info.core_offset))

    return make


@pytest.fixture
def two_layers(make_raster) -> dict[str, Path]:
    """`optical` (3 bands) and `height` (1 band) on 37 x 53 pixels; each lacks some, and a corner has neither."""
    rng = np.random.default_rng(1)
    optical = rng.standard_normal((3, 37, 53)).astype(np.float32)
    height = rng.standard_normal((1, 37, 53)).astype(np.float32)
    optical[:, :15, 30:] = np.nan
    optical[1, 20, 20] = np.nan
    height[:, :, :9] = -9999
    height[:, :6, 45:] = -9999
    return {
        "optical": make_raster("optical.tif", optical, nodata=float("nan")),
        "height": make_raster("height.tif", height, nodata=-9999),
    }


@pytest.fixture
def make_job(tmp_path: Path, two_layers: dict[str, Path]) -> Callable[..., MapJob]:
    """Factory: a job of `two_layers` that writes to tmp_path; keywords replace its values."""
    model = tmp_path / "model.safetensors"
    model.write_bytes(b"only its checksum counts here")

    def make(out: str = "map.tif", **changes) -> MapJob:
        values = {"model": model, "layers": two_layers, "out": tmp_path / out, "device": "cpu", "precision": "float32"}
        return MapJob(**values | changes)

    return make


class Listener(SilentProgress):
    """Remembers what it is told."""

    def __init__(self):
        self.logs, self.warnings, self.steps = [], [], []

    def step(self, stage, done, total, unit=""):
        self.steps.append((stage, done, total))

    def log(self, message):
        self.logs.append(message)

    def warning(self, message):
        self.warnings.append(message)


@pytest.fixture
def predictor(make_predictor):
    return make_predictor(BANDS)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 3 x 3 cores, so that small rasters have several."""
    monkeypatch.setattr(plan_module, "_CORES_PER_SIDE", 3)


def read(path, band=1):
    with rasterio.open(path) as file:
        return file.read(band)


def everything(tmp_path, prefix=""):
    return {
        "confidence": tmp_path / f"{prefix}confidence.tif",
        "probabilities": tmp_path / f"{prefix}probabilities.tif",
        "sensors_used": tmp_path / f"{prefix}sensors.tif",
    }
