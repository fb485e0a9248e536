"""Small versions of the rasters of an assessment, for its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from engine.assessment.population import open_map, read_values
from engine.legend import LandClass, Legend
from engine.raster.legends import build_legend, raster_hints
from engine.raster.windows import Window

_SIDE = 480  # pixels of a picture at most
_RIGHT = Legend((LandClass(1, "map right", (30, 111, 208)), LandClass(2, "map wrong", (208, 99, 30))))


def pictures(rasters: Mapping[str, Path | None], places: np.ndarray) -> dict[str, tuple[np.ndarray, Legend]]:
    """Rasters of one grid by title, and where the first of them is right.

    Args:
        rasters: class rasters by what they are; None: not given.
        places: see `MapAccuracy.places`.
    """
    found = {f"{title}: {path.name}": small_map(path) for title, path in rasters.items() if path is not None}
    grid = open_map(next(path for path in rasters.values() if path is not None)).grid
    return found | {"reference": small_places(places, (grid.height, grid.width))}


def small_map(path: Path) -> tuple[np.ndarray, Legend]:
    """Every k-th pixel of a class raster as class indices (h, w), -1 where there is none, and the legend of these."""
    source = open_map(path)
    step = _step(source.grid.height, source.grid.width)
    rows = range(0, source.grid.height, step)
    values = np.concatenate([read_values(source, Window(row, 0, 1, source.grid.width))[:, ::step] for row in rows])
    found = np.unique(values)
    legend = build_legend(found[found > 0].tolist(), raster_hints(path))
    indices = np.searchsorted(legend.values, values)
    return np.where(values > 0, indices, -1), legend


def small_places(places: np.ndarray, shape: Sequence[int]) -> tuple[np.ndarray, Legend]:
    """Where the map is right and where it is wrong, on the grid of `small_map`.

    Args:
        places: rows, columns, and whether the map is right there (3, N).
        shape: of the map (height, width).
    """
    step = _step(*shape)
    picture = np.full((-(-shape[0] // step), -(-shape[1] // step)), -1)
    order = np.argsort(-places[2], kind="stable")  # wrong ones last: they are fewer and must be seen
    reach = max(picture.shape) // 160 if places.shape[1] < picture.size / 20 else 0
    for row, col, right in (places[:, order]).T:
        at_row, at_col = row // step, col // step
        picture[max(at_row - reach, 0) : at_row + reach + 1, max(at_col - reach, 0) : at_col + reach + 1] = 1 - right
    return picture, _RIGHT


def _step(height: int, width: int) -> int:
    return -(-max(height, width) // _SIDE)
