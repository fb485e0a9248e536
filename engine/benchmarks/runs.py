"""Runs on disk: one line of JSON for each, and all of them as CSV, a row for each run or for each of its scores."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.atomic import write_text
from engine.errors import ResumeError

# Names of facts.
SPEED, CONSISTENCY, SETTINGS, JOB = "pixels_per_second", "consistency", "settings", "job"
_METRICS = ("oa", "aa", "kappa")
Scores = dict[str, dict[str, Any]]  # pattern name: oa, aa, kappa (fractions, None where undefined), n (pixels)


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
        under: scores on the same test pixels under what else was tried, by its name: a share of them lacking sensors,
            or a sensor disturbed.
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
    under: Scores = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What makes a run the same run."""
        return self.case, self.seed, self.method, self.family


def mean_score(scores: Scores, metric: str) -> float:
    """Mean over patterns, which count alike; NaN where there are none."""
    return float(np.mean([values[metric] for values in scores.values()])) if scores else float("nan")


def read_runs(path: Path) -> list[Run]:
    """Runs stored so far; a line that a killed process left unfinished is left out.

    Raises:
        ResumeError: a line is whole, but no run: another version's, which must not be run again beside it.
    """
    runs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else [], start=1):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        try:
            runs.append(Run(**found))
        except TypeError as error:
            raise ResumeError(
                f"{path}, line {number}: not a run as this version stores it ({error}); choose a new --out"
            ) from error
    return runs


def append_run(path: Path, run: Run) -> None:
    """Store one run as one line of JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if before and not before.endswith("\n") else "") + json.dumps(asdict(run)) + "\n")


def settings_text(settings: Sequence[str]) -> str:
    """`section.key=value` of a run in one order, of several for one key the last; where weights lie is no setting."""
    last = dict(setting.partition("=")[::2] for setting in settings)
    return " ".join(f"{key}={value}" for key, value in sorted(last.items()) if key != "model.weights")


def write_csv(runs: Sequence[Run], out: Path, name: str) -> None:
    """Write NAME.csv, a row for each run, and NAME_scores.csv, a row for each of their scores."""
    write_text(out / f"{name}.csv", runs_csv(runs))
    write_text(out / f"{name}_scores.csv", scores_csv(runs))


def runs_csv(runs: Sequence[Run]) -> str:
    """One row for each run: means over patterns, which count alike (fractions), and every fact that some run has.

    `test_pixels` is their number, that of the pattern which most of them have; `pixels` is their fingerprint; empty is
    what a run has not. `NAME_scores.csv` has the patterns.
    """
    facts = list(dict.fromkeys(fact for run in runs for fact in run.facts))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    means = [f"{side}_{metric}" for side in ("test", "validation") for metric in _METRICS]
    writer.writerow(
        ["case", "seed", "method", "family", *means, "patterns", "test_pixels", "pixels", "seconds", *facts]
    )
    for run in runs:
        cells = [_mean_text(scores, metric) for scores in (run.test, run.validation) for metric in _METRICS]
        count = max((int(values["n"]) for values in run.test.values()), default=0)
        row = [run.case, run.seed, run.method, run.family, *cells, len(run.test), count, run.pixels]
        writer.writerow([*row, f"{run.seconds:.1f}", *(run.facts.get(fact, "") for fact in facts)])
    return text.getvalue()


def _mean_text(scores: Scores, metric: str) -> str:
    """Mean over the patterns in which the metric is defined; empty where there are none."""
    defined = [values[metric] for values in scores.values() if values[metric] is not None]
    return f"{np.mean(defined):.5f}" if defined else ""


def scores_csv(runs: Iterable[Run]) -> str:
    """All scores: one row for each run, side and pattern."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "seed", "method", "family", "side", "pattern", *_METRICS, "n", "seconds"])
    for run in runs:
        for side, scores in (("test", run.test), ("test under", run.under), ("validation", run.validation)):
            for pattern, values in scores.items():
                numbers = ["" if values[name] is None else f"{values[name]:.5f}" for name in _METRICS]
                row = [run.case, run.seed, run.method, run.family, side, pattern, *numbers]
                writer.writerow([*row, int(values["n"]), f"{run.seconds:.1f}"])
    return text.getvalue()
