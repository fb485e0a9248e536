"""Two maps of the same scene at the same reference pixels: is one more accurate than the other?

McNemar's test asks whether the pixels that only one of the maps has right are shared unevenly between the two (McNemar
1947; Foody 2004, doi 10.14358/PERS.70.5.627). It takes the pixels as they are; under a stratified design the difference
of the overall accuracies with its interval is what holds for the area.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest, chi2

from engine.assessment.design import Design
from engine.assessment.estimators import wald


@dataclass(frozen=True)
class Comparison:
    """The map beside another one.

    Attributes:
        other: name of the other map.
        n: reference pixels that both have a class for.
        only_this, only_other: pixels that only one of them has right.
        p_exact: two-sided, binomial.
        chi_square: with continuity correction; None where no pixel tells them apart.
        p_chi_square: its two-sided probability.
        difference: overall accuracy of the map minus that of the other.
        difference_se, difference_low, difference_high: standard error and 95 % interval; None without a design.
    """

    other: str
    n: int
    only_this: int
    only_other: int
    p_exact: float | None
    chi_square: float | None
    p_chi_square: float | None
    difference: float | None
    difference_se: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)


def mcnemar(only_this: int, only_other: int) -> tuple[float, float | None, float | None]:
    """Exact probability, chi-square with continuity correction, and its probability."""
    differing = only_this + only_other
    if not differing:
        return 1.0, None, None
    statistic = max(abs(only_this - only_other) - 1, 0) ** 2 / differing
    return float(binomtest(only_this, differing).pvalue), statistic, float(chi2.sf(statistic, 1))


def compare(
    other: str, this_right: np.ndarray, other_right: np.ndarray, both: np.ndarray, design: Design | None
) -> Comparison:
    """Compare two maps at N reference pixels.

    Args:
        other: name of the other map.
        this_right: whether the map is right (N,).
        other_right: whether the other is (N,).
        both: whether both have a class (N,).
        design: how the pixels were drawn; None: counted as they come.
    """
    kept = both if design is None else both & (design.stratum >= 0)
    only_this, only_other = int((this_right & ~other_right & kept).sum()), int((other_right & ~this_right & kept).sum())
    n = int(kept.sum())
    plain = (only_this - only_other) / n if n else None
    if design is None or not n:
        return Comparison(other, n, only_this, only_other, *mcnemar(only_this, only_other), plain)
    # Outcomes: one map lacks the pixel, only the other is right, both or none, only this one is right.
    outcome = np.where(both, 2 + this_right.astype(int) - other_right.astype(int), 0)
    tally = design.tally(outcome, 4)
    shares = tally.shares
    part = shares[1:].sum()
    gains = np.array([0.0, -1.0, 0.0, 1.0])
    difference = float(gains @ shares / part)
    influence = np.where(np.arange(4) > 0, gains - difference, 0.0) / part
    (error,) = tally.standard_errors(influence[None]).tolist()
    known = np.isfinite(error)
    low, high = wald(difference, error, lowest=-1.0)
    return Comparison(
        other, n, only_this, only_other, *mcnemar(only_this, only_other), difference,
        *((error, low, high) if known else (None, None, None)),
    )  # fmt: skip
