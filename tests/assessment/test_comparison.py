import numpy as np
import pytest

from engine.assessment.comparison import compare, mcnemar


def test_mcnemar_by_hand():
    """Agresti 2002, Categorical Data Analysis, table 10.1: 150 and 86 changed their mind, z^2 = 17.36."""
    exact, statistic, probability = mcnemar(150, 86)
    assert statistic == pytest.approx((150 - 86 - 1) ** 2 / 236)
    assert (np.sqrt(statistic * 236) + 1) ** 2 / 236 == pytest.approx(17.36, abs=0.005)
    assert probability == pytest.approx(4.115e-5, rel=1e-3)
    assert exact == pytest.approx(3.716e-5, rel=1e-3)


def test_few_pixels_by_counting():
    """Of 6 pixels that tell the maps apart one is right in one map only: 2 * (1 + 6) / 2^6."""
    exact, _, _ = mcnemar(1, 5)
    assert exact == pytest.approx(2 * 7 / 64)
    assert mcnemar(0, 0) == (1.0, None, None)
    assert mcnemar(3, 3)[:2] == (1.0, 0.0)


def test_pixels_that_one_map_lacks_do_not_count():
    this, other = np.array([True, True, False, True]), np.array([False, True, True, False])
    found = compare("other.tif", this, other, np.array([True, True, True, False]), None)
    assert (found.n, found.only_this, found.only_other, found.difference) == (3, 1, 1, 0.0)
    assert found.difference_se is None
