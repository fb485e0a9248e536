"""Houston 2013 where the cube is public: pixels moved apart, so that a model sees the labelled pixel only.

The cube is valid at labelled pixels alone. The outline of the valid region is then the outline of the label, and any
window around a pixel reads the class from it. Moved apart by the model's window, no pixel has a valid neighbour.
"""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import rasterio
import shapely
from rasterio.transform import Affine
from scipy import ndimage
from shapely.affinity import affine_transform

from engine.atomic import replacing

SPACING_PX = 3  # between pixels that were neighbours: no window of 3 x 3 holds two of them
_TILE_PX = 64


def spread_pixels(source: Path, folder: Path) -> Path:
    """Write the rasters and labels of `source` with their pixels moved apart, once; return `folder`.

    The pixel at (row, col) goes to (3 row + 1, 3 col + 1), and all others are nodata, so blocks and distances keep
    their meaning. Labels become one feature for each connected region of a class (`class`: its value), so that a
    spatial split can keep regions whole.
    """
    done = folder / "test.gpkg"
    if done.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("hsi", "lidar"):
        _spread_raster(source / f"{name}.tif", folder / f"{name}.tif")
    for name in ("train", "test"):
        with replacing(folder / f"{name}.gpkg") as part:
            _regions(source / f"{name}.tif").to_file(part, layer=name, driver="GPKG")
    return folder


def _spread_raster(source: Path, target: Path) -> None:
    with rasterio.open(source) as before:
        profile = {
            "driver": "GTiff", "count": before.count, "dtype": "float32", "nodata": np.nan, "crs": before.crs,
            "height": before.height * SPACING_PX, "width": before.width * SPACING_PX,
            "transform": _finer(before.transform),
            "tiled": True, "blockxsize": _TILE_PX, "blockysize": _TILE_PX, "interleave": "pixel",
            "compress": "deflate", "zlevel": 1, "sparse_ok": True, "bigtiff": "if_safer",
        }  # fmt: skip
        with rasterio.open(target, "w", **profile) as after:
            for row in range(0, before.height, _TILE_PX):
                for col in range(0, before.width, _TILE_PX):
                    height, width = min(_TILE_PX, before.height - row), min(_TILE_PX, before.width - col)
                    values = before.read(window=rasterio.windows.Window(col, row, width, height)).astype(np.float32)
                    if not np.isfinite(values).any():
                        continue
                    spread = np.full((len(values), height * SPACING_PX, width * SPACING_PX), np.nan, np.float32)
                    spread[:, SPACING_PX // 2 :: SPACING_PX, SPACING_PX // 2 :: SPACING_PX] = values
                    place = rasterio.windows.Window(
                        col * SPACING_PX, row * SPACING_PX, width * SPACING_PX, height * SPACING_PX
                    )
                    after.write(spread, window=place)


def _regions(source: Path) -> geopandas.GeoDataFrame:
    """One multipolygon of spread pixels for each connected region of a class."""
    with rasterio.open(source) as file:
        classes, transform, crs = file.read(1), _finer(file.transform), file.crs
    records = []
    for value in np.unique(classes[classes > 0]):
        region, count = ndimage.label(classes == value, np.ones((3, 3)))
        for number in range(1, count + 1):
            rows, cols = np.nonzero(region == number)
            x = cols * SPACING_PX + SPACING_PX // 2
            y = rows * SPACING_PX + SPACING_PX // 2
            pixels = shapely.multipolygons(shapely.box(x, y, x + 1, y + 1))
            coefficients = (transform.a, transform.b, transform.d, transform.e, transform.c, transform.f)
            records.append({"class": int(value), "geometry": affine_transform(pixels, coefficients)})
    return geopandas.GeoDataFrame(records, geometry="geometry", crs=crs)


def _finer(coarse: Affine) -> Affine:
    """The same corner, smaller pixels; written out because the operator for it differs between versions of `affine`."""
    a, b, c, d, e, f = tuple(coarse)[:6]
    return Affine(a / SPACING_PX, b / SPACING_PX, c, d / SPACING_PX, e / SPACING_PX, f)
