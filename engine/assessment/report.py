"""report.html: one page that needs no network, says what was measured and how, and looks the same anywhere."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.assessment.confusion import JUDGED_FROM, Confusion
from engine.assessment.page import class_name, class_sections, page, pattern_table, percent, table
from engine.legend import Legend


@dataclass(frozen=True)
class Report:
    """What the page shows.

    Attributes:
        legend: the classes.
        confusions: by pattern name, the complete pattern first.
        calibration_errors: by pattern name.
        history: one row for each validation: `step`, `loss`, `score` and more.
        pixels: pixels of each class (Y,) by side: train, validation, test.
        rare: names of classes with few training pixels.
        facts: what else is known of the run, JSON-able.
    """

    legend: Legend
    confusions: dict[str, Confusion]
    calibration_errors: dict[str, float]
    history: Sequence[dict[str, float]]
    pixels: dict[str, np.ndarray]
    rare: Sequence[str]
    facts: dict[str, Any]


def render_report(report: Report) -> str:
    """The page as HTML."""
    errors = [percent(report.calibration_errors[name]) for name in report.confusions]
    parts = [
        *_warnings(report),
        "<h2>Accuracy by sensors present</h2>",
        f'<p class="note">Measured on {report.facts.get("measured_on", "test")} pixels that have all sensors of the '
        f"row. AA is the mean over classes with at least {JUDGED_FROM} of these pixels; confidence error is the mean "
        "distance between confidence and accuracy (ECE).</p>",
        pattern_table(report.confusions, {"confidence error %": errors}),
        "<h2>Learning curve</h2>",
        _learning_curve(report.history),
        *class_sections(report.legend, report.confusions),
        "<h2>Pixels</h2>",
        _pixel_table(report),
        "<h2>The run</h2>",
        _fact_table(report.facts),
    ]
    return page("Training report", parts)


def _warnings(report: Report) -> list[str]:
    messages = []
    if report.rare:
        messages.append(f"Few training pixels: {', '.join(report.rare)}. Judge these classes with care.")
    if report.facts.get("split", {}).get("kind") == "random":
        messages.append("Random split: test pixels have training pixels as neighbours, so these figures are flattered.")
    if report.facts.get("measured_on") == "validation":
        messages.append("No test side: these figures come from validation pixels, which also chose the weights.")
    return [f'<p class="warning">{html.escape(message)}</p>' for message in messages]


def _pixel_table(report: Report) -> str:
    sides = list(report.pixels)
    rows = [
        [class_name(report.legend, index), *(f"{report.pixels[side][index]:,}" for side in sides)]
        for index in range(len(report.legend))
    ]
    return table(["class", *sides], rows)


def _fact_table(facts: dict[str, Any], prefix: str = "") -> str:
    return table(["", ""], [[html.escape(name), html.escape(text)] for name, text in _flat(facts)])


def _flat(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in facts.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, dict):
            rows += _flat(value, f"{name}, ")
        else:
            rows.append((name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return rows


def _learning_curve(history: Sequence[dict[str, float]]) -> str:
    """Loss and validation score against steps, as inline SVG."""
    if len(history) < 2:
        return '<p class="note">Too few validations for a curve.</p>'
    width, height, left, bottom = 760, 260, 50, 30
    steps = [row["step"] for row in history]
    highest = max(row["loss"] for row in history) or 1.0

    def place(step: float, share: float) -> str:
        x = left + (width - 2 * left) * (step - steps[0]) / (steps[-1] - steps[0])
        return f"{x:.1f},{(height - bottom) - (height - bottom - 15) * share:.1f}"

    def line(values: Sequence[float], colour: str) -> str:
        points = " ".join(place(step, value) for step, value in zip(steps, values, strict=True))
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'

    heights = [(share, place(steps[0], share).split(",")[1]) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    ticks = [
        f'<text x="{left - 6}" y="{y}" text-anchor="end" fill="#b3541e">{share * highest:.2f}</text>'
        f'<text x="{width - left + 6}" y="{y}" fill="#1e5fb3">{share * 100:.0f}</text>'
        for share, y in heights
    ]
    return "\n".join(
        [
            f'<svg viewBox="0 0 {width} {height}" width="100%" role="img" aria-label="learning curve">',
            f'<rect x="{left}" y="15" width="{width - 2 * left}" height="{height - bottom - 15}" fill="none" '
            'stroke="#ccc"/>',
            *ticks,
            line([row["loss"] / highest for row in history], "#b3541e"),
            line([row["score"] for row in history], "#1e5fb3"),
            f'<text x="{left}" y="{height - 8}">step {steps[0]:,.0f}</text>',
            f'<text x="{width - left}" y="{height - 8}" text-anchor="end">{steps[-1]:,.0f}</text>',
            f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">'
            '<tspan fill="#b3541e">training loss (left)</tspan>'
            '  <tspan fill="#1e5fb3">validation: mean of OA and AA over patterns, % (right)</tspan></text>',
            "</svg>",
        ]
    )
