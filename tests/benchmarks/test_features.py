import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.benchmarks.features import pixel_features, with_context
from engine.modality import Modality
from engine.raster.grid import Affine, Grid


class ArrayScene:
    """A scene held in memory, with the two things that features need."""

    def __init__(self, values, valid):
        self.values, self.valid = values, valid
        self.modalities = tuple(Modality(f"m{i}", len(v)) for i, v in enumerate(values))
        self.stack = types.SimpleNamespace(grid=Grid(*valid.shape[1:], Affine.identity()))

    def read(self, window):
        def cut(array):
            out = np.zeros((len(array), window.height, window.width), array.dtype)
            for r in range(window.height):
                for c in range(window.width):
                    row, col = r + window.row, c + window.col
                    if 0 <= row < array.shape[1] and 0 <= col < array.shape[2]:
                        out[:, r, c] = array[:, row, col]
            return out

        return [cut(v) for v in self.values], cut(self.valid)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), context=st.sampled_from([3, 5, 13]), offset=st.sampled_from([0.0, 1e4]))
def test_context_equals_the_definition(seed, context, offset):
    rng = np.random.default_rng(seed)
    values = (rng.standard_normal((2, 9, 11)) + offset).astype(np.float32)
    valid = rng.random((9, 11)) < 0.6
    got = with_context(values, valid, context)
    half = context // 2
    for row in range(9):
        for col in range(11):
            near = np.s_[max(row - half, 0) : row + half + 1, max(col - half, 0) : col + half + 1]
            inside = values[:, *near][:, valid[near]]
            mean, std = (inside.mean(1), inside.std(1)) if inside.size else (np.zeros(2), np.zeros(2))
            assert got[2:4, row, col] == pytest.approx(mean, rel=1e-5, abs=1e-4)
            assert got[4:6, row, col] == pytest.approx(std, rel=1e-3, abs=1e-3)


def test_features_are_of_the_right_pixels_across_blocks(monkeypatch):
    monkeypatch.setattr("engine.benchmarks.features._BLOCK_PX", 4)
    rng = np.random.default_rng(0)
    values = [rng.random((2, 10, 7), np.float32), rng.random((1, 10, 7), np.float32)]
    valid = rng.random((2, 10, 7)) < 0.7
    rows, cols = (a.ravel() for a in np.indices((10, 7)))
    features, present = pixel_features(ArrayScene(values, valid), rows, cols, 3)
    assert (present == valid.reshape(2, -1).T).all()
    for number in range(2):
        expected = with_context(values[number], valid[number], 3) * valid[number]
        np.testing.assert_allclose(features[number], expected.reshape(len(expected), -1).T, atol=1e-5)
    assert [f.shape[1] for f in pixel_features(ArrayScene(values, valid), rows, cols, 1)[0]] == [2, 1]
