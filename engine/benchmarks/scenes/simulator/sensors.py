"""What sensors see of a landscape. `difficulty` scales all that blurs classes: 0 next to nothing, 1 as in real scenes.

Cube: materials mixed in every pixel, their shares varying by parcel and pixel, lit by slope and shadow, blurred by the
point spread, with haze and noise. Heights: noisy and blurred. SAR: speckle of four looks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from engine.benchmarks.scenes.simulator.landscape import Landscape, smooth_noise
from engine.benchmarks.scenes.simulator.materials import spectra
from engine.benchmarks.scenes.simulator.shapes import SceneShape

_SUN = (1, 1)  # rows and columns towards the sun, which is in the south-east, per step of a shadow
_SUN_SLOPE = 0.9  # tangent of the sun's elevation
_LOOKS = 4


def wavelengths(shape: SceneShape) -> np.ndarray:
    """Of the cube's bands, nm."""
    return np.linspace(*shape.nm, shape.bands["hsi"])


def simulate_cube(
    rng: np.random.Generator, shape: SceneShape, land: Landscape, difficulty: float
) -> Iterator[np.ndarray]:
    """Reflectance of one band after the other, (rows, cols) float32: a whole cube would fill the memory."""
    size, nm = land.classes.shape, wavelengths(shape)
    pure = spectra(nm)
    light = light_on(land.height_m, shape.pixel_m, difficulty)
    spread_px = 0.3 + 0.5 * difficulty
    seen = np.stack(
        [ndimage.gaussian_filter(part * light, spread_px) for part in simulate_shares(rng, shape, land, difficulty)]
    )
    seen *= 1 + 0.06 * difficulty * smooth_noise(rng, size, 40)  # haze
    vapour = np.exp(-(((nm - 1390) / 60) ** 2)) + np.exp(-(((nm - 1880) / 70) ** 2))
    for number in range(len(nm)):
        band = np.tensordot([pure[name][number] for name in pure], seen, 1)
        noise = 0.002 + difficulty * (0.006 + 0.03 * vapour[number])
        yield (band + noise * rng.standard_normal(size)).astype(np.float32)


def simulate_shares(rng: np.random.Generator, shape: SceneShape, land: Landscape, difficulty: float) -> np.ndarray:
    """Share of each material in each pixel (materials, rows, cols), in the order of `spectra`; they add up to 1.

    A material is more or less than its class says, by parcel and by pixel, each on its own; a little of everything is
    everywhere.
    """
    size, parcels = land.classes.shape, land.parcels.max() + 1
    shares = []
    for name in spectra(wavelengths(shape)):
        share = np.array([cover.materials.get(name, 0.0) for cover in shape.covers])[land.classes]
        varied = 0.35 * rng.standard_normal(parcels)[land.parcels] + 0.25 * smooth_noise(rng, size, 1.5)
        shares.append(share * np.exp(difficulty * varied) + 0.03 * difficulty * share.mean())
    return np.asarray(np.stack(shares) / np.sum(shares, axis=0))


def simulate_heights(rng: np.random.Generator, land: Landscape, bands: int, difficulty: float) -> np.ndarray:
    """Height above ground in metres, and as a second band the return's intensity: (bands, rows, cols) float32."""
    size = land.classes.shape
    height = land.height_m + difficulty * 0.25 * rng.standard_normal(size)
    blurred = ndimage.gaussian_filter(height, 0.3 + 0.4 * difficulty)
    intensity = 900 * np.exp(0.3 * np.sin(1.7 * land.classes) + 0.25 * difficulty * rng.standard_normal(size))
    return np.stack([blurred, intensity])[:bands].astype(np.float32)


def simulate_sar(
    rng: np.random.Generator, shape: SceneShape, land: Landscape, bands: int, difficulty: float
) -> np.ndarray:
    """VV and VH, linear power, and the real and imaginary part of what they share: (bands, rows, cols) float32."""
    size = land.classes.shape
    patch = difficulty * 1.2 * rng.standard_normal(land.parcels.max() + 1)[land.parcels]
    vv, vh = (
        10 ** ((np.array([getattr(cover, name) for cover in shape.covers])[land.classes] + patch) / 10)
        for name in ("vv_db", "vh_db")
    )
    looks = _LOOKS / max(difficulty, 0.1)
    first, second = (rng.gamma(looks, 1 / looks, size) for _ in range(2))
    phase = 2 * np.pi * rng.random(size)
    shared = 0.3 * np.sqrt(vv * first * vh * second)
    return np.stack([vv * first, vh * second, shared * np.cos(phase), shared * np.sin(phase)])[:bands].astype(
        np.float32
    )


def light_on(height_m: np.ndarray, pixel_m: float, difficulty: float) -> np.ndarray:
    """Brightness by slope and cast shadow, 1 on open level ground; beside the scene there is nothing that shades.

    Args:
        height_m: heights (rows, cols).
        pixel_m: edge of a pixel.
        difficulty: see the module.
    """
    down, right = np.gradient(height_m / pixel_m)
    light = 1 - 0.15 * difficulty * np.clip(down * _SUN[0] + right * _SUN[1], -1, 1)
    rows, cols = height_m.shape
    lower_m = np.hypot(*_SUN) * pixel_m * _SUN_SLOPE  # what a ray falls by on its way of one step
    longest = int(np.ptp(height_m) / lower_m)
    around = np.pad(height_m, longest, constant_values=-np.inf)
    shadow = np.zeros(height_m.shape, bool)
    for step in range(1, longest + 1):
        top, left = (longest + step * towards for towards in _SUN)
        shadow |= around[top : top + rows, left : left + cols] - height_m > step * lower_m
    return np.asarray(np.where(shadow, 1 - 0.6 * min(difficulty, 1.5), light))
