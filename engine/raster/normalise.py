"""Band statistics, streamed in constant memory, and what is done with them: standardise, and notice wrong units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import NodataError

# Factors by which people's copies of one product differ: percent, bytes, reflectance integers, 16-bit integers.
_FACTORS = (100.0, 255.0, 1000.0, 10000.0, 65535.0)


@dataclass(frozen=True, eq=False)
class BandStats:
    """What a model knows of each band's training values, scale and offset applied. Arrays are (C,) float64.

    Attributes:
        mean: mean.
        std: standard deviation (of the population); 1 for a constant band.
        minimum: smallest value.
        maximum: largest value.
        count: number of pixels.
    """

    mean: np.ndarray
    std: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    count: int

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Standardise (C, ...) to float32 with zero mean and unit deviation over the training pixels."""
        shape = (-1, *(1,) * (values.ndim - 1))
        mean, std = (array.astype(np.float32).reshape(shape) for array in (self.mean, self.std))
        return (values - mean) / std

    def to_json(self) -> dict[str, Any]:
        """JSON-able form, the one inside model files."""
        arrays = {name: getattr(self, name).tolist() for name in ("mean", "std", "minimum", "maximum")}
        return arrays | {"count": self.count}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> BandStats:
        """Inverse of `to_json`."""
        arrays = {name: np.asarray(data[name], np.float64) for name in ("mean", "std", "minimum", "maximum")}
        return cls(**arrays, count=int(data["count"]))


class RunningStats:
    """Statistics of values that come in pieces; memory does not grow with their number.

    Pieces are merged by the pairwise update of Chan, Golub and LeVeque (1983), in float64.
    """

    def __init__(self, bands: int, name: str = "layer") -> None:
        """Start with no values; `name` is the layer's, for messages."""
        self.name = name
        self.count = 0
        self._mean = np.zeros(bands)
        self._squares = np.zeros(bands)  # sum of squared differences from the mean
        self._minimum = np.full(bands, np.inf)
        self._maximum = np.full(bands, -np.inf)

    def update(self, values: np.ndarray) -> None:
        """Add the valid values (C, N) of N pixels."""
        added = values.shape[1]
        if added == 0:
            return
        values = values.astype(np.float64)
        mean = values.mean(axis=1)
        total = self.count + added
        step = mean - self._mean
        self._squares += ((values - mean[:, None]) ** 2).sum(axis=1) + step**2 * (self.count * added / total)
        self._mean += step * (added / total)
        self.count = total
        self._minimum = np.minimum(self._minimum, values.min(axis=1))
        self._maximum = np.maximum(self._maximum, values.max(axis=1))

    def stats(self) -> BandStats:
        """The statistics of all values so far.

        Raises:
            NodataError: there was no valid pixel.
        """
        if self.count == 0:
            raise NodataError(
                f"{self.name}: no valid pixel to take statistics from; check its nodata value and footprint"
            )
        std = np.sqrt(self._squares / self.count)
        # A band that only wobbles in its last digits is constant: dividing by that wobble would amplify noise.
        constant = std <= 1e-7 * np.maximum(np.abs(self._mean), 1e-30)
        return BandStats(
            self._mean.copy(), np.where(constant, 1.0, std), self._minimum.copy(), self._maximum.copy(), self.count
        )


def range_warning(stats: BandStats, sample: np.ndarray) -> str | None:
    """Say so where the values of a layer to be mapped cannot be in the units of training.

    The size (root mean square) of each band is compared with its size in training; a place may well be three times as
    bright as the training scene, hardly thirty times.

    Args:
        stats: the model's training statistics.
        sample: valid values (C, N) of the layer, N of a few hundred at least.

    Returns:
        One clause naming the likely cause, or None where nothing is wrong.
    """
    if sample.shape[1] == 0:
        return None
    sample = sample.astype(np.float64)
    was_negative, is_negative = np.all(stats.maximum <= 0), np.median(sample) < 0
    if (was_negative and sample.min() >= 0) or (is_negative and np.all(stats.minimum >= 0)):
        return "values have the opposite sign of the training values; likely decibels against linear power"
    trained = np.sqrt(stats.mean**2 + (stats.maximum > stats.minimum) * stats.std**2)
    found = np.sqrt((sample**2).mean(axis=1))
    usable = (trained > 0) & (found > 0)
    if not usable.any():
        return None
    ratio = float(np.median(found[usable] / trained[usable]))
    if 1 / 30 < ratio < 30:
        return None
    size = ratio if ratio > 1 else 1 / ratio
    factor = min(_FACTORS, key=lambda candidate: abs(np.log(candidate / size)))
    how = "larger" if ratio > 1 else "smaller"
    hint = f"; likely factor {factor:g}" if 1 / 3 < size / factor < 3 else ""
    return f"values lie far from the training statistics: about {size:.3g} times {how}{hint}"
