"""Where the pixels of one grid lie on another: exact points, and the affine pieces that resampling works with.

Within one CRS the way from pixel to pixel is one affine matrix. Between two it is curved; we cut it into affine pieces
on tiles anchored at the target grid's origin, small enough to be right within a fiftieth of a pixel (GDAL's own
shortcut allows an eighth, and depends on the window asked for). The pieces do not depend on what is read, so neither do
the values.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import rasterio.warp
from affine import Affine
from rasterio.crs import CRS

from engine.raster.grid import Grid, apply_affine, covering_window, same_crs
from engine.raster.windows import Window

_PIECE_PX = 256
_SMALLEST_PIECE_PX = 8
_ERROR_PX = 0.02  # of the source
_BREAK_PX = 1.0  # an error that a smallest piece shows only where the source's CRS is torn, as at 180 degrees


def pieces(grid: Grid, window: Window, source: Grid) -> Iterator[tuple[Window, Affine]]:
    """Cut `window` of `grid` into parts with an affine way to the pixels of `source`.

    Yields:
        A part of the window, and the matrix from (col, row) on `grid` to (col, row) on `source`. Parts that the CRS of
        the source cannot express are left out.
    """
    if same_crs(grid.crs, source.crs):
        yield window, _pixel_matrix(grid, source)
        return
    for row in range(window.row // _PIECE_PX * _PIECE_PX, window.bottom, _PIECE_PX):
        for col in range(window.col // _PIECE_PX * _PIECE_PX, window.right, _PIECE_PX):
            yield from _fitted(grid, Window(row, col, _PIECE_PX, _PIECE_PX), source, window)


def _fitted(grid: Grid, tile: Window, source: Grid, window: Window) -> Iterator[tuple[Window, Affine]]:
    part = tile.intersect(window)
    if part is None:
        return
    col, row = _lattice(tile, 5)
    source_col, source_row = source_points(grid, col, row, source)
    finite = np.isfinite(source_col)
    if not finite.any():
        return
    smallest = tile.height <= _SMALLEST_PIECE_PX
    if finite.all():
        design = np.stack([col - tile.col, row - tile.row, np.ones_like(col)], axis=1)
        target = np.stack([source_col, source_row], axis=1)
        solution = np.linalg.lstsq(design, target, rcond=None)[0]
        if np.abs(design @ solution - target).max() <= (_BREAK_PX if smallest else _ERROR_PX):
            (a, d), (b, e), (c, f) = solution.tolist()
            yield part, Affine(a, b, c - a * tile.col - b * tile.row, d, e, f - d * tile.col - e * tile.row)
            return
    if not smallest:
        half = tile.height // 2
        for row_step in (0, half):
            for col_step in (0, half):
                quarter = Window(tile.row + row_step, tile.col + col_step, half, half)
                yield from _fitted(grid, quarter, source, window)


def footprint(grid: Grid, window: Window, other: Grid) -> Window | None:
    """The part of `other` that `window` of `grid` covers, to a pixel or two; None where they do not meet."""
    col, row = source_points(grid, *_lattice(window, 33), other)
    finite = np.isfinite(col)
    return covering_window(row[finite], col[finite]).intersect(other.window) if finite.any() else None


def overlap(one: Grid, other: Grid) -> bool:
    """True where the two grids share some ground."""
    # Both ways: what a projection makes of far-away points may pretend an overlap one way, hardly both.
    return footprint(one, one.window, other) is not None and footprint(other, other.window, one) is not None


def pixel_ratio(grid: Grid, source: Grid) -> float:
    """How many source pixels lie along one pixel of `grid`, in the middle of what is found over the grid."""
    col, row = _lattice(grid.window, 3)
    right = source_points(grid, col + 1, row, source)
    below = source_points(grid, col, row + 1, source)
    here_col, here_row = source_points(grid, col, row, source)
    area = (right[0] - here_col) * (below[1] - here_row) - (right[1] - here_row) * (below[0] - here_col)
    area = np.abs(area[np.isfinite(area)])
    return float(np.sqrt(np.median(area))) if area.size else 1.0


def source_points(grid: Grid, col: np.ndarray, row: np.ndarray, source: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Fractional (col, row) on `source` of fractional (col, row) on `grid`; infinite where there is no such point."""
    if same_crs(grid.crs, source.crs):
        return apply_affine(_pixel_matrix(grid, source), col, row)
    x, y = transform_points(grid.crs, source.crs, *apply_affine(grid.transform, col, row))
    with np.errstate(invalid="ignore"):  # infinite points become not-a-number, which is just as well
        return source.pixel_coordinates(x, y)


def transform_points(
    source_crs: CRS | None, target_crs: CRS | None, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Transform points (N,); infinite where the target cannot express one, where rasterio gives up on all of them."""
    if same_crs(source_crs, target_crs) or not len(x):
        return x, y
    try:
        new_x, new_y = rasterio.warp.transform(source_crs, target_crs, x, y)
    except Exception:  # rasterio lets GDAL's own error classes through, which are private
        if len(x) == 1:
            return np.array([np.inf]), np.array([np.inf])
        half = len(x) // 2
        first = transform_points(source_crs, target_crs, x[:half], y[:half])
        second = transform_points(source_crs, target_crs, x[half:], y[half:])
        return np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])
    return np.asarray(new_x), np.asarray(new_y)


def _pixel_matrix(grid: Grid, source: Grid) -> Affine:
    """From (col, row) on `grid` to (col, row) on `source` in the same CRS, cleaned of rounding errors.

    Pixel centres of one grid often lie exactly on pixel edges of the other. Rounding errors would decide there which
    pixel is nearest, and could decide differently for another window.
    """
    here, there = grid.transform, source.transform
    to_pixels = np.linalg.inv([[there.a, there.b], [there.d, there.e]])
    # Subtract the origins before dividing: coordinates are millions of metres, their differences are not.
    linear = np.round(to_pixels @ [[here.a, here.b], [here.d, here.e]], 12)
    offset = np.round(to_pixels @ [here.c - there.c, here.f - there.f], 6)
    (a, b), (d, e) = linear.tolist()
    return Affine(a, b, float(offset[0]), d, e, float(offset[1]))


def _lattice(window: Window, side: int) -> tuple[np.ndarray, np.ndarray]:
    """(col, row) of `side` x `side` points spread over a window, its edges included."""
    col, row = np.meshgrid(np.linspace(window.col, window.right, side), np.linspace(window.row, window.bottom, side))
    return col.ravel(), row.ravel()
