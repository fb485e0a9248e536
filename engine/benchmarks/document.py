"""A document of tables and pictures, once as Markdown and once as a page that needs no network."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.assessment.page import page, table, warning
from engine.atomic import replacing, write_text


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        title: above it.
        note: what one has to know to read it; may be empty.
        header: names of the columns.
        rows: cells.
    """

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A picture that is drawn when the document is written.

    Attributes:
        title: above it.
        name: of its file, without the ending.
        draw: draws into a matplotlib figure.
        size: width and height, inches.
    """

    title: str
    name: str
    draw: Callable[[Any], None]
    size: tuple[float, float] = (9.0, 4.0)


@dataclass(frozen=True)
class Text:
    """A heading with paragraphs under it."""

    title: str
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Notice:
    """A sentence that stands out: what makes the figures less than they seem."""

    sentence: str


Part = Table | Picture | Text | Notice


def write_document(title: str, parts: Sequence[Part], out: Path, name: str) -> Path:
    """Write NAME.md, NAME.html and the pictures as .png to `out`; return the path of the first."""
    for part in parts:
        if isinstance(part, Picture):
            _save(part, out)
    write_text(out / f"{name}.html", page(title, [line for part in parts for line in _as_html(part, out)]))
    path = out / f"{name}.md"
    write_text(path, "\n\n".join([f"# {title}", *map(_as_markdown, parts)]) + "\n")
    return path


def _as_markdown(part: Part) -> str:
    if isinstance(part, Picture):
        return f"## {part.title}\n\n![{part.title}]({part.name}.png)"
    if isinstance(part, Text):
        return "\n\n".join([f"## {part.title}", *part.paragraphs])
    if isinstance(part, Notice):
        return f"> **Warning:** {part.sentence}."
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (part.header, *part.rows)]
    lines = [f"| {' | '.join(row)} |" for row in (cells[0], ["---"] * len(part.header), *cells[1:])]
    return "\n\n".join([f"## {part.title}", *([part.note] if part.note else []), "\n".join(lines)])


def _as_html(part: Part, out: Path) -> list[str]:
    if isinstance(part, Notice):
        return [warning(part.sentence)]
    heading = f"<h2>{html.escape(part.title)}</h2>"
    if isinstance(part, Picture):
        data = base64.b64encode(_file(part, out).read_bytes()).decode()
        return [
            heading,
            f'<img style="max-width: 100%" alt="{html.escape(part.title)}" src="data:image/png;base64,{data}">',
        ]
    if isinstance(part, Text):
        return [heading, *(f"<p>{html.escape(text)}</p>" for text in part.paragraphs)]
    note = [f'<p class="note">{html.escape(part.note)}</p>'] if part.note else []
    rows = [[_cell(cell) for cell in row] for row in part.rows]
    return [heading, *note, table([html.escape(cell) for cell in part.header], rows)]


def _cell(text: str) -> str:
    """A cell; what is bold in Markdown is bold here, too."""
    bold = text.startswith("**") and text.endswith("**") and len(text) > 4
    return f"<b>{html.escape(text[2:-2])}</b>" if bold else html.escape(text)


def _save(picture: Picture, out: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=picture.size, layout="constrained")
    picture.draw(figure)
    with replacing(_file(picture, out)) as part:
        figure.savefig(part, dpi=120)


def _file(picture: Picture, out: Path) -> Path:
    return out / f"{picture.name}.png"
