"""What the report of a training says: what was measured and how, how it looks, and what it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.assessment.calibration import Reliability
from engine.assessment.confusion import Confusion
from engine.assessment.facts import Row, matrix_rows
from engine.legend import Legend


@dataclass(frozen=True)
class Floors:
    """What a careful user gets without us, on the same pixels.

    Attributes:
        name: of the method, for instance "forest 5x5 specialists".
        scores: `oa` and `aa` by pattern name.
    """

    name: str
    scores: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Report:
    """What the page shows.

    Attributes:
        title: of the page.
        legend: the classes.
        sensors: what each is worth, see `assessment.sensor_value`; None where it cannot be told.
        confusions: by pattern name, the complete pattern first.
        reliability: of the calibrated confidence, by pattern name.
        uncalibrated: the same before calibration.
        validation: as `reliability`, on the validation pixels it was fitted on; may lack patterns.
        temperatures: by pattern name.
        history: one row for each validation: `step`, `loss`, `score` and more.
        pixels: pixels of each class (Y,) by side: train, validation, test.
        rare: names of classes with few training pixels.
        facts: what else is known of the run, JSON-able; `best_step` is marked in the learning curve.
        experts: see `assessment.experts`; None for methods without routers.
        sources: files that went in, by what they are; see `provenance.file_facts`.
        settings: the complete configuration, JSON-able.
        maps: class indices (H, W) of an extract, -1 where there is none, by title.
        maps_note: which extract that is.
        floors: to compare with; None where they were not measured.
    """

    title: str
    legend: Legend
    sensors: Mapping[str, Any] | None
    confusions: dict[str, Confusion]
    reliability: dict[str, Reliability]
    uncalibrated: dict[str, Reliability]
    validation: dict[str, Reliability]
    temperatures: dict[str, float]
    history: Sequence[dict[str, float]]
    pixels: dict[str, np.ndarray]
    rare: Sequence[str]
    facts: dict[str, Any]
    sources: Mapping[str, Mapping[str, str]]
    settings: Mapping[str, Any]
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    maps_note: str = ""
    floors: Floors | None = None
    experts: Mapping[str, Any] | None = None


def report_facts(report: Report) -> dict[str, Any]:
    """All figures, JSON-able; fractions."""
    patterns = {}
    for name, confusion in report.confusions.items():
        floor = {} if report.floors is None else report.floors.scores.get(name, {})
        patterns[name] = confusion.summary() | {
            "calibration_error": _json(report.reliability[name].error),
            "calibration_error_before": _json(report.uncalibrated[name].error),
            "calibration_error_by_chance": _json(report.reliability[name].error_by_chance),
            "calibration_error_validation": _error_of(report.validation, name),
            "temperature": report.temperatures[name],
            **({} if report.floors is None else {"floor_oa": floor.get("oa"), "floor_aa": floor.get("aa")}),
            "classes": [
                {
                    "name": item.name,
                    "n": int(confusion.reference[k]),
                    "producers_accuracy": _json(confusion.per_class[k]),
                    "users_accuracy": _json(confusion.users[k]),
                    "f1": _json(confusion.f1[k]),
                    "iou": _json(confusion.iou[k]),
                }
                for k, item in enumerate(report.legend.classes)
            ],
            "confusion": confusion.matrix.tolist(),
            "reliability": report.reliability[name].to_json(),
            "reliability_before": report.uncalibrated[name].to_json(),
        }
    return {
        "patterns": patterns,
        "floor": None if report.floors is None else report.floors.name,
        "sensors": report.sensors,
        "experts": report.experts,
        "pixels": {side: counts.tolist() for side, counts in report.pixels.items()},
        "legend": report.legend.to_json(),
        "run": report.facts,
        "sources": dict(report.sources),
        "settings": dict(report.settings),
    }


def report_rows(facts: Mapping[str, Any]) -> Iterator[Row]:
    """The figures of `report_facts` as rows: sensors, class, figure, value."""
    for sensors, part in facts["patterns"].items():
        yield from ((sensors, "", key, value) for key, value in part.items() if not isinstance(value, list))
        for item in part["classes"]:
            yield from ((sensors, item["name"], key, value) for key, value in item.items() if key != "name")
        yield from matrix_rows(sensors, [item["name"] for item in part["classes"]], "pixels", part["confusion"])
    if facts["sensors"] is not None:
        yield from (("", "", f"without_sensors_{key}", value) for key, value in facts["sensors"]["none"].items())
        for sensor, worth in facts["sensors"]["sensors"].items():
            for what, values in worth.items():
                yield from ((sensor, "", f"{what}_{key}", value) for key, value in values.items())
    for side, counts in facts["pixels"].items():
        names = (item["name"] for item in facts["legend"])
        yield from (("", name, f"{side}_pixels", count) for name, count in zip(names, counts, strict=True))


def _error_of(found: Mapping[str, Reliability], name: str) -> float | None:
    return _json(found[name].error) if name in found else None


def _json(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
