"""A finished class map against reference labels, also by the sensors that each pixel was mapped with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.assessment.comparison import Comparison, compare
from engine.assessment.confusion import Confusion
from engine.assessment.design import Design, DesignName, as_drawn, map_classes, simple_random, strata_raster
from engine.assessment.figures import Figures, counted_figures, sampled_figures
from engine.assessment.matching import Matched, as_classes, match, other_classes
from engine.assessment.population import Population, check_grid, count_pixels, open_map, values_at
from engine.errors import ConfigError, LabelError
from engine.legend import Legend
from engine.raster.labels import Labels, read_labels
from engine.raster.legends import raster_hints
from engine.raster.sample_points import REFERENCE, SampleDesign, read_sample_design
from engine.raster.sources import Source


@dataclass(frozen=True)
class Part:
    """The map, or the part of it that was mapped with one combination of sensors.

    Attributes:
        figures: what the reference says of it.
        pixels: mapped, by class (Y,).
        area_m2: the same in square metres; None where the grid's unit is unknown.
        known_m2: of it all, what the figures are about: strata without a reference pixel are left out.
    """

    figures: Figures
    pixels: np.ndarray
    area_m2: np.ndarray | None
    known_m2: float | None


@dataclass(frozen=True)
class MapAccuracy:
    """What the comparison found.

    Attributes:
        legend: classes of map and reference together.
        whole: everything that is mapped.
        patterns: by combination of sensors, by its name; empty where it is not known.
        design: how the reference was drawn; None: counted as it comes.
        nodata_pixels: pixels of the map without a class.
        unmapped: reference pixels that are nodata in the map.
        unanswered: sample points inside the map without a reference class.
        by_name: whether classes could be matched by name; else by value.
        comparison: with another map, where one was given.
        notes: what a reader must know to take the figures for what they are.
        places: rows, columns, and whether the map is right there, of the reference pixels compared (3, N).
    """

    legend: Legend
    whole: Part
    patterns: dict[str, Part]
    design: Design | None
    nodata_pixels: int
    unmapped: int
    unanswered: int
    by_name: bool
    comparison: Comparison | None
    notes: tuple[str, ...]
    places: np.ndarray


def check_map(
    map_path: Path,
    reference: Path,
    field: str | None = None,
    sensors_used: Path | None = None,
    *,
    design: DesignName | None = None,
    strata: Path | None = None,
    other: Path | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> MapAccuracy:
    """Compare a class map with reference labels, pixel by pixel of the map's grid.

    Args:
        map_path: class map, one band, 0 or nodata where there is no class.
        reference: raster of class values, or vector with `field`. Classes are matched by name where both have names,
            else by value.
        field: attribute of the vector that holds the class.
        sensors_used: raster on the map's grid that tells which sensors each pixel was mapped with.
        design: how the reference pixels were drawn: "random" from the whole map, or "stratified"; None: as the points
            themselves say, and where they say nothing they are counted as they come.
        strata: raster on the map's grid with the strata of a stratified sample; None: the map's classes.
        other: another class map on the map's grid, to compare with.
        cancelled: asked often; True stops.

    Raises:
        BandCountError: a map has more than one band.
        ConfigError: there are strata, but the design is another.
        LabelError: there is no reference inside the map, or it shares no class with the map.
        GridMismatchError: `sensors_used`, `strata` or `other` lies on another grid.
        Cancelled: `cancelled()` said so.
    """
    if strata is not None and design != "stratified":
        raise ConfigError(f"--strata {strata}: belongs to --design stratified; give both")
    source = open_map(map_path)
    sensors, layers, second = (
        None if path is None else _on_grid(path, source) for path in (sensors_used, strata, other)
    )
    carried = read_sample_design(reference, source.grid)
    drawn = None if design else carried
    labels = _read_reference(reference, field, source, drawn)
    population = count_pixels([source, *([sensors] if sensors else [])], cancelled)
    values = values_at(source, labels.rows, labels.cols)
    matched = match(map_path, reference, labels, values, population)
    names = {value: matched.legend.names[index] for value, index in matched.of_value.items()}
    if layers:
        sample: Design | None = strata_raster(labels, layers, source, cancelled)
    elif design == "stratified":
        sample = map_classes(labels, values, population, source, names)
    elif design == "random":
        sample = simple_random(labels, values, population, source)
    else:
        sample = None if drawn is None else as_drawn(labels, drawn, population, source, names)
    bits = values_at(sensors, labels.rows, labels.cols) if sensors else np.zeros(len(values), np.int64)
    whole, patterns = _parts(matched, bits, population, sample)
    names_of_bits = raster_hints(sensors_used).names if sensors_used else {}
    mapped = matched.predicted >= 0
    right = matched.truth == matched.predicted
    return MapAccuracy(
        legend=matched.legend,
        whole=whole,
        patterns={names_of_bits.get(str(key), f"sensors {key}"): part for key, part in patterns.items()},
        design=sample,
        nodata_pixels=int(population.pixels[population.of(0, 0)].sum()),
        unmapped=int((~mapped).sum()),
        unanswered=0 if drawn is None else len(drawn.rows) - len(labels.rows),
        by_name=matched.by_name,
        comparison=None if second is None else _compare(second, labels, matched, sample),
        notes=tuple(_notes(matched, labels, sample, whole.figures, design is not None and carried is not None)),
        places=np.stack([labels.rows, labels.cols, right])[:, mapped],
    )


def _on_grid(path: Path, source: Source) -> Source:
    other = open_map(path)
    check_grid(other, source)
    return other


def _read_reference(path: Path, field: str | None, source: Source, drawn: SampleDesign | None) -> Labels:
    """The labels; those of a sample that is not filled in get a sentence of their own."""
    field = REFERENCE if drawn is not None and field is None else field
    try:
        return read_labels(path, field=field, grid=source.grid)
    except LabelError as error:
        if drawn is None or "no label inside" not in str(error):
            raise
        raise LabelError(
            f"{path}: none of its {len(drawn.rows)} points has a class in field {field}; look at each point in QGIS, "
            "and choose the class that is really there"
        ) from error


def _parts(
    matched: Matched, bits: np.ndarray, population: Population, sample: Design | None
) -> tuple[Part, dict[int, Part]]:
    """The whole map, and its parts by the bits of their sensors (empty where these are not known)."""
    classes = len(matched.legend)
    mapped = matched.predicted >= 0
    by_sensors = population.values.shape[1] > 1
    everywhere = ~population.of(0, 0)
    domains = np.unique(population.values[everywhere, 1]) if by_sensors else np.zeros(1, np.int64)
    domain = np.where(mapped, np.searchsorted(domains, bits), len(domains))  # the last one: not mapped
    cell = (domain * classes + matched.truth) * classes + np.where(mapped, matched.predicted, 0)
    tally = None
    if sample is not None:
        cells = (len(domains) + 1) * classes**2
        possible = None
        if sample.map_values is not None:
            of_stratum = as_classes(sample.map_values, matched.of_value)
            possible = of_stratum[:, None] == np.arange(cells) % classes
        tally = sample.tally(cell, cells, possible)

    def known(area: np.ndarray, values: np.ndarray) -> float:
        if sample is None or not sample.unsampled:
            return float(area.sum())
        if sample.unsampled_values is None:  # by the whole map's share: where strata lie is not known
            return float(area.sum() * (1 - sample.unsampled_share))
        return float(area[~np.isin(values, sample.unsampled_values)].sum())

    def part(chosen: np.ndarray, combinations: np.ndarray) -> Part:
        if tally is None:
            pixels = mapped & np.append(chosen, False)[domain]
            figures = counted_figures(Confusion.of(matched.truth[pixels], matched.predicted[pixels], classes))
        else:
            figures = sampled_figures(tally, classes, np.append(chosen, False))
        index = as_classes(population.values[combinations, 0], matched.of_value)
        count = np.bincount(index, population.pixels[combinations], classes).astype(np.int64)
        if population.area_m2 is None:
            return Part(figures, count, None, None)
        area = population.area_m2[combinations]
        return Part(figures, count, np.bincount(index, area, classes), known(area, population.values[combinations, 0]))

    patterns = {
        value: part(domains == value, everywhere & population.of(1, value))
        for value in (domains.tolist() if by_sensors else [])
    }
    return part(np.ones(len(domains), bool), everywhere), patterns


def _compare(second: Source, labels: Labels, matched: Matched, sample: Design | None) -> Comparison:
    """The map beside another one."""
    values = values_at(second, labels.rows, labels.cols)
    right = other_classes(second.path, values, matched.legend) == matched.truth
    both = (matched.predicted >= 0) & (values > 0)
    return compare(second.path.name, matched.predicted == matched.truth, right, both, sample)


def _notes(matched: Matched, labels: Labels, sample: Design | None, found: Figures, overruled: bool) -> list[str]:
    """What a reader must know."""
    notes = []
    if not matched.by_name:
        notes.append("map or reference has no class names: classes are matched by value; check that values agree")
    if sample is None:
        return notes
    if overruled:
        notes.append("the points tell how they were drawn, but another design was asked for")
    outside = int(((sample.stratum < 0) & (matched.predicted >= 0)).sum())
    if outside:
        notes.append(f"{outside} reference pixels belong to no stratum and are left out of all figures")
    if sample.unsampled:
        notes.append(
            f"no reference in {', '.join(sample.unsampled)}: {sample.unsampled_share:.1%} of the area is left out of "
            "all figures"
        )
    single = [name for name, n in zip(sample.strata.names, sample.n, strict=True) if n == 1]
    if single:
        notes.append(f"a single reference pixel in {', '.join(single)}: standard errors cannot be told")
    if found.overall["oa"] == 1 and (sample.n < sample.strata.pixels).any():
        notes.append("no reference pixel is wrong: standard errors of 0 come from that, not from certainty")
    if len(np.unique(labels.region)) < len(labels.region) / 2 and (sample.n < sample.strata.pixels).any():
        notes.append(
            "reference pixels lie in groups that resemble each other: with a design that draws single pixels, standard "
            "errors come out too small"
        )
    return notes
