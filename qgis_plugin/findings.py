"""What an inspection found, as lines of the log and as a page."""

import html
from collections.abc import Iterable
from typing import Any, Optional

from .translation import tr

_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .8em;border-bottom:1px solid #ddd;text-align:left}"
    ".bad{background:#fbe3e0;padding:.5em .8em}.good{background:#e2f3e4;padding:.5em .8em}"
)

Table = tuple[str, list[str], list[list[str]]]
"""Title, column heads, rows."""


def as_lines(found: dict[str, Any], problem: str) -> list[str]:
    """Plain text, a line each."""
    lines = []
    for title, _, rows in _tables(found):
        lines.append(f"{title}:")
        lines += ["    " + ", ".join(cell for cell in row if cell) for row in rows]
    verdict = _verdict(found, problem)
    return [*lines, verdict, *_warnings(found)] if verdict else lines


def as_page(found: dict[str, Any], problem: str) -> str:
    """One HTML page."""
    title = html.escape(tr("Model and layers"))
    parts = [f"<h1>{title}</h1>"]
    verdict = _verdict(found, problem)
    if verdict:
        parts.append(f'<p class="{"bad" if problem else "good"}">{html.escape(verdict)}</p>')
    parts += [f"<p>{html.escape(warning)}</p>" for warning in _warnings(found)]
    for heading, head, rows in _tables(found):
        parts += [f"<h2>{html.escape(heading)}</h2>", _table(head, rows)]
    head_part = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f"<!DOCTYPE html>\n<html><head>{head_part}</head>\n<body>{''.join(parts)}</body></html>\n"


def _verdict(found: dict[str, Any], problem: str) -> str:
    together = found.get("together")
    if problem:
        return tr("Does not work: {problem}").format(problem=problem)
    if not together:
        return ""
    return tr("Works, on the pixels of {reference}.").format(reference=together.get("reference", ""))


def _warnings(found: dict[str, Any]) -> list[str]:
    return [tr("Warning: {text}").format(text=text) for text in found.get("together", {}).get("warnings", [])]


def _tables(found: dict[str, Any]) -> Iterable[Table]:
    model = found.get("model")
    accuracy = model["patterns"] if model else {}
    if found.get("together", {}).get("works"):
        yield _combinations(found["together"]["patterns"], accuracy, known=model is not None)
    if model:
        yield _sensors(model)
        yield _accuracy(accuracy)
        yield tr("Classes"), [tr("Value"), tr("Class")], [[str(c["value"]), c["name"]] for c in model["legend"]]
    if found.get("layers"):
        yield _layers(found["layers"])


def _combinations(shares: dict[str, float], accuracy: dict[str, Any], known: bool) -> Table:
    rows = []
    for name, share in shares.items():
        row = [tr("no data") if name == "none" else name, f"{100 * share:.3g} %"]
        if known and name != "none":
            row.append(tr("overall accuracy {figure}").format(figure=percent(accuracy.get(name, {}).get("oa"))))
        rows.append(row)
    return tr("What would be mapped with which sensors"), [tr("Sensors"), tr("Share of pixels"), tr("Model")], rows


def _sensors(model: dict[str, Any]) -> Table:
    rows = []
    for item in model["modalities"]:
        span = item["wavelengths_nm"]
        bands = tr("{count} bands").format(count=item["bands"])
        if item["source_count"] not in (None, item["bands"]):
            bands = tr("{count} of {all} bands").format(count=item["bands"], all=item["source_count"])
        notes = f"{min(span):.0f} - {max(span):.0f} nm" if span else tr("decibels") if item["unit"] == "db" else ""
        rows.append([item["name"], item["role"], bands, notes])
    return tr("Sensors of the model"), [tr("Name"), tr("Role"), tr("Bands"), ""], rows


def _accuracy(accuracy: dict[str, Any]) -> Table:
    rows = []
    for name, facts in accuracy.items():
        trained = "" if facts["trained"] else tr("never trained")
        figures = [tr("overall {oa}"), tr("mean of classes {aa}")]
        rows.append([name, *(text.format(**{k: percent(facts[k]) for k in ("oa", "aa")}) for text in figures), trained])
    head = [tr("Sensors"), tr("Overall"), tr("Mean of classes"), ""]
    return tr("Accuracy in the model's own test, by the sensors a pixel has"), head, rows


def _layers(layers: dict[str, Any]) -> Table:
    rows = []
    for name, item in layers.items():
        size = tr("{width} x {height} pixels of {x:g} x {y:g}").format(
            width=item["width"], height=item["height"], x=item["resolution"][0], y=item["resolution"][1]
        )
        bands = tr("{usable} of {count} bands usable").format(usable=item["usable_bands"], count=item["bands"])
        valid = tr("{share:.3g} % valid").format(share=100 * item["valid_share"])
        rows.append([name, size, str(item["crs"]), bands, valid])
    return tr("Layers"), [tr("Name"), tr("Size"), tr("CRS"), tr("Bands"), tr("Pixels")], rows


def _table(head: list[str], rows: list[list[str]]) -> str:
    cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def percent(fraction: Optional[float]) -> str:
    """An accuracy, as people read it."""
    return tr("unknown") if fraction is None else f"{100 * fraction:.1f} %"
