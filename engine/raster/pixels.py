"""Arrays of pixels: which values are measurements, and where a piece belongs in a window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.errors import BandCountError
from engine.raster.windows import Window

# No sensor measures this: it is an untagged nodata value like -3.4e38, and its square would not fit float32.
_ABSURD = 1e18


def finite(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values as float32, and where they are numbers that a sensor can have measured."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = array.astype(np.float32)
        if array.dtype.kind != "f":
            return values, np.ones(array.shape, bool)
        valid = np.abs(values) < _ABSURD
    values[~valid] = 0
    return values, valid


def empty(window: Window, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Values and validity (C, h, w) of a window without any valid pixel."""
    shape = (count, window.height, window.width)
    return np.zeros(shape, np.float32), np.zeros(shape, bool)


def placed(values: np.ndarray, valid: np.ndarray, inside: Window, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Put what was read of `inside` where it belongs in `window`."""
    if inside == window:
        return values, valid
    all_values, all_valid = empty(window, values.shape[0])
    rows, cols = inside.relative_to(window).slices
    all_values[:, rows, cols], all_valid[:, rows, cols] = values, valid
    return all_values, all_valid


def check_bands(path: Path, count: int, bands: Sequence[int]) -> None:
    """Check that a file of `count` bands has all of `bands` (1-based).

    Raises:
        BandCountError: it does not, or no band is asked for.
    """
    if not bands or min(bands) < 1 or max(bands) > count:
        raise BandCountError(f"{path}: bands {', '.join(map(str, bands)) or 'none'} asked for, it has 1 to {count}")
