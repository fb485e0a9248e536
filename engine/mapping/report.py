"""What came out: facts for programs, a page for people, provenance for the map's own tags."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from engine import __version__
from engine.mapping.job import MapJob
from engine.mapping.plan import Plan
from engine.mapping.summary import Totals
from engine.modality import pattern_name, pattern_present

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:1em 0}"
    "td,th{padding:.25em .8em;border-bottom:1px solid #8886;text-align:right}"
    "td:first-child,th:first-child{text-align:left}i{display:inline-block;width:1em;height:1em;margin-right:.5em}"
)


def map_facts(job: MapJob, plan: Plan, totals: Totals, **run: str) -> dict[str, Any]:
    """Facts of a finished map and its `run`; shares are fractions of the mapped pixels, areas hectares or None."""
    info, mapped = plan.info, totals.mapped
    classes = [
        {
            "value": item.value,
            "name": item.name,
            "colour": list(item.colour),
            "pixels": totals.classes[item.value],
            "share": totals.classes[item.value] / mapped,
            "area_ha": totals.area_m2.get(item.value, 0.0) / 1e4 if totals.area_m2 else None,
        }
        for item in info.legend.classes
    ]
    patterns = []
    for bits, pixels in totals.patterns.most_common():
        name = pattern_name(info.names, pattern_present(bits, len(info.names)))
        known = {key: info.patterns.get(name, {}).get(key) for key in ("oa", "aa", "kappa", "n")}
        confidence = totals.confidence[bits] / pixels / 100
        trained = name in info.trained_patterns
        share = pixels / mapped
        patterns.append(
            {"name": name, "pixels": pixels, "share": share, "confidence": confidence, "trained": trained} | known
        )
    return {
        "map": str(job.out),
        "model": str(job.model),
        "layers": {name: str(path) for name, path in job.layers.items()},
        "reference": plan.stack.reference,
        "outputs": {product: str(path) for product, path in job.rasters.items()},
        "pixels": totals.pixels,
        "mapped_pixels": mapped,
        "seconds": round(totals.seconds, 3),
        "pixels_per_second": round(mapped / max(totals.seconds, 1e-3), 1),
        "overlap": job.overlap,
        "version": __version__,
        "ticket": job.ticket,
        **run,
        "classes": classes,
        "patterns": patterns,
    }


def provenance(facts: dict[str, Any], plan: Plan) -> dict[str, str]:
    """Tags of the map: where it comes from, how to read it without its sidecars. Names of files, not of folders."""
    layers = {name: path.replace("\\", "/").rpartition("/")[2] for name, path in facts["layers"].items()}
    return {
        "TIFFTAG_SOFTWARE": f"MaMOL Land Cover {__version__}",
        "TIFFTAG_DATETIME": datetime.now(UTC).strftime("%Y:%m:%d %H:%M:%S"),
        "MAMOL_MODEL_SHA256": facts["model_sha256"],
        "MAMOL_LAYERS": json.dumps(layers, ensure_ascii=False),
        "MAMOL_REFERENCE": facts["reference"],
        "MAMOL_MODALITIES": json.dumps(plan.info.names, ensure_ascii=False),  # bit m of sensors used is number m
        "MAMOL_LEGEND": json.dumps(plan.info.legend.to_json(), ensure_ascii=False),
        "MAMOL_OPTIONS": json.dumps({key: facts[key] for key in ("overlap", "device", "precision")}),
        **({"MAMOL_TICKET": facts["ticket"]} if facts["ticket"] else {}),
    }


def report_text(facts: dict[str, Any], suffix: str) -> str:
    """The report as JSON (`.json`) or as one HTML page without anything to download (`.html`)."""
    if suffix.lower() == ".json":
        return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    classes = [
        [
            f'<i style="background:rgb({",".join(map(str, item["colour"]))})"></i>{html.escape(item["name"])}',
            str(item["value"]),
            f"{item['pixels']:,}",
            _percent(item["share"]),
            "" if item["area_ha"] is None else f"{item['area_ha']:,.2f}",
        ]
        for item in facts["classes"]
    ]
    patterns = [
        [
            html.escape(item["name"]) + ("" if item["trained"] else " (never trained)"),
            f"{item['pixels']:,}",
            _percent(item["share"]),
            _percent(item["confidence"]),
            _percent(item["oa"]),
            _percent(item["aa"]),
        ]
        for item in facts["patterns"]
    ]
    layers = ", ".join(f"{name} = {path}" for name, path in facts["layers"].items())
    title = html.escape(f"Land-cover map {facts['map']}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n"
        f"<body><h1>{title}</h1>\n<p>Model {html.escape(facts['model'])}; layers {html.escape(layers)}; "
        f"grid of {html.escape(facts['reference'])}.</p>\n"
        f"<p>{facts['mapped_pixels']:,} of {facts['pixels']:,} pixels mapped in {facts['seconds']:,.1f} s "
        f"({facts['pixels_per_second']:,.0f} pixels per second; "
        f"{html.escape(facts['device'])}, {facts['precision']}).</p>\n"
        f"<h2>Classes</h2>\n{_table(['Class', 'Value', 'Pixels', 'Share', 'Area (ha)'], classes)}\n"
        "<p>Areas are counted pixels: they carry the map's errors. Estimate areas from a reference sample "
        "(<code>python -m engine.evaluate</code>).</p>\n"
        "<h2>Sensors used</h2>\n"
        f"{_table(['Sensors', 'Pixels', 'Share', 'Mean confidence', 'Model OA', 'Model AA'], patterns)}\n"
        "<p>Model OA and AA: overall and average accuracy that the model had with these sensors in its own test.</p>\n"
        "</body></html>\n"
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in header)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.1f} %"
