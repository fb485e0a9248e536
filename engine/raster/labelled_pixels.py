"""Pixels with a class value, as label files give them, before classes are numbered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.raster.legends import Hints


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPixels:
    """Arrays (N,) int64: row, column, class value and number of the region each pixel belongs to; names and colours."""

    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray
    region: np.ndarray
    hints: Hints


def settle(claims: LabelledPixels, width: int) -> LabelledPixels:
    """Sort claims into row order, each pixel once; pixels claimed for different classes are left out.

    Args:
        claims: may name a pixel several times; the claim of the lowest region number stands.
        width: columns of the grid.
    """
    keys = claims.rows * width + claims.cols
    order = np.lexsort((claims.region, keys))
    keys, values = keys[order], claims.values[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    claim_count = np.diff(first, append=len(keys))
    disagrees = values != np.repeat(values[first], claim_count)
    agreed = ~np.logical_or.reduceat(disagrees, first) if len(first) else np.zeros(0, bool)
    kept = order[first[agreed]]
    return LabelledPixels(claims.rows[kept], claims.cols[kept], claims.values[kept], claims.region[kept], claims.hints)
