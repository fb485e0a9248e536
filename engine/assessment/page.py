"""Parts of HTML reports: a page that needs no network, in light, in dark and on paper; tables, numbers, maps.

A number on the page carries its exact value (`<data value="0.94681...">94.7</data>`), the one in JSON and CSV.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from engine.assessment.pictures import class_picture, confusion_chart
from engine.legend import Legend

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5a6470; --line: #d4d9df; --paper: #fff; --warn: #fff3d6;
  --warn-ink: #5c4300; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ed; --soft: #9aa5b1; --line: #3a424b; --paper: #15181c;
  --warn: #43360f; --warn-ink: #ffe3a1; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 66rem; padding: 0 1rem; color: var(--ink);
  background: var(--paper); overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.4rem; border-bottom: 1px solid var(--line); }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; vertical-align: top; }
th { border-bottom: 2px solid var(--soft); overflow-wrap: normal; vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 8rem; max-width: 22rem; }
.figures .small { display: block; }
.matrix th { overflow-wrap: anywhere; min-width: 3.5rem; max-width: 9rem; }
.facts td, .facts th { text-align: left; white-space: normal; } .facts td:first-child { color: var(--soft); }
.class { display: inline-flex; align-items: baseline; }
.swatch { flex: none; display: inline-block; width: .8em; height: .8em; margin-right: .4em; border: 1px solid #8888; }
.note { color: var(--soft); } .warning { background: var(--warn); color: var(--warn-ink); padding: .5rem .8rem; }
.small { color: var(--soft); font-size: .85em; }
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { color: var(--soft); } .maps img { width: 100%; image-rendering: pixelated;
  border: 1px solid var(--line); } .legend { margin: .3rem 0; }
.legend > span { margin-right: 1em; display: inline-block; }
svg { max-width: 100%; height: auto; }
@media print { :root { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --warn: #fff; --warn-ink: #000; }
  body { margin: 0; max-width: none; font-size: 10pt; } h2, .note, summary { break-after: avoid; }
  figure, tr, .warning, .chart, svg { break-inside: avoid; } .wide { overflow: visible; }
  .warning { border: 1px solid; } .maps { grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); }
  details::details-content { content-visibility: visible; block-size: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page; `parts` are HTML already."""
    head = (
        f'<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
    )
    return "\n".join(["<!doctype html>", head, f"<body><h1>{html.escape(title)}</h1>", *parts, "</body></html>"]) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """A table of cells that are HTML already."""
    lines = [f'<div class="wide"><table class="{kind}">' if kind else '<div class="wide"><table>']
    if any(header):
        lines.append("<tr>" + "".join(f"<th>{cell}</th>" for cell in header) + "</tr>")
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return "\n".join([*lines, "</table></div>"])


def fact_table(facts: Mapping[str, Any]) -> str:
    """Facts by name; those that hold facts themselves are spelled out."""
    return table(["", ""], [[html.escape(name), html.escape(text)] for name, text in _flat(facts)], "facts")


def file_table(files: Mapping[str, Mapping[str, str]]) -> str:
    """Files by what they are: where they were, their fingerprints, and what else is known of them."""
    rows = []
    for name, facts in files.items():
        known = {key: value for key, value in facts.items() if key not in ("path", "sha256") and value}
        more = "".join(f'<br><span class="small">{html.escape(f"{key}: {known[key]}")}</span>' for key in known)
        fingerprint = f'<span class="small">{html.escape(facts.get("sha256") or "–")}</span>'
        rows.append([html.escape(name), html.escape(facts["path"]) + more, fingerprint])
    return table(["", "file", "SHA-256"], rows, "facts files")


def map_row(maps: Mapping[str, tuple[np.ndarray, Legend]]) -> list[str]:
    """Class maps side by side, each with its legend, or all with one if it is the same.

    Args:
        maps: class indices (H, W), -1 where there is none, and their legend, by title.
    """
    legends = [_legend_line(indices, legend) for indices, legend in maps.values()]
    shared = len({id(legend) for _, legend in maps.values()}) == 1
    figures = [
        f'<figure><img alt="{html.escape(title)}" src="{class_picture(indices, [c.colour for c in legend.classes])}">'
        f"<figcaption>{html.escape(title)}{'' if shared else line}</figcaption></figure>"
        for (title, (indices, legend)), line in zip(maps.items(), legends, strict=True)
    ]
    row = ['<div class="maps">', *figures, "</div>"]
    if not shared:
        return row
    everything = np.concatenate([indices.ravel() for indices, _ in maps.values()])
    return [*row, _legend_line(everything, next(iter(maps.values()))[1])]


def matrix_sections(legend: Legend, matrices: Mapping[str, Any], shares: Any = None) -> list[str]:
    """Confusion matrices by combination of sensors: the first that has pixels as a picture, all as folded tables.

    Args:
        legend: classes of rows and columns.
        matrices: pixels (Y, Y) by combination, reference by row.
        shares: of the area (Y, Y), estimated; the picture is of these, where they are known: a class that was sampled
            more densely than others would distort the rows.
    """
    counted = {name: np.asarray(counts) for name, counts in matrices.items() if np.sum(counts)}
    if not counted:
        return []
    first = next(iter(counted))
    drawn, of = (counted[first], "") if shares is None else (np.asarray(shares), "the estimated area of ")
    return [
        f"<h2>Confusion matrix: {html.escape(first)}</h2>",
        f'<p class="note">Percent of {of}each reference class (row) by what the map calls it (column).</p>',
        f'<div class="chart">{confusion_chart(drawn, legend.names, "confusion matrix")}</div>',
        *(folded(f"Pixels: {name}", _counts(legend, counts)) for name, counts in counted.items()),
    ]


def folded(title: str, content: str) -> str:
    """What only some readers want: behind a title to click; open on paper."""
    return f"<details><summary>{html.escape(title)}</summary>{content}</details>"


def class_name(legend: Legend, index: int) -> str:
    """Name of a class behind a swatch of its colour."""
    item = legend.classes[index]
    colour = "#{:02x}{:02x}{:02x}".format(*item.colour)
    swatch = f'<span class="swatch" style="background:{colour}"></span>'
    return f'<span class="class">{swatch}<span>{html.escape(item.name)}</span></span>'


def warning(message: str) -> str:
    """A sentence that stands out."""
    return f'<p class="warning">{html.escape(message[:1].upper() + message[1:])}</p>'


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many decimals."""
    return _data(value, "" if value is None else f"{value:,.{digits}f}")


def percent(fraction: float | None, digits: int = 1, sign: Literal["", "+"] = "") -> str:
    """A fraction as percent; `sign` "+" for differences."""
    return _data(fraction, percent_text(fraction, digits, sign))


def percent_text(fraction: float | None, digits: int = 1, sign: Literal["", "+"] = "") -> str:
    """The same without its exact value, for texts that are no HTML."""
    return "–" if fraction is None or math.isnan(fraction) else f"{100 * fraction:{sign}.{digits}f}"


def interval(facts: Mapping[str, Any], name: str, scale: float = 100.0, digits: int = 1) -> str:
    """An estimate and its 95 % interval; the estimate alone where there is none, or one that has no width."""
    value, low, high = (facts.get(f"{name}{end}") for end in ("", "_low", "_high"))
    texts = ["" if part is None else f"{scale * part:,.{digits}f}" for part in (value, low, high)]
    text = _data(value, texts[0])
    if low is not None and low != high:
        text += f' <span class="small">{_data(low, texts[1])} – {_data(high, texts[2])}</span>'
    return text


def _legend_line(indices: np.ndarray, legend: Legend) -> str:
    """Names and colours of the classes that occur."""
    shown = [index for index in np.unique(indices).tolist() if index >= 0]
    return '<p class="legend">' + "".join(f"<span>{class_name(legend, index)}</span> " for index in shown) + "</p>"


def _data(value: float | None, text: str) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f'<data value="{value!r}">{text}</data>'


def _counts(legend: Legend, counts: np.ndarray) -> str:
    names = [class_name(legend, index) for index in range(len(legend))]
    header = ["reference \\ map", *(html.escape(name) for name in legend.names)]
    cells = [[f"{count:,}" if count else "·" for count in row] for row in counts.tolist()]
    return table(header, [[name, *row] for name, row in zip(names, cells, strict=True)], "matrix")


def _flat(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in facts.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping) and value and all(isinstance(part, str) for part in value.values()):
            rows.append((name, ", ".join(f"{part} {text}" for part, text in value.items())))
        elif isinstance(value, Mapping):
            rows += _flat(value, f"{name}, ")
        else:
            rows.append((name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return rows
