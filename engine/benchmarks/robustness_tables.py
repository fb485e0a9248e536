"""What the suite `robustness` says: what mixing adds to every fusion, also where a sensor lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.atomic import write_text
from engine.benchmarks.document import Part, Picture, Table, write_document
from engine.benchmarks.results import interval
from engine.benchmarks.robustness import DISTURBANCES, FUSIONS, SHIFT_PX, WITH_MM
from engine.benchmarks.runs import Run, Scores, runs_csv

ALL_PATTERNS = "all patterns"
LOOKS = (ALL_PATTERNS, *DISTURBANCES)


def looked_at(run: Run, look: str) -> Scores:
    """The scores of a run that a column averages."""
    if look == ALL_PATTERNS:
        return run.test
    return {name: scores for name, scores in run.under.items() if name.endswith(look)}


def write_robustness(runs: Sequence[Run], out: Path) -> Path:
    """Write robustness.md, .html, .csv and the picture; return the path of the first."""
    write_text(out / "robustness.csv", runs_csv(runs))
    parts: list[Part] = [_table(runs, metric) for metric in ("oa", "aa")]
    return write_document(
        "Fusions, modality-mix learning, disturbed sensors", [*parts, _picture(runs)], out, "robustness"
    )


def _table(runs: Sequence[Run], metric: str) -> Table:
    cases = ", ".join(dict.fromkeys(run.case for run in runs))
    rows = []
    for fusion in FUSIONS:
        cells = [fusion]
        for look in LOOKS:
            without, gain = _without_and_gain(runs, fusion, look, metric)
            mean, low, high = (100 * value for value in interval(gain)) if gain else (np.nan,) * 3
            spread = "" if np.isnan(low) else f" [{low:+.1f}, {high:+.1f}]"
            cells.append(f"{100 * np.mean(without):.1f}, {mean:+.1f}{spread}" if gain else "–")
        rows.append([*cells, str(len(gain))])
    return Table(
        f"{metric.upper()} without mixing, and what mixing adds",
        f"{cases}: percent without modality-mix learning, then the difference with it in points and its 95 % interval "
        "over seeds; means over cases, which count alike. All patterns: mean over all sets of sensors. Noised, shifted "
        f"({SHIFT_PX} pixels), elsewhere (values of another place): all sensors there, one of them disturbed, mean "
        "over the sensors. The transformer alone (model.pixels=false).",
        ["fusion", *LOOKS, "seeds"],
        rows,
    )


def _without_and_gain(runs: Sequence[Run], fusion: str, look: str, metric: str) -> tuple[list[float], list[float]]:
    """Mean over cases without mixing, and the gain with it, of each seed that has both in all cases."""
    cases = list(dict.fromkeys(run.case for run in runs if looked_at(run, look)))
    value = {
        run.key[:3]: float(np.mean([s[metric] for s in looked_at(run, look).values()]))
        for run in runs
        if looked_at(run, look)
    }
    without, gain = [], []
    for seed in sorted({run.seed for run in runs}):
        pairs = [((case, seed, fusion), (case, seed, fusion + WITH_MM)) for case in cases]
        if pairs and all(one in value and other in value for one, other in pairs):
            without.append(float(np.mean([value[one] for one, _ in pairs])))
            gain.append(float(np.mean([value[other] - value[one] for one, other in pairs])))
    return without, gain


def _picture(runs: Sequence[Run]) -> Picture:
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        width = 0.8 / len(FUSIONS)
        for number, fusion in enumerate(FUSIONS):
            for place, look in enumerate(LOOKS):
                _, gain = _without_and_gain(runs, fusion, look, "oa")
                if gain:
                    mean, low, high = (100 * value for value in interval(gain))
                    error = None if np.isnan(low) else [[mean - low], [high - mean]]
                    label = fusion if place == 0 else None
                    axes.bar(place + number * width, mean, width, yerr=error, label=label, color=f"C{number}")
        axes.axhline(0, color="#888888", linewidth=1)
        axes.set_xticks([place + 0.4 - width / 2 for place in range(len(LOOKS))], LOOKS)
        axes.set_ylabel("gain by mixing, points of OA")
        axes.legend(fontsize=8)

    return Picture("What mixing adds", "robustness_mixing", draw)
