"""Class bias and temperature of each pattern, fitted on validation pixels.

Training sees classes equally often and windows in which much is missing; a map does not. p = softmax((z + b) / T): the
bias b brings the class shares back towards natural ones, the temperature T the confidence to the accuracy (Guo et al.,
arXiv 1706.04599, with a bias). The whole of b serves the common classes best (OA) and the rare ones worst (AA), and is
fitted to few places; so only a share of it is applied, and T is fitted to what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

# Neighbouring validation pixels say much the same: so many of them count as one independent observation.
_PIXELS_PER_OBSERVATION = 10.0
_BIAS_SPREAD, _TEMPERATURE_SPREAD = 1.0, 0.5  # expected size of b, and of log T


@dataclass(frozen=True)
class Calibration:
    """`temperature` T and `bias` b (Y,) of one pattern."""

    temperature: float
    bias: np.ndarray

    @classmethod
    def stored(cls, facts: Mapping[str, Any], classes: int) -> Calibration:
        """What a model file says of one pattern; without any, scores are taken as they are, as in mapping.

        Args:
            facts: `temperature` and `bias` of the pattern in `ModelInfo.patterns`, checked when the file was read.
            classes: number of classes.
        """
        return cls(float(facts.get("temperature") or 1.0), np.array(facts.get("bias") or np.zeros(classes), np.float64))

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Corrected logits (..., Y)."""
        return (logits + self.bias.astype(np.float32)) / np.float32(self.temperature)


def calibrate(logits: np.ndarray, reference: np.ndarray, strength: float) -> Calibration:
    """Calibration of one pattern.

    Args:
        logits: (N, Y) at the N validation pixels that have the pattern; N may be 0.
        reference: class index of these pixels (N,).
        strength: share of the fitted bias that is applied.
    """
    return fit_calibration(logits, reference, bias=strength * fit_calibration(logits, reference).bias)


def fit_calibration(logits: np.ndarray, reference: np.ndarray, bias: np.ndarray | None = None) -> Calibration:
    """Most probable bias and temperature; both stay near 0 and 1 where pixels are few.

    Args:
        logits: (N, Y); N may be 0.
        reference: class index (N,).
        bias: (Y,), where it is given already and only the temperature is looked for.
    """
    count, classes = logits.shape
    if not count:
        return Calibration(1.0, np.zeros(classes) if bias is None else bias)
    logits = logits.astype(np.float64)
    observations = count / _PIXELS_PER_OBSERVATION
    hits = np.eye(classes)[reference]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Negative log posterior of (log 1 / T, b), and its gradient."""
        log_scale, shift = parameters[0], parameters[1:] if bias is None else bias
        scale = np.exp(log_scale)
        shifted = logits + shift
        log_p = log_softmax(scale * shifted, axis=1)
        error = np.exp(log_p) - hits
        value = -observations * log_p[np.arange(count), reference].mean() + log_scale**2 / (2 * _TEMPERATURE_SPREAD**2)
        by_scale = observations * scale * (error * shifted).sum(axis=1).mean() + log_scale / _TEMPERATURE_SPREAD**2
        if bias is not None:
            return float(value), np.array([by_scale])
        value += (shift**2).sum() / (2 * _BIAS_SPREAD**2)
        by_shift = observations * scale * error.mean(axis=0) + shift / _BIAS_SPREAD**2
        return float(value), np.append(by_scale, by_shift)

    found = minimize(loss, np.zeros(1 if bias is not None else 1 + classes), jac=True, method="L-BFGS-B").x
    fitted = found[1:] - found[1:].mean() if bias is None else bias  # a common shift changes nothing
    return Calibration(float(np.exp(-found[0])), fitted)
