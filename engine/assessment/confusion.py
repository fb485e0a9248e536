"""Accuracy from a confusion matrix: overall (OA), average (AA), kappa, and per class. Fractions, not percent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

JUDGED_FROM = 30  # reference pixels of a class from which it counts in AA


@dataclass(frozen=True)
class Confusion:
    """Counts of (reference, predicted) class pairs: `matrix` (Y, Y) int64, rows are reference classes."""

    matrix: np.ndarray

    @classmethod
    def of(cls, reference: np.ndarray, predicted: np.ndarray, classes: int) -> Confusion:
        """Count pairs of class indices (N,)."""
        pairs = reference.astype(np.int64) * classes + predicted.astype(np.int64)
        return cls(np.bincount(pairs, minlength=classes * classes).reshape(classes, classes))

    @property
    def n(self) -> int:
        """Number of pixels."""
        return int(self.matrix.sum())

    @property
    def reference(self) -> np.ndarray:
        """Reference pixels of each class (Y,)."""
        return np.asarray(self.matrix.sum(axis=1))

    @property
    def per_class(self) -> np.ndarray:
        """Share of each class's reference pixels that is found (Y,), the producer's accuracy; NaN where it has none."""
        return _ratio(np.diag(self.matrix), self.reference)

    @property
    def users(self) -> np.ndarray:
        """Share of the pixels called a class that are it (Y,), the user's accuracy; NaN where none is called so."""
        return _ratio(np.diag(self.matrix), self.matrix.sum(axis=0))

    @property
    def f1(self) -> np.ndarray:
        """Harmonic mean of both accuracies of each class (Y,), the Dice coefficient; NaN where it does not occur."""
        return _ratio(2 * np.diag(self.matrix), self.reference + self.matrix.sum(axis=0))

    @property
    def iou(self) -> np.ndarray:
        """Pixels right over pixels of the class in map or reference (Y,), the Jaccard index; NaN without any."""
        hits = np.diag(self.matrix)
        return _ratio(hits, self.reference + self.matrix.sum(axis=0) - hits)

    @property
    def oa(self) -> float:
        """Overall accuracy; NaN without pixels."""
        return float(np.trace(self.matrix) / self.n) if self.n else float("nan")

    def judged(self, at_least: int = JUDGED_FROM) -> np.ndarray:
        """Which classes have enough reference pixels for AA (Y,); all that have any, where none has enough."""
        enough = self.reference >= at_least
        return enough if enough.any() else self.reference > 0

    def aa(self, at_least: int = JUDGED_FROM) -> float:
        """Mean accuracy over the judged classes; NaN without pixels."""
        return float(self.per_class[self.judged(at_least)].mean()) if self.n else float("nan")

    @property
    def kappa(self) -> float:
        """Cohen's kappa: agreement beyond what the class shares alone would give; NaN where that is undefined."""
        if not self.n:
            return float("nan")
        chance = float((self.reference / self.n) @ (self.matrix.sum(axis=0) / self.n))
        return (self.oa - chance) / (1 - chance) if chance < 1 else float("nan")

    def summary(self) -> dict[str, float | int | None]:
        """`oa`, `aa`, `kappa`, `n` for JSON; None where a number is undefined."""
        values = {"oa": self.oa, "aa": self.aa(), "kappa": self.kappa}
        return {key: None if np.isnan(value) else value for key, value in values.items()} | {"n": self.n}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))
