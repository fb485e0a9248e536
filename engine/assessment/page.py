"""Parts of HTML reports: a page that needs no network, tables, accuracy by sensors and by class."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from engine.assessment.confusion import Confusion
from engine.legend import Legend

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2rem; }
table { border-collapse: collapse; margin: .8rem 0; } th, td { padding: .25rem .6rem; text-align: right; }
th { border-bottom: 2px solid #888; } td { border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border: 1px solid #8888; }
.note { color: #555; } .warning { background: #fff3d6; padding: .5rem .8rem; }
svg text { font: 12px system-ui, sans-serif; }
"""


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page; `parts` are HTML already."""
    head = f'<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    return "\n".join(["<!doctype html>", head, f"<h1>{html.escape(title)}</h1>", *parts, "</html>"]) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    lines = ["<table>"]
    if any(header):
        lines.append("<tr>" + "".join(f"<th>{cell}</th>" for cell in header) + "</tr>")
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return "\n".join([*lines, "</table>"])


def pattern_table(confusions: Mapping[str, Confusion], more: Mapping[str, Sequence[str]] | None = None) -> str:
    """Accuracy of each combination of sensors; `more` has further columns, by heading, in the same order."""
    more = more or {}
    rows = [
        [
            html.escape(name),
            percent(confusion.oa),
            percent(confusion.aa()),
            number(confusion.kappa),
            *(column[position] for column in more.values()),
            f"{confusion.n:,}",
        ]
        for position, (name, confusion) in enumerate(confusions.items())
    ]
    return table(["sensors", "OA %", "AA %", "kappa", *more, "pixels"], rows)


def class_sections(legend: Legend, confusions: Mapping[str, Confusion]) -> list[str]:
    """Accuracy of each class by combination of sensors, and the confusion matrix of the first one that has pixels."""
    measured = {name: confusion for name, confusion in confusions.items() if confusion.n}
    if not measured:
        return []
    names = [class_name(legend, index) for index in range(len(legend))]
    per_class = [
        [name, *(percent(confusion.per_class[index]) for confusion in measured.values())]
        for index, name in enumerate(names)
    ]
    first, confusion = next(iter(measured.items()))
    header = ["reference \\ map", *(html.escape(name) for name in legend.names), "found %"]
    matrix = [
        [
            name,
            *(f"{count:,}" if count else "·" for count in confusion.matrix[index]),
            percent(confusion.per_class[index]),
        ]
        for index, name in enumerate(names)
    ]
    right = ["right %", *(percent(value) for value in confusion.users), percent(confusion.oa)]
    return [
        "<h2>Share of each class that is found, %</h2>",
        table(["class", *(html.escape(name) for name in measured)], per_class),
        f"<h2>Confusion matrix: {html.escape(first)}</h2>",
        table(header, [*matrix, right]),
    ]


def class_name(legend: Legend, index: int) -> str:
    """Name of a class behind a swatch of its colour."""
    item = legend.classes[index]
    colour = "#{:02x}{:02x}{:02x}".format(*item.colour)
    return f'<span class="swatch" style="background:{colour}"></span>{html.escape(item.name)}'


def percent(fraction: float) -> str:
    """A fraction as percent with one decimal."""
    return "–" if math.isnan(fraction) else f"{100 * fraction:.1f}"


def number(value: float) -> str:
    """A number with three decimals."""
    return "–" if math.isnan(value) else f"{value:.3f}"
