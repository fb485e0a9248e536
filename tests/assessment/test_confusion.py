import numpy as np
import pytest

from engine.assessment.confusion import Confusion

# Three classes: 40 of the first, 10 of the second, 50 of the third.
MATRIX = np.array([[30, 10, 0], [5, 5, 0], [0, 0, 50]])


def test_numbers_by_hand():
    confusion = Confusion(MATRIX)
    assert confusion.n == 100
    assert confusion.oa == pytest.approx(0.85)
    assert confusion.per_class == pytest.approx([0.75, 0.5, 1.0])
    assert confusion.users == pytest.approx([30 / 35, 5 / 15, 1.0])
    assert confusion.f1 == pytest.approx([60 / 75, 10 / 25, 1.0])
    assert confusion.iou == pytest.approx([30 / 45, 5 / 20, 1.0])
    chance = (40 * 35 + 10 * 15 + 50 * 50) / 100**2
    assert confusion.kappa == pytest.approx((0.85 - chance) / (1 - chance))


def test_aa_leaves_classes_with_few_pixels_out():
    assert Confusion(MATRIX).aa() == pytest.approx((0.75 + 1.0) / 2)
    assert Confusion(MATRIX).aa(at_least=10) == pytest.approx((0.75 + 0.5 + 1.0) / 3)
    assert Confusion(MATRIX // 10).aa() == pytest.approx(np.mean([0.75, 1.0]))  # none has 30: all that have any


def test_pairs_are_counted():
    confusion = Confusion.of(np.array([0, 0, 2]), np.array([0, 1, 2]), 3)
    assert confusion.matrix.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert np.isnan(confusion.per_class[1])


def test_nothing_and_one_class_are_undefined_not_wrong():
    empty = Confusion.of(np.empty(0, int), np.empty(0, int), 2)
    assert empty.summary() == {"oa": None, "aa": None, "kappa": None, "n": 0}
    one = Confusion.of(np.zeros(5, int), np.zeros(5, int), 2)
    assert one.summary() == {"oa": 1.0, "aa": 1.0, "kappa": None, "n": 5}
