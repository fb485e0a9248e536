"""Pixels are asked for with the windows of mapping: shown with a network that answers with what it sees."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.scene import open_scenes
from engine.data.splits import make_splits
from engine.data.statistics import band_statistics
from engine.data.window_cache import build_caches
from engine.errors import Cancelled
from engine.progress import SilentProgress
from engine.training.validate import ask, from_cache, from_scene, join

CPU = torch.device("cpu")


class Echo(torch.nn.Module):
    """Logits are the two bands of the first modality at each core pixel, 0 where it is absent."""

    stems = (0, 0)

    def __init__(self, window, core):
        super().__init__()
        self.window, self.core, self.core_offset = window, core, (window - core + 1) // 2

    def forward(self, values, valid):
        inner = slice(self.core_offset, self.core_offset + self.core)
        return torch.where(valid[:, :1], values[0][:, :2], 0.0)[:, :, inner, inner]


def reader(image, valid):
    def read(rows, cols, side):
        padded = np.pad(image, ((0, 0), (99, 99), (99, 99)))
        masks = np.pad(valid, ((0, 0), (99, 99), (99, 99)))
        cuts = [np.s_[:, r + 99 : r + 99 + side, c + 99 : c + 99 + side] for r, c in zip(rows, cols, strict=True)]
        values = np.stack([padded[cut] for cut in cuts])
        return [values, values[:, :1]], np.stack([masks[cut] for cut in cuts])

    return read


@given(st.integers(1, 5), st.integers(0, 5), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_every_pixel_gets_its_own_answer(core, margin, seed):
    rng = np.random.default_rng(seed)
    image, valid = rng.normal(size=(2, 33, 29)).astype(np.float32), rng.random((2, 33, 29)) < 0.8
    rows, cols = rng.integers(33, size=70), rng.integers(29, size=70)
    patterns = [(True, True), (False, True)]
    answers = ask(
        Echo(core + margin, core), reader(image, valid), rows, cols, np.zeros(70, int), patterns, 2,
        device=CPU, precision="float32",
    )  # fmt: skip
    there = valid[0, rows, cols]
    assert np.allclose(answers.logits[0], np.where(there, image[:, rows, cols], 0).T)
    assert not answers.logits[1].any()
    assert np.array_equal(answers.natural, valid[:, rows, cols].T)
    assert len(join([answers, answers]).reference) == 140


def test_asking_can_be_stopped():
    with pytest.raises(Cancelled):
        ask(
            Echo(4, 2), reader(np.zeros((2, 9, 9), np.float32), np.ones((2, 9, 9), bool)), np.array([1]), np.array([1]),
            np.array([0]), [(True, True)], 2, device=CPU, precision="float32", cancelled=lambda: True,
        )  # fmt: skip


def test_cache_and_rasters_agree(make_config, tmp_path):
    config = make_config()
    scenes, legend = open_scenes(config)
    splits = make_splits(scenes, legend, config.split, 8, 0)
    stats = band_statistics(scenes, splits)
    caches = build_caches(
        tmp_path / "cache", scenes, splits, stats,
        reach_px=8, unlabelled_tiles=0, seed=0, progress=SilentProgress(),
    )  # fmt: skip
    rows, cols = (positions[splits[0].validation] for positions in (scenes[0].rows, scenes[0].cols))
    network = SimpleNamespace(core=4, core_offset=2, window=8)
    starts = (rows // network.core * network.core - 2, cols // network.core * network.core - 2)
    (stored, stored_valid), (read, read_valid) = (
        from_cache(caches[0])(*starts, 8),
        from_scene(scenes[0], stats)(*starts, 8),
    )
    assert np.array_equal(stored_valid, read_valid)
    for one, other in zip(stored, read, strict=True):
        assert np.abs(one - other).max() < 4e-3  # float16
