"""Which experts serve which combination of sensors: a picture for reports."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

_COLOURS = ("#1e5fb3", "#e08a3c", "#3c8c5a", "#a34f8f", "#c9b23a", "#5aa7c7", "#8a5a3c", "#777777")
_BAR, _ROW, _GAP = 130, 22, 16  # pixels of a bar's width, a row's height, between blocks


def expert_section(experts: Mapping[str, Any] | None) -> list[str]:
    """Bars of each combination and block, cut into the experts' shares.

    Args:
        experts: `blocks` (their numbers) and `patterns`, by name: `share` (a list of shares for each block), `tokens`;
            None for methods without routers.
    """
    if experts is None:
        return []
    patterns: Mapping[str, Any] = experts["patterns"]
    left = 20 + 8 * max(len(name) for name in patterns)
    width = left + len(experts["blocks"]) * (_BAR + _GAP)
    parts = [
        f'<text x="{left + place * (_BAR + _GAP) + _BAR / 2}" y="14" text-anchor="middle">block {block}</text>'
        for place, block in enumerate(experts["blocks"])
    ]
    for row, (name, found) in enumerate(patterns.items(), start=1):
        parts.append(f'<text x="{left - 8}" y="{row * _ROW + 14}" text-anchor="end">{html.escape(name)}</text>')
        for place, shares in enumerate(found["share"]):
            parts += _bar(left + place * (_BAR + _GAP), row * _ROW, shares)
    count = len(next(iter(patterns.values()))["share"][0])
    legend = " ".join(
        f'<span><span class="swatch" style="background:{_colour(expert)}"></span>expert {expert}</span>'
        for expert in range(count)
    )
    height = (len(patterns) + 1) * _ROW + 6
    return [
        "<h2>Which experts serve which sensors</h2>",
        '<p class="note">Share of the tokens of each combination that each expert serves, by its gate, in the windows '
        "around the measured pixels. Bars that look alike: the experts do not tell combinations apart.</p>",
        f'<svg viewBox="0 0 {width} {height}" width="{width}" fill="currentColor" style="max-width: 100%; '
        f'font-size: 12px" role="img" aria-label="experts by sensors">{"".join(parts)}</svg>',
        f'<p class="legend">{legend}</p>',
    ]


def _bar(x: float, y: float, shares: Sequence[float]) -> list[str]:
    parts = []
    for expert, share in enumerate(shares):
        width = _BAR * share
        title = f"<title>expert {expert}: {100 * share:.0f} %</title>"
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 6}" fill="{_colour(expert)}">{title}</rect>'
        )
        x += width
    return parts


def _colour(expert: int) -> str:
    return _COLOURS[expert % len(_COLOURS)]
