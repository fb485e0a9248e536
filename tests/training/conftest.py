"""A small real job: two rasters, labels, a configuration, a tiny network."""

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine

from engine.config import parse_config
from engine.progress import SilentProgress
from engine.training.assemble import assemble
from engine.training.prepare import prepare
from engine.training.teacher import Teacher
from tests.training.small import EARLY

SIDE = 96
TINY_MODEL = {
    "window": 8, "token_px": 2, "core": 4, "width": 16, "depth": 1, "heads": 2, "stem_width": 8, "adapter_blocks": 1,
    "rank": 2, "boxes": [3, 5],
}  # fmt: skip


def write_raster(path, values, crs="EPSG:32633", nodata=None, origin=(500000.0, 5800000.0)):
    values = np.atleast_3d(values) if values.ndim == 3 else values[None]
    with rasterio.open(
        path, "w", driver="GTiff", height=values.shape[1], width=values.shape[2], count=len(values),
        dtype=values.dtype, crs=crs, nodata=nodata, transform=Affine(10, 0, origin[0], 0, -10, origin[1]),
    ) as file:  # fmt: skip
        file.write(values)
    return path


@pytest.fixture
def make_job(tmp_path):
    def make(
        folder="scene", classes=3, steps=6, seed=0, model=None, missing=None, training=None, split=None, hole=True
    ):
        """A configuration whose classes (fields of 8 pixels) show in both sensors, as `parse_config` takes it."""
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        rng = np.random.default_rng(seed)
        fields = rng.integers(classes, size=(SIDE // 8, SIDE // 8))
        labels = np.kron(fields, np.ones((8, 8), int))
        signal = rng.normal(0, 1, (classes, 4))
        a = (signal[labels, :3].transpose(2, 0, 1) + rng.normal(0, 0.5, (3, SIDE, SIDE))) * 100 + 1000
        b = signal[labels, 3] + rng.normal(0, 0.5, (SIDE, SIDE))
        if hole:
            b[: SIDE // 4, : SIDE // 4] = -9999
        write_raster(place / "a.tif", a.astype(np.float32))
        write_raster(place / "b.tif", b.astype(np.float32), nodata=-9999)
        write_raster(place / "labels.tif", (labels + 1).astype(np.uint8), nodata=0)
        return {
            "scene": [
                {
                    "modalities": {"a": str(place / "a.tif"), "b": str(place / "b.tif")},
                    "labels": {"path": str(place / "labels.tif")},
                }
            ],
            "split": {"block_px": 16, "test_pixels": 500, **(split or {})},
            "model": TINY_MODEL | (model or {}),
            "training": {"steps": steps, "batch_size": 8, "validate_every": 3, "seed": seed, **(training or {})},
            "missing": missing or {},
        }

    return make


@pytest.fixture
def make_config(make_job):
    return lambda **options: parse_config(make_job(**options))


@pytest.fixture
def make_ready(make_job, tmp_path):
    """A small job with everything that training works with, its network after `learnt` steps, and a mixer for it."""
    opened = []

    def make(mixing=None, sensors=2, learnt=25, **options):
        job = make_job(**options) | {"mixing": EARLY | (mixing or {})}
        files = job["scene"][0]["modalities"]
        files |= {"c": files["b"]} if sensors == 3 else {}
        data = prepare(parse_config(job))
        opened.append(data)
        ready = assemble(data, tmp_path / f"cache{len(opened)}", torch.device("cpu"), "float32", SilentProgress())
        optimiser = torch.optim.Adam(ready.network.parameters(), lr=0.01)
        for step in range(learnt):
            optimiser.zero_grad()
            ready.loss(Teacher(ready.network, 0.0))(step, taught=False).backward()
            optimiser.step()
        return ready, ready.mixer(Teacher(ready.network, 0.9), 10)

    yield make
    for data in opened:
        data.close()
