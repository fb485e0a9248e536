"""The end of a map: GeoTIFFs from the work folder, legends and report beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engine.legend import Legend
from engine.mapping.job import MapJob
from engine.mapping.plan import Plan
from engine.mapping.products import Product
from engine.mapping.report import provenance, report_text
from engine.mapping.summary import Totals
from engine.progress import Progress
from engine.raster.symbology import confidence_qml, legend_qml, pam_xml, sensors_legend
from engine.raster.writer import discard_parts, pam_path, publish, write_geotiff

# (product, band from 0, first row, number of rows) -> values (rows, width); `BlockStore.read_rows` is one
ProductRows = Callable[[Product, int, int, int], np.ndarray]


def write_maps(
    job: MapJob,
    plan: Plan,
    totals: Totals,
    read_rows: ProductRows,
    facts: dict[str, Any],
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    """Write all outputs beside their names, then give them their names, the class map last.

    Args:
        job: where to.
        plan: what they look like.
        totals: what they hold.
        read_rows: their pixels.
        facts: what the report and the provenance tell.
        progress: told what happens.
        cancelled: asked every few rows.

    Raises:
        OutputError: something cannot be written; then nothing has its name.
        Cancelled: likewise.
    """
    rasters = job.rasters
    legends: dict[Product, Legend] = {
        "classes": plan.info.legend,
        "sensors": sensors_legend(plan.info.names, totals.patterns),
    }
    sidecars = _sidecars(rasters, legends, totals)
    if job.report is not None:
        sidecars[job.report] = report_text(facts, job.report.suffix)
    tags = provenance(facts, plan)
    try:
        for index, (product, path) in enumerate(rasters.items()):
            progress.step("writing", index, len(rasters), "maps")
            write_geotiff(
                path,
                plan.layouts[product],
                plan.grid,
                partial(read_rows, product),
                legend=legends.get(product),
                tags=tags,
                cancelled=cancelled,
            )
        publish(list(rasters.values()), sidecars)
    finally:
        discard_parts([*rasters.values(), *sidecars])
    progress.step("writing", len(rasters), len(rasters), "maps")


def _sidecars(rasters: Mapping[Product, Path], legends: Mapping[Product, Legend], totals: Totals) -> dict[Path, str]:
    """Legends beside the rasters, by path."""
    texts: dict[Path, str] = {}
    area_ha = {value: area / 1e4 for value, area in totals.area_m2.items()} or None
    for product, path in rasters.items():
        if product == "confidence":
            texts[path.with_suffix(".qml")] = confidence_qml()
        elif product in legends:
            pixels, area = (totals.classes, area_ha) if product == "classes" else (totals.patterns, None)
            texts[pam_path(path)] = pam_xml(legends[product], pixels, area)
            texts[path.with_suffix(".qml")] = legend_qml(legends[product])
    return texts
