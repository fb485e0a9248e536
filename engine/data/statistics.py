"""Statistics of each band over training pixels only: validation and test pixels must not shape the inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.data.scene import Scene
from engine.data.splits import Split
from engine.errors import Cancelled
from engine.raster.normalise import BandStats, RunningStats
from engine.raster.windows import bounding_window, groups_by_square

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
