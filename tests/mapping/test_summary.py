import json

import numpy as np

from engine.mapping.summary import Totals


def test_counting_by_hand():
    totals = Totals()
    classes = np.array([[1, 2, 0], [2, 2, 0]])
    sensors = np.array([[3, 3, 0], [1, 3, 0]])
    percent = np.array([[50, 60, 255], [70, 80, 255]], np.uint8)
    totals.add(classes, percent, sensors, np.array([10.0, 20.0]))
    totals.add(classes, percent, sensors, np.array([10.0, 20.0]))
    assert (totals.pixels, totals.mapped) == (12, 8)
    assert totals.classes == {1: 2, 2: 6}
    assert totals.area_m2 == {1: 20.0, 2: 100.0}
    assert totals.patterns == {1: 2, 3: 6}
    assert totals.confidence == {1: 140, 3: 380}
    assert Totals.from_json(json.loads(json.dumps(totals.to_json()))) == totals
    assert Totals.from_json({}) == Totals()
