"""Read a source on the pixels of another grid, window by window, without letting invalid pixels into the result.

The result for a pixel does not depend on the window in which it is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import rasterio.warp
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling as GdalResampling

from engine.modality import Resampling, Unit
from engine.raster.grid import Grid, apply_affine, covering_window
from engine.raster.placement import pieces, pixel_ratio
from engine.raster.sources import Source
from engine.raster.windows import Window

# Values resampled at once: 32 MB, and GDAL copies them. Fine pixels under coarse ones would otherwise fill the memory.
_VALUES_AT_ONCE = 8 * 2**20

# The pieces are affine in pixels; GDAL only wants to hear that both sides have the same CRS.
_ANY_CRS = CRS.from_epsg(3857)


def default_resampling(grid: Grid, source: Grid) -> Resampling:
    """Average where the source is finer than the grid, else bilinear."""
    # Two images of one nominal resolution differ by some percent after reprojection; that is not finer.
    return "average" if pixel_ratio(grid, source) > 1.1 else "bilinear"


def read_on_grid(
    source: Source, grid: Grid, window: Window, bands: Sequence[int], resampling: Resampling, unit: Unit = "linear"
) -> tuple[np.ndarray, np.ndarray]:
    """Read bands of a source on a window of `grid`.

    A source pixel counts if all of `bands` are valid there. A pixel of the result holds the weighted mean of the valid
    ones; decibels are averaged as linear power. It is valid if the source pixel under its centre is or, for "average",
    if at least half of its area is.

    Args:
        source: the raster.
        grid: where the pixels of the result lie.
        window: part of the grid; may leave it.
        bands: 1-based numbers.
        resampling: ignored where the source has the same pixels as the grid: these are read directly.
        unit: "db" for values in decibels.

    Returns:
        values (C, h, w) float32, 0 where invalid; valid (h, w) bool.

    Raises:
        RasterOpenError: the source cannot be read there.
    """
    offset = source.grid.offset_of(grid)
    if offset is not None:
        return _read_valid(source, window.shift(*offset), bands)
    values = np.zeros((len(bands), window.height, window.width), np.float32)
    valid = np.zeros((window.height, window.width), bool)
    for piece, matrix in pieces(grid, window, source.grid):
        for part, needed in _readable_parts(piece, matrix, source.grid, len(bands)):
            rows, cols = part.relative_to(window).slices
            read_values, read_valid = _read_valid(source, needed, bands)
            if unit == "db" and resampling != "nearest":
                read_values = np.where(read_valid, 10 ** (read_values / 10), 0).astype(np.float32)
            values[:, rows, cols], valid[rows, cols] = _warp(read_values, read_valid, needed, matrix, part, resampling)
    if unit == "db" and resampling != "nearest":
        values = np.where(valid, 10 * np.log10(np.maximum(values, 1e-30)), 0).astype(np.float32)
    return values, valid


def _read_valid(source: Source, window: Window, bands: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Values (C, h, w) and the validity (h, w) of all bands together; values are 0 where any band is invalid."""
    values, valid = source.read(window, bands)
    together = np.logical_and.reduce(valid, axis=0)
    values[:, ~together] = 0
    return values, together


def _readable_parts(part: Window, matrix: Affine, source: Grid, bands: int) -> Iterator[tuple[Window, Window]]:
    """Split a part until what it needs of the source may be read at once; parts beside the source are left out."""
    needed = _needed(part, matrix)
    if needed.intersect(source.window) is None:
        return
    if needed.height * needed.width * bands <= _VALUES_AT_ONCE or part.height * part.width == 1:
        yield part, needed
        return
    for half in part.halves():
        yield from _readable_parts(half, matrix, source, bands)


def _needed(part: Window, matrix: Affine) -> Window:
    """The source pixels under a part and around it, as far as a kernel reaches; may leave the source."""
    col = np.array([part.col, part.right, part.col, part.right])
    row = np.array([part.row, part.row, part.bottom, part.bottom])
    source_col, source_row = apply_affine(matrix, col, row)
    # A linear kernel reaches one pixel of the coarser of the two grids to either side.
    return covering_window(source_row, source_col).padded(math.ceil(max(_steps(matrix))) + 1)


def _steps(matrix: Affine) -> tuple[float, float]:
    """Source columns and rows from one pixel of the target to the next, at least one."""
    return max(math.hypot(matrix.a, matrix.b), 1.0), max(math.hypot(matrix.d, matrix.e), 1.0)


def _warp(
    values: np.ndarray, valid: np.ndarray, read: Window, matrix: Affine, part: Window, resampling: Resampling
) -> tuple[np.ndarray, np.ndarray]:
    """Resample what was read of the source onto `part`: values (C, h, w), and valid (h, w)."""
    # The validity goes through the same kernel as the values, which are 0 where invalid: dividing by it afterwards
    # leaves the mean over valid pixels. `read` reaches beyond the source's edge, with invalid pixels: edges come right.
    mask = valid[None].astype(np.float32)
    warped = _reproject(np.concatenate([values, mask]), read, matrix, part, resampling)
    weight = warped[-1]
    if resampling == "average":
        enough = weight >= 0.5 - 1e-4
    else:
        enough = (weight > 0) & (_reproject(mask, read, matrix, part, "nearest")[0] > 0)
    return np.where(enough, warped[:-1] / np.where(enough, weight, 1), 0), enough


def _reproject(array: np.ndarray, read: Window, matrix: Affine, part: Window, resampling: Resampling) -> np.ndarray:
    """GDAL's warper between pixel coordinates; 0 beyond the source."""
    warped = np.zeros((len(array), part.height, part.width), np.float32)
    col, row = apply_affine(matrix, part.col, part.row)
    x_step, y_step = _steps(matrix)
    rasterio.warp.reproject(
        array,
        warped,
        src_transform=Affine(1, 0, read.col, 0, 1, read.row),
        src_crs=_ANY_CRS,
        dst_transform=Affine(matrix.a, matrix.b, float(col), matrix.d, matrix.e, float(row)),
        dst_crs=_ANY_CRS,
        resampling=GdalResampling[resampling],
        warp_mem_limit=512,
        # GDAL would guess the kernel's width from the shape of the window.
        XSCALE=1 / x_step,
        YSCALE=1 / y_step,
    )
    return warped
