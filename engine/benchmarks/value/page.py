"""What `benchmark value` shows: accuracy by sensors, what each is worth, and what that was measured on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.assessment.confusion import JUDGED_FROM
from engine.assessment.page import percent_text
from engine.assessment.sensor_value import SENSOR_TITLE, sensor_table
from engine.benchmarks.document import Notice, Part, Picture, Table, Text, write_document

_BARS = {"alone": "alone, over no sensor", "value": "on average", "last": "added to all others"}


def write_page(facts: Mapping[str, Any], out: Path) -> Path:
    """Write value.md, value.html and value_sensors.png to `out`; return the path of the first.

    Args:
        facts: see `value.run_value`.
        out: folder.
    """
    parts = [
        *map(Notice, facts["warnings"]),
        _pattern_table(facts),
        *_sensor_parts(facts),
        _measured(facts),
        _files(facts),
    ]
    return write_document(
        f"Which sensor is worth buying? {', '.join(scene['name'] for scene in facts['scenes'])}", parts, out, "value"
    )


def _pattern_table(facts: Mapping[str, Any]) -> Table:
    elsewhere = facts["pixels"]["side"] == "all"  # else the model's own test is this one
    rows = []
    for name, part in facts["patterns"].items():
        kappa = "–" if part["kappa"] is None else f"{part['kappa']:.3f}"
        cells = [name + ("" if part["trained"] else " (never trained)"), *_accuracies(part), kappa, f"{part['n']:,}"]
        rows.append([*cells, *(_accuracies(part["own_test"] or {}) if elsewhere else [])])
    absent = f" No layer of {', '.join(facts['absent'])} is given." if facts["absent"] else ""
    return Table(
        "Accuracy by sensors present",
        f"Measured on labelled pixels that have all sensors of the row. AA is the mean over classes with at least "
        f"{JUDGED_FROM} of these pixels.{absent}"
        + (" Own test: of the model, on the test pixels of its training." if elsewhere else ""),
        ["sensors", "OA %", "AA %", "kappa", "pixels", *(["own test: OA %", "AA %"] if elsewhere else [])],
        rows,
    )


def _accuracies(part: Mapping[str, Any]) -> list[str]:
    return [percent_text(part.get(key)) for key in ("oa", "aa")]


def _sensor_parts(facts: Mapping[str, Any]) -> list[Part]:
    found = facts["sensors"]
    if found is None:
        reason = (
            "This cannot be told here: it takes two to five sensors, and labelled pixels that have them all, at which "
            "every combination is asked for."
        )
        return [Text(SENSOR_TITLE, [reason])]
    return [Table(SENSOR_TITLE, *sensor_table(found, percent_text)), _picture(found)]


def _picture(found: Mapping[str, Any]) -> Picture:
    names = list(found["sensors"])

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for number, (what, label) in enumerate(_BARS.items()):
            base = found["none"]["oa"] if what == "alone" else 0.0
            gains = [100 * (found["sensors"][name][what]["oa"] - base) for name in names]
            axes.bar([place + 0.27 * (number - 1) for place in range(len(names))], gains, 0.25, label=label)
        axes.axhline(0, color="#888888", linewidth=1)
        axes.set_xticks(range(len(names)), names, parse_math=False)
        axes.set_ylabel("points of OA")
        figure.legend(loc="outside lower center", ncols=len(_BARS), fontsize=8)

    return Picture("What each sensor adds", "value_sensors", draw, (max(5.0, 1.8 * len(names)), 3.6))


def _measured(facts: Mapping[str, Any]) -> Text:
    pixels = facts["pixels"]
    which = (
        "the stored test pixels of the split that the model was trained with"
        if pixels["side"] == "test"
        else "all labelled pixels"
    )
    trained = pixels["trained_on"]
    known = (
        "how many of them it was trained on is not known"
        if trained is None
        else f"it was trained on {f'{trained:,}' if trained else 'none'} of them"
    )
    return Text(
        "How this was measured",
        [
            f"{pixels['n']:,} pixels, {which}; {known}. Each was predicted under every combination of sensors with the "
            "model's standardisation and calibration and the windows of mapping: the accuracy is that of the map.",
            " ".join(
                f"{scene['name']}: {scene['pixels']:,} pixels on the grid of {scene['reference']} ({scene['grid']})."
                for scene in facts["scenes"]
            ),
            f"Figures describe these pixels and this model. {facts['device']}; {facts['precision']}; "
            f"{facts['seconds']:.0f} s; {facts['provenance']['date']}.",
        ],
    )


def _files(facts: Mapping[str, Any]) -> Table:
    files = {"model": facts["model"], **facts["provenance"]["files"]}
    rows = [[name, file["path"], file["sha256"][:12] or "–"] for name, file in files.items()]
    return Table("Data", "SHA-256: first digits; value.json has all.", ["", "file", "SHA-256"], rows)
