"""Who is where, and how high: parcels of one class each, every one on one side of the split only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from engine.benchmarks.scenes.simulator.shapes import SceneShape


@dataclass(frozen=True)
class Landscape:
    """The truth of a scene.

    Attributes:
        classes: class index of each pixel (rows, cols).
        parcels: number of its parcel (rows, cols).
        height_m: above ground (rows, cols).
        train: class value of each training pixel, 0 elsewhere (rows, cols) uint8.
        test: the same of test pixels.
    """

    classes: np.ndarray
    parcels: np.ndarray
    height_m: np.ndarray
    train: np.ndarray
    test: np.ndarray


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma_px: float) -> np.ndarray:
    """Gaussian field of mean 0 and deviation 1 whose structures are about `sigma_px` wide."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), sigma_px, mode="wrap")
    return np.asarray((field - field.mean()) / field.std())


def make_landscape(rng: np.random.Generator, shape: SceneShape) -> Landscape:
    """Draw parcels, their classes by the official counts, heights, and labels."""
    size = (shape.rows, shape.cols)
    count = max(6 * len(shape.covers), round(shape.rows * shape.cols / shape.parcel_px**2))
    row, col = np.mgrid[: shape.rows, : shape.cols].astype(float)
    bend = 0.3 * shape.parcel_px
    row, col = (axis + bend * smooth_noise(rng, size, shape.parcel_px / 3) for axis in (row, col))
    centres = rng.random((count, 2)) * size
    _, nearest = cKDTree(centres).query(np.stack([row, col], axis=-1).reshape(-1, 2))
    parcels = nearest.reshape(size)

    # The square root keeps rare classes from vanishing; each class has parcels for both sides.
    weights = np.sqrt([cover.test for cover in shape.covers])
    sure = np.repeat(np.arange(len(shape.covers)), 4)
    more = rng.choice(len(shape.covers), size=count - len(sure), p=weights / weights.sum())
    class_of = rng.permutation(np.concatenate([sure, more]))
    classes = class_of[parcels]
    high = np.array([cover.height_m for cover in shape.covers])[classes]
    rough = np.array([cover.rough_m for cover in shape.covers])[classes]
    each = 1 + 0.15 * rng.standard_normal(count)[parcels]
    height_m = np.clip(high * each + rough * smooth_noise(rng, size, 1.2), 0, None)
    train, test = _labels(rng, shape, parcels, class_of)
    return Landscape(classes, parcels, height_m, train, test)


def _labels(
    rng: np.random.Generator, shape: SceneShape, parcels: np.ndarray, class_of: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of both sides, as many as officially where there are so many; a parcel is on one side only."""
    train, test = (np.zeros(parcels.shape, np.uint8) for _ in range(2))
    sizes = np.bincount(parcels.ravel(), minlength=len(class_of))
    for index, cover in enumerate(shape.covers):
        own = rng.permutation(np.flatnonzero((class_of == index) & (sizes > 0)))
        needed = np.searchsorted(np.cumsum(sizes[own]), 3 * cover.train) + 1  # labels do not fill a parcel
        cut = int(np.clip(needed, 1, max(1, len(own) // 2)))
        for labels, members, wanted in ((train, own[:cut], cover.train), (test, own[cut:], cover.test)):
            pixels = np.flatnonzero(np.isin(parcels.ravel(), members))
            labels.ravel()[rng.permutation(pixels)[:wanted]] = index + 1
    return train, test
