"""Statistics of each band over training pixels only: validation and test pixels must not shape the inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.data.scene import Scene
from engine.data.splits import Split
from engine.errors import Cancelled
from engine.raster.normalise import BandStats, RunningStats
from engine.raster.windows import Window

_READ_PX = 128  # side of what is read at once


def band_statistics(
    scenes: Sequence[Scene], splits: Sequence[Split], cancelled: Callable[[], bool] = lambda: False
) -> dict[str, BandStats]:
    """Mean and deviation of every modality's bands over the valid training pixels of all scenes, in constant memory.

    Raises:
        NodataError: a modality is valid at no training pixel.
        Cancelled: `cancelled()` said so.
    """
    running = {modality.name: RunningStats(modality.bands, modality.name) for modality in scenes[0].modalities}
    for scene, split in zip(scenes, splits, strict=True):
        rows, cols = scene.rows[split.train], scene.cols[split.train]
        for members in groups_by_square(rows, cols, _READ_PX):
            if cancelled():
                raise Cancelled("stopped while taking statistics")
            window = bounding_window(rows[members], cols[members])
            values, valid = scene.read(window)
            at = rows[members] - window.row, cols[members] - window.col
            for modality, values_m, valid_m in zip(scene.modalities, values, valid, strict=True):
                running[modality.name].update(values_m[:, *at][:, valid_m[at]])
    return {name: stats.stats() for name, stats in running.items()}


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
