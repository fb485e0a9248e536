"""From answers to figures: what a map would say under every pattern, how right it is, and what each sensor is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import softmax

from engine.assessment.calibration import Reliability
from engine.assessment.confusion import Confusion
from engine.assessment.sensor_value import sensor_values
from engine.modality import pattern_name
from engine.training.calibrate import Calibration
from engine.training.validate import Answers, Pattern


def predictions(answers: Answers, calibrations: Iterable[Calibration]) -> tuple[np.ndarray, np.ndarray]:
    """Class indices (P, N), -1 where a pixel lacks a modality of the pattern, and their probabilities (P, N).

    Args:
        answers: at N pixels under P patterns.
        calibrations: of each pattern, in the same order.
    """
    pairs = zip(calibrations, answers.logits, strict=True)
    probabilities = np.stack([softmax(calibration.apply(logits), axis=-1) for calibration, logits in pairs])
    counted = np.stack([answers.counted(number) for number in range(len(answers.patterns))])
    return np.where(counted, probabilities.argmax(axis=2), -1), probabilities.max(axis=2)


def measure(
    names: Sequence[str], patterns: Sequence[Pattern], predicted: np.ndarray, reference: np.ndarray, classes: int
) -> tuple[dict[str, Confusion], dict[str, Any] | None]:
    """Accuracy of each pattern, and what each sensor is worth.

    Args:
        names: modality names in model order.
        patterns: P of them.
        predicted: class index under each pattern (P, N), -1 where the pixel lacks a modality of it.
        reference: class index (N,).
        classes: number of classes.

    Returns:
        The confusion matrix of each pattern by its name, and the values of all sensors that occur in a pattern (see
        `assessment.sensor_value`), None where these cannot be told.
    """
    confusions = {}
    for pattern, answer in zip(patterns, predicted, strict=True):
        known = answer >= 0
        confusions[pattern_name(names, pattern)] = Confusion.of(reference[known], answer[known], classes)
    sets = [frozenset(name for name, there in zip(names, pattern, strict=True) if there) for pattern in patterns]
    sensors = [name for name in names if any(name in group for group in sets)]
    return confusions, sensor_values(sensors, sets, predicted, reference, classes)


def reliability(answers: Answers, calibrations: Mapping[str, Calibration]) -> dict[str, Reliability]:
    """Of each pattern's confidence, at the pixels that have it; by pattern name.

    Args:
        answers: at N pixels under P patterns.
        calibrations: of each pattern by its name, in the same order.
    """
    predicted, confidence = predictions(answers, calibrations.values())
    found = {}
    for number, name in enumerate(calibrations):
        known = answers.counted(number)
        right = predicted[number, known] == answers.reference[known]
        found[name] = Reliability.of(confidence[number, known], right)
    return found
