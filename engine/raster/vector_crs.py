"""Polygons in a grid's CRS, with edges that follow the projection.

GIS software moves the corners of a polygon and draws straight edges between them anew. A long edge that is straight in
degrees is bent on a map in metres: by 119 m for one degree at 51 degrees north. So edges get more points first, and
what lies far beside the grid, where projections have no answer, is cut away.
"""

from __future__ import annotations

import geopandas
import numpy as np
import pyproj
import shapely

from engine.raster.grid import Grid, apply_affine

_TOLERANCE_PX = 0.25
_ROUNDS = 4  # the error falls with the square of an edge's length, so two are enough for all but very long ones
_MOST_POINTS = 1000  # on an edge
_OUTLINE_POINTS = 33  # on a side of the grid
_MARGIN = 0.5  # around the grid, in its own width and height


def to_crs_of(shapes: geopandas.GeoSeries, grid: Grid) -> geopandas.GeoSeries:
    """Geometries (F,) in the CRS of a grid that has one; polygons are right to a quarter of a pixel on and near it.

    What of a polygon is far from the grid may be missing.
    """
    assert grid.crs is not None
    wkt = grid.crs.to_wkt()
    if shapes.crs.equals(wkt):
        return shapes
    geometries = shapes.to_numpy().copy()
    areas = np.flatnonzero(shapes.geom_type.isin(["Polygon", "MultiPolygon"]) & ~shapes.is_empty)
    if len(areas):
        there = pyproj.Transformer.from_crs(shapes.crs, wkt, always_xy=True)
        geometries[areas] = _with_points(_cut(geometries[areas], there, grid), there, grid)
    return geopandas.GeoSeries(geometries, shapes.index, crs=shapes.crs).to_crs(wkt)


def _cut(polygons: np.ndarray, there: pyproj.Transformer, grid: Grid) -> np.ndarray:
    """Polygons without what lies far beside the grid; those that lie there as a whole stay as they are."""
    row, col = _outline(grid.height, grid.width)
    x, y = there.transform(*apply_affine(grid.transform, col, row), direction="INVERSE")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return polygons
    near = shapely.box(x.min(), y.min(), x.max(), y.max())
    large = np.flatnonzero(shapely.intersects(polygons, near) & ~shapely.covers(near, polygons))
    cut = polygons.copy()
    cut[large] = [_areas(shape) for shape in shapely.intersection(shapely.make_valid(polygons[large]), near)]
    return cut


def _areas(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """Without the points and lines where a polygon only touches what it is cut with."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.MultiPolygon(shapely.get_parts(parts).tolist())


def _outline(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of points on a rectangle around the grid."""
    share = np.linspace(-_MARGIN, 1 + _MARGIN, _OUTLINE_POINTS)
    low, high = np.full_like(share, -_MARGIN), np.full_like(share, 1 + _MARGIN)
    return height * np.concatenate([low, high, share, share]), width * np.concatenate([share, share, low, high])


def _with_points(polygons: np.ndarray, there: pyproj.Transformer, grid: Grid) -> np.ndarray:
    """Polygons with so many points that straight edges between them are right."""
    for _ in range(_ROUNDS):
        error, length = _bending(polygons, there, grid)
        bent = np.flatnonzero(error > _TOLERANCE_PX)
        if not len(bent):
            break
        pieces = np.minimum(np.ceil(np.sqrt(error[bent] / _TOLERANCE_PX)), _MOST_POINTS)
        polygons = polygons.copy()
        polygons[bent] = shapely.segmentize(polygons[bent], length[bent] / pieces)
    return polygons


def _bending(polygons: np.ndarray, there: pyproj.Transformer, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """How far the middle of an edge is off at most, in pixels, and the longest edge, in the CRS's unit: (F,) each."""
    parts, of_polygon = shapely.get_parts(polygons, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    edge = np.flatnonzero(of_ring[1:] == of_ring[:-1])
    owner = of_polygon[of_part[of_ring[edge]]]
    start, end = points[edge], points[edge + 1]

    def pixels(xy: np.ndarray) -> np.ndarray:
        return np.stack(grid.pixel_coordinates(*there.transform(xy[:, 0], xy[:, 1])), axis=1)

    off = np.hypot(*(pixels((start + end) / 2) - (pixels(start) + pixels(end)) / 2).T)
    error, length = np.zeros(len(polygons)), np.zeros(len(polygons))
    np.maximum.at(error, owner, np.nan_to_num(off, posinf=0))
    np.maximum.at(length, owner, np.hypot(*(end - start).T))
    return error, length
