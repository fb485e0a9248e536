"""Which part of a scene the report shows: the square with most labels, also at the scene's edges."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.raster.windows import Window
from engine.training.extract import _most_labels


def scene_of(height, width, rows, cols):
    grid = SimpleNamespace(height=height, width=width, window=Window(0, 0, height, width))
    return SimpleNamespace(stack=SimpleNamespace(grid=grid), rows=np.array(rows), cols=np.array(cols))


@given(
    seed=st.integers(0, 999), height=st.integers(1, 400), width=st.integers(1, 400),
    side=st.sampled_from([24, 64, 192, 256]), count=st.integers(1, 60),
)  # fmt: skip
def test_no_square_has_more_labels(seed, height, width, side, count):
    """Against counting square by square, at every start that is considered."""
    rng = np.random.default_rng(seed)
    rows, cols = rng.integers(height, size=count), rng.integers(width, size=count)
    found = _most_labels(scene_of(height, width, rows, cols), side)
    step = 32 if side % 32 == 0 else side

    def labels(row, col):
        return int(((rows >= row) & (rows < row + side) & (cols >= col) & (cols < col + side)).sum())

    starts = [(row, col) for row in range(0, height, step) for col in range(0, width, step)]
    assert labels(found.row, found.col) == max(labels(*start) for start in starts)
    assert found.row < height and found.col < width and found.height == found.width == side


@pytest.mark.timeout(20)
def test_a_scene_of_400_million_pixels_is_no_burden():
    """A table of all its pixels would take 3 GB."""
    scene = scene_of(20_160, 20_160, [15_000, 15_001, 3], [20_000, 20_001, 5])
    found = _most_labels(scene, 256)
    assert found.row <= 15_000 < found.row + 256 and found.col <= 20_000 < found.col + 256
