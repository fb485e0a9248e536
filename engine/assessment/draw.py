"""From a class map to a layer of sample points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.assessment.population import count_pixels, open_map
from engine.assessment.sampling import Allocation, allocate, draw, expected_accuracies, expected_se, size_for
from engine.errors import NodataError
from engine.raster.legends import build_legend, raster_hints
from engine.raster.sample_points import SampleDesign, write_sample_points


def draw_points(
    map_path: Path,
    out: Path,
    *,
    size: int | None,
    target_se: float | None,
    rule: Allocation,
    at_least: int,
    default: float,
    given: Mapping[str, float],
    seed: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Draw a stratified random sample of a map and write it.

    Args:
        map_path: class map, one band.
        out: the GeoPackage.
        size: of the sample; None: from `target_se`, but no fewer than `at_least` of each class.
        target_se: standard error of the overall accuracy that is wanted.
        rule: how points are shared among classes.
        at_least: points of each class.
        default: user's accuracy that is expected of a class.
        given: the same for single classes, by name.
        seed: of the draw.
        cancelled: asked often; True stops.

    Returns:
        `points`, `size`, `expected_accuracy` (overall) and `expected_se`, its standard error, `classes` with name,
        value, pixels and points of each, `files`; JSON-able.

    Raises:
        BandCountError: the map has more than one band.
        NodataError: it has no class anywhere.
        ConfigError: the sample is too small or too large, or a class is unknown.
        OutputError: the points cannot be written.
        Cancelled: `cancelled()` said so.
    """
    source = open_map(map_path)
    population = count_pixels([source], cancelled)
    mapped = population.values[:, 0] > 0
    if not mapped.any():
        raise NodataError(f"{map_path}: no pixel has a class; give a class map (0 means nodata)")
    pixels = population.pixels[mapped]
    legend = build_legend(population.values[mapped, 0].tolist(), raster_hints(map_path))
    expected = expected_accuracies(legend.names, default, given)
    if size is None:
        assert target_se is not None
        size = size_for(pixels, expected, target_se, rule, at_least)
    wanted = allocate(pixels, expected, size, rule, at_least)
    sizes = {value: (int(n), int(k)) for value, n, k in zip(legend.values, pixels, wanted, strict=True)}
    drawn = draw(source, sizes, seed, cancelled)
    design = SampleDesign(
        names=tuple(legend.names),
        values=np.array(legend.values),
        pixels=pixels,
        area_m2=None if population.area_m2 is None else population.area_m2[mapped],
        rows=drawn.rows,
        cols=drawn.cols,
        stratum=np.searchsorted(legend.values, drawn.values),
    )
    files = write_sample_points(out, source.grid, legend, design)
    classes = [
        {"name": item.name, "value": item.value, "pixels": sizes[item.value][0], "points": sizes[item.value][1]}
        for item in legend.classes
    ]
    return {
        "points": str(out),
        "size": int(wanted.sum()),
        "expected_accuracy": float(pixels @ expected / pixels.sum()),
        "expected_se": expected_se(pixels, expected, wanted),
        "classes": classes,
        "files": [str(file) for file in files],
    }
