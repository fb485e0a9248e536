"""How reference pixels were drawn: which stratum each stands for, and how large the strata are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.assessment.estimators import Strata, Tally
from engine.assessment.population import Population, count_pixels, values_at
from engine.errors import LabelError
from engine.raster.area import row_area_m2
from engine.raster.labels import Labels
from engine.raster.legends import generated_name, raster_hints
from engine.raster.sample_points import SampleDesign
from engine.raster.sources import Source

DesignName = Literal["random", "stratified"]


@dataclass(frozen=True)
class Design:
    """A probability sample of N pixels.

    Attributes:
        text: the design in words.
        strata: those that were sampled.
        stratum: index of each pixel's stratum (N,); -1 outside the population.
        area: of each pixel (N,), in the unit of the strata's.
        unsampled: names of strata without a reference pixel, of which nothing is known.
        unsampled_share: of these in the area.
        unsampled_values: their values in the map, where the strata are its classes; None where that is not known.
        map_values: value in the map of each stratum (H,), where the map's classes are the strata.
    """

    text: str
    strata: Strata
    stratum: np.ndarray
    area: np.ndarray
    unsampled: tuple[str, ...] = ()
    unsampled_share: float = 0.0
    unsampled_values: np.ndarray | None = None
    map_values: np.ndarray | None = None

    @property
    def n(self) -> np.ndarray:
        """Reference pixels of each stratum (H,)."""
        return np.bincount(self.stratum[self.stratum >= 0], minlength=len(self.strata.names))

    def tally(self, cell: np.ndarray, cells: int, possible: np.ndarray | None = None) -> Tally:
        """The sample by stratum and outcome `cell` (N,); for `possible` (H, cells) see `Tally`."""
        inside = self.stratum >= 0
        return Tally.of(self.strata, self.stratum[inside], cell[inside], cells, self.area[inside], possible)


def simple_random(labels: Labels, values: np.ndarray, population: Population, source: Source) -> Design:
    """A simple random sample of all mapped pixels; `values` (N,) are the map's at the labels."""
    mapped = population.values[:, 0] > 0
    stratum = np.where(values > 0, 0, -1)
    return _design("simple random sample of the map", ["map"], stratum, population, [mapped], labels, source)


def map_classes(
    labels: Labels, values: np.ndarray, population: Population, source: Source, names: dict[int, str]
) -> Design:
    """A stratified random sample with the map's classes as strata; `names` by map value."""
    found = np.array(sorted(names))
    stratum = np.where(values > 0, np.searchsorted(found, values), -1)
    members = [population.of(0, value) for value in found.tolist()]
    called = [names[value] for value in found.tolist()]
    text = "stratified random sample, strata are the map's classes"
    return _design(text, called, stratum, population, members, labels, source, found)


def strata_raster(labels: Labels, strata: Source, source: Source, cancelled: Callable[[], bool]) -> Design:
    """A stratified random sample with a raster's values as strata.

    Raises:
        LabelError: no reference pixel lies in a stratum.
    """
    population = count_pixels([strata], cancelled)
    found = population.values[population.values[:, 0] > 0, 0]
    values = values_at(strata, labels.rows, labels.cols)
    if not (values > 0).any():
        raise LabelError(f"{strata.path}: no reference pixel lies in a stratum; 0 and nodata are none")
    hints = raster_hints(strata.path).names
    names = [hints.get(str(value)) or generated_name(value).replace("class", "stratum") for value in found.tolist()]
    members = [population.of(0, value) for value in found.tolist()]
    stratum = np.where(values > 0, np.searchsorted(found, values), -1)
    return _design(
        f"stratified random sample, strata from {strata.path.name}", names, stratum, population, members, labels, source
    )


def as_drawn(
    labels: Labels, drawn: SampleDesign, population: Population, source: Source, names: dict[int, str]
) -> Design:
    """The stratified random sample that the points themselves tell of; `names` by map value.

    A stratum whose points have all been deleted is known of only where the map is the one they were drawn from.
    """
    width = source.grid.width
    keys, order = np.unique(drawn.rows * width + drawn.cols, return_index=True)
    sought = labels.rows * width + labels.cols
    at = np.searchsorted(keys, sought).clip(0, len(keys) - 1)
    # On a coarser grid points of two strata may share a pixel, which then belongs to neither.
    stratum = np.where(keys[at] == sought, drawn.stratum[order][at], -1)
    areas = drawn.area_m2
    area = _pixel_areas(source, labels) if areas is not None else None
    sizes = drawn.pixels.astype(float) if areas is None or area is None else areas
    lost = _lost(drawn, population)
    of_map = None if lost is None else np.append(drawn.values, np.array(lost, np.int64))
    lost = lost or []
    members = [population.of(0, value) for value in lost]
    lost_pixels = [population.pixels[member].sum() for member in members]
    lost_area = lost_pixels if area is None else [population.area[member].sum() for member in members]
    strata = Strata(
        (*drawn.names, *(names[value] for value in lost)),
        np.append(drawn.pixels, np.array(lost_pixels, np.int64)),
        np.append(sizes, lost_area),
    )
    return _only_sampled("stratified random sample, as the points were drawn", strata, stratum, area, of_map)


def _lost(drawn: SampleDesign, population: Population) -> list[int] | None:
    """Values of the map of which no point is left; None if the points come from another map."""
    strata = zip(drawn.values.tolist(), drawn.pixels.tolist(), strict=True)
    if any(population.pixels[population.of(0, value)].sum() != pixels for value, pixels in strata):
        return None
    return [value for value in np.unique(population.values[:, 0]).tolist() if value not in (0, *drawn.values.tolist())]


def _design(
    text: str,
    names: list[str],
    stratum: np.ndarray,
    population: Population,
    members: list[np.ndarray],
    labels: Labels,
    source: Source,
    map_values: np.ndarray | None = None,
) -> Design:
    """A design whose strata are groups of a population's combinations (K,) bool."""
    pixels = np.array([population.pixels[member].sum() for member in members])
    area = np.array([population.area[member].sum() for member in members])
    strata = Strata(tuple(names), pixels, area)
    design = _only_sampled(text, strata, stratum, _pixel_areas(source, labels), map_values)
    if map_values is None or design.unsampled_values is None:
        return design
    return replace(design, map_values=map_values[~np.isin(map_values, design.unsampled_values)])


def _only_sampled(
    text: str, strata: Strata, stratum: np.ndarray, area: np.ndarray | None, of_map: np.ndarray | None
) -> Design:
    """Leave strata out that have no reference pixel; `of_map` (H,): values in the map of those that are its classes."""
    sampled = np.bincount(stratum[stratum >= 0], minlength=len(strata.names)) > 0
    position = np.append(np.cumsum(sampled) - 1, -1)
    return Design(
        text=text,
        strata=Strata(
            tuple(name for name, kept in zip(strata.names, sampled, strict=True) if kept),
            strata.pixels[sampled],
            strata.area[sampled],
        ),
        stratum=position[stratum],
        area=np.ones(len(stratum)) if area is None else area,
        unsampled=tuple(name for name, kept in zip(strata.names, sampled, strict=True) if not kept),
        unsampled_share=float(strata.area[~sampled].sum() / strata.area.sum()),
        unsampled_values=None if of_map is None else of_map[~sampled],
    )


def _pixel_areas(source: Source, labels: Labels) -> np.ndarray | None:
    """Square metres of each labelled pixel (N,)."""
    areas = row_area_m2(source.grid, source.grid.window)
    return None if areas is None else areas[labels.rows]
