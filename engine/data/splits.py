"""Which labelled pixels train, which choose (validation), which test.

`blocks`  spatial blocks with a buffer between the sides (default);
`files`   test labels come from their own file, validation blocks are cut from the training labels;
`random`  pixel by pixel: neighbours of training pixels are tested, so accuracy is flattered. Kept for comparison only.
`paper`   100 training and 300 test pixels of each class, drawn independently from all labels, as the MaMOL paper's
          authors did: some are on both sides, and most test windows overlap training windows. Only to stand beside the
          paper's tables. No validation side.

Otherwise validation and test keep the natural class mix, and only training labels are capped. Everything follows from
the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from engine.config import SplitConfig
from engine.data.scene import Scene
from engine.data.spatial_blocks import (
    DROPPED,
    TEST,
    TRAIN,
    VALIDATION,
    BlockGrid,
    Neighbourhood,
    assignments,
    default_block_px,
    keep_apart,
    keep_regions_whole,
)
from engine.errors import SplitError
from engine.legend import Legend
from engine.progress import Progress

_LEAKING = {"random": "neighbours of training pixels", "paper": "training pixels and their neighbours"}
VALIDATION_PIXELS = 3000  # per scene: enough to choose and calibrate by, cheap enough to do often
JUDGED_PIXELS = 100_000  # per scene, by which candidate splits are compared
# Pixels of a class beyond which a side gains little, for choosing among otherwise equal splits.
ENOUGH_TRAIN, ENOUGH_VALIDATION, ENOUGH_TEST = 100, 50, 300
PAPER_TRAIN, PAPER_TEST = 100, 300  # pixels of each class


@dataclass(frozen=True)
class Split:
    """One scene's sides: ascending positions in the scene's label arrays; but for "paper", no pixel is on two sides.

    Attributes:
        kind: blocks, files, random or paper.
        train: training pixels, capped per class.
        validation: sample of the validation side.
        test: the stored test sample.
        blocks: what was put on sides as a whole, None for a random split.
        buffer_px: no pixel of a side is nearer than this (Chebyshev) to one of another side.
        dropped: labelled pixels on no side because of the buffer.
        held_blocks: numbers of the blocks on the validation and test sides.
        held_rows: rows of all labelled pixels of these sides, also those not in the samples.
        held_cols: their columns.
    """

    kind: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    blocks: BlockGrid | None
    buffer_px: int
    dropped: int
    held_blocks: np.ndarray = field(repr=False)
    held_rows: np.ndarray = field(repr=False)
    held_cols: np.ndarray = field(repr=False)

    @property
    def block_px(self) -> int:
        """Side of a block, 0 where there are none."""
        return self.blocks.block_px if self.blocks else 0

    def open_to_training(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Whether pixels (N,), labelled or not, may be trained on: in no held block, outside the buffer."""
        held = self._held.near(rows, cols)
        if self.blocks:
            held |= np.isin(self.blocks.number(rows, cols), self.held_blocks)
        return ~held

    @cached_property
    def _held(self) -> Neighbourhood:
        """Of the pixels of the other sides; asked for every tile of a scene, so made once."""
        return Neighbourhood(self.held_rows, self.held_cols, max(self.buffer_px, 1))


def make_splits(
    scenes: Sequence[Scene],
    legend: Legend,
    config: SplitConfig,
    window: int,
    seed: int,
    progress: Progress | None = None,
) -> list[Split]:
    """Split every scene.

    Args:
        scenes: places with labels.
        legend: classes of all scenes.
        config: the `[split]` section.
        window: side of the model's input in pixels; the default buffer is half of it.
        seed: of everything drawn here; the same seed gives the same split.
        progress: told of leakage.

    Raises:
        SplitError: a class cannot be on the training and on the test side.
    """
    leak = leak_warning(config.kind)
    if leak is not None and progress is not None:
        progress.warning(leak)
    splits = [
        _split_scene(scene, len(legend), config, window, np.random.default_rng([seed, number]))
        for number, scene in enumerate(scenes)
    ]
    _check_classes(scenes, splits, legend, config)
    rng = np.random.default_rng([seed, len(scenes)])
    splits = _capped(scenes, splits, config.train_per_class, rng)
    return [
        replace(
            split,
            validation=_sample(split.validation, VALIDATION_PIXELS, rng),
            test=_sample(split.test, config.test_pixels, rng),
        )
        for split in splits
    ]


def leak_warning(kind: str) -> str | None:
    """What is wrong with the test side of a kind of split; None for those that hold it apart."""
    return f'split.kind = "{kind}" tests on {_LEAKING[kind]}: accuracy is flattered' if kind in _LEAKING else None


def class_counts(scenes: Sequence[Scene], splits: Sequence[Split], classes: int) -> dict[str, np.ndarray]:
    """Pixels of each class (Y,) on each side: keys train, validation, test."""
    counts = {side: np.zeros(classes, np.int64) for side in ("train", "validation", "test")}
    for scene, split in zip(scenes, splits, strict=True):
        for side, count in counts.items():
            count += np.bincount(scene.classes[getattr(split, side)], minlength=classes)
    return counts


def _split_scene(scene: Scene, classes: int, config: SplitConfig, window: int, rng: np.random.Generator) -> Split:
    if config.kind == "random":
        return _random_split(scene, config, rng)
    if config.kind == "paper":
        return _paper_split(scene, config, rng)
    files = config.kind == "files"
    given = scene.given_test if files and scene.given_test is not None else np.zeros(len(scene.rows), bool)
    own_buffer = window // 2 if config.buffer_px is None else config.buffer_px
    # An official split is taken as it is, unless a buffer is asked for.
    test_buffer = 0 if files and config.buffer_px is None else own_buffer
    test_fraction = 0.0 if files else config.test_fraction
    pool = np.flatnonzero(~given)
    judged = _few_of_each(scene.classes, rng)
    wanted = _wanted(np.bincount(scene.classes[judged], minlength=classes), files or test_fraction > 0, config)

    best: tuple[tuple[int, float], BlockGrid, np.ndarray, np.ndarray] | None = None
    for block_px in _block_sizes(scene, config.block_px, pool, window):
        block_rows, block_cols = keep_regions_whole(scene.rows[pool], scene.cols[pool], scene.regions[pool], block_px)
        shift = (int(rng.integers(block_px)), int(rng.integers(block_px)))
        blocks = BlockGrid(block_px, shift, scene.stack.grid.width)
        occupied, block = np.unique(blocks.number(block_rows, block_cols), return_inverse=True)
        counts = np.zeros((len(occupied), classes), np.int64)
        np.add.at(counts, (block, scene.classes[pool]), 1)
        for sides_of_blocks in assignments(counts, test_fraction, config.validation_fraction, rng):
            sides = np.full(len(given), TEST, np.int8)
            sides[pool] = sides_of_blocks[block]
            apart = keep_apart(scene.rows[judged], scene.cols[judged], sides[judged], own_buffer, test_buffer)
            worth = _shortage(scene.classes[judged], apart, wanted)
            if best is None or worth < best[0]:
                best = (worth, blocks, sides, occupied[sides_of_blocks != TRAIN])
        if best is not None and best[0][0] == 0:
            break
    assert best is not None
    _, blocks, sides, held_blocks = best
    apart = keep_apart(scene.rows, scene.cols, sides, own_buffer, test_buffer)
    buffer_px = test_buffer if files else own_buffer
    return _as_split(scene, "files" if files else "blocks", sides, apart, buffer_px, blocks, held_blocks)


def _as_split(
    scene: Scene,
    kind: str,
    sides: np.ndarray,
    apart: np.ndarray,
    buffer_px: int,
    blocks: BlockGrid | None,
    held_blocks: np.ndarray,
) -> Split:
    """The split whose sides were `sides` before pixels too near to others were dropped, and are `apart` since."""
    held = np.flatnonzero(sides != TRAIN)
    return Split(
        kind=kind,
        train=np.flatnonzero(apart == TRAIN),
        validation=np.flatnonzero(apart == VALIDATION),
        test=np.flatnonzero(apart == TEST),
        blocks=blocks,
        buffer_px=buffer_px,
        dropped=int((apart == DROPPED).sum()),
        held_blocks=held_blocks,
        held_rows=scene.rows[held],
        held_cols=scene.cols[held],
    )


def _few_of_each(classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pixels by which candidate splits are compared: all of them, or enough of each class where there are very many."""
    numbers = np.unique(classes)
    share = JUDGED_PIXELS // len(numbers)
    return np.sort(np.concatenate([_sample(np.flatnonzero(classes == number), share, rng) for number in numbers]))


def _wanted(totals: np.ndarray, need_test: bool, config: SplitConfig) -> dict[int, np.ndarray]:
    """How many pixels of each class (Y,) each side should keep, should the buffer leave a choice."""
    shares = {
        TRAIN: (ENOUGH_TRAIN, 0.35),
        VALIDATION: (ENOUGH_VALIDATION, config.validation_fraction / 2),
        TEST: (ENOUGH_TEST, config.test_fraction if need_test else 0.0),
    }
    return {side: np.minimum(enough, np.ceil(share * totals)) for side, (enough, share) in shares.items()}


def _shortage(classes: np.ndarray, sides: np.ndarray, wanted: dict[int, np.ndarray]) -> tuple[int, float]:
    """What a candidate lacks: classes lost (a poor validation side is one, too), and shares of what is wanted."""
    lost, shortage = 0, 0.0
    for side, enough in wanted.items():
        have = np.bincount(classes[sides == side], minlength=len(enough))
        needed = enough > 0
        if side == VALIDATION:
            lost += int(np.minimum(have, enough).sum() < enough.sum() / 4)
        else:
            lost += int((have[needed] == 0).sum())
        shortage += float((1 - np.minimum(have[needed] / enough[needed], 1)).sum())
    return lost, shortage


def _block_sizes(scene: Scene, asked: int | None, pool: np.ndarray, window: int) -> list[int]:
    """Sides to try: the one asked for, else the default, then half and twice of it should a class not fit."""
    if asked is not None:
        return [asked]
    height, width = (int(np.ptp(positions[pool])) + 1 for positions in (scene.rows, scene.cols))
    block_px = default_block_px(height, width, window)
    return [block_px, max(block_px // 2, 2), 2 * block_px]


def _random_split(scene: Scene, config: SplitConfig, rng: np.random.Generator) -> Split:
    """Each class's pixels shuffled and cut into the three sides."""
    sides = np.full(len(scene.rows), TRAIN, np.int8)
    for number in np.unique(scene.classes):
        members = rng.permutation(np.flatnonzero(scene.classes == number))
        tests = round(config.test_fraction * len(members))
        validations = round(config.validation_fraction * (len(members) - tests))
        sides[members[:tests]] = TEST
        sides[members[tests : tests + validations]] = VALIDATION
    return _as_split(scene, "random", sides, sides, buffer_px=0, blocks=None, held_blocks=np.empty(0, np.int64))


def _paper_split(scene: Scene, config: SplitConfig, rng: np.random.Generator) -> Split:
    """Each class's pixels drawn twice, for training and for test, the labels of a test file among them."""
    members = [np.flatnonzero(scene.classes == number) for number in np.unique(scene.classes)]
    train, test = (
        np.sort(np.concatenate([_sample(pixels, count, rng) for pixels in members]))
        for count in (config.train_per_class or PAPER_TRAIN, PAPER_TEST)
    )
    nothing = np.empty(0, np.int64)
    return Split(
        "paper", train, nothing, test, blocks=None, buffer_px=0, dropped=0, held_blocks=nothing,
        held_rows=nothing, held_cols=nothing,
    )  # fmt: skip


def _check_classes(scenes: Sequence[Scene], splits: Sequence[Split], legend: Legend, config: SplitConfig) -> None:
    """Every class must be trained on and, where classes were put on sides by us, tested."""
    totals = np.bincount(np.concatenate([scene.classes for scene in scenes]), minlength=len(legend))
    counts = class_counts(scenes, splits, len(legend))
    for index, item in enumerate(legend.classes):
        for side, needed in (("train", True), ("test", config.kind != "files" and config.test_fraction > 0)):
            if needed and counts[side][index] == 0:
                raise SplitError(
                    f"class {item.name!r} (value {item.value}): none of its {totals[index]} labelled pixels is left on "
                    f"the {'training' if side == 'train' else side} side{_why(splits[0])}; add labels of it elsewhere, "
                    "set a smaller split.block_px or split.buffer_px, or leave it out by labels.ignore"
                )


def _why(split: Split) -> str:
    return "" if split.blocks is None else f" of blocks of {split.block_px} px with a buffer of {split.buffer_px} px"


def _capped(scenes: Sequence[Scene], splits: Sequence[Split], cap: int | None, rng: np.random.Generator) -> list[Split]:
    """At most `cap` training pixels of each class over all scenes."""
    if cap is None:
        return list(splits)
    owner = np.repeat(np.arange(len(splits)), [len(split.train) for split in splits])
    pixels = np.concatenate([split.train for split in splits])
    classes = np.concatenate([scene.classes[split.train] for scene, split in zip(scenes, splits, strict=True)])
    kept = np.concatenate([_sample(np.flatnonzero(classes == number), cap, rng) for number in np.unique(classes)])
    return [replace(split, train=np.sort(pixels[kept[owner[kept] == i]])) for i, split in enumerate(splits)]


def _sample(pixels: np.ndarray, count: int | None, rng: np.random.Generator) -> np.ndarray:
    """`count` of the pixels at random, in ascending order; all where there are fewer."""
    if count is None or len(pixels) <= count:
        return pixels
    return np.sort(rng.choice(pixels, count, replace=False))
