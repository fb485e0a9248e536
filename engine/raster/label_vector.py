"""Labels from points and polygons with a class attribute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas
import numpy as np
import rasterio.features
import shapely
from affine import Affine

from engine.errors import LabelError
from engine.raster.grid import Grid, covering_window, crs_name, is_local
from engine.raster.labelled_pixels import LabelledPixels, settle
from engine.raster.legends import Hints, qml_hints
from engine.raster.vector_crs import to_crs_of
from engine.raster.vector_file import read_vector
from engine.raster.windows import blocks

_SUFFIXES = {".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".gml", ".gdb", ".sqlite"}
_BLOCK_PX = 1024
_POINT, _POLYGON = 0, 3  # shapely's type numbers


def is_vector(path: Path, field: str | None, layer: str | None) -> bool:
    """True for a vector file: by its suffix, or because a field or layer is named."""
    return path.suffix.lower() in _SUFFIXES or field is not None or layer is not None


def read_label_vector(
    path: Path, grid: Grid, field: str | None, layer: str | None, ignore: Sequence[int]
) -> LabelledPixels:
    """Burn the features of a vector file onto `grid`: polygons by pixel centre, points into their pixel.

    Each part of a multi-part feature is a region of its own.

    Raises:
        LabelError: the file cannot be read, layer or field is unknown, values are no classes, geometries are lines, or
            there is no way onto the grid.
    """
    frame = read_vector(path, layer)
    field = _class_field(path, frame, field)
    column = frame[field]
    texts = ["" if missing else str(value).strip() for value, missing in zip(column, column.isna(), strict=True)]
    values, hints = _class_values(path, field, texts, ignore)
    labelled = values != 0
    shapes = _pixel_shapes(path, frame[labelled], grid)
    parts, feature = shapely.get_parts(shapes, return_index=True)
    there = ~shapely.is_empty(parts)
    parts, feature = parts[there], feature[there]
    kinds = shapely.get_type_id(parts)
    if not np.isin(kinds, (_POINT, _POLYGON)).all():
        raise LabelError(f"{path}: lines cannot be labels; give points or polygons")
    part_values = values[labelled][feature]
    rows, cols, region = _burn(parts, kinds, grid)
    return settle(LabelledPixels(rows, cols, part_values[region], region, hints), grid.width)


def _class_field(path: Path, frame: geopandas.GeoDataFrame, field: str | None) -> str:
    if not isinstance(frame, geopandas.GeoDataFrame):
        raise LabelError(f"{path}: no geometries; give points or polygons")
    fields = [str(name) for name in frame.columns if name != frame.geometry.name]
    known = ", ".join(fields) or "none"
    if field is None and len(fields) != 1:
        raise LabelError(f"{path}: say which field holds the class as labels.field; it has: {known}")
    if field is not None and field not in fields:
        raise LabelError(f"{path}: no field {field}; it has: {known}")
    return field or fields[0]


def _class_values(path: Path, field: str, texts: Sequence[str], ignore: Sequence[int]) -> tuple[np.ndarray, Hints]:
    """Class value of each feature (F,) int64, 0 for those without a class, and the names and colours that go with them.

    Args:
        path: the vector file.
        field: the attribute, for messages and to find its style.
        texts: its value of each feature as text, empty where there is none.
        ignore: numbers that are no classes.
    """
    style = qml_hints(path.with_suffix(".qml"), field)
    names = set(texts) - {""}
    number_of = {text: _number(text) for text in names}
    if not all(np.isfinite(number) for number in number_of.values()):
        # Names get values in alphabetical order, so that they do not depend on the order of the features.
        value_of = {name: value for value, name in enumerate(sorted(names), 1)}
        colours = {str(value_of[name]): colour for name, colour in style.colours.items() if name in value_of}
        hints = Hints({str(value): name for name, value in value_of.items()}, colours)
        return np.array([value_of.get(text, 0) for text in texts], np.int64), hints
    for number in number_of.values():
        if number != int(number):
            raise LabelError(f"{path}: field {field} holds {number:g}; give one with class names or whole numbers")
        if number == 0 and 0 not in ignore:
            raise LabelError(
                f"{path}: field {field} holds 0, which class maps keep for nodata; number the classes from 1, or, "
                "where it means unlabelled, leave these features out or empty (in training, add 0 to labels.ignore)"
            )
    value_of = {text: int(number) for text, number in number_of.items() if int(number) not in ignore}
    return np.array([value_of.get(text, 0) for text in texts], np.int64), style


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _pixel_shapes(path: Path, frame: geopandas.GeoDataFrame, grid: Grid) -> np.ndarray:
    """Geometries in pixel coordinates (x is the column, y the row)."""
    ours, theirs = grid.crs, frame.crs
    name = theirs.name if theirs else "no CRS"
    mismatch = f"{path}: labels in {name} do not fit a grid in {crs_name(ours)}; assign the labels the right CRS"
    if (ours is None) != (theirs is None):
        raise LabelError(mismatch)
    geometries = frame.geometry
    if ours is not None and (is_local(ours) or theirs.is_engineering):
        if theirs != ours.to_wkt():
            raise LabelError(mismatch)
    elif ours is not None:
        geometries = to_crs_of(geometries, grid)

    def to_pixels(xy: np.ndarray) -> np.ndarray:
        return np.stack(grid.pixel_coordinates(xy[:, 0], xy[:, 1]), axis=1)

    shapes: np.ndarray = shapely.transform(geometries.to_numpy(), to_pixels)
    return shapes


def _burn(parts: np.ndarray, kinds: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rows, cols, part number) of the pixels of each part inside the grid."""
    points = np.flatnonzero(kinds == _POINT)
    rows = [np.floor(shapely.get_y(parts[points]))]
    cols = [np.floor(shapely.get_x(parts[points]))]
    numbers = [points]
    for number in np.flatnonzero(kinds == _POLYGON):
        left, top, right, bottom = shapely.bounds(parts[number])
        if not np.isfinite([left, top, right, bottom]).all():
            continue
        reach = covering_window(np.array([top, bottom]), np.array([left, right]))
        for block in blocks(grid.height, grid.width, _BLOCK_PX, within=reach):
            burnt = rasterio.features.rasterize(
                [(parts[number], 1)],
                out_shape=(block.height, block.width),
                transform=Affine.translation(block.col, block.row),
                dtype=np.uint8,
            )
            row, col = np.nonzero(burnt)
            rows.append(row + block.row)
            cols.append(col + block.col)
            numbers.append(np.full(len(row), number))
    row, col = np.concatenate(rows), np.concatenate(cols)
    inside = (row >= 0) & (row < grid.height) & (col >= 0) & (col < grid.width)
    return row[inside].astype(np.int64), col[inside].astype(np.int64), np.concatenate(numbers)[inside].astype(np.int64)
