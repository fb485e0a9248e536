"""All figures of an error matrix, from a sample with its standard errors, or from pixels counted as they come.

Shares p_ij of the area, reference class i, map class j, that sum to 1 (over all pixels, or over those that were mapped
with one combination of sensors). Each figure is a function of them; its gradient gives its standard error (see
`estimators`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.assessment.confusion import Confusion
from engine.assessment.estimators import Tally, wald, wilson

PER_CLASS = ("producers_accuracy", "users_accuracy", "f1", "iou")
Facts = dict[str, float | int | None]  # JSON-able: fractions, square metres; None where undefined


@dataclass(frozen=True)
class Figures:
    """What an error matrix says.

    Attributes:
        overall: `n`, `oa`, `aa`, `kappa`.
        classes: for each class `n`, `n_map` (pixels of the reference and of the map), the figures of `PER_CLASS`, and
            of a sample `area_share`.
        counts: pixels (Y, Y), reference by row.
        shares: of the area (Y, Y); of the pixels where they are counted as they come.

    With a sample each figure NAME also has NAME_se, NAME_low and NAME_high (95 %), and producer's and user's accuracy
    Wilson's interval as NAME_wilson_low and NAME_wilson_high.
    """

    overall: Facts
    classes: list[Facts]
    counts: np.ndarray
    shares: np.ndarray


def counted_figures(confusion: Confusion) -> Figures:
    """Figures of pixels counted as they come: they describe these pixels and have no standard errors."""
    total = max(confusion.n, 1)
    per_class = [confusion.per_class, confusion.users, confusion.f1, confusion.iou]
    classes = [
        _sizes(confusion.matrix, k)
        | {name: _json(values[k]) for name, values in zip(PER_CLASS, per_class, strict=True)}
        for k in range(len(confusion.matrix))
    ]
    return Figures(confusion.summary(), classes, confusion.matrix, confusion.matrix / total)


def sampled_figures(tally: Tally, classes: int, domain: np.ndarray | None = None) -> Figures:
    """Figures of the area that a sample was drawn from, or of a part of it.

    Args:
        tally: cells are (domain, reference class, map class), flattened: (D * Y * Y).
        classes: Y.
        domain: which domains the figures are of (D,) bool; None: all.
    """
    inside = np.ones(tally.count.shape[1] // classes**2, bool) if domain is None else domain
    counts = _summed(tally.count.sum(axis=0), inside, classes).astype(np.int64)
    shares = _summed(tally.shares, inside, classes)
    part = float(shares.sum())
    if part == 0:
        return counted_figures(Confusion(counts))
    shares = shares / part
    judged = Confusion(counts).judged()
    names, values, gradients = _figures(shares, judged)
    influence = (gradients - np.einsum("kij,ij->k", gradients, shares)[:, None, None]) / part
    cells = inside[None, :, None, None] * influence[:, None]
    with np.errstate(invalid="ignore"):  # NaN of undefined figures
        errors = tally.standard_errors(cells.reshape(len(cells), -1))
    found = {
        name: _interval(value, error, -1.0 if name[0] == "kappa" else 0.0)
        for name, value, error in zip(names, values, errors, strict=True)
    }
    overall = {f"{name}{key}": value for name in ("oa", "aa", "kappa") for key, value in found[name, -1].items()}
    per_class = []
    for k in range(classes):
        facts = _sizes(counts, k)
        for name in (*PER_CLASS, "area_share"):
            facts |= {f"{name}{key}": value for key, value in found[name, k].items()}
        for name in PER_CLASS[:2]:
            value, error = facts[name], facts[f"{name}_se"]
            n = facts["n" if name == "producers_accuracy" else "n_map"]
            nan = float("nan")
            low, high = wilson(nan if value is None else value, nan if error is None else error, int(n or 0))
            facts |= {f"{name}_wilson_low": _json(low), f"{name}_wilson_high": _json(high)}
        per_class.append(facts)
    return Figures(overall | {"n": int(counts.sum())}, per_class, counts, shares)


def _figures(shares: np.ndarray, judged: np.ndarray) -> tuple[list[tuple[str, int]], np.ndarray, np.ndarray]:
    """(name, class or -1) of K figures, their values (K,) and gradients (K, Y, Y)."""
    confusion = Confusion(shares)
    one = np.eye(len(shares))
    hit = one[:, :, None] * one[:, None, :]  # (Y, Y, Y): both are class k
    row, col = (np.broadcast_to(line, hit.shape) for line in (one[:, :, None], one[:, None, :]))
    ratios = {
        "producers_accuracy": (confusion.per_class, hit, row),
        "users_accuracy": (confusion.users, hit, col),
        "f1": (confusion.f1, 2 * hit, row + col),
        "iou": (confusion.iou, hit, row + col - hit),
        "area_share": (confusion.reference, row, np.ones_like(row)),
    }
    names: list[tuple[str, int]] = []
    values, gradients = [], []
    for name, (ratio, above, below) in ratios.items():
        whole = np.einsum("kij,ij->k", below, shares)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (above - ratio[:, None, None] * below) / whole[:, None, None]
        names += [(name, k) for k in range(len(shares))]
        values.append(ratio)
        gradients.append(slope)
    of_class = confusion.per_class
    in_map, agreement = shares.sum(axis=0), float(np.trace(shares))
    chance = float(confusion.reference @ in_map)
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.divide(agreement - chance, 1 - chance)
        slope = (one - (1 - beyond) * (in_map[:, None] + confusion.reference)) / (1 - chance)
    names += [("oa", -1), ("aa", -1), ("kappa", -1)]
    values.append(np.array([agreement, of_class[judged].mean(), beyond]))
    gradients.append(np.stack([one, gradients[0][judged].mean(axis=0), slope]))
    return names, np.concatenate(values), np.concatenate(gradients)


def _summed(cells: np.ndarray, inside: np.ndarray, classes: int) -> np.ndarray:
    return np.asarray(cells.reshape(-1, classes, classes)[inside].sum(axis=0))


def _interval(value: float, error: float, lowest: float) -> Facts:
    low, high = wald(value, error, lowest)
    parts = {"": value, "_se": error, "_low": low, "_high": high}
    return {key: _json(part) for key, part in parts.items()}


def _sizes(counts: np.ndarray, k: int) -> Facts:
    return {"n": int(counts[k].sum()), "n_map": int(counts[:, k].sum())}


def _json(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
