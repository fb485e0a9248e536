"""Opening rasters: one small interface over GeoTIFF, COG, VRT, ENVI and .mat variables.

Scale and offset are applied; nodata values, NaN, alpha and mask bands all become one boolean per value.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from affine import Affine

from engine.errors import RasterOpenError
from engine.raster import envi
from engine.raster.grid import Grid
from engine.raster.matfile import read_mat, split_variable
from engine.raster.pixels import check_bands, empty, finite, placed
from engine.raster.raster_file import RasterFile
from engine.raster.windows import Window


class Source(Protocol):
    """A raster that can be read. `read` may be called from several threads at a time."""

    path: Path
    grid: Grid
    count: int
    """Number of bands, bad ones and alpha included."""
    wavelengths_nm: tuple[float, ...] | None
    """Centre of each of the `count` bands, None where unknown."""
    bad_bands: frozenset[int]
    """1-based numbers of the bands not meant as data: bad-band list and alpha."""

    def read(self, window: Window, bands: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Read bands (1-based) of a window, which may leave the grid.

        Returns:
            values (C, h, w) float32, 0 where invalid; valid (C, h, w) bool.

        Raises:
            RasterOpenError: the file cannot be read there, for instance because it is truncated.
        """
        ...

    def close(self) -> None:
        """Close all file handles; no thread may be reading."""
        ...


def open_source(path: str | Path, variable: str | None = None) -> Source:
    """Open a raster: anything GDAL reads, an ENVI header or its data file, or a variable of a .mat file.

    Args:
        path: the file; `scene.mat:cube` names a variable.
        variable: variable of a .mat file, instead of the form above.

    Raises:
        RasterOpenError: the file is missing, unreadable, truncated or of a kind that cannot be mapped.
    """
    file, named = split_variable(path)
    if file.suffix.lower() == ".mat":
        return ArraySource(file, read_mat(file, variable or named))
    if variable is not None:
        raise RasterOpenError(f"{file}: only .mat files have variables; remove variable = {variable!r}")
    return RasterFile(envi.data_file(file) if file.suffix.lower() == ".hdr" else file)


class ArraySource:
    """An array in memory, (band, row, col), on a grid without a CRS."""

    def __init__(self, path: Path, array: np.ndarray) -> None:
        """Wrap the array."""
        self.path = path
        self.count, height, width = array.shape
        self.grid = Grid(height, width, Affine.identity())
        self.wavelengths_nm: tuple[float, ...] | None = None
        self.bad_bands: frozenset[int] = frozenset()
        self._array = array

    def read(self, window: Window, bands: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """See `Source.read`."""
        check_bands(self.path, self.count, bands)
        inside = window.intersect(self.grid.window)
        if inside is None:
            return empty(window, len(bands))
        rows, cols = inside.slices
        indices = [band - 1 for band in bands]
        return placed(*finite(self._array[:, rows, cols][indices]), inside, window)

    def close(self) -> None:
        """Nothing to close."""
