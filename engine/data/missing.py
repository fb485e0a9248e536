"""Gaps made on purpose: which modalities of a training window are taken away.

A share `rate` of the windows gets a gap, spread evenly over the 2^M - 2 incomplete patterns (the paper's M^2 - 2 is
right only for M = 2). What a window lacks by nature stays lacking, and the pixel it was drawn for never loses its last
modality. Swath edges are imitated by lines beyond which one modality ends. Pure functions of a random generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import ConfigError
from engine.modality import pattern_present


@dataclass(frozen=True)
class ChosenPatterns:
    """The incomplete patterns that samples with a gap get: `kept` (P, M) bool, and their shares `weight` (P,)."""

    kept: np.ndarray
    weight: np.ndarray


def chosen_patterns(weights: Mapping[str, float] | None, names: Sequence[str]) -> ChosenPatterns | None:
    """Patterns by their names in the configuration; None where all are wanted alike.

    Args:
        weights: of each pattern, by the sensors that are left, as in `hsi+lidar`.
        names: of all modalities, in model order.

    Raises:
        ConfigError: a pattern names no such sensors, or all of them.
    """
    if weights is None or len(names) == 1:
        return None
    kept = [pattern.split("+") for pattern in weights]
    for pattern, sensors in zip(weights, kept, strict=True):
        if not set(sensors) < set(names):
            raise ConfigError(
                f"missing.patterns: {pattern!r} is no incomplete pattern of {'+'.join(names)}; name the sensors that "
                f'are left, as in "{names[0]}"'
            )
    weight = np.array(list(weights.values()))
    return ChosenPatterns(np.array([[name in sensors for name in names] for sensors in kept]), weight / weight.sum())


def draw_patterns(
    rng: np.random.Generator, present: np.ndarray, rate: float, only: ChosenPatterns | None = None
) -> np.ndarray:
    """Patterns (B, M) bool for windows: which modalities they may keep.

    Args:
        rng: where chance comes from.
        present: modalities that each window's own pixel really has (B, M), at least one.
        rate: share of windows with a gap.
        only: the patterns of these windows; None takes all alike. A pixel that would be left without data has no gap.
    """
    windows, modalities = present.shape
    patterns = np.ones((windows, modalities), bool)
    if modalities == 1:
        return patterns
    todo = np.flatnonzero(rng.random(windows) < rate)
    if only is not None:
        drawn = only.kept[rng.choice(len(only.kept), size=len(todo), p=only.weight)]
        fits = (drawn & present[todo]).any(axis=1)
        patterns[todo[fits]] = drawn[fits]
        return patterns
    # Drawing until it fits leaves all patterns that fit equally likely, without listing 2^M of them.
    while len(todo):
        drawn = rng.integers(2, size=(len(todo), modalities)) > 0
        patterns[todo] = drawn
        todo = todo[drawn.all(axis=1) | ~(drawn & present[todo]).any(axis=1)]
    return patterns


def fixed_table(
    rng: np.random.Generator, count: int, modalities: int, rate: float, only: ChosenPatterns | None = None
) -> np.ndarray:
    """Patterns (count, M) bool drawn once for all samples, as in the paper: exactly a share `rate` has a gap."""
    table = np.ones((count, modalities), bool)
    gaps = rng.permutation(count)[: round(rate * count)]
    if only is not None:
        ends = np.round(np.cumsum(only.weight) * len(gaps)).astype(int)  # so that shares are exact, too
        table[gaps] = only.kept[np.searchsorted(ends, np.arange(len(gaps)), side="right")]
    elif modalities > 1:
        bits = 1 + np.arange(len(gaps)) % (2**modalities - 2)  # all but none and complete, in turn
        table[gaps] = np.array([pattern_present(int(value), modalities) for value in bits], bool).reshape(
            -1, modalities
        )
    return table


def draw_lines(rng: np.random.Generator, count: int) -> np.ndarray:
    """Chance (count, 5) for `cut_lines`: whether, which modality, the line's direction and where it passes."""
    return rng.random((count, 5))


def cut_lines(lines: np.ndarray, valid: np.ndarray, anchors: np.ndarray, rate: float) -> np.ndarray:
    """Validity (B, M, H, W) with one modality of some windows cut off along a random line.

    Args:
        lines: from `draw_lines` (B, 5).
        valid: validity before.
        anchors: (row, col) in the window of the pixel it was drawn for (B, 2); it never loses its last modality.
        rate: share of windows that are cut.
    """
    valid = valid.copy()
    _, modalities, height, width = valid.shape
    rows, cols = np.arange(height)[:, None], np.arange(width)[None]
    for window in np.flatnonzero(lines[:, 0] < rate):
        _, which, direction, across, down = lines[window]
        modality = int(which * modalities)
        angle = 2 * np.pi * direction
        side = (rows - down * height) * np.sin(angle) + (cols - across * width) * np.cos(angle) > 0
        row, col = anchors[window]
        if side[row, col] and valid[window, :, row, col].sum() == 1:
            side = ~side
        valid[window, modality] &= ~side
    return valid
