import itertools
from dataclasses import replace

import numpy as np
import pytest

from engine.config import MissingConfig, SplitConfig, TrainingConfig
from engine.data.batches import Batches
from engine.data.splits import make_splits
from engine.data.statistics import band_statistics
from engine.data.window_cache import CLOSED, UNLABELLED, build_caches
from engine.errors import Cancelled, NodataError, OutputError
from engine.progress import SilentProgress
from tests.data.conftest import ArrayStack

WINDOW, CORE = 12, 6


@pytest.fixture
def prepare(tmp_path, legend):
    def prepare(scenes, folder="cache", unlabelled_tiles=100, **split):
        splits = make_splits(scenes, legend, SplitConfig(**split), WINDOW, 0)
        stats = band_statistics(scenes, splits)
        caches = build_caches(
            tmp_path / folder, scenes, splits, stats,
            reach_px=WINDOW, unlabelled_tiles=unlabelled_tiles, seed=0, progress=SilentProgress(),
        )  # fmt: skip
        return splits, stats, caches

    return prepare


def make_batches(scenes, splits, caches, missing=None, window=WINDOW, core=CORE, share=slice(None), **training):
    return Batches(
        scenes, splits, caches,
        training=TrainingConfig(batch_size=24, **training), missing=missing or MissingConfig(),
        window=window, core=core, core_offset=(window - core + 1) // 2, share=share,
    )  # fmt: skip


def test_statistics_use_training_pixels_only(striped, prepare):
    splits, stats, _ = prepare([striped])
    values = striped.stack.values["b"][:, striped.rows[splits[0].train], striped.cols[splits[0].train]]
    assert stats["b"].mean == pytest.approx(values.mean(axis=1))
    assert stats["b"].count == values.shape[1]


def test_a_modality_without_training_pixels_is_an_error(make_scene, striped, legend):
    valid = {"a": np.ones((120, 120), bool), "b": np.zeros((120, 120), bool)}
    scene = make_scene((np.mgrid[:120, :120].sum(0) // 6) % 3, valid=valid)
    with pytest.raises(NodataError, match="b: no valid pixel"):
        band_statistics([scene], make_splits([scene], legend, SplitConfig(), WINDOW, 0))


def test_cached_windows_equal_the_scene(striped, prepare):
    _, stats, (cache,) = prepare([striped])
    rng = np.random.default_rng(0)
    rows, cols = rng.integers(-20, 125, (2, 60))
    windows = cache.read(rows, cols, WINDOW)
    stored = np.kron(cache.numbers >= 0, np.ones((32, 32), bool))[:120, :120]
    for number, (row, col) in enumerate(zip(rows, cols, strict=True)):
        for r in range(WINDOW):
            for c in range(WINDOW):
                y, x = row + r, col + c
                inside = 0 <= y < 120 and 0 <= x < 120 and stored[y, x]
                assert windows.valid[number, :, r, c].all() == inside
                expected = stats["a"].apply(striped.stack.values["a"][:, y, x]) if inside else 0
                assert windows.values[0][number, :, r, c] == pytest.approx(expected, abs=2e-3)


def test_class_map_holds_training_labels_and_nothing_of_other_sides(striped, prepare):
    (split,), _, (cache,) = prepare([striped], train_per_class=20)
    windows = cache.read(np.array([0]), np.array([0]), 120)
    classes = windows.classes[0]
    expected = np.full((120, 120), UNLABELLED)
    opened = split.open_to_training(*map(np.ravel, np.mgrid[:120, :120])).reshape(120, 120)
    expected[~opened] = CLOSED
    expected[striped.rows[split.train], striped.cols[split.train]] = striped.classes[split.train]
    stored = np.kron(cache.numbers >= 0, np.ones((32, 32), bool))[:120, :120]
    assert np.array_equal(classes[stored], expected[stored])
    assert (classes >= 0).sum() == 60


def test_cache_is_built_once_and_again_after_an_interruption(striped, prepare, tmp_path, legend):
    splits, stats, _ = prepare([striped])
    striped.stack.values["a"][:] = 0  # would show, were it read again
    again = build_caches(
        tmp_path / "cache", [striped], splits, stats,
        reach_px=WINDOW, unlabelled_tiles=100, seed=0, progress=SilentProgress(),
    )  # fmt: skip
    assert np.abs(again[0].values[0]).max() > 1
    with pytest.raises(Cancelled):
        build_caches(
            tmp_path / "other", [striped], splits, stats,
            reach_px=WINDOW, unlabelled_tiles=1, seed=0, progress=SilentProgress(), cancelled=lambda: True,
        )  # fmt: skip
    assert not (tmp_path / "other" / "0" / "complete.json").exists()


def test_a_cache_of_something_else_is_built_anew(striped, tmp_path, legend):
    """Another split, labels, statistics, reach, tiles or files: what is opened is as if the folder had been empty."""
    split = make_splits([striped], legend, SplitConfig(train_per_class=20), WINDOW, 0)
    common = {"reach_px": WINDOW, "unlabelled_tiles": 2, "seed": 0}
    stats = band_statistics([striped], split)
    other_split = make_splits([striped], legend, SplitConfig(train_per_class=20), WINDOW, 1)
    other_stats = band_statistics([striped], other_split)
    other_labels = replace(striped, classes=(striped.classes + 1) % 3)
    brighter = {name: values + 1 for name, values in striped.stack.values.items()}
    other_files = replace(striped, stack=ArrayStack(brighter, striped.stack.valid, stamp="new"))
    jobs = [
        (striped, split, stats, common), (striped, other_split, stats, common), (striped, split, other_stats, common),
        (other_labels, split, stats, common), (other_files, split, stats, common),
        (striped, split, stats, common | {"reach_px": 1}), (striped, split, stats, common | {"unlabelled_tiles": 0}),
        (striped, split, stats, common | {"seed": 1}),
    ]  # fmt: skip
    for number, (scene, sides, numbers, options) in enumerate(jobs):
        (reused,), (fresh,) = (
            build_caches(tmp_path / folder, [scene], sides, numbers, **options, progress=SilentProgress())
            for folder in ("reused", str(number))
        )
        assert np.array_equal(reused.numbers, fresh.numbers)
        for one, other in zip(reused.files, fresh.files, strict=True):
            assert np.array_equal(one, other)


def test_a_cache_whose_rebuilding_was_stopped_is_not_believed(striped, prepare, tmp_path, legend):
    """Neither by the job that stopped, nor by the one it was first built for."""
    splits, stats, _ = prepare([striped])

    def build(seed, **options):
        sides = make_splits([striped], legend, SplitConfig(), WINDOW, seed)
        return build_caches(
            tmp_path / "cache", [striped], sides, stats,
            reach_px=WINDOW, unlabelled_tiles=100, seed=0, progress=SilentProgress(), **options,
        )[0]  # fmt: skip

    asked = itertools.count()
    with pytest.raises(Cancelled):
        build(1, cancelled=lambda: next(asked) == 2)
    again = build(0)
    classes = again.read(np.array([0]), np.array([0]), 120).classes[0]
    assert np.array_equal(
        classes[striped.rows[splits[0].train], striped.cols[splits[0].train]], striped.classes[splits[0].train]
    )
    held = [*splits[0].validation, *splits[0].test]
    assert (classes[striped.rows[held], striped.cols[held]] == CLOSED).all()


def test_scene_is_read_in_small_pieces(striped, prepare):
    prepare([striped])
    assert striped.stack.largest_read <= 128 * 128


def test_batches_depend_on_seed_and_step_only(striped, prepare):
    splits, _, caches = prepare([striped])
    batches = make_batches([striped], splits, caches)
    again = make_batches([striped], splits, caches)
    later = [again.draw(step) for step in (9, 5)][1]
    assert all(np.array_equal(x, y) for x, y in zip(batches.draw(5).values, later.values, strict=True))
    assert np.array_equal(batches.draw(5).kept, later.kept)
    assert not np.array_equal(batches.draw(6).values[0], later.values[0])


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("options", [{}, {"augment": False, "missing": MissingConfig(protocol="paper")}])
def test_shares_of_a_batch_are_the_batch(striped, prepare, count, options):
    """However many share it: the same windows, gaps and turns, none twice; where a sensor is missing by nature, too."""
    striped.stack.valid["b"][:60] = False
    splits, _, caches = prepare([striped])
    whole = make_batches([striped], splits, caches, **options).draw(3, 0.5)
    for rank in range(count):
        share = slice(rank, None, count)
        part = make_batches([striped], splits, caches, share=share, **options).draw(3, 0.5)
        for one, all_of_them in zip([*part.values, part.valid], [*whole.values, whole.valid], strict=True):
            assert np.array_equal(one, all_of_them[share])
        assert np.array_equal(part.kept, whole.kept[share]) and np.array_equal(part.classes, whole.classes[share])


def test_single_pixels_are_those_of_windows(striped, prepare):
    """What is valid at a pixel, with and without the window around it; a tile that is not stored has nothing."""
    striped.stack.valid["b"][::2] = False
    _, _, (cache,) = prepare([striped], unlabelled_tiles=0, train_per_class=3)
    rows, cols = (axis.ravel() for axis in np.mgrid[:120, :120])
    assert (cache.numbers < 0).any()
    assert np.array_equal(cache.valid_at(rows, cols), cache.read(rows, cols, 1).valid[:, :, 0, 0])


def test_every_labelled_window_has_its_pixel_in_the_core(striped, prepare):
    splits, _, caches = prepare([striped], train_per_class=10)
    batch = make_batches([striped], splits, caches, balance="sampling").draw(0)
    assert batch.classes.shape == (24, CORE, CORE)
    assert (batch.classes >= 0).any(axis=(1, 2)).all()
    counts = np.bincount(batch.classes[batch.classes >= 0], minlength=3)
    assert counts.min() >= 8  # classes take turns within a batch


@pytest.mark.parametrize(("window", "core"), [(12, 6), (12, 1), (9, 4)])
def test_turning_keeps_pixels_together(striped, prepare, window, core):
    """Values, validity and classes are turned alike: a pixel's value still tells its class."""
    striped.stack.values["b"][0, striped.rows, striped.cols] = 10 * striped.classes
    splits, stats, caches = prepare([striped])
    batch = make_batches([striped], splits, caches, window=window, core=core).draw(0)
    assert batch.values[1].shape == (24, 1, window, window) and batch.classes.shape == (24, core, core)
    offset = (window - core + 1) // 2
    inner = slice(offset, offset + core)
    value = batch.values[1][:, 0, inner, inner] * stats["b"].std[0] + stats["b"].mean[0]
    known = batch.classes >= 0
    assert np.abs(value[known] / 10 - batch.classes[known]).max() < 0.1


def test_unlabelled_windows_come_from_the_training_side(striped, prepare):
    splits, _, caches = prepare([striped], train_per_class=5)
    batch = make_batches([striped], splits, caches).draw(3, 0.999)
    assert batch.valid.shape == (24, 2, WINDOW, WINDOW)
    assert not (batch.kept & ~batch.valid).any()
    assert (batch.classes != CLOSED).any(axis=(1, 2)).all()
    assert (batch.classes == UNLABELLED).any()


def test_two_scenes_share_batches(striped, make_scene, prepare):
    other = make_scene((np.mgrid[:80, :90].sum(0) // 6) % 3, seed=1)
    splits, _, caches = prepare([striped, other])
    batches = make_batches([striped, other], splits, caches, augment=False)
    assert set(batches.scene) == {0, 1}
    assert (batches.draw(0).classes >= 0).any(axis=(1, 2)).all()


def test_resident_memory_is_given_back(striped, prepare):
    _, _, (cache,) = prepare([striped])
    before = cache.read(np.array([0]), np.array([0]), 40).values[0]
    cache._give_back(10**12)
    assert np.array_equal(cache.read(np.array([0]), np.array([0]), 40).values[0], before)


def test_a_full_disk_is_one_sentence(striped, prepare, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(OutputError, match="No space left on device"):
        prepare([striped])
