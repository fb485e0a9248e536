"""Rectangles of a grid: pure arithmetic, no files.

Blocks (what is read at once) and cores (the inner pixels that one model window predicts) are both tiles anchored at the
grid's origin, so that a part of a scene is cut up exactly like the whole scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels. It may leave the grid: what lies outside is read as invalid."""

    row: int
    col: int
    height: int
    width: int

    def __post_init__(self) -> None:
        """Check that the window holds at least one pixel."""
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a window needs at least one pixel, got {self.height} x {self.width}")

    @property
    def bottom(self) -> int:
        """Row after the last one."""
        return self.row + self.height

    @property
    def right(self) -> int:
        """Column after the last one."""
        return self.col + self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices of an array that starts at the grid's origin; only for windows inside the grid."""
        if self.row < 0 or self.col < 0:
            raise ValueError(f"{self} starts before its array; take the window relative to the array first")
        return slice(self.row, self.bottom), slice(self.col, self.right)

    def padded(self, px: int) -> Window:
        """Grow by `px` pixels on each side (shrink if negative)."""
        return Window(self.row - px, self.col - px, self.height + 2 * px, self.width + 2 * px)

    def shift(self, rows: int, cols: int) -> Window:
        """The same shape, moved down by `rows` and right by `cols`."""
        return Window(self.row + rows, self.col + cols, self.height, self.width)

    def relative_to(self, outer: Window) -> Window:
        """This window counted from the upper left pixel of `outer`."""
        return self.shift(-outer.row, -outer.col)

    def intersect(self, other: Window) -> Window | None:
        """The common part, None where there is none."""
        row, col = max(self.row, other.row), max(self.col, other.col)
        height, width = min(self.bottom, other.bottom) - row, min(self.right, other.right) - col
        return Window(row, col, height, width) if height > 0 and width > 0 else None

    def halves(self) -> tuple[Window, Window]:
        """The two parts of a cut across the longer side; there must be more than one pixel."""
        if self.height >= self.width:
            half = self.height // 2
            upper = Window(self.row, self.col, half, self.width)
            return upper, Window(self.row + half, self.col, self.height - half, self.width)
        half = self.width // 2
        left = Window(self.row, self.col, self.height, half)
        return left, Window(self.row, self.col + half, self.height, self.width - half)

    def contains(self, other: Window) -> bool:
        """True where all of `other` lies inside."""
        return self.intersect(other) == other


def tile_cores(height: int, width: int, core_px: int, within: Window | None = None) -> Iterator[Window]:
    """Yield the tiles of side `core_px`, row by row, that have a pixel in `within` (default: the whole grid).

    Tiles start at multiples of `core_px` from the grid's origin and always have their full size, so the last ones of a
    row or column may leave the grid; clipped to grid and `within` they cover each of its pixels exactly once.

    Args:
        height: rows of the grid.
        width: columns of the grid.
        core_px: side of a tile in pixels.
        within: part of the grid to cover; what of it lies outside the grid is ignored.

    Raises:
        ValueError: `core_px` is less than 1.
    """
    if core_px < 1:
        raise ValueError(f"tiles need a side of at least 1 pixel, got {core_px}")
    grid = Window(0, 0, height, width)
    area = grid if within is None else grid.intersect(within)
    if area is None:
        return
    for row in range(area.row // core_px * core_px, area.bottom, core_px):
        for col in range(area.col // core_px * core_px, area.right, core_px):
            yield Window(row, col, core_px, core_px)


def blocks(height: int, width: int, block_px: int, within: Window | None = None) -> Iterator[Window]:
    """Yield the tiles of side `block_px` like `tile_cores`, each clipped to the grid and to `within`."""
    grid = Window(0, 0, height, width)
    area = grid if within is None else grid.intersect(within)
    for tile in tile_cores(height, width, block_px, within):
        inside = area and tile.intersect(area)
        if inside:
            yield inside


def groups_by_square(rows: np.ndarray, cols: np.ndarray, side_px: int) -> list[np.ndarray]:
    """Positions of pixels (N,) grouped by the square of the grid in which they lie, squares in row order."""
    if not len(rows):
        return []
    keys = np.stack([rows // side_px, cols // side_px], axis=1)
    _, square = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(square.ravel(), kind="stable")
    return np.split(order, np.flatnonzero(np.diff(square.ravel()[order])) + 1)


def bounding_window(rows: np.ndarray, cols: np.ndarray) -> Window:
    """The smallest window that holds all pixels (N,)."""
    row, col = int(rows.min()), int(cols.min())
    return Window(row, col, int(rows.max()) - row + 1, int(cols.max()) - col + 1)
