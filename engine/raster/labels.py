"""Labelled pixels of one place: rows, columns and class indices, from points, polygons or a raster of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import LabelError
from engine.legend import Legend
from engine.raster.grid import Grid, crs_name
from engine.raster.label_raster import read_label_raster
from engine.raster.label_vector import is_vector, read_label_vector
from engine.raster.legends import build_legend

# Class maps are uint16 at most.
_LARGEST_VALUE = 65535


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labelled pixels of a grid, in row order, each pixel once.

    Attributes:
        legend: the classes that occur inside the grid.
        rows: row of each pixel (N,) int64.
        cols: column (N,) int64.
        classes: class index in `legend` (N,) int64.
        region: number of its polygon, its point, or its connected region in a raster (N,) int64. Pixels of one region
            resemble each other, so a fair split keeps them together.
    """

    legend: Legend
    rows: np.ndarray
    cols: np.ndarray
    classes: np.ndarray
    region: np.ndarray


def read_labels(
    path: str | Path,
    *,
    grid: Grid,
    field: str | None = None,
    layer: str | None = None,
    variable: str | None = None,
    ignore: Sequence[int] = (),
) -> Labels:
    """Read the labels inside a grid.

    Polygons label the pixels whose centres they contain, points the pixel they lie in, rasters on other grids their
    nearest neighbours. A pixel that two classes claim is left out.

    Args:
        path: vector file, or single-band raster of class values (`labels.mat:TRLabel` names a variable).
        grid: the reference grid.
        field: attribute of a vector file with class names or numbers; may be left out where there is only one.
        layer: layer of a vector file with several.
        variable: variable of a .mat file.
        ignore: values that are no classes, beside 0 and nodata.

    Raises:
        LabelError: no label inside the grid, unknown field or layer, values that are no classes, no way onto the grid.
        RasterOpenError: a label raster cannot be read.
    """
    if is_vector(Path(path), field, layer):
        found = read_label_vector(Path(path), grid, field, layer, ignore)
    else:
        found = read_label_raster(path, grid, variable, ignore)
    if not len(found.values):
        bounds = ",".join(f"{value:.10g}" for value in grid.bounds)
        raise LabelError(
            f"{path}: no label inside the reference grid ({bounds} in {crs_name(grid.crs)}); "
            "check that labels and rasters show the same place"
        )
    values, classes = np.unique(found.values, return_inverse=True)
    wrong = values[(values < 1) | (values > _LARGEST_VALUE)]
    if wrong.size:
        raise LabelError(
            f"{path}: class value {wrong[0]} does not fit a class map (1 to {_LARGEST_VALUE}; 0 is nodata); "
            f"renumber the classes, or add {wrong[0]} to labels.ignore"
        )
    legend = build_legend(values.tolist(), found.hints)
    return Labels(legend, found.rows, found.cols, classes.astype(np.int64), found.region)
