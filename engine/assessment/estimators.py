"""Accuracy and area from a probability sample, with standard errors: Olofsson et al. 2014 and Stehman 2014 in one.

Both are the same estimator. A sample of n_h of the N_h pixels of each stratum h, drawn at random, gives the share
p_c of the map that belongs to a cell c of the error matrix:

    p_c = sum_h W_h p_hc                                                         W_h: share of stratum h in the area
    V(t) = sum_h W_h^2 (1 - n_h / N_h) s_h^2 / n_h                               Stehman 2014

t is any figure that follows from the shares, and s_h^2 the variance within stratum h of its influence dt/dp_c. For a
ratio R = Y / X (user's and producer's accuracy) the influence is (y_c - R x_c) / X, which gives Stehman's s_y^2 + R^2
s_x^2 - 2 R s_xy. With the map's classes as strata it is Olofsson's eq. 5 to 7 and 10, with one stratum the simple
random sample. Pixels of unequal area (geographic grids) weigh by their area within a stratum; the influence of a pixel
is then multiplied by its area over the mean area.

Olofsson et al. 2014: doi 10.1016/j.rse.2014.02.015. Stehman 2014: doi 10.1080/01431161.2014.930207.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

LEVEL = 0.95  # of all intervals
_Z = float(norm.ppf((1 + LEVEL) / 2))


@dataclass(frozen=True)
class Strata:
    """The population of a sample.

    Attributes:
        names: of the strata, H of them.
        pixels: population of each (H,).
        area: of each (H,), in any unit; the pixels where that is unknown.
    """

    names: tuple[str, ...]
    pixels: np.ndarray
    area: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """Share of each stratum in the area (H,)."""
        return np.asarray(self.area / self.area.sum())


@dataclass(frozen=True)
class Tally:
    """Sampled pixels by stratum and cell; a cell is one outcome, such as a pair of map and reference class.

    Attributes:
        strata: the population.
        count: pixels (H, C).
        area: their summed areas (H, C).
        squared: their summed squared areas (H, C).
        possible: which cells a stratum can have (H, C); None: all.
        finite: whether the finite population correction 1 - n_h / N_h is applied.
    """

    strata: Strata
    count: np.ndarray
    area: np.ndarray
    squared: np.ndarray
    possible: np.ndarray | None = None
    finite: bool = True

    @classmethod
    def of(
        cls,
        strata: Strata,
        stratum: np.ndarray,
        cell: np.ndarray,
        cells: int,
        area: np.ndarray | None = None,
        possible: np.ndarray | None = None,
    ) -> Tally:
        """Count a sample.

        Args:
            strata: the population.
            stratum: index of each sampled pixel's stratum (N,).
            cell: index of its outcome (N,).
            cells: number of outcomes.
            area: of each pixel (N,); None where all are equal.
            possible: see the attribute.
        """
        areas = np.ones(len(cell)) if area is None else area
        key, shape = stratum * cells + cell, (len(strata.names), cells)
        count, total, squared = (
            np.bincount(key, weights, shape[0] * shape[1]).reshape(shape) for weights in (None, areas, areas**2)
        )
        return cls(strata, count, total, squared, possible)

    @property
    def n(self) -> np.ndarray:
        """Sampled pixels of each stratum (H,)."""
        return np.asarray(self.count.sum(axis=1))

    @property
    def shares(self) -> np.ndarray:
        """Share of each cell in the area (C,), estimated; strata must all be sampled."""
        return np.asarray(self.strata.weights @ (self.area / self.area.sum(axis=1, keepdims=True)))

    def standard_errors(self, influence: np.ndarray) -> np.ndarray:
        """Standard errors of K figures (K,).

        Args:
            influence: by how much each figure changes with the share of each cell (K, C).

        Returns:
            NaN where a stratum in which the influence can vary has a single pixel, which does not tell its variance.
        """
        variance = np.zeros(len(influence))
        for h, n in enumerate(self.n):
            correction = 1 - n / self.strata.pixels[h] if self.finite else 1.0
            if correction <= 0:
                continue
            if n == 1:
                within = influence if self.possible is None else influence[:, self.possible[h]]
                variance[np.ptp(within, axis=1) > 0] = np.nan
                continue
            cells = np.flatnonzero(self.count[h])
            seen, area = influence[:, cells], self.area[h, cells]
            spread = (seen - (seen @ area / area.sum())[:, None]) ** 2 @ self.squared[h, cells]
            variance += self.strata.weights[h] ** 2 * correction * n / (n - 1) * spread / area.sum() ** 2
        return np.sqrt(variance)


def wald(value: float, error: float, lowest: float = 0.0, highest: float = 1.0) -> tuple[float, float]:
    """Interval of an estimate, value -+ 1.96 standard errors, cut to what is possible."""
    if math.isnan(error) or math.isnan(value):
        return math.nan, math.nan
    return max(value - _Z * error, lowest), min(value + _Z * error, highest)


def wilson(value: float, error: float, n: int) -> tuple[float, float]:
    """Wilson's interval of a share, for small samples: inside 0 to 1, and not empty where all or none are right.

    Args:
        value: the share.
        error: its standard error, which tells how many pixels of a simple random sample the sample is worth
            (Korn and Graubard 1998); 0 where all or none are right, or where every pixel is known.
        n: sampled pixels that the share is of, their worth where the standard error cannot tell.
    """
    if not n or math.isnan(value) or math.isnan(error):
        return math.nan, math.nan
    if error == 0 and 0 < value < 1:
        return value, value
    worth = value * (1 - value) / error**2 + 1 if error > 0 else float(n)
    middle = (value + _Z**2 / (2 * worth)) / (1 + _Z**2 / worth)
    half = _Z * math.sqrt(value * (1 - value) / worth + _Z**2 / (4 * worth**2)) / (1 + _Z**2 / worth)
    return max(middle - half, 0.0), min(middle + half, 1.0)
