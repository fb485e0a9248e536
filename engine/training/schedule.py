"""What changes with the step: pure functions."""

from __future__ import annotations

import math

from engine.config import TrainingConfig


def total_steps(config: TrainingConfig, training_pixels: int) -> int:
    """Optimiser steps of the job: `steps`, or those in which `epochs` windows are drawn for each training pixel.

    Windows drawn anywhere on the training side count, too: an epoch is an amount of work, not a promise.
    """
    if config.epochs is None:
        return config.steps
    return math.ceil(config.epochs * training_pixels / (config.batch_size * config.accumulate))


def learning_rate(step: int, steps: int, peak: float, warmup: float) -> float:
    """Linear warm-up over a share of the steps, then linear decay towards zero after the last one.

    Args:
        step: 0 to steps - 1.
        steps: all steps.
        peak: highest rate.
        warmup: share of the steps.
    """
    rising = round(warmup * steps)
    if step < rising:
        return peak * (step + 1) / rising
    return peak * (steps - step) / (steps - rising)


def average_decay(step: int, decay: float) -> float:
    """Decay of averaged weights: small at first, so that the random start is soon forgotten."""
    return min(decay, (1 + step) / (10 + step))
