"""The report of a training: complete, safe, and the same in HTML, JSON and CSV."""

import base64
import csv
import io
import json
import re

import numpy as np
import pytest
from matplotlib.image import imread

from engine.assessment.calibration import Reliability
from engine.assessment.confusion import Confusion
from engine.assessment.report import Floors, Report
from engine.assessment.report_page import report_texts
from engine.legend import LandClass, Legend
from tests.assessment.reports import needs_nothing

NASTY = ['<script>alert("x")</script>', "Gewässer & Süßgräser 'naß'", "x" * 80, 'a$b_c$ "quoted" <b>']
LEGEND = Legend(tuple(LandClass(k, name, (40 * k, 120, 200)) for k, name in enumerate(NASTY, start=1)))
HISTORY = [{"step": step, "loss": 1 / step, "score": 1 - 1 / step} for step in (10, 20, 30)]


def reliability(seed):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.3, 1, 500)
    return Reliability.of(confidence, rng.random(500) < confidence)


WORTH = {
    "n": 90,
    "none": {"oa": 0.3125, "aa": 0.25},
    "sensors": {
        name: {what: {"oa": oa + step, "aa": oa - step} for what, oa in (("alone", 0.5), ("last", 0.1), ("value", 0.2))}
        for name, step in (("hsi", 0.04), ("lidar", 0.02))
    },
}


@pytest.fixture
def make_report():
    def make(**changes):
        rng = np.random.default_rng(0)
        names = ("hsi+lidar", "hsi", "lidar")
        confusions = {name: Confusion(rng.integers(0, 60, (4, 4)) + 50 * np.eye(4, dtype=int)) for name in names}
        confusions["lidar"] = Confusion(np.zeros((4, 4), int))
        nothing = Reliability.of(np.empty(0), np.empty(0, bool))
        both = {"hsi+lidar": reliability(1), "hsi": reliability(2), "lidar": nothing}
        return Report(
            **{
                "title": "Training on <scene>",
                "legend": LEGEND,
                "sensors": WORTH,
                "confusions": confusions,
                "reliability": both,
                "uncalibrated": both | {"hsi": reliability(3)},
                "validation": {"hsi": reliability(4)},
                "temperatures": {"hsi+lidar": 1.25, "hsi": 0.5, "lidar": 1.0},
                "history": HISTORY,
                "pixels": {"train": np.array([5, 70, 1, 2]), "test": np.array([42, 58, 3, 4])},
                "rare": NASTY[:1],
                "facts": {"seconds": 1.5, "measured_on": "test", "split": {"kind": "blocks", "block_px": [28]}},
                "sources": {"scene: hsi": {"path": "/data/<cube>.tif", "sha256": "ab12"}},
                "settings": {"model": {"window": 32}},
                "maps": {"labels": np.array([[0, -1], [2, 3]]), "mapped with hsi": np.array([[0, 1], [2, 3]])},
                "maps_note": "Scene 1",
                "floors": Floors("forest 5x5 specialists", {"hsi": {"oa": 0.625, "aa": 0.5}}),
            }
            | changes
        )

    return make


def test_page_is_complete_safe_and_needs_no_network(make_report):
    html = report_texts(make_report())["report.html"]
    page = needs_nothing(html)
    for name in NASTY:
        assert name in page.text, name
    for text in ("hsi+lidar", "Few training pixels", "split, block px", "/data/<cube>.tif", "forest 5x5", "window"):
        assert text in page.text
    assert html.count("<svg") == 3 and html.count('src="data:image/png') == 2


def test_values_are_equal_in_html_json_and_csv(make_report):
    texts = report_texts(make_report())
    facts = json.loads(texts["report.json"])
    rows = list(csv.DictReader(io.StringIO(texts["report.csv"])))
    in_csv = {(row["sensors"], row["class"], row["figure"]): row["value"] for row in rows}
    assert len(in_csv) == len(rows)
    shown = needs_nothing(texts["report.html"]).values
    known = set()
    for name, part in facts["patterns"].items():
        for figure in (
            "oa",
            "aa",
            "kappa",
            "n",
            "calibration_error",
            "calibration_error_before",
            "temperature",
            "floor_oa",
        ):
            value, cell = part[figure], in_csv[name, "", figure]
            assert (cell == "") if value is None else float(cell) == value
            assert value is None or value in shown, (name, figure)
        for item in part["classes"]:
            assert in_csv[name, item["name"], "f1"] == ("" if item["f1"] is None else str(item["f1"]))
            assert item["producers_accuracy"] is None or item["producers_accuracy"] in shown
    known = {float(row["value"]) for row in rows if row["value"] not in ("", "True", "False")}
    assert set(shown) <= known
    assert facts["patterns"]["hsi"]["floor_oa"] == 0.625 and facts["patterns"]["lidar"]["oa"] is None


def test_maps_are_the_pixels_themselves(make_report):
    html = report_texts(make_report())["report.html"]
    first = base64.b64decode(re.search(r'base64,([^"]+)"', html)[1])
    pixels = np.rint(255 * imread(io.BytesIO(first))).astype(int)
    assert pixels[0, 1].tolist() == [0, 0, 0, 0]  # no label: transparent
    assert pixels[1].tolist() == [[120, 120, 200, 255], [160, 120, 200, 255]]


def test_charts_follow_the_pages_colours(make_report):
    html = report_texts(make_report())["report.html"]
    charts = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert all("currentColor" in chart and "#010203" not in chart and "xmlns" not in chart for chart in charts)
    curve = next(chart for chart in charts if "learning curve" in chart)
    for name in ("loss", "score"):
        path = re.search(rf'id="{name}">\s*<path d="([^"]+)"', curve)[1]
        assert len(re.findall("[ML]", path)) == len(HISTORY)
    assert "a$b_c$" in html  # no mathematics


def test_what_flatters_is_said(make_report):
    facts = {"measured_on": "validation", "split": {"kind": "random"}}
    changes = {"facts": facts, "history": HISTORY[:1], "rare": [], "maps": {}, "floors": None, "validation": {}}
    html = report_texts(make_report(**changes))["report.html"]
    text = needs_nothing(html).text
    assert "flattered" in text and "No test side" in text and "Too few validations" in text
    assert "floor" not in text and "How it looks" not in text
