"""How many pixels, and how much area, a map has of what: counted block by block, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import BandCountError, Cancelled, GridMismatchError, LabelError
from engine.raster.area import row_area_m2
from engine.raster.sources import Source, open_source
from engine.raster.windows import Window, blocks, bounding_window, groups_by_square

_BLOCK_PX = 2048  # side of what is read at once
_BITS = 24  # of each raster's values in a key: layers are read as float32, which tells larger numbers no longer apart


@dataclass(frozen=True)
class Population:
    """Combinations of values that occur in one or several rasters of one grid.

    Attributes:
        values: of each raster (K, S) int64; 0 is nodata.
        pixels: of each combination (K,) int64.
        area_m2: of each combination (K,); None where the grid's unit is unknown.
    """

    values: np.ndarray
    pixels: np.ndarray
    area_m2: np.ndarray | None

    @property
    def area(self) -> np.ndarray:
        """Square metres, or pixels where the unit is unknown (K,)."""
        return self.pixels.astype(float) if self.area_m2 is None else self.area_m2

    def of(self, raster: int, value: int) -> np.ndarray:
        """Which combinations have `value` in a raster (K,) bool."""
        return np.asarray(self.values[:, raster] == value)


def open_map(path: Path) -> Source:
    """Open a class map.

    Raises:
        BandCountError: it has more than one band.
    """
    source = open_source(path)
    if source.count != 1:
        raise BandCountError(f"{path}: {source.count} bands, expected a class map with one band")
    return source


def count_pixels(sources: Sequence[Source], cancelled: Callable[[], bool] = lambda: False) -> Population:
    """Count the combinations of the first bands of one or two rasters.

    Raises:
        GridMismatchError: the rasters do not lie on one grid.
        Cancelled: `cancelled()` said so.
    """
    grid = sources[0].grid
    for source in sources[1:]:
        check_grid(source, sources[0])
    pixels: dict[int, int] = {}
    area: dict[int, float] = {}
    for window, values in value_blocks(sources, cancelled):
        key = np.zeros(values[0].shape, np.int64)
        for raster in values:
            key = key << _BITS | raster
        found, inverse = np.unique(key, return_inverse=True)
        row_area = row_area_m2(grid, window)
        weights = None if row_area is None else np.repeat(row_area, window.width)
        here = np.bincount(inverse.ravel(), minlength=len(found))
        areas = np.bincount(inverse.ravel(), weights, len(found))
        for code, count, size in zip(found.tolist(), here.tolist(), areas.tolist(), strict=True):
            pixels[code] = pixels.get(code, 0) + count
            area[code] = area.get(code, 0.0) + size
    codes = np.array(sorted(pixels), np.int64)
    shifts = _BITS * np.arange(len(sources))[::-1]
    known = row_area_m2(grid, Window(0, 0, 1, 1)) is not None
    return Population(
        codes[:, None] >> shifts & (1 << _BITS) - 1,
        np.array([pixels[code] for code in codes.tolist()], np.int64),
        np.array([area[code] for code in codes.tolist()]) if known else None,
    )


def value_blocks(
    sources: Sequence[Source], cancelled: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Window, list[np.ndarray]]]:
    """Yield blocks of the grid, row by row of blocks, and each raster's values there (h, w) int64, 0 for nodata.

    Raises:
        Cancelled: `cancelled()` said so.
    """
    grid = sources[0].grid
    for window in blocks(grid.height, grid.width, _BLOCK_PX):
        if cancelled():
            raise Cancelled
        yield window, [read_values(source, window) for source in sources]


def values_at(source: Source, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """The first band at pixels (N,) of the grid, int64, 0 where it has no data."""
    values = np.zeros(len(rows), np.int64)
    for members in groups_by_square(rows, cols, _BLOCK_PX):
        row, col = rows[members], cols[members]
        window = bounding_window(row, col)
        values[members] = read_values(source, window)[row - window.row, col - window.col]
    return values


def read_values(source: Source, window: Window) -> np.ndarray:
    """The first band of a window (h, w) int64, 0 where it has no data.

    Raises:
        LabelError: it holds measurements, not classes.
    """
    (band,), (valid,) = source.read(window, [1])
    found = np.where(valid & (band > 0), band, 0)
    values = found.astype(np.int64)
    if not np.array_equal(found, values) or values.max(initial=0) >> _BITS:
        odd = found[(found != values) | (values >> _BITS > 0)].flat[0]
        raise LabelError(
            f"{source.path}: value {odd:g} is no class; give whole numbers below {1 << _BITS:,}, 0 for no class"
        )
    return values


def check_grid(source: Source, of: Source) -> None:
    """See that a raster lies on the map's grid.

    Raises:
        GridMismatchError: it does not.
    """
    if not source.grid.same_as(of.grid):
        raise GridMismatchError(
            f"{source.path}: grid {source.grid}, expected that of {of.path} ({of.grid}); "
            "give a raster on the map's grid"
        )
