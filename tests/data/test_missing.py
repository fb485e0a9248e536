import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.missing import chosen_patterns, cut_lines, draw_lines, draw_patterns, fixed_table
from engine.data.sampling import Sampler, class_weights, rare_classes
from engine.errors import ConfigError
from engine.modality import pattern_bits


def test_gaps_are_spread_evenly_over_the_incomplete_patterns():
    rng = np.random.default_rng(0)
    patterns = draw_patterns(rng, np.ones((60_000, 3), bool), rate=0.6)
    share = np.bincount([pattern_bits(row) for row in patterns], minlength=8) / len(patterns)
    assert share[0] == 0
    assert share[7] == pytest.approx(0.4, abs=0.01)
    assert share[1:7] == pytest.approx([0.1] * 6, abs=0.01)


@given(st.integers(1, 5), st.floats(0, 1), st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_the_own_pixel_keeps_a_modality(modalities, rate, seed):
    rng = np.random.default_rng(seed)
    present = rng.random((40, modalities)) < 0.5
    present[np.arange(40), rng.integers(modalities, size=40)] = True
    patterns = draw_patterns(rng, present, rate)
    assert (patterns & present).any(axis=1).all()


@given(st.integers(1, 4), st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_cut_lines_only_take_away_and_never_all_of_the_own_pixel(modalities, seed):
    rng = np.random.default_rng(seed)
    valid = rng.random((20, modalities, 9, 9)) < 0.7
    anchors = rng.integers(9, size=(20, 2))
    valid[np.arange(20), 0, anchors[:, 0], anchors[:, 1]] = True
    cut = cut_lines(draw_lines(rng, 20), valid, anchors, rate=1.0)
    assert not (cut & ~valid).any()
    assert cut[np.arange(20), :, anchors[:, 0], anchors[:, 1]].any(axis=1).all()
    touched = (cut != valid).any(axis=(2, 3)).sum(axis=1)
    assert touched.max() <= 1


def test_cut_lines_do_cut():
    valid = np.ones((200, 2, 14, 14), bool)
    cut = cut_lines(draw_lines(np.random.default_rng(1), 200), valid, np.full((200, 2), 7), rate=0.5)
    assert 60 < (cut != valid).any(axis=(1, 2, 3)).sum() < 120


def test_fixed_table_has_the_exact_share():
    table = fixed_table(np.random.default_rng(0), 1000, 3, 0.7)
    counts = np.bincount([pattern_bits(row) for row in table], minlength=8)
    assert counts[7] == 300 and counts[0] == 0
    assert counts[1:7].max() - counts[1:7].min() <= 1


def test_chosen_patterns_have_their_shares():
    """Only the patterns asked for, by their weights, exactly in a table and on average in draws."""
    names = ["hsi", "sar", "dsm"]
    only = chosen_patterns({"hsi+dsm": 1, "hsi": 3}, names)
    table = fixed_table(np.random.default_rng(0), 1000, 3, 0.4, only)
    assert np.bincount([pattern_bits(row) for row in table], minlength=8).tolist() == [0, 300, 0, 0, 0, 100, 0, 600]
    drawn = draw_patterns(np.random.default_rng(0), np.ones((40_000, 3), bool), 0.4, only)
    shares = np.bincount([pattern_bits(row) for row in drawn], minlength=8) / 40_000
    assert shares == pytest.approx([0, 0.3, 0, 0, 0, 0.1, 0, 0.6], abs=0.01)
    lacking = np.array([[False, True, False]] * 100)  # would be left with nothing
    assert draw_patterns(np.random.default_rng(0), lacking, 1.0, only).all()


@pytest.mark.parametrize("pattern", ["hsi+sar+dsm", "lidar", "", "hsi+"])
def test_patterns_that_are_none(pattern):
    with pytest.raises(ConfigError, match="no incomplete pattern of hsi"):
        chosen_patterns({pattern: 1.0}, ["hsi", "sar", "dsm"])


def test_one_modality_has_no_gaps():
    assert fixed_table(np.random.default_rng(0), 10, 1, 0.9).all()
    assert draw_patterns(np.random.default_rng(0), np.ones((10, 1), bool), 0.9).all()


def test_every_class_is_drawn_equally_often():
    classes = np.repeat([0, 1, 4], [1000, 3, 50])
    drawn = classes[np.concatenate([Sampler(classes, "sampling", 0).draw(step, 10) for step in range(90)])]
    counts = np.bincount(drawn)
    assert counts[[0, 1, 4]] == pytest.approx([300] * 3, abs=25)


@pytest.mark.parametrize("balance", ["none", "weights"])
def test_an_epoch_visits_every_pixel_once(balance):
    sampler = Sampler(np.zeros(37, int), balance, 0)
    drawn = np.concatenate([sampler.draw(step, 5) for step in range(15)])
    assert sorted(drawn[:37]) == list(range(37))
    assert sorted(drawn[37:74]) == list(range(37))
    assert drawn[:37].tolist() != drawn[37:74].tolist()


def test_weights_and_rare_classes():
    weights = class_weights(np.array([90, 10, 0]))
    assert weights[0] * 90 == pytest.approx(weights[1] * 10) and weights[2] == 0
    assert (weights * [90, 10, 0]).sum() == pytest.approx(100)
    assert rare_classes(np.array([90, 10, 30])) == [1]
