"""The page that shows a training, and the files beside it."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from engine.assessment.confusion import JUDGED_FROM
from engine.assessment.experts import expert_section
from engine.assessment.facts import to_csv
from engine.assessment.page import (
    class_name,
    fact_table,
    file_table,
    map_row,
    matrix_sections,
    number,
    page,
    percent,
    table,
    warning,
)  # fmt: skip
from engine.assessment.pictures import learning_chart, reliability_charts
from engine.assessment.report import Report, report_facts, report_rows
from engine.assessment.sensor_value import sensor_section
from engine.legend import Legend


def report_texts(report: Report) -> dict[str, str]:
    """Contents of report.html, report.json and report.csv, by name."""
    facts = report_facts(report)
    return {
        "report.html": render_report(report, facts),
        "report.json": json.dumps(facts, indent=2, ensure_ascii=False) + "\n",
        "report.csv": to_csv(("sensors", "class", "figure", "value"), report_rows(facts)),
    }


def render_report(report: Report, facts: Mapping[str, Any]) -> str:
    """The page as HTML; every number in it is one of `facts`."""
    run = report.facts
    matrices = {name: part["confusion"] for name, part in facts["patterns"].items()}
    parts = [
        *map(warning, _warnings(report)),
        "<h2>Accuracy by sensors present</h2>",
        f'<p class="note">Measured on {run.get("measured_on", "test")} pixels that have all sensors of the row. '
        f"AA is the mean over classes with at least {JUDGED_FROM} of these pixels.{_floor_note(report)}</p>",
        _pattern_table(facts),
        *sensor_section(facts["sensors"]),
        *expert_section(facts["experts"]),
        *_map_section(report),
        *_calibration_section(report, facts),
        "<h2>Share of each class that is found, %</h2>",
        _class_table(report.legend, facts),
        *matrix_sections(report.legend, matrices),
        "<h2>Learning curve</h2>",
        f'<div class="chart">{learning_chart(report.history, run.get("best_step"))}</div>'
        if len(report.history) > 1
        else '<p class="note">Too few validations for a curve.</p>',
        "<h2>Pixels</h2>",
        _pixel_table(report.legend, facts),
        "<h2>Data</h2>",
        file_table(report.sources),
        "<h2>The run</h2>",
        fact_table({key: value for key, value in run.items() if key != "pixels"}),
        f"<details><summary>All settings</summary>{fact_table(report.settings)}</details>",
    ]
    return page(report.title, parts)


def _warnings(report: Report) -> list[str]:
    messages = []
    if report.rare:
        messages.append(f"Few training pixels: {', '.join(report.rare)}. Judge these classes with care.")
    if report.facts.get("split", {}).get("kind") == "random":
        messages.append("Random split: test pixels have training pixels as neighbours, so these figures are flattered.")
    if report.facts.get("measured_on") == "validation":
        messages.append("No test side: these figures come from validation pixels, which also chose the weights.")
    return messages


def _floor_note(report: Report) -> str:
    if report.floors is None:
        return ""
    return f" Floor: {html.escape(report.floors.name)}, what one gets without this model on the same pixels."


def _pattern_table(facts: Mapping[str, Any]) -> str:
    floors = ("floor_oa", "floor_aa") if facts["floor"] else ()
    rows = [
        [html.escape(name), *(percent(part[key]) for key in ("oa", "aa", *floors)), number(part["kappa"]),
         number(part["n"], 0)]
        for name, part in facts["patterns"].items()
    ]  # fmt: skip
    return table(
        ["sensors", "OA %", "AA %", *(["floor OA %", "floor AA %"] if floors else []), "kappa", "pixels"], rows
    )


def _map_section(report: Report) -> list[str]:
    if not report.maps:
        return []
    maps = {title: (indices, report.legend) for title, indices in report.maps.items()}
    return ["<h2>How it looks</h2>", f'<p class="note">{html.escape(report.maps_note)}</p>', *map_row(maps)]


def _calibration_section(report: Report, facts: Mapping[str, Any]) -> list[str]:
    rows = [
        [html.escape(name), percent(part["calibration_error_before"]), percent(part["calibration_error"]),
         percent(part["calibration_error_by_chance"]), percent(part["calibration_error_validation"]),
         number(part["temperature"], 2)]
        for name, part in facts["patterns"].items()
    ]  # fmt: skip
    return [
        "<h2>Can the confidence be believed?</h2>",
        '<p class="note">Expected calibration error: mean distance between confidence and accuracy. By chance: what a '
        "faultless confidence would show with so many pixels; neighbours resemble each other, so expect more. Class "
        "bias and temperature were fitted on validation blocks; where the error is small there and large on the test "
        "blocks, the blocks differ in accuracy, which no confidence can know. Diagrams: before (dashed) and after; the "
        "larger a point, the more pixels.</p>",
        table(["sensors", "before %", "after %", "by chance %", "after, validation %", "temperature"], rows),
        f'<div class="chart">{reliability_charts(report.uncalibrated, report.reliability)}</div>',
    ]


def _class_table(legend: Legend, facts: Mapping[str, Any]) -> str:
    measured = {name: part for name, part in facts["patterns"].items() if part["n"]}
    rows = [
        [class_name(legend, k), *(percent(part["classes"][k]["producers_accuracy"]) for part in measured.values())]
        for k in range(len(legend))
    ]
    return table(["class", *map(html.escape, measured)], rows)


def _pixel_table(legend: Legend, facts: Mapping[str, Any]) -> str:
    sides = facts["pixels"]
    rows = [[class_name(legend, k), *(number(sides[side][k], 0) for side in sides)] for k in range(len(legend))]
    return table(["class", *sides], rows)
