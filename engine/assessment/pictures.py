"""Pictures of reports: maps as PNG, charts as SVG, all inside the page.

Charts take the page's own text colour, so that they are right in light, in dark and on paper. Names are drawn as they
are: no mathematics between dollar signs, no markup.
"""

from __future__ import annotations

import base64
import io
import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from engine.assessment.calibration import Reliability

_INK = "#010203"  # stands for the page's text colour
_BLUE, _ORANGE = "#1e6fd0", "#d0631e"
_NAME_CHARACTERS = 22  # of a class name in a chart; the tables have all of it
_ANNOTATED = 25  # classes up to which a matrix shows its numbers
_SEEN = 0.002  # share of the pixels from which an interval of confidence is drawn; fewer say nothing


def class_picture(indices: np.ndarray, colours: Sequence[tuple[int, int, int]]) -> str:
    """A class map as PNG.

    Args:
        indices: class index (H, W), -1 where there is none: transparent.
        colours: of each class.

    Returns:
        A `data:` address.
    """
    from matplotlib.image import imsave

    table = np.array([(*colour, 255) for colour in colours] + [(0, 0, 0, 0)], np.uint8)
    file = io.BytesIO()
    imsave(file, table[indices], format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def confusion_chart(shares: np.ndarray, names: Sequence[str], title: str) -> str:
    """A confusion matrix: each row (a reference class) adds up to 100 %, and is darker where more of it is.

    Args:
        shares: counts or shares (Y, Y), reference by row.
        names: of the classes.
        title: what it shows, for readers who cannot see it.
    """
    from matplotlib.patches import Rectangle

    size, total = len(names), shares.sum(axis=1, keepdims=True)
    rows = np.divide(shares, total, out=np.zeros(shares.shape), where=total > 0)
    side = max(0.42 * size, 1.6)
    margin = 0.5 + 0.07 * max(len(_short(name)) for name in names)  # inches for names
    width, height = side + margin + 0.8, side + margin
    with _chart(width, height, title) as (figure, texts):
        axis = figure.add_axes((margin / width, 0.1 / height, side / width, side / height))
        for i, j in np.argwhere(rows > 0):
            colour = _BLUE if i == j else _ORANGE
            axis.add_patch(Rectangle((j, i), 1, 1, facecolor=colour, alpha=0.08 + 0.6 * rows[i, j], linewidth=0))
            if size <= _ANNOTATED and rows[i, j] >= 0.005:
                axis.text(j + 0.5, i + 0.5, f"{100 * rows[i, j]:.0f}", ha="center", va="center", size=8)
        axis.set(xlim=(0, size), ylim=(size, 0), aspect="equal")
        ticks, labels = np.arange(size) + 0.5, [_short(name) for name in names]
        axis.set_yticks(ticks, labels)
        axis.set_xticks(ticks, labels, rotation=60, ha="left", rotation_mode="anchor")
        axis.xaxis.tick_top()
        axis.tick_params(length=0)
        axis.set_ylabel("reference")
    return texts[0]


def learning_chart(history: Sequence[Mapping[str, float]], best_step: float | None = None) -> str:
    """Loss and validation score against steps; the step whose weights were kept is marked."""
    steps = [row["step"] for row in history]
    with _chart(7.6, 2.8, "learning curve") as (figure, texts):
        axis = figure.add_axes((0.08, 0.16, 0.84, 0.78))
        losses, scores = ([scale * row[key] for row in history] for key, scale in (("loss", 1), ("score", 100)))
        axis.plot(steps, losses, color=_ORANGE, gid="loss")
        axis.set_xlabel("step")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_ylabel("training loss", color=_ORANGE)
        axis.set_ylim(0, 1.08 * max((loss for loss in losses if math.isfinite(loss)), default=1.0))
        other = axis.twinx()
        other.plot(steps, scores, color=_BLUE, gid="score")
        other.set_ylabel("validation: mean of OA and AA, %", color=_BLUE)
        middle, half = (max(scores) + min(scores)) / 2, max(0.6 * (max(scores) - min(scores)), 10)
        # 20 points at least: less is noise, and must look like it.
        other.set_ylim(max(middle - half, 0), min(middle + half, 100))
        if best_step is not None:
            axis.axvline(best_step, color=_INK, linewidth=0.8, linestyle=":")
            axis.annotate("kept", (best_step, 0), (3, 3), textcoords="offset points", size=8)
    return texts[0]


def reliability_charts(before: Mapping[str, Reliability], after: Mapping[str, Reliability]) -> str:
    """A reliability diagram for each combination of sensors: as trained (dashed), and calibrated."""
    names = [name for name in after if after[name].count.sum()]
    across = min(len(names), 4)
    down = -(-len(names) // max(across, 1))
    if not names:
        return ""
    with _chart(2.3 * across, 2.4 * down, "reliability diagrams") as (figure, texts):
        for position, name in enumerate(names):
            axis = figure.add_subplot(down, across, position + 1)
            axis.plot([0, 100], [0, 100], color=_INK, linewidth=0.6, alpha=0.6)
            for side, style, colour in ((before, "--", _ORANGE), (after, "-", _BLUE)):
                found = side[name]
                seen = found.count >= _SEEN * found.count.sum()
                across_up = 100 * found.confidence[seen], 100 * found.accuracy[seen]
                axis.plot(*across_up, style, color=colour, linewidth=1.2)
                axis.scatter(
                    *across_up, s=30 * np.sqrt(found.count[seen] / found.count.sum()), color=colour, linewidth=0
                )
            axis.set(xlim=(0, 100), ylim=(0, 100), aspect="equal", xticks=(0, 50, 100), yticks=(0, 50, 100))
            axis.set_title(textwrap.shorten(name, 30, placeholder="…"), size=9)
            if position % across == 0:
                axis.set_ylabel("right, %")
            if position >= len(names) - across:
                axis.set_xlabel("confidence, %")
        figure.subplots_adjust(left=0.5 / (2.3 * across) + 0.02, right=0.98, bottom=0.5 / (2.4 * down),
                               top=1 - 0.3 / (2.4 * down), wspace=0.3, hspace=0.35)  # fmt: skip
    return texts[0]


@contextmanager
def _chart(width: float, height: float, title: str) -> Iterator[tuple[Any, list[str]]]:
    """A figure (inches) to draw on, and a list that holds its SVG when it is done."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: Any = {
        "svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif", "font.size": 9,
        "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _INK, "xtick.color": _INK, "ytick.color": _INK,
        "axes.linewidth": 0.6, "text.parse_math": False,
    }  # fmt: skip
    texts: list[str] = []
    with matplotlib.rc_context(style):
        figure = Figure((width, height))
        FigureCanvasSVG(figure)
        yield figure, texts
        file = io.StringIO()
        empty = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=empty)
    texts.append(_inline(file.getvalue(), title, width))


def _inline(svg: str, title: str, width: float) -> str:
    """SVG as a part of an HTML page: no prologue, no namespaces (which look like addresses), the page's text colour."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(
        r'<svg[^>]*?(viewBox="[^"]*")[^>]*>',
        rf'<svg \1 style="width:{width:.2f}in" role="img" aria-label="{title}">',
        svg,
        count=1,
    )
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return svg.replace(_INK, "currentColor").strip()


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "…"
