"""What a map holds: pixels and area of each class, pixels and confidence of each pattern, counted block by block."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Totals:
    """Running counts.

    Attributes:
        pixels: pixels looked at, nodata included.
        classes: pixels by class value.
        area_m2: square metres by class value; empty where the grid's unit is unknown.
        patterns: pixels by pattern bits.
        confidence: sum of percent by pattern bits.
        seconds: time spent, over all sittings of a resumed job.
    """

    pixels: int = 0
    classes: Counter[int] = field(default_factory=Counter)
    area_m2: dict[int, float] = field(default_factory=dict)
    patterns: Counter[int] = field(default_factory=Counter)
    confidence: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def mapped(self) -> int:
        """Pixels that have a class."""
        return self.classes.total()

    def add(
        self, classes: np.ndarray, confidence: np.ndarray, sensors: np.ndarray, row_area_m2: np.ndarray | None
    ) -> None:
        """Count one block.

        Args:
            classes: class values (height, width), 0 for nodata.
            confidence: percent (height, width).
            sensors: pattern bits (height, width), 0 for nodata.
            row_area_m2: area of a pixel of each row (height,), None where unknown.
        """
        mapped = sensors > 0
        self.pixels += sensors.size
        for value in np.unique(classes[mapped]).tolist():
            in_row = np.count_nonzero(mapped & (classes == value), axis=1)
            self.classes[value] += int(in_row.sum())
            if row_area_m2 is not None:
                self.area_m2[value] = self.area_m2.get(value, 0.0) + float(in_row @ row_area_m2)
        for bits in np.unique(sensors[mapped]).tolist():
            here = sensors == bits
            self.patterns[bits] += int(np.count_nonzero(here))
            self.confidence[bits] += int(confidence[here].sum(dtype=np.int64))

    def merge(self, other: Totals) -> None:
        """Count what another part of the map has counted, too; seconds are those of both."""
        self.pixels += other.pixels
        self.seconds += other.seconds
        self.classes.update(other.classes)
        self.patterns.update(other.patterns)
        self.confidence.update(other.confidence)
        for value, area in other.area_m2.items():
            self.area_m2[value] = self.area_m2.get(value, 0.0) + area

    def to_json(self) -> dict[str, Any]:
        """JSON-able form, the one in the journal."""
        counters = {name: dict(getattr(self, name)) for name in ("classes", "area_m2", "patterns", "confidence")}
        return counters | {"pixels": self.pixels, "seconds": self.seconds}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Totals:
        """Inverse of `to_json`; an empty dict gives totals of nothing."""
        counted = {
            name: {int(key): value for key, value in data.get(name, {}).items()}
            for name in ("classes", "area_m2", "patterns", "confidence")
        }
        return cls(
            pixels=data.get("pixels", 0),
            classes=Counter(counted["classes"]),
            area_m2=counted["area_m2"],
            patterns=Counter(counted["patterns"]),
            confidence=Counter(counted["confidence"]),
            seconds=data.get("seconds", 0.0),
        )
