"""Simulated scenes as files: georeferenced rasters, labels of both sides, and a training job for the benchmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from engine.atomic import write_text
from engine.benchmarks.scenes.archive import scene_job, write_labels
from engine.benchmarks.scenes.simulator.landscape import make_landscape
from engine.benchmarks.scenes.simulator.sensors import simulate_cube, simulate_heights, simulate_sar, wavelengths
from engine.benchmarks.scenes.simulator.shapes import SceneShape
from engine.errors import ConfigError

_HARDEST = 3.0  # difficulty
_SCALE = 1e-4  # stored integer x scale = reflectance
VERSION = 2  # of what a seed simulates: one more for each change of a pixel, so that runs of two worlds never mix


def write_scene(folder: Path, shape: SceneShape, difficulty: float, seed: int) -> Path:
    """Write hsi.tif, the other sensors, train.tif, test.tif and scene.toml; return the path of the latter.

    What an earlier call of this version wrote is left as it is.

    Args:
        folder: where to; made if needed.
        shape: what to imitate.
        difficulty: 0 next to nothing that blurs classes, 1 as in real scenes.
        seed: of everything random.

    Raises:
        ConfigError: the difficulty is out of range.
    """
    if not 0 <= difficulty <= _HARDEST:
        raise ConfigError(f"--difficulty {difficulty:g}: expected 0 to {_HARDEST:g}")
    job = folder / "scene.toml"
    told = scene_job(f"simulated {folder.name}, version {VERSION}", list(shape.bands), tested=True)
    if job.exists() and job.read_text(encoding="utf-8") == told:
        return job
    job.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    land = make_landscape(rng, shape)
    profile = {
        "driver": "GTiff", "height": shape.rows, "width": shape.cols, "crs": f"EPSG:{shape.epsg}",
        "transform": from_origin(*shape.corner, shape.pixel_m, shape.pixel_m), "tiled": True, "compress": "deflate",
        "zlevel": 1, "interleave": "band",
    }  # fmt: skip
    for name, bands in shape.bands.items():
        kind = {"count": bands, "dtype": "int16" if name == "hsi" else "float32"}
        with rasterio.open(folder / f"{name}.tif", "w", **(profile | kind)) as file:
            if name == "hsi":
                file.scales = (_SCALE,) * bands
                for number, values in enumerate(simulate_cube(rng, shape, land, difficulty), start=1):
                    file.write(np.clip(np.rint(values / _SCALE), -32000, 32000).astype(np.int16), number)
                    tags = {"wavelength": f"{wavelengths(shape)[number - 1]:.2f}", "wavelength_units": "nanometers"}
                    file.update_tags(number, **tags)
            elif name == "sar":
                file.write(simulate_sar(rng, shape, land, bands, difficulty))
            else:
                file.write(simulate_heights(rng, land, bands, difficulty))
    names = [cover.name for cover in shape.covers]
    for side, labels in (("train", land.train), ("test", land.test)):
        write_labels(folder / f"{side}.tif", labels, names, profile)
    write_text(job, told)
    return job
