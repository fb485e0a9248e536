"""Which training pixels a step's windows are drawn for: a pure function of seed and step."""

from __future__ import annotations

from typing import Literal

import numpy as np

RARE = 30  # fewer training pixels than this make a class rare: reported, and not to be judged by
Balance = Literal["sampling", "weights", "none"]


class Sampler:
    """Draws training pixels.

    `sampling` gives every class the same chance, so rare classes are seen as often as common ones. `none` and `weights`
    go through all pixels in a new order each epoch. A step that uses only the first pixels of its draw, because windows
    drawn anywhere take the other places (see `Batches.draw`), leaves out the rest: each pixel's turn is then left to
    chance, the same for all, and an epoch shows that share of them.
    """

    def __init__(self, classes: np.ndarray, balance: Balance, seed: int) -> None:
        """Take the class index of each training pixel (N,), N >= 1."""
        self.balance, self.seed, self.count = balance, seed, len(classes)
        self.members = [np.flatnonzero(classes == number) for number in np.unique(classes)]

    def draw(self, step: int, batch_size: int) -> np.ndarray:
        """Positions (batch_size,) of the pixels of step number `step`."""
        if self.balance == "sampling":
            rng = np.random.default_rng([self.seed, step, 1])
            # Every class equally often, up to one, within the batch; then any of its pixels.
            rounds = -(-batch_size // len(self.members))
            order = np.concatenate([rng.permutation(len(self.members)) for _ in range(rounds)])[:batch_size]
            return np.array([self.members[number][rng.integers(len(self.members[number]))] for number in order])
        positions = np.arange(step * batch_size, (step + 1) * batch_size)
        epochs = positions // self.count
        drawn = np.empty(batch_size, np.int64)
        for epoch in np.unique(epochs):
            order = np.random.default_rng([self.seed, int(epoch), 2]).permutation(self.count)
            drawn[epochs == epoch] = order[positions[epochs == epoch] % self.count]
        return drawn


def class_weights(counts: np.ndarray) -> np.ndarray:
    """Weight of each class (Y,) in the loss: inverse to its training pixels, mean 1 over those pixels."""
    present = counts > 0
    weights = np.where(present, 1.0 / np.maximum(counts, 1), 0.0)
    scaled: np.ndarray = weights * counts.sum() / max(int(present.sum()), 1)
    return scaled.astype(np.float32)


def rare_classes(counts: np.ndarray) -> list[int]:
    """Class indices with fewer than `RARE` training pixels."""
    return np.flatnonzero(counts < RARE).tolist()


def thinned(classes: np.ndarray, limit: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of at most `limit` pixels, in order: classes mixed as they are, but none so rare that it is lost.

    Three quarters of the places go by the classes' shares; each class has an equal part of the last quarter for sure.

    Args:
        classes: class index of each pixel (N,).
        limit: how many to keep; at least four times the number of classes.
        rng: where chance comes from.
    """
    if len(classes) <= limit:
        return np.arange(len(classes))
    order = rng.permutation(len(classes))
    numbers, counts = np.unique(classes, return_counts=True)
    places = np.maximum(0.75 * limit / len(classes) * counts, 0.25 * limit / len(numbers)).astype(int)
    sure = [order[classes[order] == number][:count] for number, count in zip(numbers, places, strict=True)]
    kept = np.concatenate(sure)
    rest = order[~np.isin(order, kept)][: limit - len(kept)]  # what rounding and small classes have left over
    return np.sort(np.concatenate([kept, rest]))
