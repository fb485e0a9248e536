"""From probabilities to the rasters that a job writes.

    class map      pixel value of the most probable class; 0 = nodata
    confidence     its probability in percent; 255 = nodata
    probabilities  one band for each class, percent, named after it; 255 = nodata
    sensors used   bit m is set where modality m covers the pixel; 0 = nodata

Percent in bytes, also for probabilities: a map of 20,000 x 20,000 pixels and 10 classes is 4 GB instead of 16, and
calibration is not good to a thousandth anyway.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np

from engine.errors import ModelFileError
from engine.legend import Legend
from engine.raster.writer import RasterLayout, unsigned_dtype

Product = Literal["classes", "confidence", "probabilities", "sensors"]
PERCENT_NODATA = 255


def product_layouts(legend: Legend, modalities: int, wanted: Collection[Product]) -> dict[Product, RasterLayout]:
    """File layouts of the products wanted.

    Raises:
        ModelFileError: a class value does not fit into uint16.
    """
    largest = max(legend.values)
    if largest > np.iinfo(np.uint16).max:
        raise ModelFileError(
            f"class value {largest}: class maps hold values up to 65535; train with smaller class values"
        )
    class_dtype = unsigned_dtype(largest)
    layouts: dict[Product, RasterLayout] = {
        "classes": RasterLayout(class_dtype, 0, "mode", ("class",)),
        "confidence": RasterLayout("uint8", PERCENT_NODATA, "average", ("confidence",)),
        "probabilities": RasterLayout("uint8", PERCENT_NODATA, "average", tuple(legend.names)),
        "sensors": RasterLayout(unsigned_dtype((1 << modalities) - 1), 0, "mode", ("sensors used",)),
    }
    return {name: layout for name, layout in layouts.items() if name in wanted}


def encode_block(probabilities: np.ndarray, sensors: np.ndarray, legend: Legend) -> dict[Product, np.ndarray]:
    """All products of one block, each `(bands, height, width)`.

    Args:
        probabilities: `(Y, height, width)` float32; anything where `sensors` is 0.
        sensors: `(height, width)`, the pattern's bits; 0 for nodata.
        legend: class index to pixel value.
    """
    mapped = sensors > 0
    percent = np.rint(probabilities * 100).astype(np.uint8)
    best = probabilities.argmax(axis=0)
    confidence = np.take_along_axis(percent, best[None], axis=0)
    return {
        "classes": np.where(mapped, np.asarray(legend.values)[best], 0)[None],
        "confidence": np.where(mapped, confidence, PERCENT_NODATA),
        "probabilities": np.where(mapped, percent, PERCENT_NODATA),
        "sensors": sensors[None],
    }
