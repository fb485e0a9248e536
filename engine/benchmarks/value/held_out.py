"""Which labelled pixels a finished model may be judged by: those that it was not trained on, as far as that is known.

A model file does not hold the pixels of its training, but how they were split. A job with the same labels and the same
`[split]` gives the same split again. That it did is known from what the model file tells: the labelled pixels of each
class, those on each side, kind, seed, blocks and buffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.data.splits import Split, leak_warning, make_splits
from engine.errors import SplitError
from engine.modelfile import ModelInfo
from engine.training.prepare import Prepared
from engine.training.record import split_facts

Which = Literal["auto", "test", "all"]


@dataclass(frozen=True)
class Judged:
    """Labelled pixels by which a model is judged.

    Attributes:
        pixels: ascending positions in the label arrays of each scene.
        side: "test" side of the training's split, or "all".
        trained_on: how many of them are training pixels of the model; None where that is not known.
        warnings: why accuracy at these pixels may be too good, in sentences.
    """

    pixels: Sequence[np.ndarray]
    side: Literal["test", "all"]
    trained_on: int | None
    warnings: Sequence[str]

    @property
    def count(self) -> int:
        """Number of pixels of all scenes."""
        return sum(map(len, self.pixels))


def choose_pixels(data: Prepared, info: ModelInfo, which: Which) -> Judged:
    """Choose the pixels to judge a model by.

    Args:
        data: scenes with labels in the model's classes, and their job; its splits are not looked at.
        info: what the model file says.
        which: "test": the stored test pixels of the training; "all": all labelled pixels; "auto": the first where the
            job gives the split of the training, and it has a test side, else the second.

    Raises:
        SplitError: "test" is asked for, and the job does not give the split of the training, or it has no test side.
    """
    splits = split_of_training(data, info)
    tested = sum(len(split.test) for split in splits or ())
    if which == "test" and not tested:
        raise SplitError(
            "the split that the model was trained with has no test side; take --pixels all"
            if splits
            else "labels and [split] of the job do not give the split that the model was trained with; give the "
            "config.toml of its run, or take --pixels all"
        )
    if splits and tested and which != "all":
        return _judged([split.test for split in splits], "test", splits)
    return _judged([np.arange(len(scene.rows)) for scene in data.scenes], "all", splits)


def split_of_training(data: Prepared, info: ModelInfo) -> list[Split] | None:
    """The splits that a model was trained with, made again from a job; None where the job gives others.

    Args:
        data: scenes with labels in the model's classes, and their job.
        info: what the model file says; window and seed are the model's, whatever the job has.
    """
    facts = info.training.get("split")
    seed = facts.get("seed") if isinstance(facts, dict) else None
    if type(seed) is not int or seed < 0:  # a file of another maker
        return None
    config = data.config.split.model_copy(update={"seed": seed})
    try:
        splits = make_splits(data.scenes, data.legend, config, info.window, seed)
    except SplitError:
        return None
    again = replace(data, config=data.config.model_copy(update={"split": config}), splits=splits)
    made = split_facts(again)
    return splits if all(info.training.get(name) == value for name, value in made.items()) else None


def _judged(pixels: Sequence[np.ndarray], side: Literal["test", "all"], splits: Sequence[Split] | None) -> Judged:
    if splits is None:
        unknown = (
            "labels and [split] of the job do not give the split that the model was trained with: if it was trained on "
            "some of these pixels, or near them, accuracy is flattered"
        )
        return Judged(pixels, side, None, [unknown])
    trained = sum(int(np.isin(part, split.train).sum()) for part, split in zip(pixels, splits, strict=True))
    warnings = []
    if trained:
        count = sum(map(len, pixels))
        warnings.append(
            f"the model was trained on {trained:,} of these {count:,} pixels, and near others: accuracy is flattered"
        )
    if side == "test" and (leak := leak_warning(splits[0].kind)):
        warnings.append(leak)
    return Judged(pixels, side, trained, warnings)
