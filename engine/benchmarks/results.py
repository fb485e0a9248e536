"""Runs on disk, and what they say together: paired differences with 95 % intervals, as Markdown and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from engine.errors import ResumeError

Scores = dict[str, dict[str, Any]]  # pattern name: oa, aa, kappa (fractions, None where undefined), n (pixels)
MEAN = "mean"  # the row of a table that averages all patterns


@dataclass(frozen=True, slots=True)
class Run:
    """One method on one scene with one seed.

    Attributes:
        case: scene and protocol.
        seed: of the split and the training.
        method: what was measured.
        family: which of several ways to do it (floors), empty where there is one.
        test: scores on the stored test pixels.
        validation: scores on the validation pixels: the only ones that may choose something.
        seconds: wall-clock time of training and scoring.
        pixels: fingerprint of the test pixels; runs with different ones are never compared.
        facts: pixels per second, ...
    """

    case: str
    seed: int
    method: str
    test: Scores
    validation: Scores = field(default_factory=dict)
    family: str = ""
    seconds: float = 0.0
    pixels: str = ""
    facts: dict[str, float | str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What makes a run the same run."""
        return self.case, self.seed, self.method, self.family


def read_runs(path: Path) -> list[Run]:
    """Runs stored so far; a line that a killed process left unfinished is left out."""
    runs = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            runs.append(Run(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return runs


def append_run(path: Path, run: Run) -> None:
    """Store one run as one line of JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if before and not before.endswith("\n") else "") + json.dumps(asdict(run)) + "\n")


def interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """Mean of independent values and its Student interval (mean, low, high); a single value has no interval (nan)."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def chosen_family(runs: Iterable[Run], case: str, method: str) -> str:
    """The family with the best mean of OA and AA over seeds and patterns, on validation pixels only."""
    scores: dict[str, list[float]] = {}
    for run in runs:
        if (run.case, run.method) == (case, method) and run.validation:
            both = [(values["oa"] + values["aa"]) / 2 for values in run.validation.values()]
            scores.setdefault(run.family, []).append(float(np.mean(both)))
    if not scores:
        return ""
    return max(scores, key=lambda family: float(np.mean(scores[family])))


def paired_table(runs: Sequence[Run], case: str, one: tuple[str, str], other: tuple[str, str]) -> list[dict]:
    """One row for each pattern, and the mean over patterns: both methods and their difference, over common seeds.

    Args:
        runs: all runs.
        case: which of them.
        one: (method, family).
        other: (method, family) that is subtracted.

    Returns:
        Rows of pattern, seeds, pixels (mean over seeds), and for oa and aa: one, other, difference, low, high.

    Raises:
        ResumeError: two runs that should be paired were tested on different pixels.
    """
    pair = [
        {run.seed: run for run in runs if (run.case, run.method, run.family) == (case, *which)}
        for which in (one, other)
    ]
    seeds = sorted(pair[0].keys() & pair[1].keys())
    if not seeds:
        return []
    for seed in seeds:
        if pair[0][seed].pixels != pair[1][seed].pixels:
            raise ResumeError(
                f"{case} seed {seed}: {one[0]} and {other[0]} were tested on different pixels, so one of them was run "
                "with other settings; start again in a new --out"
            )
    first, second = ({seed: run.test for seed, run in runs_of.items()} for runs_of in pair)
    patterns = [name for name in first[seeds[0]] if all(name in first[s] and name in second[s] for s in seeds)]
    rows = []
    for pattern in [*patterns, MEAN] if len(patterns) > 1 else patterns:
        names = patterns if pattern == MEAN else [pattern]
        pixels = np.mean([first[seed][name]["n"] for seed in seeds for name in names])
        row: dict[str, float | str] = {"pattern": pattern, "seeds": len(seeds), "pixels": round(float(pixels))}
        for metric in ("oa", "aa"):
            a, b = (
                np.array([np.mean([scores[seed][name][metric] for name in names]) for seed in seeds])
                for scores in (first, second)
            )
            difference, low, high = interval(list(a - b))
            row |= {f"{metric}_one": float(a.mean()), f"{metric}_other": float(b.mean())}
            row |= {f"{metric}_difference": difference, f"{metric}_low": low, f"{metric}_high": high}
        rows.append(row)
    return rows


def markdown(rows: Sequence[dict], one: str, other: str) -> str:
    """A table of `paired_table`'s rows: percent, differences in points with their interval."""
    lines = [
        f"| sensors | OA {one} | OA {other} | difference | AA {one} | AA {other} | difference |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [str(row["pattern"])]
        for metric in ("oa", "aa"):
            cells += [f"{100 * row[f'{metric}_one']:.1f}", f"{100 * row[f'{metric}_other']:.1f}"]
            difference, low, high = (100 * row[f"{metric}_{part}"] for part in ("difference", "low", "high"))
            cells.append(f"{difference:+.1f}" + ("" if np.isnan(low) else f" [{low:+.1f}, {high:+.1f}]"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def runs_csv(runs: Iterable[Run]) -> str:
    """All scores as CSV: one line for each run, side and pattern."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "seed", "method", "family", "side", "pattern", "oa", "aa", "kappa", "n", "seconds"])
    for run in runs:
        for side, scores in (("test", run.test), ("validation", run.validation)):
            for pattern, values in scores.items():
                numbers = ["" if values[name] is None else f"{values[name]:.5f}" for name in ("oa", "aa", "kappa")]
                row = [run.case, run.seed, run.method, run.family, side, pattern, *numbers]
                writer.writerow([*row, int(values["n"]), f"{run.seconds:.1f}"])
    return text.getvalue()
