"""Modality-mix learning (doi 10.1109/tnnls.2026.3677806): samples whose sensors come from two places.

A host keeps some of its sensors and takes the others from a donor of another class. The label says in which proportions
both classes are to be found; so every sensor must speak for itself. Of the publication only the abstract is at hand:
how samples are selected, paired and labelled is ours, with the shares of MIDAS (arXiv 2509.25831). Pure functions of
arrays and a random generator; `training/mixing.py` asks the network and makes the loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Labelling = Literal["confidence", "uniform", "inverse"]

_LEAST = 1e-3  # reliability of a sensor that says nothing, where something is divided by it


@dataclass(frozen=True)
class Mix:
    """Which samples are mixed, by their numbers: `host` (N,), `donor` (N,), and what is the donor's, `taken` (N, M)."""

    host: np.ndarray
    donor: np.ndarray
    taken: np.ndarray

    def part(self, samples: slice) -> Mix:
        """Some of them."""
        return Mix(self.host[samples], self.donor[samples], self.taken[samples])


def select(
    classes: np.ndarray, probability: np.ndarray, allowed: np.ndarray, *, share: float, confidence: float, at_least: int
) -> np.ndarray:
    """Numbers of the samples that are predicted strongly, class by class: the best of those that are right.

    Args:
        classes: class index of each sample (N,).
        probability: of every class at each sample (N, Y).
        allowed: samples that may be selected at all (N,).
        share: of each class's well predicted samples that are kept.
        confidence: probability of the true class from which a sample is well predicted.
        at_least: samples of each class that are kept, where so many are well predicted.
    """
    own = probability[np.arange(len(classes)), classes]
    well = allowed & (probability.argmax(axis=1) == classes) & (own >= confidence)
    chosen = []
    for number in np.unique(classes[well]):
        members = np.flatnonzero(well & (classes == number))
        kept = max(at_least, int(np.ceil(share * len(members))))
        chosen.append(members[np.argsort(-own[members], kind="stable")[:kept]])
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)


def draw_mixes(rng: np.random.Generator, classes: np.ndarray, available: np.ndarray, count: int) -> Mix:
    """Pair samples of different classes, every class as often as any other; fewer than `count` where none fits.

    A complete host gives away a random part of its sensors, an incomplete one takes exactly those that it lacks.

    Args:
        rng: where chance comes from.
        classes: class index of each sample (S,).
        available: which sensors each sample has (S, M), at least one.
        count: how many pairs.
    """
    number_of = np.unique(classes, return_inverse=True)[1]
    host = _any_of(rng, np.arange(len(classes)), number_of, rng.integers(number_of.max(initial=0) + 1, size=count))
    complete = available[host].all(axis=1)
    taken = np.where(complete[:, None], _proper_subsets(rng, count, available.shape[1]), ~available[host])
    donor = np.full(count, -1)
    for subset in np.unique(taken, axis=0):
        rows = np.flatnonzero((taken == subset).all(axis=1))
        able = np.flatnonzero(available[:, subset].all(axis=1))
        found = np.unique(number_of[able])
        own = number_of[host[rows]]
        others = len(found) - np.isin(own, found)
        rows, own, others = rows[others > 0], own[others > 0], others[others > 0]
        drawn = rng.integers(others)
        drawn += (found[drawn] >= own) & np.isin(own, found)  # step over the host's own class
        donor[rows] = _any_of(rng, able, number_of[able], found[drawn])
    return Mix(host[donor >= 0], donor[donor >= 0], taken[donor >= 0])


def mix_shares(
    confidence: np.ndarray, labelling: Labelling, least: float | None = None, reliability: np.ndarray | None = None
) -> np.ndarray:
    """Share (N, M) of each sensor in a mixed sample's label; every row adds up to 1.

    Args:
        confidence: what each sensor alone gives to its own source's class (N, M).
        labelling: "confidence": in proportion to that; "uniform": all alike; "inverse": the less a sensor says in
            general, the more, so that the label asks for it.
        least: smallest share before rows are brought to 1; default: 0.3 of two sensors, 0.5 / M of more.
        reliability: mean confidence of each sensor (M,), for "inverse".
    """
    modalities = confidence.shape[1]
    if labelling == "uniform" or modalities == 1:
        return np.full(confidence.shape, 1 / modalities)
    if labelling == "inverse":
        assert reliability is not None
        confidence = np.broadcast_to(1 / np.maximum(reliability, _LEAST), confidence.shape)
    least = least if least is not None else 0.3 if modalities == 2 else 0.5 / modalities
    shares = np.maximum(confidence, 1e-6)
    shares = np.clip(shares / shares.sum(axis=1, keepdims=True), least, 1 - least)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def soft_labels(shares: np.ndarray, taken: np.ndarray, host: np.ndarray, donor: np.ndarray, classes: int) -> np.ndarray:
    """Labels (N, Y) of mixed samples: what each class gets from the sensors that are its own.

    Args:
        shares: of the sensors (N, M).
        taken: sensors that are the donor's (N, M).
        host: class of the host (N,).
        donor: class of the donor (N,).
        classes: number of classes, Y.
    """
    labels = np.zeros((len(host), classes))
    each = np.arange(len(host))
    np.add.at(labels, (each, host), np.where(taken, 0, shares).sum(axis=1))
    np.add.at(labels, (each, donor), np.where(taken, shares, 0).sum(axis=1))
    return labels


def sensor_weights(reliability: np.ndarray, limit: float) -> np.ndarray:
    """Weight (M,) of each sensor in the loss: more for the one that says least by itself, `limit` at most."""
    weights = np.ones(len(reliability))
    weakest = int(reliability.argmin())
    weights[weakest] = min(limit, max(1.0, reliability.max() / max(reliability[weakest], _LEAST)))
    return weights


def gradient_scales(reliability: np.ndarray, alpha: float) -> np.ndarray:
    """What the gradient of each sensor's features is multiplied with (M,): OGM (arXiv 2203.15332, eq. 10).

    1 - tanh(alpha rho) for the sensor that says most by itself, rho being what it says over the mean of what the others
    say; 1 for them, and for all where none says more. For two sensors this is the paper's; its noise, GE, is left out.

    Args:
        reliability: mean confidence of each sensor (M,).
        alpha: how much; 0 scales nothing.
    """
    scales = np.ones(len(reliability))
    strongest = int(reliability.argmax())
    others = np.delete(reliability, strongest)
    if len(others) and reliability[strongest] > others.mean():
        scales[strongest] = 1 - np.tanh(alpha * reliability[strongest] / max(others.mean(), _LEAST))
    return scales


def contributions(reliability: np.ndarray) -> np.ndarray:
    """Share (M,) of each sensor in what all of them say by themselves (M,); adds up to 1."""
    said = np.maximum(reliability, _LEAST)
    return np.asarray(said / said.sum())


def balanced_blend(share: np.ndarray, reliability: np.ndarray) -> np.ndarray:
    """Share (N, M) of the host in each sensor's values: B-MM's balanced mixup (arXiv 2510.10986).

        l_m = l^k / (l^k + (1 - l)^k),   k = 1 / (M contribution of m)

    A sensor that contributes more than the mean is blended nearer to half and half, so that it cannot carry the answer
    alone; one that contributes less is left nearer to one of both places. All agree on which place has more. Sensors
    that contribute alike are blended alike: ordinary mixup. What is taken from the paper is a lambda for each modality,
    set by its contribution; the form is ours.

    Args:
        share: of the host in an ordinary mixup, l (N,).
        reliability: mean confidence of each sensor (M,).
    """
    power = 1 / (len(reliability) * contributions(reliability))
    larger = np.maximum(share, 1 - share)  # without it both powers may vanish
    host, donor = ((part / larger)[:, None] ** power for part in (share, 1 - share))
    return np.asarray(host / (host + donor))


def _any_of(rng: np.random.Generator, members: np.ndarray, number_of: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """A random member of each wanted class (N,); `number_of` are the members' classes, all wanted ones among them."""
    order = np.argsort(number_of, kind="stable")
    counts = np.bincount(number_of)
    first = np.cumsum(counts) - counts
    return np.asarray(members[order[first[wanted] + rng.integers(counts[wanted])]])


def _proper_subsets(rng: np.random.Generator, count: int, modalities: int) -> np.ndarray:
    """Random parts (N, M) of the sensors, neither none nor all, each as likely as any other; M of 2 at least."""
    subsets = np.zeros((count, modalities), bool)
    todo = np.arange(count)
    while len(todo):
        subsets[todo] = rng.integers(2, size=(len(todo), modalities)) > 0
        todo = todo[subsets[todo].all(axis=1) | ~subsets[todo].any(axis=1)]
    return subsets
