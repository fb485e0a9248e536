"""Floors against what must be true of them, on features made by hand."""

import numpy as np
import pytest

from engine.benchmarks import floors
from engine.benchmarks.floors import FILLED, SPECIALISTS, Side


@pytest.fixture
def sides():
    """Two sensors: the first tells class 0 from the rest, the second class 2 from the rest; classes are balanced."""
    rng = np.random.default_rng(0)

    def side(count):
        classes = rng.integers(0, 3, count)
        first = (classes == 0)[:, None] + 0.05 * rng.standard_normal((count, 2))
        second = (classes == 2)[:, None] + 0.05 * rng.standard_normal((count, 1))
        return Side([first.astype(np.float32), second.astype(np.float32)], np.ones((count, 2), bool), classes)

    return {"train": side(300), "validation": side(200), "test": side(400)}


def test_filling_hides_what_is_absent(sides):
    side = sides["test"]
    side.present[:5, 0] = False
    filled = side.filled((True, False), [np.float32([7, 8]), np.float32([9])])
    assert (filled[:5] == [7, 8, 9]).all()
    assert (filled[5:, :2] == side.features[0][5:]).all() and (filled[5:, 2] == 9).all()
    assert side.chosen((False, True)).shape == (400, 1)


@pytest.mark.parametrize("classifier", floors.CLASSIFIERS)
def test_specialists_know_what_their_sensors_tell(sides, classifier):
    test, validation, corrected = floors._score(
        sides, ["a", "b"], 3, 1.0, floors._specialist(sides["train"], 3, classifier, 0, 1)
    )
    assert list(test) == list(validation) == list(corrected) == ["a+b", "a", "b"]
    assert test["a+b"]["oa"] > 0.98
    assert 0.55 < test["a"]["oa"] < 0.8  # two of three classes look alike


def test_specialists_learn_from_pixels_that_have_their_sensors(sides):
    """Where a sensor is absent its features are fill, which must teach nothing."""
    train = sides["train"]
    train.present[:150, 1] = False
    train.features[1][:150] = 1 - train.features[1][:150]
    test, _, _ = floors._score(sides, ["a", "b"], 3, 1.0, floors._specialist(train, 3, "forest", 0, 1))
    assert test["a+b"]["oa"] > 0.98 and test["b"]["oa"] > 0.55


def test_a_pattern_is_scored_on_pixels_that_have_it(sides):
    sides["test"].present[:, 0] = False
    sides["test"].present[100:, 1] = False
    for use in (floors._specialist, floors._mean_filled):
        test, _, _ = floors._score(sides, ["a", "b"], 3, 1.0, use(sides["train"], 3, "forest", 0, 1))
        assert list(test) == ["b"] and test["b"]["n"] == 100


def test_correction_finds_the_natural_class_mix(sides):
    """Trained on equal shares, tested where class 0 is rare and hard to tell: the correction must help."""
    rng = np.random.default_rng(1)

    def side(shares, count=1000):
        classes = rng.choice(3, count, p=shares)
        values = np.stack([classes + rng.standard_normal(count)], 1).astype(np.float32)
        return Side([values], np.ones((count, 1), bool), classes)

    natural = (0.05, 0.05, 0.9)
    sides = {"train": side((1 / 3, 1 / 3, 1 / 3)), "validation": side(natural), "test": side(natural)}
    test, _, corrected = floors._score(sides, ["a"], 3, 1.0, floors._specialist(sides["train"], 3, "forest", 0, 1))
    assert corrected["a"]["oa"] > test["a"]["oa"] + 0.1


def test_unseen_classes_are_not_predicted():
    values = np.arange(20, dtype=np.float32)[:, None]
    model = floors._fit("forest", values, np.repeat([0, 2], 10), 0, 1)
    log_p = floors._log_probabilities(model, values, 4)
    assert log_p.shape == (20, 4) and set(log_p.argmax(1)) == {0, 2} and (log_p[:, [1, 3]] < -10).all()


def test_four_runs_for_each_family(make_scene):
    from engine.config import load_config
    from engine.training.prepare import prepare

    data = prepare(load_config(make_scene("[model]\nwindow = 4\n[split]\nblock_px = 12\n")))
    arguments = ("scene", 0, data.scenes, data.splits, len(data.legend), 0.25, (1,), 1)
    runs = list(floors.floor_runs(*arguments, done={"boosting 1x1"}))
    assert {run.family for run in runs} == {"forest 1x1"} and len(runs) == floors.RUNS_PER_FAMILY
    by_method = {run.method: run for run in runs}
    assert by_method[SPECIALISTS].test["optical+height"]["oa"] > 0.9
    assert by_method[SPECIALISTS].validation and not by_method[FILLED + floors.CORRECTED].validation
