"""Which samples lack which sensors, in training and at test: the rows of the paper's tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.assessment.confusion import Confusion
from engine.benchmarks.runs import Scores
from engine.data.missing import chosen_patterns, fixed_table
from engine.modality import pattern_name

RATES = (50, 70, 90)  # percent
Kind = str  # "other missing" | "HS missing" | "both"
KINDS: tuple[Kind, ...] = ("other missing", "HS missing", "both")


@dataclass(frozen=True)
class Condition:
    """A share of the samples lacks sensors.

    Attributes:
        name: of the row.
        rate: percent of the samples with a gap.
        patterns: weights of the incomplete patterns, by the sensors that are left; empty for all alike.
    """

    name: str
    rate: float
    patterns: Mapping[str, float] = field(default_factory=dict)

    def settings(self) -> tuple[str, ...]:
        """For training, as `section.key=value`."""
        weights = ", ".join(f"{json.dumps(name)} = {weight}" for name, weight in self.patterns.items())
        patterns = (f"missing.patterns={{ {weights} }}",) if self.patterns else ()
        return (f"missing.rate={self.rate / 100:g}", *patterns)


COMPLETE = Condition("complete", 0)


def two_sensors(hs: str, other: str) -> list[Condition]:
    """The nine conditions of Table 1, in its order: three rates, three kinds."""
    left: dict[Kind, dict[str, float]] = {
        "other missing": {hs: 1.0}, "HS missing": {other: 1.0}, "both": {hs: 1.0, other: 1.0},
    }  # fmt: skip
    return [Condition(f"{kind} {rate} %", rate, left[kind]) for rate in RATES for kind in KINDS]


def three_sensors(hs: str, sar: str, height: str) -> list[Condition]:
    """The four rows of Table 3, by the percentages of samples that have each sensor.

    The first row is read as all six incomplete patterns alike in half of the samples, which leaves every sensor to
    75 %; in the others sensors are lost independently of each other, as in the authors' code.
    """
    sensors = (hs, sar, height)
    rows = [Condition("75 / 75 / 75", 50)]
    for there in ((100, 75, 50), (50, 100, 75), (75, 50, 100)):
        weights = {}
        for bits in range(1, 7):
            has = [bool(bits >> index & 1) for index in range(3)]
            chances = [share / 100 if present else 1 - share / 100 for share, present in zip(there, has, strict=True)]
            if (weight := float(np.prod(chances))) > 0:
                weights[pattern_name(sensors, has)] = round(weight, 6)
        rows.append(Condition(" / ".join(map(str, there)), 100 * sum(weights.values()), weights))
    return rows


def scores_under(
    conditions: Sequence[Condition],
    names: Sequence[str],
    predictions: Mapping[str, np.ndarray],
    classes: int,
    seed: int,
) -> Scores:
    """Scores of a trained model on test pixels of which a share lacks sensors, by a table drawn once.

    Args:
        conditions: which shares, which sensors.
        names: of the modalities, in model order.
        predictions: `patterns` (P,), `predicted` (P, N) and `reference` (N,), as a training leaves them.
        classes: number of classes.
        seed: of the tables.
    """
    row_of = {str(name): row for row, name in enumerate(predictions["patterns"])}
    reference = predictions["reference"]
    found: Scores = {}
    for condition in conditions:
        only = chosen_patterns(condition.patterns or None, names)
        table = fixed_table(np.random.default_rng([seed, 9]), len(reference), len(names), condition.rate / 100, only)
        rows = np.array([row_of[pattern_name(names, kept)] for kept in table], np.int64)
        predicted = predictions["predicted"][rows, np.arange(len(reference))]
        there = predicted >= 0  # a pixel that lacks one of these sensors by nature is of another pattern
        found[condition.name] = Confusion.of(reference[there], predicted[there], classes).summary()
    return found
