"""Windows of two places laid on each other, and what is learnt from them: modality mixing and its controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.config import MixingKind
from engine.data.batches import Batches, turned
from engine.data.mixing import Mix


@dataclass(frozen=True)
class MixedWindows:
    """Mixed windows, and the pixels of their cores that have a label.

    Attributes:
        values: standardised values (N, C, H, W) of each modality.
        valid: (N, M, H, W) bool.
        at: window, row and column in the core of each pixel with a label (3, A).
        host: class of the host at these pixels (A,).
        donor: class of the donor (A,); the host's where only the host speaks.
    """

    values: list[np.ndarray]
    valid: np.ndarray
    at: np.ndarray
    host: np.ndarray
    donor: np.ndarray


def mixed_windows(
    batches: Batches, rng: np.random.Generator, mix: Mix, kind: MixingKind, blend: np.ndarray | None = None
) -> MixedWindows:
    """Cut the windows of hosts and donors, their pixels at one place in the core, and combine them; the own share.

    Only pixels that are labelled in both, differently, have a label (in the host, for "dropout"), and all their sensors
    (under "dropout": any). How much each class counts was told by the two pixels that were chosen, and holds for all
    pixels of their window.

    Args:
        batches: where windows come from.
        rng: where chance comes from.
        mix: numbers of training pixels.
        kind: "modality": the sensors taken are the donor's; "mixup", "balanced_mixup": all values are blended;
            "dropout": the sensors taken are gone.
        blend: share of the host in each window's sensors (N, M), where values are blended.
    """
    count = len(mix.host)
    within = batches.core_offset + rng.integers(batches.core, size=(count, 2))
    turns = rng.integers(8, size=count) if batches.training.augment else np.zeros(count, np.int64)
    mix, within, turns = mix.part(batches.share), within[batches.share], turns[batches.share]
    taken = mix.taken[:, :, None, None]
    values, valid, host = _cut(batches, mix.host, within, turns)
    if kind == "dropout":
        valid, donor = valid & ~taken, host
    else:
        others, others_valid, donor = _cut(batches, mix.donor, within, turns)
        pairs = list(enumerate(zip(values, others, strict=True)))
        if kind == "modality":
            values = [np.where(taken[:, m, None], other, one) for m, (one, other) in pairs]
            valid = np.where(taken, others_valid, valid)
        else:
            assert blend is not None
            shares = blend[batches.share, :, None, None, None].astype(np.float32)
            values = [shares[:, m] * one + (1 - shares[:, m]) * other for m, (one, other) in pairs]
            valid = valid & others_valid
    inner = slice(batches.core_offset, batches.core_offset + batches.core)
    there = valid[:, :, inner, inner]
    both = (host >= 0) & (donor >= 0)
    labelled = both & there.any(axis=1) if kind == "dropout" else both & there.all(axis=1) & (host != donor)
    at = np.stack(labelled.nonzero())
    return MixedWindows(values, valid, at, host[labelled], donor[labelled])


def _cut(
    batches: Batches, pixels: np.ndarray, within: np.ndarray, turns: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Turned windows without gaps that have training pixels at given places; values, validity, classes of the core."""
    rows, cols = batches.rows[pixels] - within[:, 0], batches.cols[pixels] - within[:, 1]
    side = 2 * batches.core_offset + batches.core
    values, valid, classes = batches.read(batches.scene[pixels], rows, cols, side)
    shown, core = slice(batches.window), slice(batches.core_offset, batches.core_offset + batches.core)
    cut = [turned(array, turns)[..., shown, shown] for array in (*values, valid)]
    return cut[:-1], cut[-1], turned(classes, turns)[:, core, core].astype(np.int64)
