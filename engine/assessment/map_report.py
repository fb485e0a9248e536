"""The comparison of a map with its reference, as JSON, CSV and HTML."""

from __future__ import annotations

import csv
import html
import io
import json
from pathlib import Path

from engine.assessment.confusion import JUDGED_FROM
from engine.assessment.map_check import MapAccuracy
from engine.assessment.page import class_sections, page, pattern_table
from engine.errors import OutputError

EVERYTHING = "all"  # the row of all pixels together


def write_report(accuracy: MapAccuracy, title: str, folder: Path) -> list[str]:
    """Write accuracy.json, accuracy.csv, confusion.csv and report.html; return their paths.

    Raises:
        OutputError: the folder cannot be written.
    """
    contents = {
        "accuracy.json": json.dumps(accuracy.to_json(), indent=2, ensure_ascii=False) + "\n",
        "accuracy.csv": accuracy_csv(accuracy),
        "confusion.csv": confusion_csv(accuracy),
        "report.html": report_html(accuracy, title),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            part = folder / f".{name}.part"
            part.write_text(text, encoding="utf-8", newline="")
            part.replace(folder / name)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error
    return [str(folder / name) for name in contents]


def accuracy_csv(accuracy: MapAccuracy) -> str:
    """Overall figures, then those of each combination of sensors and of each class: what, name, figure, value."""
    facts = accuracy.to_json()
    rows = [("overall", "", figure, value) for figure, value in facts["overall"].items()]
    rows += [
        ("sensors", name, figure, value) for name, item in facts["patterns"].items() for figure, value in item.items()
    ]
    for item in facts["classes"]:
        figures = ("n", "producers_accuracy", "users_accuracy")
        rows += [("class", item["name"], figure, item[figure]) for figure in figures]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["what", "name", "figure", "value"])
    writer.writerows(("" if cell is None else cell for cell in row) for row in rows)
    return text.getvalue()


def confusion_csv(accuracy: MapAccuracy) -> str:
    """The confusion matrix: a row for each reference class, a column for each class of the map."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["reference \\ map", *accuracy.legend.names])
    for name, counts in zip(accuracy.legend.names, accuracy.confusion.matrix.tolist(), strict=True):
        writer.writerow([name, *counts])
    return text.getvalue()


def report_html(accuracy: MapAccuracy, title: str) -> str:
    """One page with everything."""
    confusions = {EVERYTHING: accuracy.confusion} | accuracy.patterns
    unmapped = f" {accuracy.unmapped:,} more have no class in the map." if accuracy.unmapped else ""
    parts = [
        f'<p class="note">{accuracy.confusion.n:,} reference pixels are compared.{html.escape(unmapped)} '
        f"AA is the mean over classes with at least {JUDGED_FROM} reference pixels. The figures describe these pixels; "
        "they describe the area only if the pixels are a random sample of it.</p>",
        "<h2>Accuracy by sensors used</h2>",
        pattern_table(confusions),
        *class_sections(accuracy.legend, confusions),
    ]
    return page(title, parts)
