"""A finished class map against reference labels, also by the sensors that each pixel was mapped with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.assessment.confusion import Confusion
from engine.errors import BandCountError, GridMismatchError, LabelError
from engine.legend import Legend
from engine.raster.labels import Labels, read_labels
from engine.raster.legends import build_legend, class_indices, generated_name, merge_legends, raster_hints
from engine.raster.sources import Source, open_source
from engine.raster.windows import Window

_ROWS = 512  # of the map that are read at once


@dataclass(frozen=True)
class MapAccuracy:
    """What the comparison found.

    Attributes:
        legend: classes of map and reference together.
        confusion: of all reference pixels that the map has a class for.
        unmapped: reference pixels that are nodata in the map.
        by_name: whether classes could be matched by name; else by value.
        patterns: confusion of each combination of sensors, by its name; empty where it is not known.
    """

    legend: Legend
    confusion: Confusion
    unmapped: int
    by_name: bool
    patterns: dict[str, Confusion]

    def to_json(self) -> dict[str, Any]:
        """JSON-able form, fractions."""
        confusion = self.confusion
        classes = zip(self.legend.classes, confusion.reference, confusion.per_class, confusion.users, strict=True)
        return {
            "overall": confusion.summary(),
            "unmapped": self.unmapped,
            "classes_matched_by": "name" if self.by_name else "value",
            "classes": [
                {
                    "value": item.value,
                    "name": item.name,
                    "n": int(n),
                    "producers_accuracy": None if np.isnan(producers) else float(producers),
                    "users_accuracy": None if np.isnan(users) else float(users),
                }
                for item, n, producers, users in classes
            ],
            "patterns": {name: item.summary() for name, item in self.patterns.items()},
            "confusion": confusion.matrix.tolist(),
        }


def check_map(
    map_path: Path, reference: Path, field: str | None = None, sensors_used: Path | None = None
) -> MapAccuracy:
    """Compare a class map with reference labels, pixel by pixel of the map's grid.

    Args:
        map_path: class map, one band, 0 or nodata where there is no class.
        reference: raster of class values, or vector with `field`. Classes are matched by name where both have names,
            else by value.
        field: attribute of the vector that holds the class.
        sensors_used: raster on the map's grid that tells which sensors each pixel was mapped with.

    Raises:
        BandCountError: the map has more than one band.
        LabelError: there is no reference inside the map, or it shares no class with the map.
        GridMismatchError: `sensors_used` lies on another grid.
    """
    source = open_source(map_path)
    if source.count != 1:
        raise BandCountError(f"{map_path}: {source.count} bands, expected a class map with one band")
    labels = read_labels(reference, field=field, grid=source.grid)
    values = _values_at(source, labels)
    mapped = values > 0
    if not mapped.any():
        raise LabelError(f"{map_path}: the map has no class at any of the {len(values)} pixels of {reference}")
    found, index = np.unique(values[mapped], return_inverse=True)
    map_legend = build_legend(found.tolist(), raster_hints(map_path))
    legend = merge_legends([labels.legend, map_legend])
    if len(legend) == len(labels.legend) + len(map_legend):
        raise LabelError(
            f"{reference}: its classes ({', '.join(labels.legend.names)}) share neither name nor value with those of "
            f"{map_path} ({', '.join(map_legend.names)}); give them the same names"
        )
    truth = class_indices(labels.legend, legend)[labels.classes[mapped]]
    predicted = class_indices(map_legend, legend)[index]
    patterns = {}
    if sensors_used is not None:
        bits, names = _sensors_at(sensors_used, source, labels)
        for value in np.unique(bits[mapped]):
            chosen = bits[mapped] == value
            name = names.get(str(value), f"sensors {value}")
            patterns[name] = Confusion.of(truth[chosen], predicted[chosen], len(legend))
    return MapAccuracy(
        legend=legend,
        confusion=Confusion.of(truth, predicted, len(legend)),
        unmapped=int((~mapped).sum()),
        by_name=_has_names(labels.legend) and _has_names(map_legend),
        patterns=patterns,
    )


def _has_names(legend: Legend) -> bool:
    return any(item.name != generated_name(item.value) for item in legend.classes)


def _sensors_at(path: Path, map_source: Source, labels: Labels) -> tuple[np.ndarray, dict[str, str]]:
    """Pattern bits at the labelled pixels (N,), and names of patterns by bits as text."""
    source = open_source(path)
    if not source.grid.same_as(map_source.grid):
        raise GridMismatchError(
            f"{path}: grid {source.grid}, expected that of {map_source.path} ({map_source.grid}); "
            "give the sensors-used raster that was written with the map"
        )
    return _values_at(source, labels), raster_hints(path).names


def _values_at(source: Source, labels: Labels) -> np.ndarray:
    """The first band at the labelled pixels (N,), int64, 0 where it is invalid."""
    values = np.zeros(len(labels.rows), np.int64)
    for first in range(0, source.grid.height, _ROWS):
        inside = np.flatnonzero((labels.rows >= first) & (labels.rows < first + _ROWS))
        if len(inside):
            rows = labels.rows[inside] - first
            window = Window(first, 0, min(_ROWS, source.grid.height - first), source.grid.width)
            (band,), (valid,) = source.read(window, [1])
            values[inside] = np.where(valid, band, 0)[rows, labels.cols[inside]].astype(np.int64)
    return values
