"""The grid: shape, affine transform and CRS of a raster as one value, without a file behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from engine.errors import GridMismatchError
from engine.raster.windows import Window

# Two grids whose corners differ by less than this many pixels are the same grid: writers round origins and pixel sizes.
TOLERANCE_PX = 1e-3


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels of a raster lie.

    Attributes:
        height: rows.
        width: columns.
        transform: (column, row) of a pixel corner to (x, y) in `crs`; may be rotated or south-up.
        crs: coordinate reference system, None where the raster has none.
    """

    height: int
    width: int
    transform: Affine
    crs: CRS | None = None

    def __post_init__(self) -> None:
        """Check that there are pixels and that they have an area."""
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a grid needs at least one pixel, got {self.height} x {self.width}")
        if not math.isfinite(self.transform.determinant) or self.transform.determinant == 0:
            raise ValueError(f"a grid's pixels need an area, got transform {tuple(self.transform)[:6]}")

    @property
    def window(self) -> Window:
        """The window of all pixels."""
        return Window(0, 0, self.height, self.width)

    @property
    def resolution(self) -> tuple[float, float]:
        """Length of a pixel's side along a row and along a column (x_size, y_size), in units of the CRS."""
        t = self.transform
        return math.hypot(t.a, t.d), math.hypot(t.b, t.e)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(xmin, ymin, xmax, ymax) of the grid's four corners, in units of the CRS."""
        return self.window_bounds(self.window)

    def window_bounds(self, window: Window) -> tuple[float, float, float, float]:
        """(xmin, ymin, xmax, ymax) of a window's four corners, in units of the CRS."""
        x, y = apply_affine(self.transform, *_corners(window))
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    def window_transform(self, window: Window) -> Affine:
        """Transform of an array that holds `window`."""
        t = self.transform
        x, y = apply_affine(t, window.col, window.row)
        return Affine(t.a, t.b, float(x), t.d, t.e, float(y))

    def window_of_bounds(self, bounds: Sequence[float]) -> Window:
        """The smallest window that covers (xmin, ymin, xmax, ymax), clipped to the grid.

        Bounds that miss a pixel edge by less than a thousandth of a pixel are taken to lie on it.

        Raises:
            GridMismatchError: the bounds do not touch the grid, or are empty.
        """
        xmin, ymin, xmax, ymax = bounds
        if not (xmin < xmax and ymin < ymax):
            raise GridMismatchError(f"extent {_text(bounds)} is empty; give xmin,ymin,xmax,ymax in this order")
        col, row = self.pixel_coordinates(np.array([xmin, xmin, xmax, xmax]), np.array([ymin, ymax, ymin, ymax]))
        window = covering_window(row, col).intersect(self.window)
        if window is None:
            raise GridMismatchError(f"extent {_text(bounds)} lies outside the reference grid {_text(self.bounds)}")
        return window

    def pixel_coordinates(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Fractional (col, row) of points in the grid's CRS; the first pixel spans 0 to 1."""
        return apply_affine(~self.transform, x, y)

    def offset_of(self, other: Grid) -> tuple[int, int] | None:
        """(row, col) on this grid of the first pixel of `other`; None unless their pixels coincide up to rounding."""
        if not same_crs(self.crs, other.crs):
            return None
        col, row = _corners(other.window)
        here_col, here_row = self.pixel_coordinates(*apply_affine(other.transform, col, row))
        row_offset, col_offset = round(float(here_row[0])), round(float(here_col[0]))
        error = max(np.abs(here_row - row - row_offset).max(), np.abs(here_col - col - col_offset).max())
        return (row_offset, col_offset) if error <= TOLERANCE_PX else None

    def same_as(self, other: Grid) -> bool:
        """True where both grids have the same pixels, up to rounding."""
        return (self.height, self.width) == (other.height, other.width) and self.offset_of(other) == (0, 0)

    def to_json(self) -> dict[str, Any]:
        """JSON-able form; the CRS as WKT."""
        crs = self.crs.to_wkt() if self.crs else None
        return {"height": self.height, "width": self.width, "transform": list(self.transform)[:6], "crs": crs}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Grid:
        """Inverse of `to_json`."""
        crs = CRS.from_wkt(data["crs"]) if data["crs"] else None
        return cls(int(data["height"]), int(data["width"]), Affine(*data["transform"]), crs)

    def __str__(self) -> str:
        """Shape, pixel size and CRS in a few words, for messages."""
        x_size, y_size = self.resolution
        size = f"{x_size:g}" if math.isclose(x_size, y_size, rel_tol=1e-6) else f"{x_size:g} x {y_size:g}"
        return f"{self.height} x {self.width} pixels of {size}, {crs_name(self.crs)}"


def apply_affine(transform: Affine, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Transform points; written out because the operators for it differ between versions of `affine`."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return transform.a * x + transform.b * y + transform.c, transform.d * x + transform.e * y + transform.f


def covering_window(row: np.ndarray, col: np.ndarray) -> Window:
    """The smallest window around fractional pixel coordinates, snapped outward but for rounding errors."""
    first_row, first_col = math.floor(row.min() + TOLERANCE_PX), math.floor(col.min() + TOLERANCE_PX)
    bottom, right = math.ceil(row.max() - TOLERANCE_PX), math.ceil(col.max() - TOLERANCE_PX)
    return Window(first_row, first_col, max(bottom - first_row, 1), max(right - first_col, 1))


def same_crs(one: CRS | None, other: CRS | None) -> bool:
    """True where both are missing or mean the same, however they are written."""
    if one is None or other is None:
        return one is other
    # GDAL takes all engineering CRSs for the same; only their names tell them apart.
    return one == other and (not is_local(one) or crs_name(one) == crs_name(other))


def crs_name(crs: CRS | None) -> str:
    """`EPSG:32633` where there is a code, else the name in its definition."""
    if crs is None:
        return "no CRS"
    code = crs.to_epsg()
    wkt = crs.to_wkt()
    return f"EPSG:{code}" if code else wkt.split('"')[1] if '"' in wkt else "unnamed CRS"


def is_local(crs: CRS | None) -> bool:
    """True for an engineering CRS, whose coordinates mean something only among layers that share it."""
    return crs is not None and crs.to_wkt().startswith(("LOCAL_CS", "ENGCRS", "ENGINEERINGCRS"))


def _corners(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """(col, row) of the four corners, upper left first."""
    col = np.array([window.col, window.right, window.col, window.right], np.float64)
    row = np.array([window.row, window.row, window.bottom, window.bottom], np.float64)
    return col, row


def _text(bounds: Sequence[float]) -> str:
    return ",".join(f"{value:.10g}" for value in bounds)
