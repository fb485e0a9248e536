"""Spatial blocks: squares of the grid that go to one side of the split as a whole, and the buffer between sides.

Neighbouring pixels look alike and share windows; a random split therefore tests on what it trained on. Whole blocks,
with a strip between the sides from which no label is used, do not. Which blocks go where is searched, not only drawn:
rare classes lie in few blocks, and every class should be on each side where the data allow it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

TRAIN, VALIDATION, TEST, DROPPED = 0, 1, 2, -1
BLOCKS_PER_SIDE = 8  # of a scene of default blocks: enough blocks to balance classes, each much larger than the buffer
_DRAWS = 256  # random assignments that are compared
_STARTS = 12  # best of them that are improved by swaps
_SWAPS = 400  # tried on each of these at most


def default_block_px(height: int, width: int, window: int) -> int:
    """Side of a block: an eighth of the labelled area's mean side, at least one and a half windows.

    A block must keep a middle of its own when a strip of half a window is taken from its edges.

    Args:
        height: rows of the area that labels cover.
        width: its columns.
        window: side of the model's input in pixels.
    """
    return max(3 * window // 2, round(math.sqrt(height * width) / BLOCKS_PER_SIDE))


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """Blocks over a grid.

    Attributes:
        block_px: side of a block.
        shift: rows and columns by which the first block is cut, so that seeds differ in where blocks lie, too.
        width: columns of the grid.
    """

    block_px: int
    shift: tuple[int, int]
    width: int

    def number(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Number of the block in which each pixel (N,) lies."""
        across = math.ceil((self.width + self.shift[1]) / self.block_px)
        down_number, right_number = (rows + self.shift[0]) // self.block_px, (cols + self.shift[1]) // self.block_px
        numbers: np.ndarray = down_number * across + right_number
        return numbers


def keep_regions_whole(
    rows: np.ndarray, cols: np.ndarray, regions: np.ndarray, block_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates by which pixels are put into blocks: a small region's pixels all take its middle.

    A polygon or connected region that fits into one block is never cut: its pixels were labelled together.

    Args:
        rows: pixel rows (N,).
        cols: pixel columns (N,).
        regions: region number of each pixel (N,).
        block_px: side of a block.
    """
    _, region = np.unique(regions, return_inverse=True)
    count = region.max(initial=-1) + 1
    middle, small = [], np.ones(count, bool)
    for positions in (rows, cols):
        lowest, highest = np.full(count, np.iinfo(np.int64).max), np.full(count, -1, np.int64)
        np.minimum.at(lowest, region, positions)
        np.maximum.at(highest, region, positions)
        small &= highest - lowest < block_px
        middle.append((lowest + highest) // 2)
    whole = small[region]
    return np.where(whole, middle[0][region], rows), np.where(whole, middle[1][region], cols)


def assignments(
    counts: np.ndarray, test_fraction: float, validation_fraction: float, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield ways to put blocks on sides, best balanced first.

    Args:
        counts: labelled pixels of each class in each block, (blocks, classes).
        test_fraction: share of all labels for the test side.
        validation_fraction: share of the rest for validation.
        rng: where chance comes from.

    Yields:
        TRAIN, VALIDATION or TEST for each block, (blocks,) int8.
    """
    blocks = len(counts)
    targets = np.array(
        [(1 - test_fraction) * (1 - validation_fraction), (1 - test_fraction) * validation_fraction, test_fraction]
    )
    sizes = np.round(blocks * targets).astype(int)
    sizes = np.where(targets > 0, np.maximum(sizes, 1), 0)
    # With very few blocks training comes first, then testing.
    sizes[TEST] = min(sizes[TEST], blocks - 1)
    sizes[VALIDATION] = min(sizes[VALIDATION], blocks - 1 - sizes[TEST])
    sizes[TRAIN] = blocks - sizes[VALIDATION] - sizes[TEST]
    template = np.repeat(np.array([TRAIN, VALIDATION, TEST], np.int8), sizes)
    draws = [rng.permutation(template) for _ in range(_DRAWS)]
    draws.sort(key=lambda sides: _imbalance(sides, counts, targets))
    improved = [_swapped(sides, counts, targets, rng) for sides in draws[:_STARTS]]
    yield from sorted(improved, key=lambda sides: _imbalance(sides, counts, targets))


def _imbalance(sides: np.ndarray, counts: np.ndarray, targets: np.ndarray) -> float:
    """Sum over classes of how far each side's share is from its target; a class missing on a side costs extra."""
    totals = np.maximum(counts.sum(axis=0), 1)
    cost = 0.0
    for side, missing_cost in ((TRAIN, 4.0), (VALIDATION, 0.5), (TEST, 2.0)):
        if targets[side] > 0:
            share = counts[sides == side].sum(axis=0) / totals
            cost += float(np.abs(share - targets[side]).sum() + missing_cost * (share == 0).sum())
    return cost


def _swapped(sides: np.ndarray, counts: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exchange the sides of random pairs of blocks as long as that balances better."""
    sides, cost = sides.copy(), _imbalance(sides, counts, targets)
    for one, other in rng.integers(0, len(sides), (min(4 * len(sides), _SWAPS), 2)):
        if sides[one] == sides[other]:
            continue
        sides[[one, other]] = sides[[other, one]]
        new_cost = _imbalance(sides, counts, targets)
        if new_cost < cost:
            cost = new_cost
        else:
            sides[[one, other]] = sides[[other, one]]
    return sides


class Neighbourhood:
    """Answers which pixels lie near a fixed set of pixels; distance is Chebyshev's, in pixels."""

    def __init__(self, rows: np.ndarray, cols: np.ndarray, distance_px: int) -> None:
        """Remember the pixels (N,), and that nearer than `distance_px` is near (0: nothing is)."""
        self.distance_px = distance_px
        self.tree = cKDTree(np.stack([rows, cols], axis=1)) if len(rows) and distance_px > 0 else None

    def near(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """True (N,) for pixels nearer than the distance to any of the set."""
        if self.tree is None or not len(rows):
            return np.zeros(len(rows), bool)
        # Distances are whole numbers, so half a pixel below the limit decides "nearer than" without rounding.
        pixels = np.stack([rows, cols], axis=1)
        distance, _ = self.tree.query(pixels, p=np.inf, distance_upper_bound=self.distance_px - 0.5)
        near: np.ndarray = np.isfinite(distance)
        return near


def keep_apart(
    rows: np.ndarray, cols: np.ndarray, sides: np.ndarray, own_buffer_px: int, test_buffer_px: int
) -> np.ndarray:
    """Sides (N,) int8 after those pixels are DROPPED that lie too near to one of another side.

    Training and validation give way to test, training to validation. Without a buffer, too, a pixel that is labelled
    twice stays on one side only.

    Args:
        rows: pixel rows (N,).
        cols: pixel columns (N,).
        sides: TRAIN, VALIDATION or TEST of each pixel (N,).
        own_buffer_px: distance between training and validation.
        test_buffer_px: distance of both to test.
    """
    sides = sides.copy()
    for fixed, buffer_px in ((TEST, test_buffer_px), (VALIDATION, own_buffer_px)):
        there = sides == fixed
        giving_way = np.flatnonzero((sides >= 0) & (sides < fixed))  # TRAIN < VALIDATION < TEST
        near = Neighbourhood(rows[there], cols[there], max(buffer_px, 1)).near(rows[giving_way], cols[giving_way])
        sides[giving_way[near]] = DROPPED
    return sides
