"""Labels from a raster of class values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from engine.errors import LabelError
from engine.raster.bands import good_bands
from engine.raster.grid import Grid, crs_name, is_local, same_crs
from engine.raster.labelled_pixels import LabelledPixels, settle
from engine.raster.legends import Hints, raster_hints
from engine.raster.resample import read_on_grid
from engine.raster.sources import ArraySource, Source, open_source
from engine.raster.windows import blocks

_BLOCK_PX = 1024
_MOST_PIXELS = 10**10  # a hundred million a second: minutes, not days


def read_label_raster(path: str | Path, grid: Grid, variable: str | None, ignore: Sequence[int]) -> LabelledPixels:
    """Read the pixels of a single-band class raster that lie on `grid` and carry a class.

    A raster without a CRS but with exactly the shape of the grid is taken to lie on it: the label maps of benchmark
    scenes circulate like that.

    Raises:
        LabelError: more than one band, values that are not whole numbers, or no way onto the grid.
        RasterOpenError: the file cannot be read.
    """
    if grid.height * grid.width > _MOST_PIXELS:
        raise LabelError(
            f"{path}: a raster of labels is read whole, and the reference grid has {grid.height:,} x {grid.width:,} "
            "pixels; give points or polygons, or a reference raster cut to the labelled area"
        )
    source = open_source(path, variable)
    try:
        found = list(_read_blocks(source, grid, _only_band(source)))
        hints = Hints() if isinstance(source, ArraySource) else raster_hints(source.path)
    finally:
        source.close()
    rows, cols, numbers = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    values = numbers.astype(np.int64)
    if (values != numbers).any():
        example = numbers[values != numbers][0]
        raise LabelError(f"{path}: value {example:g} is not a whole number; give a raster of class values")
    classed = ~np.isin(values, [0, *ignore])
    rows, cols, values = rows[classed], cols[classed], values[classed]
    pixels = settle(LabelledPixels(rows, cols, values, np.zeros_like(rows), hints), grid.width)
    region = connected_regions(pixels.rows, pixels.cols, pixels.values, grid.width)
    return LabelledPixels(pixels.rows, pixels.cols, pixels.values, region, hints)


def connected_regions(rows: np.ndarray, cols: np.ndarray, values: np.ndarray, width: int) -> np.ndarray:
    """Number the regions of equal class that touch by side or corner.

    Works on the labelled pixels alone, which are few, however large the grid is.

    Args:
        rows: (N,) int64, with `cols` in row order.
        cols: (N,) int64.
        values: class value (N,).
        width: columns of the grid.

    Returns:
        Region number of each pixel (N,) int64.
    """
    keys = rows * (width + 1) + cols  # a column to spare: the end of a row does not touch the start of the next
    starts, ends = [], []
    for step in (1, width, width + 1, width + 2):  # right, and the three below; the others are these seen from there
        position = np.searchsorted(keys, keys + step)
        exists = position < len(keys)
        exists[exists] = keys[position[exists]] == keys[exists] + step
        same = np.flatnonzero(exists)
        same = same[values[same] == values[position[same]]]
        starts.append(same)
        ends.append(position[same])
    start, end = np.concatenate(starts), np.concatenate(ends)
    graph = coo_array((np.ones(len(start), bool), (start, end)), shape=(len(keys), len(keys)))
    region: np.ndarray = connected_components(graph, directed=False)[1].astype(np.int64)
    return region


def _only_band(source: Source) -> int:
    bands = good_bands(source)
    if len(bands) != 1:
        raise LabelError(f"{source.path}: {len(bands)} bands; labels need a raster with one band of class values")
    return bands[0]


def _read_blocks(source: Source, grid: Grid, band: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (rows, cols, values) of the valid pixels of each block of `grid`."""
    same_shape = (source.grid.height, source.grid.width) == (grid.height, grid.width)
    lies_on_grid = source.grid.crs is None and source.grid.transform.is_identity and same_shape
    if not lies_on_grid and not same_crs(source.grid.crs, grid.crs):
        _check_crs(source, grid)
    for block in blocks(grid.height, grid.width, _BLOCK_PX):
        if lies_on_grid:
            values, valid = source.read(block, [band])
            valid = valid[0]
        else:
            values, valid = read_on_grid(source, grid, block, [band], "nearest")
        rows, cols = np.nonzero(valid)
        yield rows + block.row, cols + block.col, values[0, rows, cols]


def _check_crs(source: Source, grid: Grid) -> None:
    theirs, ours = source.grid.crs, grid.crs
    if theirs is None or ours is None or is_local(theirs) or is_local(ours):
        raise LabelError(
            f"{source.path}: labels in {crs_name(theirs)} do not fit a reference grid in {crs_name(ours)}; "
            "assign the labels the right CRS"
        )
