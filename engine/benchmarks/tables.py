"""What a benchmark's runs say, as Markdown for the README and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.atomic import write_text
from engine.benchmarks.floors import CORRECTED, FILLED, SPECIALISTS
from engine.benchmarks.readouts.frontier import draw_frontier, frontier
from engine.benchmarks.results import ABOUT_INTERVAL, chosen_family, markdown, paired_table, pooled_row
from engine.benchmarks.runs import CONSISTENCY, SPEED, Run, write_csv

FLOORS = (SPECIALISTS, SPECIALISTS + CORRECTED, FILLED, FILLED + CORRECTED)


def write_tables(runs: Sequence[Run], out: Path, name: str) -> Path:
    """Write NAME.md, NAME.csv, NAME_scores.csv, NAME_pairs.csv and, of methods that were timed, NAME.png.

    Returns:
        The path of the first.
    """
    cases = list(dict.fromkeys(run.case for run in runs))
    path = out / f"{name}.md"
    parts = [part for case in cases for part in case_sections(runs, case)] + pooled_section(runs, cases)
    write_text(path, "\n\n".join(parts) + "\n")
    if len(points := frontier(runs)) > 1:
        draw_frontier(points, out / f"{name}.png")
    write_csv(runs, out, name)
    write_text(out / f"{name}_pairs.csv", pairs_csv(runs, cases))
    return path


def case_sections(runs: Sequence[Run], case: str) -> list[str]:
    """All tables of one case."""
    parts = [f"## {case}"]
    for one, other in pairs(runs, case):
        rows = paired_table(runs, case, one, other)
        if rows:
            seeds, pixels = rows[0]["seeds"], rows[0]["pixels"]
            names = _name(one), _name(other)
            parts += [
                f"### {names[0]} and {names[1]}",
                f"{seeds} seeds (split and training), the same {pixels:,} test pixels each; percent, difference with "
                "95 % interval.",
                markdown(rows, "first", "second"),
            ]
    parts += [_families(runs, case), _speeds(runs, case)]
    return [part for part in parts if part]


def pooled_section(runs: Sequence[Run], cases: Sequence[str]) -> list[str]:
    """All cases together, of the pairs that all of them have."""
    if len(cases) < 2:
        return []
    of_cases = [{(one[0], other[0]): (one, other) for one, other in pairs(runs, case)} for case in cases]
    rows = []
    for methods in of_cases[0]:
        if all(methods in of_case for of_case in of_cases):
            of_case = {case: found[methods] for case, found in zip(cases, of_cases, strict=True)}
            if row := pooled_row(runs, of_case):
                rows.append(row | {"pattern": " and ".join(methods)})
    if not rows:
        return []
    return [
        "## All cases",
        f"Mean over patterns, then over {len(cases)} cases, which count alike; {rows[0]['seeds']} seeds, "
        f"{ABOUT_INTERVAL}.",
        markdown(rows, "first", "second", "methods"),
    ]


def pairs(runs: Sequence[Run], case: str) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """What is compared: our first method with our others, and with floors of the family chosen on validation pixels."""
    methods = list(dict.fromkeys(run.method for run in runs if run.case == case and not run.family))
    if not methods:
        return []
    family = chosen_family(runs, case, SPECIALISTS)
    first, *others = [(method, "") for method in methods]
    return [(first, other) for other in [*others, *((floor, family) for floor in FLOORS)]]


def pairs_csv(runs: Sequence[Run], cases: Sequence[str]) -> str:
    """All rows of all paired tables."""
    rows = [
        {"case": case, "first": _name(one), "second": _name(other)} | row
        for case in cases
        for one, other in pairs(runs, case)
        for row in paired_table(runs, case, one, other)
    ]
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def _families(runs: Sequence[Run], case: str) -> str:
    """Mean over seeds and patterns of every floor family; the chosen one is marked."""
    chosen = chosen_family(runs, case, SPECIALISTS)
    families = list(dict.fromkeys(run.family for run in runs if run.case == case and run.family))
    if not families:
        return ""
    lines = [
        "Floors, mean over patterns and seeds, OA / AA in percent; the family in bold was chosen on validation pixels.",
        "",
        f"| family | {' | '.join(FLOORS)} |",
        f"|---|{'---|' * len(FLOORS)}",
    ]
    for family in families:
        cells = [f"**{family}**" if family == chosen else family]
        for floor in FLOORS:
            scores = [
                values
                for run in runs
                if (run.case, run.method, run.family) == (case, floor, family)
                for values in run.test.values()
            ]
            means = [100 * np.mean([values[metric] for values in scores]) for metric in ("oa", "aa") if scores]
            cells.append(" / ".join(f"{mean:.1f}" for mean in means))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _speeds(runs: Sequence[Run], case: str) -> str:
    """Pixels per second of our methods, and by how much the first is faster than each; consistency where measured."""
    speeds, same = _fact(runs, case, SPEED), _fact(runs, case, CONSISTENCY)
    if len(speeds) < 2:
        return ""
    first, *_ = speeds.values()
    lines = [
        "Mapping with all sensors, measured side by side.",
        "",
        "| method | pixels per second | the first is faster by |" + (" same class when shifted |" if same else ""),
        "|---|---|---|" + ("---|" if same else ""),
    ]
    for method, speed in speeds.items():
        share = f" {100 * same[method]:.2f} % |" if method in same else ""
        lines.append(f"| {method} | {speed:,.0f} | {first / speed:,.1f} |{share}")
    return "\n".join(lines)


def _fact(runs: Sequence[Run], case: str, name: str) -> dict[str, float]:
    """A fact's mean over seeds, by method."""
    values: dict[str, list[float]] = {}
    for run in runs:
        if run.case == case and name in run.facts:
            values.setdefault(run.method, []).append(float(run.facts[name]))
    return {method: float(np.mean(numbers)) for method, numbers in values.items()}


def _name(which: tuple[str, str]) -> str:
    method, family = which
    return f"{family} {method}" if family else method
