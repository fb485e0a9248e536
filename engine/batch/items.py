"""STAC items of maps, and the collection of a batch. Plain JSON: a dozen fields need no library.

STAC 1.1.0 (stacspec.org) with the extensions Projection 2.0.0 and Classification 2.0.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rasterio
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.warp import transform, transform_bounds

from engine import __version__
from engine.batch.manifest import replace_text
from engine.batch.order import Order
from engine.batch.scene import Scene
from engine.legend import Legend
from engine.raster.grid import Grid, apply_affine, is_local

STAC_VERSION = "1.1.0"
CLASSIFICATION = "https://stac-extensions.github.io/classification/v2.0.0/schema.json"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
_GEOTIFF = "image/tiff; application=geotiff"
_TITLES = {
    "classes": "Land cover",
    "confidence": "Probability of the mapped class, percent",
    "probabilities": "Probability of every class, percent",
    "sensors": "Sensors used, a bit for each",
}
_EDGE_POINTS = 8  # of each side of a footprint: straight lines of a projection are bent elsewhere


def write_map_item(order: Order, scene: Scene, facts: Mapping[str, Any]) -> None:
    """Write the STAC item of a scene's finished map beside it.

    Raises:
        OutputError: it cannot be written.
    """
    with rasterio.open(order.map_path(scene.id)) as file:
        grid = Grid(file.height, file.width, file.transform, file.crs)
    legend = Legend.from_json(facts["classes"])
    item = map_item(scene, grid, legend, facts, datetime.now(UTC))
    replace_text(order.item_path(scene.id), json.dumps(item, indent=1, ensure_ascii=False) + "\n")


def map_item(scene: Scene, grid: Grid, legend: Legend, facts: Mapping[str, Any], created: datetime) -> dict[str, Any]:
    """STAC item of a map; where nobody knows when the scene was seen, `datetime` is when the map was made.

    Args:
        scene: what was mapped.
        grid: of the map.
        legend: its classes.
        facts: of the map, see `report.map_facts`.
        created: when it was made.
    """
    moment = created.isoformat(timespec="seconds").replace("+00:00", "Z")
    assets = {}
    for product, path in facts["outputs"].items():
        asset: dict[str, Any] = {
            "href": f"./{Path(path).name}",
            "type": _GEOTIFF,
            "title": _TITLES[product],
            "roles": ["data"] if product == "classes" else ["metadata"],
        }
        if product == "classes":
            asset["classification:classes"] = classes_json(legend)
        assets[product] = asset
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [_PROJECTION, CLASSIFICATION],
        "id": scene.id,
        **_footprint(grid),
        "properties": {
            "datetime": scene.datetime or moment,
            "created": moment,
            "proj:code": _code(grid.crs),
            **({} if grid.crs is None or _code(grid.crs) else {"proj:wkt2": grid.crs.to_wkt(version="WKT2_2019")}),
            "proj:shape": [grid.height, grid.width],
            "proj:transform": list(grid.transform)[:6],
            "mamol:version": __version__,
            "mamol:model_sha256": facts["model_sha256"],
            "mamol:mapped_pixels": facts["mapped_pixels"],
            "mamol:patterns": {item["name"]: item["pixels"] for item in facts["patterns"]},
        },
        "links": [
            {"rel": "root", "href": "../collection.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
            {"rel": "derived_from", "href": "../model.json", "type": "application/geo+json", "title": "The model"},
        ],
        "collection": "maps",
        "assets": assets,
    }


def classes_json(legend: Legend) -> list[dict[str, Any]]:
    """`classification:classes` of a legend: machine names of a few letters, the user's names as titles."""
    nodata = {"value": 0, "name": "nodata", "description": "no sensor covers the pixel", "nodata": True}
    classes = [
        {
            "value": item.value,
            "name": re.sub(r"[^0-9A-Za-z_-]+", "_", item.name).strip("_") or f"class_{item.value}",
            "title": item.name,
            "description": item.name,
            "color_hint": "".join(f"{part:02X}" for part in item.colour),
        }
        for item in legend.classes
    ]
    return [nodata, *classes]


def write_collection(out: Path, items: Iterable[Path]) -> None:
    """Write `collection.json` of a batch: every item, and the extent of all.

    Raises:
        OutputError: it cannot be written.
    """
    boxes, moments, links = [], [], []
    for path in items:
        item = json.loads(path.read_text(encoding="utf-8"))
        href = path.relative_to(out).as_posix()
        links.append({"rel": "item", "href": f"./{href}", "type": "application/geo+json"})
        moments.append(item["properties"]["datetime"])
        if "bbox" in item:
            boxes.append(item["bbox"])
    box = [-180.0, -90.0, 180.0, 90.0]
    if boxes:
        west, south, east, north = zip(*boxes, strict=True)
        box = [min(west), min(south), max(east), max(north)]
    moments.sort(key=datetime.fromisoformat)
    collection = {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": "maps",
        "title": "Land-cover maps",
        "description": "Land-cover maps made by one model from whatever sensors cover each pixel.",
        "license": "other",
        "extent": {
            "spatial": {"bbox": [box]},
            "temporal": {"interval": [[moments[0], moments[-1]] if moments else [None, None]]},
        },
        "links": [
            {"rel": "root", "href": "./collection.json", "type": "application/json"},
            {"rel": "derived_from", "href": "./model.json", "type": "application/geo+json", "title": "The model"},
            *links,
        ],
    }
    replace_text(out / "collection.json", json.dumps(collection, indent=1, ensure_ascii=False) + "\n")


def _footprint(grid: Grid) -> dict[str, Any]:
    """`geometry` and `bbox` in WGS 84; no geometry for grids that lie nowhere on Earth, or cannot be brought there."""
    if grid.crs is None or is_local(grid.crs):
        return {"geometry": None}
    steps = [index / _EDGE_POINTS for index in range(_EDGE_POINTS)]
    # Down the left, along the bottom, up the right, back along the top: counterclockwise where north is up.
    unit = [(0.0, s) for s in steps] + [(s, 1.0) for s in steps]
    unit += [(1.0, 1.0 - s) for s in steps] + [(1.0 - s, 0.0) for s in steps]
    x, y = apply_affine(grid.transform, [u * grid.width for u, _ in unit], [v * grid.height for _, v in unit])
    try:
        longitude, latitude = transform(grid.crs, "EPSG:4326", x.tolist(), y.tolist())
        box = transform_bounds(grid.crs, "EPSG:4326", *grid.bounds)
    except (CRSError, ValueError):
        return {"geometry": None}
    ring = [[round(lon, 7), round(lat, 7)] for lon, lat in zip(longitude, latitude, strict=True)]
    if _signed_area(ring) < 0:
        ring.reverse()
    bbox = [round(value, 7) for value in box]
    return {"geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}, "bbox": bbox}


def _signed_area(ring: list[list[float]]) -> float:
    """Twice the area; positive where the ring runs counterclockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))


def _code(crs: CRS | None) -> str | None:
    code = crs.to_epsg() if crs is not None else None
    return f"EPSG:{code}" if code else None
