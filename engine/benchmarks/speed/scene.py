"""A scene to time on, written on the spot: three sensors of one resolution, labels in patches; smooth noise, no more.

What it shows does not matter for speed; its file layout, data types and size do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin
from scipy import ndimage

_CLASSES, _PATCH_PX, _PIXEL_M = 6, 16, 10.0
_WEST, _NORTH = 380_000.0, 5_820_000.0
BANDS = {"msi": 10, "sar": 2, "dem": 1}


@dataclass(frozen=True, slots=True)
class TimingScene:
    """Files of a scene: rasters by modality, and class raster."""

    layers: Mapping[str, Path]
    labels: Path

    def extent(self, side_px: int) -> tuple[float, float, float, float]:
        """(xmin, ymin, xmax, ymax) of the upper left corner's pixels."""
        return _WEST, _NORTH - side_px * _PIXEL_M, _WEST + side_px * _PIXEL_M, _NORTH


def write_timing_scene(folder: Path, side_px: int, seed: int = 0) -> TimingScene:
    """Write a scene of `side_px` x `side_px` pixels: tiled GeoTIFFs, uint16 or float32, deflated."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    patches = -(-side_px // _PATCH_PX)
    classes = np.kron(rng.integers(1, _CLASSES + 1, (patches, patches)), np.ones((_PATCH_PX, _PATCH_PX), int))
    classes = classes[:side_px, :side_px].astype(np.uint8)
    layers = {}
    for name, bands in BANDS.items():
        means = rng.uniform(500, 3000, (bands, _CLASSES + 1))
        values = np.stack([means[band][classes] + 200 * _smooth(rng, side_px) for band in range(bands)])
        layers[name] = folder / f"{name}.tif"
        if name == "msi":
            _write(layers[name], np.clip(values, 1, 10_000).astype(np.uint16), nodata=0)
        else:
            _write(layers[name], (values / 100).astype(np.float32), nodata=-9999)
    labels = folder / "labels.tif"
    _write(labels, classes[None], nodata=0)
    return TimingScene(layers, labels)


def _smooth(rng: np.random.Generator, side_px: int) -> np.ndarray:
    field = ndimage.gaussian_filter(rng.standard_normal((side_px, side_px)).astype(np.float32), 1.5, mode="wrap")
    return np.asarray(field / field.std())


def _write(path: Path, values: np.ndarray, nodata: float) -> None:
    with rasterio.open(
        path, "w", driver="GTiff", count=len(values), height=values.shape[1], width=values.shape[2],
        dtype=values.dtype, nodata=nodata, crs=CRS.from_epsg(32633),
        transform=from_origin(_WEST, _NORTH, _PIXEL_M, _PIXEL_M),
        tiled=True, blockxsize=256, blockysize=256, compress="deflate", zlevel=1, interleave="pixel",
    ) as file:  # fmt: skip
        file.write(values)
