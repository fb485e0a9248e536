"""Which windows the model needs for a block of pixels: pure arithmetic.

A window of W x W pixels predicts its core of K x K. Cores are tiles anchored at the grid's origin, so that every pixel
is predicted by the same window whatever part of the scene is mapped. With `overlap` N there are N x N such tilings,
each shifted by K / N, and a pixel's probabilities are the mean over them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.raster.windows import Window


@dataclass(frozen=True, slots=True)
class Tiling:
    """Window and core sizes in pixels.

    Attributes:
        window: side of the model's input, W.
        core: side of the predicted inner square, K.
        offset: first row and column of the core inside its window.
        overlap: tilings along each axis, N; at most K.
    """

    window: int
    core: int
    offset: int
    overlap: int = 1

    def __post_init__(self) -> None:
        """Check that core and tilings fit."""
        if not 1 <= self.overlap <= self.core <= self.window:
            raise ValueError(f"a core of {self.core} in a window of {self.window} cannot overlap {self.overlap} times")

    @property
    def shifts(self) -> list[tuple[int, int]]:
        """(rows, cols) by which each tiling is moved from the origin."""
        steps = [index * self.core // self.overlap for index in range(self.overlap)]
        return [(rows, cols) for rows in steps for cols in steps]

    def cores(self, area: Window, shift: tuple[int, int]) -> Window:
        """The smallest rectangle of whole cores of a tiling that covers `area`."""
        row, bottom = _snap(area.row, area.bottom, self.core, shift[0])
        col, right = _snap(area.col, area.right, self.core, shift[1])
        return Window(row, col, bottom - row, right - col)

    def inputs(self, cores: Window) -> Window:
        """All pixels that the windows of these cores see."""
        margin = self.window - self.core
        return Window(cores.row - self.offset, cores.col - self.offset, cores.height + margin, cores.width + margin)

    def needed(self, area: Window) -> Window:
        """All pixels needed to map `area`, over all tilings."""
        parts = [self.inputs(self.cores(area, shift)) for shift in self.shifts]
        row, col = min(part.row for part in parts), min(part.col for part in parts)
        bottom, right = max(part.bottom for part in parts), max(part.right for part in parts)
        return Window(row, col, bottom - row, right - col)

    def block_px(self, pixels: int, cores: int) -> int:
        """Side of the largest block in whole cores: at most `pixels` with its margin, at most `cores` along a side."""
        margin = self.needed(Window(0, 0, 1, 1)).height - 1
        return min(max((math.isqrt(pixels) - margin) // self.core, 1), cores) * self.core


def _snap(first: int, end: int, step: int, shift: int) -> tuple[int, int]:
    """Move both ends outward to multiples of `step` counted from `shift`."""
    return (first - shift) // step * step + shift, -((shift - end) // step) * step + shift
