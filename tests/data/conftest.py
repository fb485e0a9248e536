"""Scenes in memory: a stack that answers from arrays, so that no test of this room needs a file."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.data.scene import Scene
from engine.legend import LandClass, Legend
from engine.modality import Modality


class ArrayStack:
    """Stands in for a RasterStack: values (C, H, W) and validity (H, W) by name."""

    def __init__(self, values, valid, stamp="made"):
        self.values, self.valid, self._stamp = values, valid, stamp
        height, width = next(iter(valid.values())).shape
        self.grid = SimpleNamespace(height=height, width=width)
        self.largest_read = 0

    def stamp(self):
        return [self.grid.height, self.grid.width, self._stamp]

    def read(self, window):
        self.largest_read = max(self.largest_read, window.height * window.width)
        rows = np.arange(window.row, window.row + window.height)
        cols = np.arange(window.col, window.col + window.width)
        inside = ((rows >= 0) & (rows < self.grid.height))[:, None] & ((cols >= 0) & (cols < self.grid.width))
        at = np.ix_(np.clip(rows, 0, self.grid.height - 1), np.clip(cols, 0, self.grid.width - 1))
        valid = {name: mask[at] & inside for name, mask in self.valid.items()}
        values = {name: np.where(valid[name], array[:, *at], 0) for name, array in self.values.items()}
        return SimpleNamespace(values=values, valid=valid)


@pytest.fixture
def make_scene():
    def make(label_map, seed=0, valid=None, given_test=None):
        """A scene with modalities a (3 bands) and b (1 band) and labels where `label_map` >= 0 is a class index."""
        label_map = np.asarray(label_map)
        rng = np.random.default_rng(seed)
        values = {
            "a": rng.normal(5, 2, (3, *label_map.shape)).astype(np.float32),
            "b": rng.normal(-100, 30, (1, *label_map.shape)).astype(np.float32),
        }
        if valid is None:
            valid = {name: np.ones(label_map.shape, bool) for name in values}
        rows, cols = np.nonzero(label_map >= 0)
        return Scene(
            name="made",
            stack=ArrayStack(values, valid),
            modalities=(Modality("a", 3), Modality("b", 1)),
            rows=rows,
            cols=cols,
            classes=label_map[rows, cols],
            regions=np.arange(len(rows)),
            given_test=given_test,
        )

    return make


@pytest.fixture
def legend():
    return Legend(tuple(LandClass(value, name, (0, 0, 0)) for value, name in ((1, "wood"), (2, "water"), (5, "roof"))))


@pytest.fixture
def striped(make_scene):
    """120 x 120 pixels, every one labelled, three classes in 5-pixel stripes: every block has every class."""
    rows, cols = np.mgrid[:120, :120]
    return make_scene((rows // 5 + cols // 5) % 3)
