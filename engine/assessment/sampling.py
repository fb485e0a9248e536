"""Where to look: how many reference pixels a map needs, how they are shared among its classes, and which they are.

Olofsson et al. 2014 (doi 10.1016/j.rse.2014.02.015), section 5.1: stratified random sampling with the map's classes as
strata. Sample size from the standard error wanted (eq. 13, after Cochran 1977), allocation equal, proportional, or
optimal for the overall accuracy (Neyman), with a minimum for rare classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.assessment.population import value_blocks
from engine.errors import ConfigError
from engine.raster.sources import Source

Allocation = Literal["equal", "proportional", "neyman"]
ALLOCATIONS: tuple[Allocation, ...] = ("equal", "proportional", "neyman")


@dataclass(frozen=True)
class Drawn:
    """Sampled pixels (N,) in random order: rows, columns and class values."""

    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray


def sample_size(pixels: np.ndarray, expected: np.ndarray, target_se: float) -> int:
    """Pixels that bring the standard error of the overall accuracy to a target, if they are shared at best (Neyman).

    n = (sum W_i S_i)^2 / (target^2 + sum W_i S_i^2 / N) with S_i = sqrt(U_i (1 - U_i)).

    Args:
        pixels: of each class in the map (H,).
        expected: user's accuracy that is expected of each class (H,).
        target_se: standard error wanted, a fraction.
    """
    weights, spread = pixels / pixels.sum(), np.sqrt(expected * (1 - expected))
    size = (weights @ spread) ** 2 / (target_se**2 + weights @ spread**2 / pixels.sum())
    return math.ceil(float(size) - 1e-9)


def size_for(pixels: np.ndarray, expected: np.ndarray, target_se: float, rule: Allocation, at_least: int) -> int:
    """Pixels that bring the standard error of the overall accuracy to a target under any allocation.

    Equal and proportional shares, and minima for rare classes, need more than Neyman's.

    Args:
        pixels: of each class in the map (H,).
        expected: user's accuracy that is expected of each class (H,).
        target_se: standard error wanted, a fraction.
        rule: of the allocation.
        at_least: of each class.
    """

    def reached(size: int) -> bool:
        return expected_se(pixels, expected, allocate(pixels, expected, size, rule, at_least)) <= target_se

    low = max(sample_size(pixels, expected, target_se), int(np.minimum(at_least, pixels).sum()), 1)
    if reached(low):
        return low
    high = int(pixels.sum())  # all of them have no error
    while high - low > 1:
        middle = min((low + high) // 2, 2 * low)
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def expected_se(pixels: np.ndarray, expected: np.ndarray, sizes: np.ndarray) -> float:
    """Standard error of the overall accuracy that a stratified sample will have.

    Args:
        pixels: of each class in the map (H,).
        expected: user's accuracy that is expected of each class (H,).
        sizes: pixels drawn from each class (H,); a class too small for any is counted as if it had one.
    """
    weights, sizes = pixels / pixels.sum(), np.maximum(sizes, 1)
    return math.sqrt(float((weights**2 * expected * (1 - expected) / sizes * (1 - sizes / pixels)).sum()))


def allocate(pixels: np.ndarray, expected: np.ndarray, size: int, rule: Allocation, at_least: int) -> np.ndarray:
    """Share `size` pixels among the classes (H,) int64.

    A class gets no fewer than `at_least` and no more pixels than it has; what that takes or leaves is shared among the
    others by the same rule.

    Args:
        pixels: of each class in the map (H,).
        expected: user's accuracy that is expected of each class (H,).
        size: of the sample.
        rule: see the module.
        at_least: of each class.

    Raises:
        ConfigError: the sample is too small for the minimum, or larger than the map.
    """
    lowest = np.minimum(at_least, pixels)
    if size < lowest.sum():
        raise ConfigError(
            f"{size} reference pixels are too few: {len(pixels)} classes with at least {at_least} each need "
            f"{lowest.sum()}; ask for more, or lower the minimum per class"
        )
    if size > pixels.sum():
        raise ConfigError(f"{size} reference pixels are more than the {pixels.sum()} that the map has; ask for fewer")
    spread = np.sqrt(expected * (1 - expected))
    weight = {"equal": np.ones(len(pixels)), "proportional": pixels / 1, "neyman": pixels * spread}[rule]
    weight = np.maximum(weight, 1e-12 * pixels)  # a class expected to be faultless still takes what others cannot
    fixed: dict[int, int] = {}
    while True:
        free = np.array([h for h in range(len(pixels)) if h not in fixed], np.int64)
        share = (size - sum(fixed.values())) * weight[free] / weight[free].sum()
        low, high = share < lowest[free], share > pixels[free]
        if not (low.any() or high.any()):
            break
        # One side at a time: the side that is further off decides which way the others move.
        gain, loss = (lowest[free] - share)[low].sum(), (share - pixels[free])[high].sum()
        bound = lowest if gain >= loss else pixels
        fixed |= {int(h): int(bound[h]) for h in free[low if gain >= loss else high]}
        if len(fixed) == len(pixels):
            break
    result = np.array([fixed.get(h, 0) for h in range(len(pixels))], np.int64)
    rest = size - int(result.sum())
    if rest and len(free):
        whole = np.floor(share).astype(np.int64)
        order = np.argsort(whole - share, kind="stable")[: rest - int(whole.sum())]
        whole[order] += 1
        result[free] = whole
    return result


def draw(
    source: Source, sizes: Mapping[int, tuple[int, int]], seed: int, cancelled: Callable[[], bool] = lambda: False
) -> Drawn:
    """Draw pixels of each class at random, none twice; the same seed draws the same pixels.

    Args:
        source: class map.
        sizes: by class value: pixels of the class in the map, and how many to draw.
        seed: of the draw.
        cancelled: asked often; True stops.

    Raises:
        Cancelled: `cancelled()` said so.
    """
    rng = np.random.default_rng(seed)
    ranks = {value: np.sort(rng.choice(pixels, wanted, replace=False)) for value, (pixels, wanted) in sizes.items()}
    seen = dict.fromkeys(sizes, 0)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for window, (values,) in value_blocks([source], cancelled):
        for value, of_class in ranks.items():
            row, col = np.nonzero(values == value)
            first, seen[value] = seen[value], seen[value] + len(row)
            here = of_class[(of_class >= first) & (of_class < seen[value])] - first
            found.append((row[here] + window.row, col[here] + window.col, np.full(len(here), value)))
    rows, cols, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = rng.permutation(len(rows))
    return Drawn(rows[order], cols[order], values[order])


def expected_accuracies(names: Sequence[str], default: float, given: Mapping[str, float]) -> np.ndarray:
    """User's accuracy that is expected of each class (H,).

    Raises:
        ConfigError: a class is unknown, or an accuracy is no fraction.
    """
    for name, value in given.items():
        if name not in names:
            raise ConfigError(f"--expected-accuracy {name}: the map has no such class; it has: {', '.join(names)}")
        if not 0 <= value <= 1:
            raise ConfigError(f"--expected-accuracy {name}={value:g}: expected a fraction from 0 to 1")
    return np.array([given.get(name, default) for name in names])
