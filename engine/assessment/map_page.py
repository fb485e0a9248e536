"""The page that shows an assessment."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.assessment.confusion import JUDGED_FROM
from engine.assessment.facts import EVERYTHING
from engine.assessment.page import (
    class_name,
    fact_table,
    file_table,
    folded,
    interval,
    map_row,
    matrix_sections,
    number,
    page,
    percent,
    table,
    warning,
)  # fmt: skip
from engine.legend import Legend


def report_html(
    legend: Legend,
    facts: Mapping[str, Any],
    title: str,
    maps: Mapping[str, tuple[np.ndarray, Legend]],
) -> str:
    """One page with everything; every number in it is one of `facts`."""
    matrices = {EVERYTHING: facts["confusion"]} | {name: part["confusion"] for name, part in facts["patterns"].items()}
    parts = [
        *map(warning, facts["notes"]),
        _summary(facts),
        *(map_row(maps) if maps else []),
        "<h2>Accuracy by sensors used</h2>",
        _by_sensors(facts),
        "<h2>Accuracy of each class</h2>",
        _classes_note(facts),
        _by_class(legend, facts),
        *_areas(legend, facts),
        *matrix_sections(legend, matrices, facts["shares"]),
        *_proportions(legend, facts),
        *_each_pattern(legend, facts),
        *_comparison(facts),
        *_design(facts),
        *_origin(facts["provenance"]),
    ]
    return page(title, parts)


def _summary(facts: Mapping[str, Any]) -> str:
    overall, design = facts["overall"], facts["design"]
    left_out = {
        "lie where the map has no class": facts["unmapped"],
        "sample points have no reference class yet": facts["unanswered"],
    }
    rest = "".join(f" {count:,} more {what}." for what, count in left_out.items() if count)
    figures = table(
        ["", "estimate, 95 % interval" if design else "of the pixels compared"],
        [
            ["overall accuracy (OA) %", interval(overall, "oa")],
            ["mean accuracy of the classes (AA) %", interval(overall, "aa")],
            ["Cohen's kappa", interval(overall, "kappa", 1, 3)],
            ["reference pixels", number(overall["n"], 0)],
            ["pixels of the map with a class", number(overall["mapped_pixels"], 0)],
            ["pixels of the map without one", number(facts["nodata_pixels"], 0)],
        ],
    )
    holds = (
        f"The reference is a probability sample ({html.escape(design['text'])}): the figures hold for the mapped area, "
        "and the intervals say how well (Olofsson et al. 2014, Stehman 2014)."
        if design
        else "The reference pixels are counted as they come: the figures describe them, not the area. For figures that "
        "hold for the area, draw a random sample (<code>python -m engine.sample</code>)."
    )
    return (
        f'{figures}<p class="note">{overall["n"]:,} reference pixels are compared.{rest} {holds} AA is the mean over '
        f"classes with at least {JUDGED_FROM} reference pixels.</p>"
    )


def _by_sensors(facts: Mapping[str, Any]) -> str:
    rows = [
        [html.escape(name), *(interval(part, figure) for figure in ("oa", "aa")), interval(part, "kappa", 1, 3),
         number(part["n"], 0), number(part["mapped_pixels"], 0), number(part.get("mapped_ha"), 2)]
        for name, part in ({EVERYTHING: facts["overall"]} | facts["patterns"]).items()
    ]  # fmt: skip
    header = ["sensors", "OA %", "AA %", "kappa", "reference pixels", "mapped pixels", "mapped ha"]
    return table(header, rows, "figures")


def _classes_note(facts: Mapping[str, Any]) -> str:
    wilson = (
        " Below each estimate its interval (± 1.96 standard errors), and in brackets Wilson's: trust that one where "
        "pixels are few or nearly all are right."
        if facts["design"]
        else ""
    )
    return (
        "<p class=\"note\">User's accuracy: share of what the map calls a class that is it. Producer's accuracy: "
        f"share of a class that the map finds.{wilson}</p>"
    )


def _by_class(legend: Legend, part: Mapping[str, Any]) -> str:
    rows = [
        [class_name(legend, k), *(_accuracy(item, name) for name in ("users_accuracy", "producers_accuracy")),
         interval(item, "f1"), interval(item, "iou"), number(item["n"], 0), number(item["n_map"], 0)]
        for k, item in enumerate(part["classes"])
    ]  # fmt: skip
    header = ["class", "user's accuracy %", "producer's accuracy %", "F1 %", "IoU %", "reference pixels", "map pixels"]
    return table(header, rows, "figures")


def _accuracy(item: Mapping[str, Any], name: str) -> str:
    text = interval(item, name)
    low, high = item.get(f"{name}_wilson_low"), item.get(f"{name}_wilson_high")
    return text if low is None else f'{text} <span class="small">[{percent(low)} – {percent(high)}]</span>'


def _areas(legend: Legend, facts: Mapping[str, Any]) -> list[str]:
    classes = facts["classes"]
    known = "mapped_ha" in classes[0]
    if "area_share" not in classes[0]:
        return []
    rows = [
        [class_name(legend, k), number(item["mapped_pixels"], 0), *([number(item["mapped_ha"], 2)] if known else []),
         interval(item, "area_share", 100, 2),
         *([interval(item, "area_ha", 1, 2), interval(item, "area_km2", 1, 4)] if known else [])]
        for k, item in enumerate(classes)
    ]  # fmt: skip
    header = ["class", "mapped pixels", *(["mapped ha"] if known else []), "estimated share %"]
    note = (
        "Mapped areas carry the map's errors; estimated ones come from the reference sample, with 95 % intervals."
        + ("" if known else " The map's CRS does not tell the size of its pixels, so areas are shares.")
    )
    return ["<h2>Area of each class</h2>", f'<p class="note">{note}</p>',
            table([*header, *(["estimated ha", "estimated km²"] if known else [])], rows, "figures")]  # fmt: skip


def _proportions(legend: Legend, facts: Mapping[str, Any]) -> list[str]:
    if facts["shares"] is None:
        return []
    names = [html.escape(name) for name in legend.names]
    rows = [[class_name(legend, k), *(percent(p, 2) for p in row)] for k, row in enumerate(facts["shares"])]
    content = table(["reference \\ map", *names], rows, "matrix")
    return [folded(f"Estimated percent of the area: {EVERYTHING}", content)]


def _each_pattern(legend: Legend, facts: Mapping[str, Any]) -> list[str]:
    return [
        folded(f"Classes where mapped with {name}", _by_class(legend, part) + "".join(_areas(legend, part)[1:]))
        for name, part in facts["patterns"].items()
    ]


def _comparison(facts: Mapping[str, Any]) -> list[str]:
    found = facts["comparison"]
    if found is None:
        return []
    rows = [
        ["OA minus that of the other map, points", interval(found, "difference", 100, 2)],
        ["only this map right, pixels", number(found["only_this"], 0)],
        ["only the other right, pixels", number(found["only_other"], 0)],
        ["McNemar's test, exact: p", number(found["p_exact"], 4)],
        ["chi-square with continuity correction", number(found["chi_square"], 3)],
        ["its p", number(found["p_chi_square"], 4)],
        ["reference pixels in both maps", number(found["n"], 0)],
    ]
    return [
        f"<h2>Compared with {html.escape(found['other'])}</h2>",
        table(["", ""], rows),
        '<p class="note">p: how often two equally accurate maps would differ as much by chance. The test takes the '
        "pixels as they are; for the area, the interval of the difference counts.</p>",
    ]


def _design(facts: Mapping[str, Any]) -> list[str]:
    design = facts["design"]
    if design is None:
        return []
    rows = [
        [html.escape(item["name"]), number(item["pixels"], 0), number(item["ha"], 2), number(item["n"], 0)]
        for item in design["strata"]
    ]
    header = ["stratum", "pixels", "ha", "reference pixels"]
    return ["<h2>Sampling design</h2>", f"<p>{html.escape(design['text'])}</p>", table(header, rows)]


def _origin(provenance: Mapping[str, Any]) -> list[str]:
    if not provenance:
        return []
    rest = {key: value for key, value in provenance.items() if key != "files"}
    return ["<h2>Where this comes from</h2>", file_table(provenance["files"]), fact_table(rest)]
