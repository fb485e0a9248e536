"""The area of interest: polygons that say which pixels of a grid are to be mapped."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.features import rasterize

from engine.errors import ConfigError, GridMismatchError, LabelError
from engine.raster.grid import Grid
from engine.raster.windows import Window


class AreaOfInterest:
    """Polygons on a grid.

    Args:
        path: vector file in any CRS; its polygons count, whatever their attributes.
        grid: the grid to map.

    Raises:
        ConfigError: the file cannot be read, or holds no polygon.
        GridMismatchError: the polygons do not touch the grid, or only one of the two has a CRS.
    """

    def __init__(self, path: Path, grid: Grid) -> None:
        self.grid = grid
        self._polygons = _read_polygons(path, grid)
        try:
            self.window = grid.window_of_bounds(self._polygons.total_bounds)
        except GridMismatchError as error:
            raise GridMismatchError(f"{path}: its polygons do not touch the layers; check both CRSs") from error

    def mask(self, window: Window) -> np.ndarray:
        """Which pixels of `window` have their centre inside a polygon: bool (height, width)."""
        shape = (window.height, window.width)
        near = self._polygons.iloc[self._polygons.sindex.query(_box(self.grid.window_bounds(window)))]
        if near.empty:
            return np.zeros(shape, bool)
        transform = self.grid.window_transform(window)
        inside: np.ndarray = rasterize(near, out_shape=shape, transform=transform, dtype=np.uint8).astype(bool)
        return inside

    @property
    def checksum(self) -> str:
        """What tells whether an area is the same, whatever its file is called: of the polygons, in the grid's CRS."""
        digests = sorted(sha256(shape).digest() for shape in self._polygons.to_wkb())
        return sha256(b"".join(digests)).hexdigest()


def _read_polygons(path: Path, grid: Grid) -> Any:  # a geopandas.GeoSeries
    from engine.raster.vector_crs import to_crs_of
    from engine.raster.vector_file import list_layers, read_vector

    try:
        layers = list_layers(path)
        if len(layers) > 1:
            raise ConfigError(
                f"{path}: several layers ({', '.join(layers)}); save the one that holds the area of interest alone"
            )
        shapes = read_vector(path, next(iter(layers), None)).geometry
    except LabelError as error:
        raise ConfigError(f"area of interest cannot be read: {error}") from error
    except AttributeError as error:
        raise ConfigError(f"{path}: holds no geometries; an area of interest needs polygons") from error
    shapes = shapes[shapes.notna() & shapes.geom_type.isin(["Polygon", "MultiPolygon"]) & ~shapes.is_empty]
    if shapes.empty:
        raise ConfigError(f"{path}: holds no polygon; an area of interest needs at least one")
    if (shapes.crs is None) != (grid.crs is None):
        without = path if shapes.crs is None else "the reference layer"
        raise GridMismatchError(f"{path}: {without} has no CRS while the other has one; assign it first")
    return shapes if grid.crs is None else to_crs_of(shapes, grid)


def _box(bounds: tuple[float, float, float, float]) -> Any:
    from shapely import box

    return box(*bounds)
