"""Whether a map is there already: made for the same order, and whole."""

from __future__ import annotations

import json
from typing import Any

import rasterio
from rasterio.errors import RasterioError

from engine.mapping.job import MapJob


def published_facts(job: MapJob) -> dict[str, Any] | None:
    """Facts of the finished map of an order, None where it is not there.

    The class map gets its name last, and carries its ticket: where it is, with the right one, all else of the same
    order is, too. Only for jobs with a ticket and a JSON report.
    """
    if job.ticket is None or job.report is None or not job.out.exists():
        return None
    try:
        with rasterio.open(job.out) as written:
            if written.tags().get("MAMOL_TICKET") != job.ticket:
                return None
        facts: dict[str, Any] = json.loads(job.report.read_text(encoding="utf-8"))
    except (OSError, ValueError, RasterioError):
        return None
    there = facts.get("ticket") == job.ticket and all(path.exists() for path in job.rasters.values())
    return facts if there else None
