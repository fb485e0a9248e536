"""The paper's tables with our numbers; under the paper's protocol its own stand beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.benchmarks.comparison.methods import MAMOL
from engine.benchmarks.document import Part, Picture, Table, Text, write_document
from engine.benchmarks.published.conditions import COMPLETE, KINDS, RATES
from engine.benchmarks.published.numbers import TABLE1, TABLE3, TABLE4, TABLE5
from engine.benchmarks.published.recipe import ABLATED, COMPARED, PLACED, PLACES, conditions_of, placed
from engine.benchmarks.runs import Run, write_csv

_PROTOCOLS = {
    "paper": "paper: 100 training and 300 test pixels of each class, drawn independently from one label map. Some test "
    "pixels are training pixels, and most of their windows overlap training windows, so these figures are flattered by "
    "construction; they serve to stand beside the paper's, and beside nothing else.",
    "standard": "standard: the official split (spatial blocks where there is none), validation blocks cut from the "
    "training side; scored at a sample of the test pixels (split.test_pixels, by default 5,000 of a scene). Not to be "
    "compared with the paper's tables, whose test pixels overlap their training pixels.",
}

Found = dict[tuple[str, str], list[Run]]  # (condition, method) -> runs of all seeds


def write_published(
    runs: Sequence[Run], name: str, protocol: str, difficulty: float | None, tables: Sequence[str], out: Path
) -> Path:
    """Write NAME_PROTOCOL.md, .html, .csv and _scores.csv and the pictures; return the path of the first.

    Args:
        runs: finished runs of the scene.
        name: of the data set.
        protocol: "paper" or "standard".
        difficulty: of the simulated scene; None where it is the real one.
        tables: numbers of the paper's tables.
        out: folder.
    """
    stem, scene = f"{name}_{protocol}", name
    if difficulty is not None:
        stem += f"_simulated_{difficulty:g}"
        scene = f"a simulated scene of the shape of {name}, difficulty {difficulty:g}"
    write_csv(runs, out, stem)
    parts = _parts(runs, name, protocol, difficulty is not None, tables, stem)
    return write_document(f"The tables of the MaMOL paper: {scene}", parts, out, stem)


def _parts(
    runs: Sequence[Run], name: str, protocol: str, simulated: bool, tables: Sequence[str], stem: str
) -> list[Part]:
    found: Found = {}
    for run in runs:
        found.setdefault((str(run.facts["condition"]), run.method), []).append(run)
    beside = None if protocol != "paper" else "paper, of the real scene" if simulated else "paper"
    parts: list[Part] = [_about(runs, protocol, tables)]
    if "1" in tables:
        parts += [
            _conditions(found, name, "Table 1", TABLE1.get(name, {}), beside), _by_pattern(found, name),
            _crossed(found, name), _figure4(found, stem),
        ]  # fmt: skip
    if "3" in tables:
        parts += [_conditions(found, name, "Table 3", TABLE3, beside), _by_pattern(found, name)]
    if "4" in tables:
        parts.append(_places(found, beside if name == "trento" else None))
    if "5" in tables:
        parts.append(_ablation(found, beside if name == "trento" else None))
    return parts


def _about(runs: Sequence[Run], protocol: str, tables: Sequence[str]) -> Text:
    facts = {key: ", ".join(sorted({str(run.facts[key]) for run in runs})) for key in ("backbone", "device", "torch")}
    per_step = [float(run.facts["seconds_per_step"]) for run in runs]
    seconds = f"median {np.median(per_step):.3g} s a step, {np.median([run.seconds for run in runs]):.0f} s a run"
    backbones = "; in the paper the MoE methods of Table 4 have a ViLT backbone" if "4" in tables else ""
    return Text(
        "Protocol",
        [
            f"Protocol {_PROTOCOLS[protocol]}",
            f"{len(runs)} runs, seeds {', '.join(map(str, sorted({run.seed for run in runs})))}; backbone "
            f"{facts['backbone']}; {facts['device']}; torch {facts['torch']}; {seconds}.",
            "OA / kappa x 100, percent, mean over seeds; ± is the standard deviation of OA. All methods run on the "
            f"same backbone, tokens, head and budget{backbones}.",
        ],
    )  # fmt: skip


def _conditions(
    found: Found, name: str, title: str, reported: Mapping[tuple[str, str], tuple[float, float]], beside: str | None
) -> Table:
    """Tables 1 and 3: trained and tested under the same condition."""
    rows = []
    for condition in [condition.name for condition in conditions_of(name)]:
        rows.append([condition, "ours", *(_cell(found.get((condition, method)), condition) for method in COMPARED)])
        if beside:
            rows.append(["", beside, *(_reported(reported.get((condition, method))) for method in COMPARED)])
    what = "Share of samples that lack sensors" if title == "Table 1" else "Percent of samples with cube / SAR / height"
    return Table(title, f"{what}, in training and at test alike.", ["condition", "whose", *COMPARED], rows)


def _by_pattern(found: Found, name: str) -> Table:
    """Accuracy of MaMOL with each set of sensors: what a mixed test set hides."""
    conditions = [condition.name for condition in conditions_of(name) if (condition.name, MAMOL) in found]
    patterns = list(dict.fromkeys(p for c in conditions for run in found[c, MAMOL] for p in run.test))
    rows = [
        [c, *(_percent([run.test[p]["oa"] for run in found[c, MAMOL] if p in run.test]) for p in patterns)]
        for c in conditions
    ]
    note = "OA of MaMOL on all test pixels, as if all of them had just these sensors."
    return Table("By sensors", note, ["trained under", *patterns], rows)


def _crossed(found: Found, name: str) -> Table:
    """Figure 4 as numbers: trained under one condition, tested under every other."""
    tested = [COMPLETE.name, *(condition.name for condition in conditions_of(name))]
    rows = [
        [trained, *(_percent([run.under[test]["oa"] for run in found[trained, MAMOL]]) for test in tested)]
        for trained in tested
        if (trained, MAMOL) in found
    ]
    return Table(
        "Figure 4",
        "OA of MaMOL trained under one condition (row) and tested under another (column).",
        ["trained under", *tested],
        rows,
    )


def _figure4(found: Found, stem: str) -> Picture:
    """The paper's three panels: the same rate in training and at test, on the horizontal axis."""
    other, cube, both = KINDS

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, 3, sharey=True)
        for axes, test, trained_on in zip(
            panels, (both, other, cube), ((both,), (both, other), (both, cube)), strict=True
        ):
            for kind in trained_on:
                for method, style in ((MAMOL, "-"), ("linear", "--")):
                    points = {
                        rate: _mean(
                            [run.under[f"{test} {rate} %"]["oa"] for run in found.get((f"{kind} {rate} %", method), [])]
                        )
                        for rate in RATES
                    }
                    axes.plot(
                        list(points), list(points.values()), style, marker="o", label=f"{method}, trained on {kind}"
                    )
            axes.set_title(f"tested on {test}", fontsize=9)
            axes.set_xlabel("missing rate, %")
            axes.grid(alpha=0.3)
            axes.legend(fontsize=7)
        panels[0].set_ylabel("OA, %")

    return Picture("Figure 4 as a picture", f"{stem}_figure4", draw, (11.0, 3.8))


def _places(found: Found, beside: str | None) -> Table:
    """Table 4: the same method at other blocks."""
    condition = f"both {RATES[1]} %"
    rows = []
    for method in PLACED:
        rows.append(
            [method, "ours", *(_cell(found.get((condition, placed(method, place))), condition) for place in PLACES)]
        )
        if beside:
            backbone = "CLIP" if method == MAMOL else "ViLT"
            rows.append(["", f"{beside}, {backbone}", *(_reported(TABLE4[place, method]) for place in PLACES)])
    return Table("Table 4", f"Where experts sit: {condition}.", ["method", "whose", *PLACES], rows)


def _ablation(found: Found, beside: str | None) -> Table:
    """Table 5: MaMOL without one of its parts."""
    rows = []
    for method in ABLATED:
        cells = [_cell(found.get((f"both {rate} %", method)), f"both {rate} %") for rate in RATES]
        rows.append([method, "ours", *cells])
        if beside:
            rows.append(["", beside, *(f"{TABLE5[rate, method]:.2f}" for rate in RATES)])
    return Table(
        "Table 5",
        "Both sensors missing alike often; the paper has OA alone.",
        ["method", "whose", *(f"{rate} %" for rate in RATES)],
        rows,
    )


def _cell(runs: Sequence[Run] | None, condition: str) -> str:
    """OA ± deviation / kappa of the runs of all seeds."""
    if not runs:
        return "–"
    oa, kappa = (np.array([100 * run.under[condition][metric] for run in runs]) for metric in ("oa", "kappa"))
    spread = f" ± {oa.std(ddof=1):.2f}" if len(runs) > 1 else ""
    return f"{oa.mean():.2f}{spread} / {kappa.mean():.2f}"


def _reported(pair: tuple[float, float] | None) -> str:
    return "–" if pair is None else f"{pair[0]:.2f} / {pair[1]:.2f}"


def _percent(values: Sequence[float]) -> str:
    return f"{_mean(values):.1f}" if values else "–"


def _mean(values: Sequence[float]) -> float:
    return 100 * float(np.mean(values)) if values else float("nan")
