"""How large pixels really are."""

from __future__ import annotations

import numpy as np
import pyproj
from rasterio.errors import CRSError

from engine.raster.grid import Grid, apply_affine, is_local
from engine.raster.windows import Window

# WGS 84: semi-major axis in metres, and squared eccentricity. Other ellipsoids differ by less than 0.03 % in area.
_AXIS_M, _E2 = 6378137.0, 0.00669437999014

# Surveyors' grids (UTM and the like) keep areas better than this, and everyone takes their metres for metres. Web
# Mercator does not: at 52 degrees a pixel covers 2.7 times its area on the ground.
_DISTORTION = 0.01


def row_area_m2(grid: Grid, window: Window) -> np.ndarray | None:
    """Area of a pixel in each row of `window` (height,), in square metres; None where the CRS does not tell its unit.

    Geographic grids: the area element of the ellipsoid, M N cos(latitude), at the middle of the row. Projected grids:
    the pixel's area, over the projection's areal scale at the middle of the row where that is more than 1 % from 1.
    """
    if grid.crs is None:
        return None
    try:
        unit = float(grid.crs.units_factor[1])  # metres of one unit of the CRS; radians if it is geographic
    except CRSError:
        return None
    cell = abs(grid.transform.determinant) * unit**2
    middle = window.col + window.width / 2
    x, y = apply_affine(grid.transform, middle, window.row + 0.5 + np.arange(window.height))
    if grid.crs.is_geographic:
        latitude = unit * y
        element: np.ndarray = _AXIS_M**2 * (1 - _E2) * np.cos(latitude) / (1 - _E2 * np.sin(latitude) ** 2) ** 2
        return cell * element
    scale = np.ones(window.height) if is_local(grid.crs) else _areal_scale(grid, x, y)
    return np.asarray(cell / np.where(np.abs(scale - 1) > _DISTORTION, scale, 1.0))


def _areal_scale(grid: Grid, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Area on the map over area on the ground at points of a projected grid; 1 where PROJ does not know it."""
    assert grid.crs is not None
    projection = pyproj.Proj(pyproj.CRS.from_wkt(grid.crs.to_wkt()))
    longitude, latitude = projection(x, y, inverse=True)
    scale = np.asarray(projection.get_factors(longitude, latitude).areal_scale)
    return np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
