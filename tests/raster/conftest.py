"""Grids that are awkward on purpose, and rasters filled from a function of place."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import settings
from rasterio.crs import CRS

from engine.raster.grid import Grid, apply_affine

UTM33 = CRS.from_epsg(32633)

# The first call into GDAL or PROJ is slow; that says nothing of the code under test.
settings.register_profile("raster", deadline=None)
settings.load_profile("raster")


def pixel_centres(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) of all pixel centres, each (rows, cols)."""
    cols, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    return apply_affine(grid.transform, cols, rows)


@pytest.fixture
def make_grid_raster(make_raster) -> Callable[..., Path]:
    """Factory: write `field(x, y)`, with x and y in the grid's CRS, at the pixel centres of a grid."""

    def make(name, grid, field, dtype=np.float32, **profile):
        values = np.asarray(field(*pixel_centres(grid))).astype(dtype)
        return make_raster(name, values, transform=grid.transform, crs=grid.crs, **profile)

    return make


@pytest.fixture
def utm_grid() -> Grid:
    """40 x 50 pixels of 10 m in UTM 33N."""
    return Grid(40, 50, Affine(10, 0, 500_000, 0, -10, 5_800_000), UTM33)
