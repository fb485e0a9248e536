import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from engine.assessment.confusion import Confusion
from engine.assessment.report import Report, render_report
from engine.legend import LandClass, Legend

LEGEND = Legend((LandClass(1, "wood <old>", (0, 120, 0)), LandClass(2, "water", (0, 0, 200))))
HISTORY = [{"step": step, "loss": 1 / step, "score": 1 - 1 / step} for step in (10, 20, 30)]


@pytest.fixture
def make_report():
    def make(**changes):
        return Report(
            **{
                "legend": LEGEND,
                "confusions": {
                    "hsi+lidar": Confusion(np.array([[40, 2], [3, 55]])),
                    "lidar": Confusion(np.zeros((2, 2), int)),
                },
                "calibration_errors": {"hsi+lidar": 0.03, "lidar": float("nan")},
                "history": HISTORY,
                "pixels": {"train": np.array([5, 70]), "test": np.array([42, 58])},
                "rare": ["wood <old>"],
                "facts": {"seconds": 1.5, "measured_on": "test", "split": {"kind": "blocks", "block_px": [28]}},
            }
            | changes
        )

    return make


def test_page_is_complete_and_needs_no_network(make_report):
    page = render_report(make_report())
    for text in ("95.0", "hsi+lidar", "lidar", "#007800", "learning curve", "split, block px", "wood &lt;old&gt;"):
        assert text in page
    assert "http" not in page and "<script" not in page and "<old>" not in page
    assert "Few training pixels: wood &lt;old&gt;" in page


def test_curve_is_well_formed_and_inside_its_frame(make_report):
    page = render_report(make_report())
    svg = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    width, height = map(float, svg.get("viewBox").split()[2:])
    lines = svg.findall("polyline")
    assert len(lines) == 2
    for line in lines:
        points = np.array([list(map(float, point.split(","))) for point in line.get("points").split()])
        assert points.shape == (3, 2)
        assert (points >= 0).all() and (points[:, 0] <= width).all() and (points[:, 1] <= height).all()


def test_what_flatters_is_said(make_report):
    facts = {"measured_on": "validation", "split": {"kind": "random"}}
    page = render_report(make_report(facts=facts, history=HISTORY[:1], rare=[]))
    assert "flattered" in page and "No test side" in page and "Too few validations" in page
