from io import StringIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import SplitConfig
from engine.data.spatial_blocks import Neighbourhood, assignments, keep_regions_whole
from engine.data.splits import class_counts, make_splits
from engine.errors import SplitError
from engine.progress import TextProgress


def chebyshev(scene, some, others):
    """Smallest distance between two sets of labelled pixels, by brute force."""
    rows = np.abs(scene.rows[some][:, None] - scene.rows[others][None])
    cols = np.abs(scene.cols[some][:, None] - scene.cols[others][None])
    return np.maximum(rows, cols).min()


def test_sides_are_apart_by_the_buffer(striped, legend):
    split = make_splits([striped], legend, SplitConfig(test_pixels=None), window=14, seed=3)[0]
    assert split.buffer_px == 7
    sides = (split.train, split.validation, split.test)
    assert all(len(side) > 100 for side in sides)
    assert chebyshev(striped, split.train, split.test) >= 7
    assert chebyshev(striped, split.train, split.validation) >= 7
    assert chebyshev(striped, split.validation, split.test) >= 7


def test_same_seed_same_split_other_seed_other_split(striped, legend):
    one, same, other = (make_splits([striped], legend, SplitConfig(), window=8, seed=seed)[0] for seed in (1, 1, 2))
    for side in ("train", "validation", "test"):
        assert np.array_equal(getattr(one, side), getattr(same, side))
    assert not np.array_equal(one.test, other.test)


def test_a_block_is_on_one_side(striped, legend):
    split = make_splits([striped], legend, SplitConfig(block_px=20), window=4, seed=0)[0]
    owners = [
        set(split.blocks.number(striped.rows[side], striped.cols[side]))
        for side in (split.train, split.validation, split.test)
    ]
    assert not owners[0] & owners[1] and not owners[0] & owners[2] and not owners[1] & owners[2]


def test_shares_are_near_those_asked_for(striped, legend):
    config = SplitConfig(block_px=12, buffer_px=0, test_fraction=0.3, validation_fraction=0.2, test_pixels=None)
    split = make_splits([striped], legend, config, window=4, seed=0)[0]
    assert len(split.test) / len(striped.rows) == pytest.approx(0.3, abs=0.02)
    assert split.dropped == 0


def test_a_rare_class_is_found_on_both_sides(make_scene, legend):
    labels = np.zeros((160, 160), int)
    labels[:, 80:] = 1
    labels[3, 3] = labels[150, 150] = 2  # two pixels, far apart: one for each side
    scene = make_scene(labels)
    for seed in range(5):
        counts = class_counts([scene], make_splits([scene], legend, SplitConfig(test_pixels=None), 14, seed), 3)
        assert (counts["train"] > 0).all() and (counts["test"] > 0).all()


def test_a_class_in_one_place_cannot_be_split(make_scene, legend):
    labels = np.zeros((100, 100), int)
    labels[:, 50:] = 1
    labels[40:44, 40:44] = 2
    with pytest.raises(SplitError, match=r"'roof'.*16 labelled pixels"):
        make_splits([make_scene(labels)], legend, SplitConfig(), window=14, seed=0)


def test_another_scene_may_hold_the_class(make_scene, striped, legend):
    labels = np.zeros((100, 100), int)
    labels[:, 50:] = 1
    labels[40:44, 40:44] = 2
    splits = make_splits([make_scene(labels), striped], legend, SplitConfig(), window=14, seed=0)
    assert len(splits) == 2


def test_cap_counts_training_pixels_over_all_scenes(striped, legend):
    config = SplitConfig(train_per_class=50, test_pixels=400)
    splits = make_splits([striped, striped], legend, config, window=8, seed=0)
    counts = class_counts([striped, striped], splits, 3)
    assert counts["train"].tolist() == [50, 50, 50]
    assert [len(split.test) for split in splits] == [400, 400]
    assert all(len(split.train) for split in splits)


def test_files_split_tests_the_given_pixels_only(striped, legend, make_scene):
    labels = np.where(np.arange(120)[:, None] < 70, (np.mgrid[:120, :120].sum(0) // 6) % 3, -1)
    labels[100:, ::4] = 1
    scene = make_scene(labels, given_test=(np.nonzero(labels >= 0)[0] >= 100))
    split = make_splits([scene], legend, SplitConfig(kind="files", test_pixels=None), window=8, seed=0)[0]
    assert np.array_equal(split.test, np.flatnonzero(scene.given_test))
    assert len(split.validation) and chebyshev(scene, split.train, split.validation) >= 4


def test_a_pixel_in_both_files_is_tested_not_trained_on(make_scene, legend):
    labels = (np.mgrid[:60, :60].sum(0) // 6) % 3
    scene = make_scene(labels)
    doubled = make_scene(labels, given_test=None)
    doubled = type(scene)(
        name="twice", stack=scene.stack, modalities=scene.modalities,
        rows=np.r_[scene.rows, scene.rows[:100]], cols=np.r_[scene.cols, scene.cols[:100]],
        classes=np.r_[scene.classes, scene.classes[:100]], regions=np.arange(3700),
        given_test=np.arange(3700) >= 3600,
    )  # fmt: skip
    split = make_splits([doubled], legend, SplitConfig(kind="files"), window=8, seed=0)[0]
    assert set(split.test) == set(range(3600, 3700))
    assert min(split.train.min(), split.validation.min()) >= 100


def test_random_split_warns_and_is_disjoint(striped, legend):
    warnings = []
    progress = type("P", (), {"warning": lambda self, message: warnings.append(message)})()
    split = make_splits([striped], legend, SplitConfig(kind="random"), window=14, seed=0, progress=progress)[0]
    assert "neighbours" in warnings[0]
    sides = np.concatenate([split.train, split.validation, split.test])
    assert len(np.unique(sides)) == len(sides)


def test_unlabelled_training_side_keeps_the_buffer(striped, legend):
    config = SplitConfig(test_pixels=None)
    split = make_splits([striped], legend, config, window=14, seed=3)[0]
    is_open = split.open_to_training(striped.rows, striped.cols)
    assert is_open[split.train].all()
    assert not is_open[split.test].any() and not is_open[split.validation].any()
    opened = np.flatnonzero(is_open)
    assert chebyshev(striped, opened, split.test) >= 7


def test_small_regions_are_not_cut():
    rows = np.array([9, 10, 11, 0, 0, 0])
    cols = np.array([5, 5, 5, 0, 15, 29])
    placed_rows, placed_cols = keep_regions_whole(rows, cols, np.array([7, 7, 7, 8, 8, 8]), block_px=10)
    assert placed_rows.tolist() == [10, 10, 10, 0, 0, 0]
    assert placed_cols.tolist() == cols.tolist()  # the second region is wider than a block


@given(st.integers(1, 30), st.floats(0, 0.8), st.floats(0, 0.8), st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_assignments_keep_a_training_side(blocks, test_fraction, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 5, (blocks, 3))
    sides = next(assignments(counts, test_fraction, validation_fraction, rng))
    assert len(sides) == blocks and (sides == 0).any()
    if blocks > 2 and test_fraction > 0:
        assert (sides == 2).any()


@given(st.integers(0, 6), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_neighbourhood_equals_brute_force(distance, seed):
    rng = np.random.default_rng(seed)
    rows, cols = rng.integers(0, 30, (2, 8))
    others = rng.integers(0, 30, (2, 40))
    near = Neighbourhood(rows, cols, distance).near(*others)
    gaps = np.maximum(np.abs(others[0][:, None] - rows), np.abs(others[1][:, None] - cols)).min(axis=1)
    assert np.array_equal(near, gaps < distance)


def test_there_is_a_validation_side_where_other_blocks_allow_it(make_scene, legend):
    """Small scene, large window: the default blocks may leave validation nothing beside the buffers."""
    labels = (np.mgrid[:140, :120].sum(0) // 6) % 3
    for seed in range(4):
        split = make_splits([make_scene(labels)], legend, SplitConfig(), window=40, seed=seed)[0]
        assert len(split.train) and len(split.validation) and len(split.test)


def test_the_papers_split_draws_twice(make_scene, legend):
    """So many pixels of each class on each side, drawn independently: some are on both, as chance has it."""
    rows, cols = np.mgrid[:60, :60]
    scene = make_scene((rows // 5 + cols // 5) % 3, given_test=np.arange(3600) >= 1800)
    splits = make_splits([scene], legend, SplitConfig(kind="paper"), window=8, seed=0)
    counts = class_counts([scene], splits, 3)
    assert counts["train"].tolist() == [100] * 3 and counts["test"].tolist() == [300] * 3
    assert counts["validation"].sum() == 0
    shared = np.intersect1d(splits[0].train, splits[0].test)
    assert len(shared) == pytest.approx(3 * 100 * 300 / 1200, abs=25)
    assert splits[0].open_to_training(scene.rows, scene.cols).all()
    told = StringIO()
    few = SplitConfig(kind="paper", train_per_class=7)
    assert len(make_splits([scene], legend, few, window=8, seed=0, progress=TextProgress(told))[0].train) == 21
    assert "tests on training pixels" in told.getvalue()
