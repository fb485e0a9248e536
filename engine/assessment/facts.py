"""All figures of a map as plain values: the one source of what JSON, CSV and HTML say."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from engine.assessment.map_check import MapAccuracy, Part

EVERYTHING = "all"  # sensors: all pixels together
HECTARE_M2, KM2_M2 = 1e4, 1e6
Row = tuple[str, str, str, Any]  # sensors, class, figure, value


def accuracy_facts(accuracy: MapAccuracy) -> dict[str, Any]:
    """JSON-able form; accuracies and shares are fractions, intervals those of 95 %."""
    whole = _part_facts(accuracy, accuracy.whole)
    overall = whole.pop("overall")
    return {
        "overall": overall,
        "unmapped": accuracy.unmapped,
        "unanswered": accuracy.unanswered,
        "nodata_pixels": accuracy.nodata_pixels,
        "classes_matched_by": "name" if accuracy.by_name else "value",
        **whole,
        "patterns": {
            name: facts.pop("overall") | facts
            for name, facts in ((name, _part_facts(accuracy, part)) for name, part in accuracy.patterns.items())
        },
        "design": None if accuracy.design is None else _design_facts(accuracy),
        "comparison": None if accuracy.comparison is None else accuracy.comparison.to_json(),
        "notes": list(accuracy.notes),
    }


def accuracy_rows(facts: dict[str, Any]) -> Iterator[Row]:
    """The figures of `accuracy_facts` as rows: sensors, class, figure, value."""
    for sensors, part in {EVERYTHING: facts["overall"] | facts, **facts["patterns"]}.items():
        yield from ((sensors, "", key, value) for key, value in part.items() if _is_figure(value))
        for item in part["classes"]:
            for key, value in item.items():
                if key != "name":
                    yield sensors, item["name"], key, value
        names = [item["name"] for item in part["classes"]]
        yield from matrix_rows(sensors, names, "pixels", part["confusion"])
        if part["shares"] is not None:
            yield from matrix_rows(sensors, names, "share", part["shares"])
    for item in (facts["design"] or {"strata": []})["strata"]:
        yield from ((EVERYTHING, item["name"], f"stratum_{key}", item[key]) for key in ("pixels", "ha", "n"))
    for key, value in (facts["comparison"] or {}).items():
        if key != "other":
            yield f"compared with {facts['comparison']['other']}", "", key, value


def matrix_rows(sensors: str, names: Sequence[str], what: str, matrix: Sequence[Sequence[float]]) -> Iterator[Row]:
    """A confusion matrix, reference by row, as rows whose figure names the class of the map."""
    for name, row in zip(names, matrix, strict=True):
        for other, value in zip(names, row, strict=True):
            yield sensors, name, f"{what} mapped as {other}", value


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV; None is an empty cell.

    Names come from strangers' labels and models: one that a spreadsheet would take for a formula gets an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_cell(cell) for cell in row] for row in [header, *rows])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return "" if value is None else value


def _part_facts(accuracy: MapAccuracy, part: Part) -> dict[str, Any]:
    figures, total = part.figures, part.area_m2
    overall = dict(figures.overall) | {"mapped_pixels": int(part.pixels.sum())}
    if total is not None:
        overall |= {"mapped_ha": float(total.sum() / HECTARE_M2), "mapped_km2": float(total.sum() / KM2_M2)}
    classes = []
    for k, item in enumerate(accuracy.legend.classes):
        facts: dict[str, Any] = {"value": item.value, "name": item.name} | figures.classes[k]
        facts["mapped_pixels"] = int(part.pixels[k])
        if total is not None and part.known_m2 is not None:
            for unit, m2 in (("ha", HECTARE_M2), ("km2", KM2_M2)):
                facts[f"mapped_{unit}"] = float(total[k] / m2)
                for end in ("", "_se", "_low", "_high") if "area_share" in facts else ():
                    share = facts[f"area_share{end}"]
                    facts[f"area_{unit}{end}"] = None if share is None else float(share * part.known_m2 / m2)
        classes.append(facts)
    shares = None if accuracy.design is None else np.round(figures.shares, 9).tolist()
    return {"overall": overall, "classes": classes, "confusion": figures.counts.tolist(), "shares": shares}


def _design_facts(accuracy: MapAccuracy) -> dict[str, Any]:
    design = accuracy.design
    assert design is not None
    known = accuracy.whole.area_m2 is not None
    rows = zip(design.strata.names, design.strata.pixels, design.strata.area, design.n, strict=True)
    return {
        "text": design.text,
        "strata": [
            {"name": name, "pixels": int(pixels), "ha": float(area / HECTARE_M2) if known else None, "n": int(n)}
            for name, pixels, area, n in rows
        ],
        "unsampled": list(design.unsampled),
        "unsampled_share": design.unsampled_share,
    }


def _is_figure(value: Any) -> bool:
    return value is None or isinstance(value, int | float)
