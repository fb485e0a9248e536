"""The comparison of a map with its reference, as JSON, CSV and HTML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.assessment.facts import accuracy_facts, accuracy_rows, to_csv
from engine.assessment.map_check import MapAccuracy
from engine.assessment.map_page import report_html
from engine.atomic import write_text
from engine.errors import OutputError
from engine.legend import Legend


def write_report(
    accuracy: MapAccuracy,
    title: str,
    folder: Path,
    maps: Mapping[str, tuple[np.ndarray, Legend]] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> list[str]:
    """Write accuracy.json, accuracy.csv, confusion.csv and report.html; return their paths.

    Args:
        accuracy: what was found.
        title: of the page.
        folder: made if it is not there.
        maps: pictures by title: class indices (H, W), -1 where there is none, and their legend.
        provenance: what was compared, with what; JSON-able.

    Raises:
        OutputError: the folder cannot be written.
    """
    facts = accuracy_facts(accuracy) | {"provenance": dict(provenance or {})}
    contents = {
        "accuracy.json": json.dumps(facts, indent=2, ensure_ascii=False) + "\n",
        "accuracy.csv": to_csv(("sensors", "class", "figure", "value"), accuracy_rows(facts)),
        "confusion.csv": confusion_csv(accuracy),
        "report.html": report_html(accuracy.legend, facts, title, maps or {}),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            write_text(folder / name, text)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error
    return [str(folder / name) for name in contents]


def confusion_csv(accuracy: MapAccuracy) -> str:
    """The confusion matrix: a row for each reference class, a column for each class of the map."""
    names = accuracy.legend.names
    rows = zip(names, accuracy.whole.figures.counts.tolist(), strict=True)
    return to_csv(["reference \\ map", *names], [[name, *counts] for name, counts in rows])
