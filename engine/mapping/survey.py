"""A look at the layers before mapping: which patterns will occur, and do the values look like those of training.

Small windows spread evenly over the area are read, so the answer takes seconds however large the scene is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from engine.errors import Cancelled
from engine.mapping.layers import pixel_sizes
from engine.modality import pattern_name, pattern_present
from engine.modelfile import ModelInfo
from engine.raster.grid import Grid
from engine.raster.normalise import range_warning
from engine.raster.stack import RasterStack, StackBlock
from engine.raster.windows import Window

_SIDE_PX = 64  # of one sample window
_WINDOWS = 5  # along each axis
_VALUES = 2000  # pixels of each window whose values are kept
_RESOLUTION_FACTOR = 1.5  # a neighbourhood half as large again is still the same neighbourhood


@dataclass
class Survey:
    """What was seen.

    Attributes:
        pixels: pixels looked at.
        complete: whether these are all pixels of the area.
        patterns: pixels by pattern bits, in model order; 0 where no layer has data.
        values: a sample of each layer's valid values, (C, N).
    """

    pixels: int = 0
    complete: bool = False
    patterns: Counter[int] = field(default_factory=Counter)
    values: dict[str, np.ndarray] = field(default_factory=dict)


def take_survey(
    stack: RasterStack,
    names: tuple[str, ...],
    area: Window,
    inside: Callable[[Window], np.ndarray] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Survey:
    """Read sample windows of `area`.

    Args:
        stack: the layers.
        names: the model's modalities; their order gives the bits.
        area: what is to be mapped.
        inside: which pixels of a window are to be mapped, bool (height, width); None for all.
        cancelled: asked before every window.

    Raises:
        Cancelled: `cancelled` said so.
    """
    survey = Survey()
    values: dict[str, list[np.ndarray]] = {}
    for window in sample_windows(area):
        if cancelled():
            raise Cancelled
        block = stack.read(window)
        bits = sensor_bits(block, names)
        wanted = np.ones(bits.shape, bool) if inside is None else inside(window)
        survey.pixels += int(wanted.sum())
        found, counts = np.unique(bits[wanted], return_counts=True)
        survey.patterns.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        for name, valid in block.valid.items():
            rows, cols = np.nonzero(valid & wanted)
            step = max(1, len(rows) // _VALUES)
            values.setdefault(name, []).append(block.values[name][:, rows[::step], cols[::step]])
    survey.complete = area.height <= _SIDE_PX * _WINDOWS and area.width <= _SIDE_PX * _WINDOWS
    survey.values = {name: np.concatenate(parts, axis=1) for name, parts in values.items()}
    return survey


def sample_windows(area: Window) -> Iterator[Window]:
    """At most 5 x 5 windows of 64 x 64 pixels, evenly spread; all of the area where it is small."""
    for row, height in _spread(area.row, area.height):
        for col, width in _spread(area.col, area.width):
            yield Window(row, col, height, width)


def sensor_bits(block: StackBlock, names: tuple[str, ...]) -> np.ndarray:
    """Pattern bits of each pixel, int64 (height, width); names without a layer are absent."""
    bits = np.zeros((block.window.height, block.window.width), np.int64)
    for index, name in enumerate(names):
        if name in block.valid:
            bits |= block.valid[name].astype(np.int64) << index
    return bits


def incomplete_layers(survey: Survey, names: tuple[str, ...]) -> set[str]:
    """Layers that lack data at some of the pixels looked at."""
    return {name for index, name in enumerate(names) if any(not bits >> index & 1 for bits in survey.patterns)}


def describe_patterns(survey: Survey, info: ModelInfo) -> tuple[str, list[str]]:
    """What to tell the user before mapping: one sentence on the patterns, and warnings."""
    if not survey.pixels:
        return "patterns are unknown: the area of interest is too small for a sample", []
    parts, warnings = [], []
    for bits, count in survey.patterns.most_common():
        share = f"{100 * count / survey.pixels:.3g} %"
        if bits == 0:
            parts.append(f"{share} without data")
            continue
        name = pattern_name(info.names, pattern_present(bits, len(info.names)))
        oa = info.patterns.get(name, {}).get("oa")
        parts.append(f"{share} {name} ({'accuracy unknown' if oa is None else f'overall accuracy {oa:.3f}'})")
        if name not in info.trained_patterns:
            warnings.append(
                f"the model was never trained on {name}, {share} of the area: do not rely on its classes there"
            )
    seen = "all" if survey.complete else "a sample of"
    return f"patterns in {seen} {survey.pixels:,} pixels: {', '.join(parts)}", warnings


def describe_values(survey: Survey, info: ModelInfo) -> list[str]:
    """Warnings of layers whose values cannot be in the units of training."""
    found = ((name, range_warning(info.stats[name], values)) for name, values in survey.values.items())
    return [f"{name}: {warning}" for name, warning in found if warning]


def describe_grid(grid: Grid, info: ModelInfo) -> list[str]:
    """A warning if pixels are much larger or smaller than in training."""
    sizes = pixel_sizes(info, grid)
    if sizes is None or 1 / _RESOLUTION_FACTOR <= sizes[0] / sizes[1] <= _RESOLUTION_FACTOR:
        return []
    here, there = sizes
    return [
        f"pixels of {here:.3g} are mapped, the model was trained on pixels of {there:.3g}: "
        "choose another layer as reference, or resample it"
    ]


def _spread(first: int, length: int) -> Iterator[tuple[int, int]]:
    """(first, length) of the pieces along one axis."""
    if length <= _SIDE_PX * _WINDOWS:
        for start in range(0, length, _SIDE_PX):
            yield first + start, min(_SIDE_PX, length - start)
    else:
        for index in range(_WINDOWS):
            yield first + index * (length - _SIDE_PX) // (_WINDOWS - 1), _SIDE_PX
