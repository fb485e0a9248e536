"""What a running job says of its speed and of the time it still needs."""

import io
import json

import pytest

from engine import progress
from engine.progress import JsonProgress, TextProgress


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def told(report, clock, steps):
    """What is said at (seconds, done) of 10 steps."""
    for second, done in steps:
        clock[0] = 100.0 + second
        report.step("training", done, 10, "steps")
    return report.stream.getvalue().splitlines()


def test_rate_and_time_left(clock):
    """Of this sitting: what was done before a resumed job was stopped counts as done, not as speed."""
    lines = [json.loads(line) for line in told(JsonProgress(io.StringIO()), clock, [(0, 4), (2, 6), (4, 8)])]
    assert [(line["done"], line["rate"], line["eta_s"]) for line in lines] == [
        (4, 0.0, 0.0),
        (6, 1.0, 4.0),
        (8, 1.0, 2.0),
    ]


def test_the_next_of_the_same_stage_starts_anew(clock):
    """A benchmark trains many times: the second training's speed is its own."""
    lines = told(JsonProgress(io.StringIO()), clock, [(0, 1), (9, 10), (1000, 1), (1002, 5)])
    assert json.loads(lines[-1])["rate"] == 2.0 and json.loads(lines[-1])["eta_s"] == 2.5


def test_nothing_is_said_of_time_before_it_is_known(clock):
    lines = told(TextProgress(io.StringIO()), clock, [(0, 1), (6, 4)])
    assert lines == ["training  10 %", "training  40 %  0.5 steps/s  0:12 left"]
