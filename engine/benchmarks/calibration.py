"""How far confidence may be believed on test blocks: expected calibration error of every combination, over seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.atomic import write_text

# What the report of a training says of a combination, and the table's column of it; fractions, shown in percent.
COLUMNS = {
    "oa": "OA",
    "calibration_error_before": "before",
    "calibration_error": "after",
    "calibration_error_by_chance": "by chance",
    "calibration_error_validation": "after, validation",
}


def write_calibration(out: Path) -> Path | None:
    """Write calibration.md about all trainings in a benchmark's folder; its path, None where there are none.

    Args:
        out: folder of the benchmark, with `runs/SUITE/CASE/METHOD/SEED/report.json`.
    """
    parts = []
    for folder in sorted({path.parent.parent for path in out.glob("runs/*/*/*/*/report.json")}):
        seeds = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*/report.json"))]
        parts += [f"## {folder.parent.name}, {folder.name}", calibration_table([facts["patterns"] for facts in seeds])]
    if not parts:
        return None
    path = out / "calibration.md"
    write_text(path, "\n\n".join(parts) + "\n")
    return path


def calibration_table(seeds: Sequence[Mapping[str, Mapping[str, Any]]]) -> str:
    """Means over seeds as Markdown, a row for each combination and one for their mean; percent.

    Args:
        seeds: for each, what `report.json` says under `patterns`.
    """
    # Combinations that occur may differ by seed where there are too many to list all.
    names = [name for name in seeds[0] if all(patterns.get(name, {}).get("n") for patterns in seeds)]
    if not names:
        return f"No combination of sensors has test pixels in all {len(seeds)} seeds."
    means = np.array(
        [[_mean([patterns[name].get(key) for patterns in seeds]) for key in COLUMNS] for name in names], float
    )
    lines = [f"| sensors, {len(seeds)} seeds | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in [*zip(names, means, strict=True), ("mean", means.mean(axis=0))]:
        cells = ("–" if np.isnan(value) else f"{100 * value:.1f}" for value in row)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")
