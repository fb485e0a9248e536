"""Map and reference in one legend: classes are the same where their names are, else where their values are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.assessment.population import Population
from engine.errors import LabelError
from engine.legend import Legend
from engine.raster.labels import Labels
from engine.raster.legends import build_legend, class_indices, generated_name, merge_legends, raster_hints

_NAMED = 12  # classes that a message names


@dataclass(frozen=True)
class Matched:
    """Reference and map in one legend: class indices (N,), map -1 where it has none; index of each map value."""

    legend: Legend
    truth: np.ndarray
    predicted: np.ndarray
    of_value: dict[int, int]
    by_name: bool


def match(map_path: Path, reference: Path, labels: Labels, values: np.ndarray, population: Population) -> Matched:
    """Bring map and reference into one legend."""
    if not (values > 0).any():
        raise LabelError(f"{map_path}: the map has no class at any of the {len(values)} pixels of {reference}")
    found = np.unique(population.values[:, 0])
    map_legend = build_legend(found[found > 0].tolist(), raster_hints(map_path))
    legend = merge_legends([labels.legend, map_legend])
    if len(legend) == len(labels.legend) + len(map_legend):
        raise LabelError(
            f"{reference}: its classes ({_some(labels.legend)}) share neither name nor value with those of {map_path} "
            f"({_some(map_legend)}); give them the same names"
        )
    of_value = dict(zip(map_legend.values, class_indices(map_legend, legend).tolist(), strict=True))
    return Matched(
        legend=legend,
        truth=class_indices(labels.legend, legend)[labels.classes],
        predicted=as_classes(values, of_value),
        of_value=of_value,
        by_name=_has_names(labels.legend) and _has_names(map_legend),
    )


def other_classes(path: Path, values: np.ndarray, legend: Legend) -> np.ndarray:
    """Class indices in `legend` of another map's values (N,), -1 where it has none, or one that only it knows."""
    found = np.unique(values[values > 0])
    of_value = {}
    for item in build_legend(found.tolist(), raster_hints(path)).classes:
        alone = Legend((item,))
        if merge_legends([legend, alone]) == legend:  # a class that both know
            of_value[item.value] = int(class_indices(alone, legend)[0])
    return as_classes(values, of_value)


def as_classes(values: np.ndarray, of_value: dict[int, int]) -> np.ndarray:
    """Class indices of map values (N,), -1 where there is none."""
    found, inverse = np.unique(values, return_inverse=True)
    return np.array([of_value.get(value, -1) for value in found.tolist()], np.int64)[inverse]


def _some(legend: Legend) -> str:
    """The first names: a raster of measurements has hundreds."""
    more = len(legend) - _NAMED
    return ", ".join(legend.names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _has_names(legend: Legend) -> bool:
    return any(item.name != generated_name(item.value) for item in legend.classes)
