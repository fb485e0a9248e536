"""What is mapped and how it is cut up; and one block's input, read and standardised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import GridMismatchError
from engine.mapping.geometry import Tiling
from engine.mapping.job import MapJob
from engine.mapping.products import Product, product_layouts
from engine.mapping.survey import sensor_bits
from engine.modelfile import ModelInfo
from engine.raster.aoi import AreaOfInterest
from engine.raster.grid import Grid
from engine.raster.normalise import BandStats
from engine.raster.stack import RasterStack
from engine.raster.windows import Window
from engine.raster.writer import RasterLayout

# Bytes for all blocks that exist at a time, and what one pixel of a block costs: each band while it is read, converted,
# standardised and waits; each class while scores become bytes; the rest. A GPU needs larger blocks to be busy.
_BUDGET, _BUDGET_GPU = 128 * 2**20, 512 * 2**20
_BYTES_PER_BAND, _BYTES_PER_CLASS, _BYTES_PER_PIXEL = 32, 16, 64
# A block has at most so many cores along a side: slow models, too, shall finish one within seconds.
_CORES_PER_SIDE = 64
_ROWS = 32  # standardised at once: statistics are float64, a whole block of it would triple the memory


@dataclass(frozen=True, slots=True)
class Plan:
    """A map before it is made.

    Attributes:
        info: the model's description.
        stack: the layers.
        area: the mapped window of the reference grid.
        aoi: polygons that restrict it further.
        tiling: the model's windows.
        block_px: side of a block.
        layouts: the rasters to write.
    """

    info: ModelInfo
    stack: RasterStack
    area: Window
    aoi: AreaOfInterest | None
    tiling: Tiling
    block_px: int
    layouts: dict[Product, RasterLayout]

    @property
    def grid(self) -> Grid:
        """Grid of the map."""
        whole = self.stack.grid
        return Grid(self.area.height, self.area.width, whole.window_transform(self.area), whole.crs)

    def inside(self, window: Window) -> np.ndarray:
        """Which pixels of a window are to be mapped: bool (height, width)."""
        return np.ones((window.height, window.width), bool) if self.aoi is None else self.aoi.mask(window)


@dataclass(frozen=True, slots=True)
class InputBlock:
    """What the model needs to map one block.

    Attributes:
        area: the block: pixels to map.
        window: pixels that are there, `Tiling.needed(area)`.
        values: standardised values of each modality, float32 (C, height, width) of `window`; None without a layer.
        valid: where each modality has data, bool (M, height, width) of `window`.
        sensors: pattern bits (height, width) of `area`; 0 where nothing is to be mapped.
    """

    area: Window
    window: Window
    values: tuple[np.ndarray | None, ...]
    valid: np.ndarray
    sensors: np.ndarray


def make_plan(job: MapJob, info: ModelInfo, stack: RasterStack, on_gpu: bool = False) -> Plan:
    """Decide area, tiling and block size.

    Raises:
        GridMismatchError: extent or area of interest do not touch the reference grid, or each other.
        ConfigError: the area of interest cannot be read.
    """
    area = stack.grid.window if job.extent is None else stack.grid.window_of_bounds(job.extent)
    aoi = AreaOfInterest(job.aoi, stack.grid) if job.aoi is not None else None
    if aoi is not None:
        common = area.intersect(aoi.window)
        if common is None:
            raise GridMismatchError(f"{job.aoi}: does not touch the extent asked for; change one of the two")
        area = common
    budget = _BUDGET_GPU if on_gpu else _BUDGET
    tiling = Tiling(info.window, info.core, info.core_offset, job.overlap)
    bands = sum(modality.bands for modality in stack.modalities)
    bytes_per_pixel = _BYTES_PER_PIXEL + _BYTES_PER_BAND * bands + _BYTES_PER_CLASS * len(info.legend)
    return Plan(
        info=info,
        stack=stack,
        area=area,
        aoi=aoi,
        tiling=tiling,
        block_px=tiling.block_px(budget // bytes_per_pixel, _CORES_PER_SIDE),
        layouts=product_layouts(info.legend, len(info.modalities), job.rasters),
    )


def read_block(plan: Plan, area: Window) -> InputBlock:
    """Read and standardise what the model needs to map `area`."""
    names, stats = plan.info.names, plan.info.stats
    window = plan.tiling.needed(area)
    block = plan.stack.read(window)
    sensors = sensor_bits(block, names)[area.relative_to(window).slices]
    absent = np.zeros((window.height, window.width), bool)
    return InputBlock(
        area=area,
        window=window,
        values=tuple(_standardise(block.values[name], stats[name]) if name in block.values else None for name in names),
        valid=np.stack([block.valid.get(name, absent) for name in names]),
        sensors=np.where(plan.inside(area), sensors, 0),
    )


def _standardise(values: np.ndarray, stats: BandStats) -> np.ndarray:
    """Standardise (C, height, width) in place, a few rows at a time."""
    for row in range(0, values.shape[1], _ROWS):
        values[:, row : row + _ROWS] = stats.apply(values[:, row : row + _ROWS])
    return values
