"""Is a confidence of 80 % right in 80 of 100 cases? Reliability by intervals of confidence, and its mean error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

BINS = 15  # equal intervals of confidence


@dataclass(frozen=True)
class Reliability:
    """Pixels by interval of confidence: `count` (B,), mean `confidence` (B,), `accuracy` (B,); NaN where none is."""

    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @classmethod
    def of(cls, confidence: np.ndarray, correct: np.ndarray, bins: int = BINS) -> Reliability:
        """Count pixels (N,): the probability given to the predicted class, and whether it was right."""
        bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
        count = np.bincount(bin_of, minlength=bins)
        with np.errstate(invalid="ignore"):
            means = [np.bincount(bin_of, part.astype(float), bins) / count for part in (confidence, correct)]
        return cls(count, *means)

    @property
    def error(self) -> float:
        """Expected calibration error: distance of confidence from accuracy, mean over pixels; NaN without pixels.

        Naeini et al. 2015; Guo et al. 2017, arXiv 1706.04599.
        """
        if not self.count.sum():
            return float("nan")
        gap = np.abs(self.confidence - self.accuracy)[self.count > 0]
        return float(gap @ self.count[self.count > 0] / self.count.sum())

    @property
    def error_by_chance(self) -> float:
        """The error that a faultless confidence would show with so many pixels, were they independent; NaN without.

        Shares scatter about what is expected: in an interval with n pixels their mean distance is sqrt(2 / pi) standard
        deviations sqrt(c (1 - c) / n), at a mean confidence c.
        """
        if not self.count.sum():
            return float("nan")
        count, confidence = self.count[self.count > 0], self.confidence[self.count > 0]
        spread = np.sqrt(confidence * (1 - confidence).clip(0) / count)
        return float(np.sqrt(2 / np.pi) * spread @ count / count.sum())

    def to_json(self) -> list[dict[str, Any]]:
        """Intervals that have pixels, JSON-able."""
        return [
            {"confidence": float(confidence), "accuracy": float(accuracy), "n": int(count)}
            for confidence, accuracy, count in zip(self.confidence, self.accuracy, self.count, strict=True)
            if count
        ]
