from contextlib import closing

import numpy as np
import pytest
import torch

from engine.device import choose_device
from engine.errors import Cancelled
from engine.mapping.calibration import Calibration
from engine.mapping.geometry import Tiling
from engine.mapping.infer import BlockModel, default_batch
from engine.mapping.plan import InputBlock
from engine.raster.windows import Window

CPU = choose_device("cpu")
BANDS = {"optical": 3, "height": 1}


@pytest.fixture
def make_block():
    """Factory: random values of both modalities for a tiling; `valid` (M, h, w) of the area's surroundings."""

    def make(tiling, area, valid=None):
        rng = np.random.default_rng(0)
        window = tiling.needed(area)
        shape = (window.height, window.width)
        if valid is None:
            valid = rng.random((2, *shape)) < 0.6
        values = tuple(rng.standard_normal((bands, *shape)).astype(np.float32) for bands in BANDS.values())
        rows, cols = area.relative_to(window).slices
        sensors = (valid[0] * 1 + valid[1] * 2)[rows, cols]
        return InputBlock(area, window, values, valid, sensors)

    return make


def tiling_of(info, overlap=1):
    return Tiling(info.window, info.core, info.core_offset, overlap)


def test_probabilities_sum_to_one_where_wanted_and_else_to_nothing(make_predictor, make_block):
    predictor = make_predictor(BANDS)
    tiling = tiling_of(predictor.info)
    block = make_block(tiling, Window(5, 3, 13, 17))
    block.valid[:, 6:, :] = False
    block.sensors[2:, :] = 0
    result = BlockModel(predictor, tiling, CPU).probabilities(block)
    assert result.shape == (3, 13, 17)
    total = result.sum(axis=0)
    np.testing.assert_allclose(total[block.sensors > 0], 1, rtol=1e-5)


def test_absent_modalities_are_not_handed_over_and_empty_windows_not_at_all(make_predictor, make_block):
    predictor = make_predictor(BANDS, window=8, core=4)
    tiling = tiling_of(predictor.info)
    area = Window(0, 0, 4, 16)  # four cores side by side
    valid = np.zeros((2, 8, 20), bool)
    valid[0, :, 2:3] = True  # in the core of the first window, beyond the reach of the third
    valid[1, 4, 18:] = True  # in the margin of the fourth window only
    block = make_block(tiling, area, valid)
    BlockModel(predictor, tiling, CPU).probabilities(block)
    assert predictor.network.calls == [(1, (True, False))]


def test_windows_of_one_pattern_share_batches(make_predictor, make_block):
    predictor = make_predictor(BANDS, window=8, core=4)
    tiling = tiling_of(predictor.info)
    valid = np.zeros((2, 24, 24), bool)
    valid[0] = True
    valid[1, :, :3] = True  # the first column of windows
    BlockModel(predictor, tiling, CPU, batch=10).probabilities(make_block(tiling, Window(0, 0, 20, 20), valid))
    assert sorted(predictor.network.calls) == [
        (5, (True, True)),
        (10, (True, False)),
        (10, (True, False)),
    ]


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batch_size_does_not_matter(make_predictor, make_block, batch):
    predictor = make_predictor(BANDS)
    tiling = tiling_of(predictor.info, overlap=2)
    block = make_block(tiling, Window(2, 2, 15, 11))
    expected = BlockModel(predictor, tiling, CPU, batch=64).probabilities(block)
    np.testing.assert_allclose(
        BlockModel(predictor, tiling, CPU, batch=batch).probabilities(block), expected, atol=1e-6
    )


def test_batches_shrink_when_memory_runs_out(make_predictor, make_block):
    predictor = make_predictor(BANDS)
    tiling = tiling_of(predictor.info)
    block = make_block(tiling, Window(0, 0, 40, 40))
    expected = BlockModel(predictor, tiling, CPU).probabilities(block)
    predictor.network.largest_batch = 5
    model = BlockModel(predictor, tiling, CPU, batch=64)
    np.testing.assert_allclose(model.probabilities(block), expected, atol=1e-6)
    assert 1 <= model.batch <= 5


@pytest.mark.parametrize("workers", [2, 5])
def test_batches_side_by_side_change_nothing(make_predictor, make_block, workers):
    """Nor does memory that runs out in some of them; torch has its threads again afterwards."""
    predictor = make_predictor(BANDS)
    tiling = tiling_of(predictor.info)
    block = make_block(tiling, Window(3, 2, 40, 33))
    expected = BlockModel(predictor, tiling, CPU).probabilities(block)
    threads = torch.get_num_threads()
    with closing(BlockModel(predictor, tiling, CPU, batch=20 * workers, workers=workers)) as model:
        assert model.batch == 20
        np.testing.assert_allclose(model.probabilities(block), expected, atol=1e-6)
        predictor.network.largest_batch = 3
        np.testing.assert_allclose(model.probabilities(block), expected, atol=1e-6)
        assert model.batch <= 3
    assert torch.get_num_threads() == threads


def test_cancelling_stops_all_workers(make_predictor, make_block):
    predictor = make_predictor(BANDS)
    tiling = tiling_of(predictor.info)

    def stop():
        return len(predictor.network.calls) >= 8

    with closing(BlockModel(predictor, tiling, CPU, batch=4, cancelled=stop, workers=4)) as model:
        with pytest.raises(Cancelled):
            model.probabilities(make_block(tiling, Window(0, 0, 80, 80)))
    assert len(predictor.network.calls) <= 12  # of 100: those that had begun


def test_cancelling_stops_between_batches(make_predictor, make_block):
    predictor = make_predictor(BANDS)
    tiling = tiling_of(predictor.info)
    model = BlockModel(predictor, tiling, CPU, batch=1, cancelled=lambda: len(predictor.network.calls) >= 3)
    with pytest.raises(Cancelled):
        model.probabilities(make_block(tiling, Window(0, 0, 40, 40)))
    assert len(predictor.network.calls) == 3


def test_each_pixel_has_its_own_pattern_s_calibration(make_predictor):
    info = make_predictor(BANDS).info
    del info.patterns["height"]
    logits = torch.tensor([1.0, 2.0, 0.5]).reshape(1, 3, 1, 1).expand(1, 3, 2, 2)
    result = Calibration(info, CPU)(logits, torch.tensor([[[1, 2], [3, 0]]]))
    bias = torch.tensor([0.0, 0.1, 0.2])
    score = torch.tensor([1.0, 2.0, 0.5])
    torch.testing.assert_close(result[0, :, 0, 0], ((score + bias) / 1.5).softmax(0))
    torch.testing.assert_close(result[0, :, 0, 1], score.softmax(0))
    torch.testing.assert_close(result[0, :, 1, 0], ((score + 2 * bias) / 2.0).softmax(0))
    torch.testing.assert_close(result[0, :, 1, 1], score.softmax(0))


def test_default_batch_is_a_number_of_tokens(make_predictor):
    info = make_predictor(BANDS, window=14).info
    assert default_batch(info, CPU) == 8192 // (2 * 197)
