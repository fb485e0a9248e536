"""What runs say together: paired differences with 95 % intervals, by pattern and pooled over cases, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import stats

from engine.benchmarks.runs import Run, Scores, mean_score
from engine.errors import ResumeError

Which = tuple[str, str]  # method and family
MEAN = "mean"  # the row of a table that averages all patterns
# What pages say of the two kinds of intervals, so that a reader knows which one stands there.
ABOUT_INTERVAL = "95 % interval: Student's t over the seeds' means"
ABOUT_POOLED = (
    "Intervals over several scenes add up the variances of each scene's mean over seeds, with the degrees of freedom "
    "of Welch and Satterthwaite; of one scene they are Student's t over seeds."
)


def interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """Mean of independent values and its Student interval (mean, low, high); a single value has no interval (nan)."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def pooled_interval(groups: Iterable[Sequence[float]], level: float = 0.95) -> tuple[float, float, float]:
    """Mean of the means of groups, which count alike, and its interval (mean, low, high).

    Groups (scenes) are fixed, their values independent (seeds) and of a spread of their own: the variances of the means
    add up, with the degrees of freedom of Welch and Satterthwaite. A group of a single value leaves no interval (nan).
    """
    values = [np.asarray(group, float) for group in groups]
    mean = float(np.mean([group.mean() for group in values]))
    if min(len(group) for group in values) < 2:
        return mean, float("nan"), float("nan")
    parts = np.array([group.var(ddof=1) / len(group) for group in values]) / len(values) ** 2
    if not parts.any():
        return mean, mean, mean
    freedom = parts.sum() ** 2 / sum(part**2 / (len(group) - 1) for part, group in zip(parts, values, strict=True))
    half = float(stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(parts.sum()))
    return mean, mean - half, mean + half


def difference_text(groups: Iterable[Sequence[float]]) -> str:
    """`pooled_interval` of differences in points; bold where the interval does not hold 0."""
    values = list(groups)
    if not values:
        return "–"
    mean, low, high = (100 * value for value in pooled_interval(values))
    if np.isnan(low):
        return f"{mean:+.1f}"
    text = f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"
    return f"**{text}**" if low > 0 or high < 0 else text


def require_same_pixels(runs: Iterable[Run]) -> None:
    """Runs of a case and seed may be compared.

    Raises:
        ResumeError: some were tested on other pixels.
    """
    first: dict[tuple[str, int], Run] = {}
    for run in runs:
        other = first.setdefault((run.case, run.seed), run)
        if run.pixels != other.pixels:
            raise ResumeError(
                f"{run.case} seed {run.seed}: {other.method} and {run.method} were tested on different pixels, so one "
                "of them was run with other settings; start again in a new --out"
            )


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


def pooled_row(runs: Sequence[Run], pairs: Mapping[str, tuple[Which, Which]]) -> dict[str, float | str] | None:
    """As a row of `paired_table`: the mean over all cases, which count alike; seeds are those that all cases have.

    Args:
        runs: all runs.
        pairs: by case, the two to compare (floors may be of another family in every case).

    Returns:
        None where no seed is common to all, or no pattern to two of a pair.
    """
    tables = {case: _common(runs, case, *pair) for case, pair in pairs.items()}
    seeds = sorted(set.intersection(*(set(first) for first, _ in tables.values())))
    if not seeds or not all(first[seed] for first, _ in tables.values() for seed in seeds):
        return None
    pixels = sum(next(iter(first[seeds[0]].values()))["n"] for first, _ in tables.values())
    means = {
        metric: [
            np.array([np.mean([mean_score(pair[side][seed], metric) for pair in tables.values()]) for seed in seeds])
            for side in (0, 1)
        ]
        for metric in ("oa", "aa")
    }
    row: dict[str, float | str] = {"pattern": MEAN, "seeds": len(seeds), "pixels": int(pixels)}
    return row | _compared(means)


def paired_table(runs: Sequence[Run], case: str, one: Which, other: Which) -> list[dict]:
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
    first, second = _common(runs, case, one, other)
    if not first:
        return []
    patterns = list(next(iter(first.values())))
    rows = []
    for pattern in [*patterns, MEAN] if len(patterns) > 1 else patterns:
        names = patterns if pattern == MEAN else [pattern]
        pixels = np.mean([scores[name]["n"] for scores in first.values() for name in names])
        means = {
            metric: [
                np.array([np.mean([scores[name][metric] for name in names]) for scores in side.values()])
                for side in (first, second)
            ]
            for metric in ("oa", "aa")
        }
        row: dict[str, float | str] = {"pattern": pattern, "seeds": len(first), "pixels": round(float(pixels))}
        rows.append(row | _compared(means))
    return rows


def _common(runs: Sequence[Run], case: str, one: Which, other: Which) -> tuple[dict[int, Scores], dict[int, Scores]]:
    """Scores of both by seed, of the seeds and patterns that both have in all of these."""
    pair = [
        {run.seed: run for run in runs if (run.case, run.method, run.family) == (case, *which)}
        for which in (one, other)
    ]
    seeds = sorted(pair[0].keys() & pair[1].keys())
    require_same_pixels(side[seed] for seed in seeds for side in pair)
    all_have = [
        name
        for name in (pair[0][seeds[0]].test if seeds else ())
        if all(name in side[seed].test for side in pair for seed in seeds)
    ]
    first, second = ({seed: {name: side[seed].test[name] for name in all_have} for seed in seeds} for side in pair)
    return first, second


def _compared(means: Mapping[str, Sequence[np.ndarray]]) -> dict[str, float | str]:
    """Both methods' means over seeds, and their paired difference with its interval, for each metric."""
    row: dict[str, float | str] = {}
    for metric, (one, other) in means.items():
        difference, low, high = interval(list(one - other))
        row |= {f"{metric}_one": float(one.mean()), f"{metric}_other": float(other.mean())}
        row |= {f"{metric}_difference": difference, f"{metric}_low": low, f"{metric}_high": high}
    return row


def markdown(rows: Sequence[dict], one: str, other: str, label: str = "sensors") -> str:
    """A table of `paired_table`'s rows: percent, differences in points with their interval."""
    lines = [
        f"| {label} | OA {one} | OA {other} | difference | AA {one} | AA {other} | difference |",
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
