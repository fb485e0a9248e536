"""Which sensor is worth buying: what each adds to accuracy, alone, to all others, and on average over all combinations.

The average is Shapley's value: of all orders in which sensors could be bought, the mean of what this one adds when its
turn comes. The values of all sensors add up to what all of them gain over having none, which is to call every pixel the
most common class. All combinations are judged on the same pixels, those that have all sensors.
"""

from __future__ import annotations

import html
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.assessment.confusion import Confusion
from engine.assessment.page import percent, table

SENSOR_TITLE = "What each sensor is worth"


def shapley(worth: Mapping[frozenset[str], float], sensors: Sequence[str]) -> dict[str, float]:
    """Shapley's value of each sensor, by name.

    Args:
        worth: of every set of sensors, the empty one included.
        sensors: all of them.
    """
    values = {}
    for sensor in sensors:
        others = [other for other in sensors if other != sensor]
        values[sensor] = sum(
            (worth[frozenset(group) | {sensor}] - worth[frozenset(group)])
            / (len(sensors) * math.comb(len(others), size))
            for size in range(len(sensors))
            for group in itertools.combinations(others, size)
        )
    return values


def sensor_values(
    sensors: Sequence[str],
    patterns: Sequence[frozenset[str]],
    predicted: np.ndarray,
    reference: np.ndarray,
    classes: int,
) -> dict[str, Any] | None:
    """What each sensor is worth, JSON-able; None where it cannot be told.

    It can be told for two sensors or more, if all their combinations have been asked at some pixels that have them all.

    Args:
        sensors: names.
        patterns: sensors of each combination (P).
        predicted: class index under each combination (P, N), -1 where the pixel lacks one of its sensors.
        reference: class index (N,).
        classes: number of classes.

    Returns:
        `n` pixels; `none`, the accuracy without sensors; `sensors`, by name: `alone` (accuracy with it alone), `last`
        (what it adds to all others), `value` (Shapley's). Accuracies are `{"oa": .., "aa": ..}`, fractions.
    """
    everywhere = (predicted >= 0).all(axis=0)
    if len(sensors) < 2 or len(set(patterns)) < 2 ** len(sensors) - 1 or not everywhere.any():
        return None
    reference = reference[everywhere]
    common = np.full(len(reference), np.bincount(reference).argmax())
    answers = dict(zip(patterns, predicted[:, everywhere], strict=True)) | {frozenset(): common}
    judged = {which: Confusion.of(reference, answer, classes) for which, answer in answers.items()}
    worth = {
        "oa": {which: confusion.oa for which, confusion in judged.items()},
        "aa": {which: confusion.aa() for which, confusion in judged.items()},
    }
    values = {key: shapley(by_set, sensors) for key, by_set in worth.items()}
    everything = frozenset(sensors)
    return {
        "n": len(reference),
        "none": {key: by_set[frozenset()] for key, by_set in worth.items()},
        "sensors": {
            sensor: {
                "alone": {key: by_set[frozenset({sensor})] for key, by_set in worth.items()},
                "last": {key: by_set[everything] - by_set[everything - {sensor}] for key, by_set in worth.items()},
                "value": {key: values[key][sensor] for key in worth},
            }
            for sensor in sensors
        },
    }


def sensor_table(found: Mapping[str, Any], show: Callable[..., str]) -> tuple[str, list[str], list[list[str]]]:
    """A note, the header and the rows of a table of `sensor_values`; names are as they were given.

    Args:
        found: what `sensor_values` gave.
        show: a fraction as text, with `sign="+"` for a difference; see `assessment.page.percent`.
    """
    rows = [
        [
            name,
            *(show(facts["alone"][key]) for key in ("oa", "aa")),
            *(show(facts[what][key], sign="+") for what in ("last", "value") for key in ("oa", "aa")),
        ]
        for name, facts in found["sensors"].items()
    ]
    header = ["sensor", "alone: OA %", "AA %", "added to all others: OA", "AA", "added on average: OA", "AA"]
    note = (
        f"On the {found['n']:,} pixels that have all sensors, by this one model. Added: percentage points. On average: "
        "over all orders in which the sensors could be bought (Shapley's value); the column adds up to what all gain "
        f"over naming the most common class everywhere ({show(found['none']['oa'])} % OA)."
    )
    return note, header, rows


def sensor_section(found: Mapping[str, Any] | None) -> list[str]:
    """The same as HTML, for reports; nothing where it could not be told."""
    if found is None:
        return []
    note, header, rows = sensor_table(found, percent)
    return [
        f"<h2>{SENSOR_TITLE}</h2>",
        f'<p class="note">{note}</p>',
        table(header, [[html.escape(name), *cells] for name, *cells in rows]),
    ]
