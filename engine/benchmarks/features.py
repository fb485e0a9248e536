"""Hand-made features for the floors: a pixel's values, and mean and spread of its neighbourhood."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

from engine.data.scene import Scene
from engine.raster.windows import blocks

_BLOCK_PX = 256


def pixel_features(
    scene: Scene, rows: np.ndarray, cols: np.ndarray, context_px: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Features of pixels, read block by block.

    Args:
        scene: where they lie.
        rows: their rows (N,).
        cols: their columns (N,).
        context_px: side of the neighbourhood whose mean and standard deviation are added per band; 1 adds none.
            Only valid neighbours count.

    Returns:
        One array (N, F) float32 for each modality, and whether the pixel itself has it (N, M) bool. Features of a
        modality that a pixel lacks are 0, whatever its neighbours are.
    """
    per_band = 1 if context_px == 1 else 3
    features = [np.zeros((len(rows), per_band * m.bands), np.float32) for m in scene.modalities]
    present = np.zeros((len(rows), len(scene.modalities)), bool)
    grid = scene.stack.grid
    for block in blocks(grid.height, grid.width, _BLOCK_PX):
        inside = np.flatnonzero(
            (rows >= block.row) & (rows < block.bottom) & (cols >= block.col) & (cols < block.right)
        )
        if not len(inside):
            continue
        window = block.padded(context_px // 2)
        values, valid = scene.read(window)
        row, col = rows[inside] - window.row, cols[inside] - window.col
        present[inside] = valid[:, row, col].T
        for number, bands in enumerate(values):
            stacked = bands if context_px == 1 else with_context(bands, valid[number], context_px)
            features[number][inside] = stacked[:, row, col].T * valid[number, row, col][:, None]
    return features, present


def with_context(bands: np.ndarray, valid: np.ndarray, context_px: int) -> np.ndarray:
    """Bands, then their mean, then their standard deviation over the valid pixels of a square around each pixel.

    Args:
        bands: values (C, H, W).
        valid: which pixels count (H, W); the arrays' outside does not.
        context_px: side of the square, odd.

    Returns:
        (3C, H, W); mean and deviation are 0 where no pixel of the square is valid.
    """
    size = (0, context_px, context_px)
    weight = uniform_filter(valid.astype(np.float64), context_px, mode="constant")
    weight = np.where(weight > 0.5 / context_px**2, weight, np.inf)  # less than one pixel is rounding
    # Bands are centred first: the difference of two large squares would lose the small variance.
    count = max(int(valid.sum()), 1)
    centre = (bands * valid).sum((1, 2), keepdims=True, dtype=np.float64) / count
    centred = (bands - centre) * valid
    mean = uniform_filter(centred, size, mode="constant") / weight
    square = uniform_filter(centred**2, size, mode="constant") / weight
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    mean = np.where(np.isfinite(weight), mean + centre, 0)
    return np.concatenate([bands, mean, deviation]).astype(np.float32)
