"""All that makes a map fast, together: what comes out is what the equations say, window by window and in float32."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
import torch

from engine.device import choose_device, set_threads
from engine.mapping.calibration import Calibration
from engine.mapping.geometry import Tiling
from engine.mapping.infer import BlockModel
from engine.mapping.plan import InputBlock
from engine.model import backbone
from engine.model.mamol import MaMOLAdapter
from engine.model.tokens import Stem
from engine.raster.windows import Window
from tests.mapping.test_work import BANDS, model
from tests.model.reference import adapter_delta

CPU = choose_device("cpu")
RANK = 8


def by_the_equations(adapter, z_NTD, present_NTM, update_NTD):
    """Expert by expert and token by token, in float64."""
    delta_NTD = adapter_delta(adapter, z_NTD.double().numpy(), present_NTM.numpy(), RANK)
    return update_NTD + torch.from_numpy(delta_NTD).float()


def attention(query, key, value):
    """softmax(q k / sqrt(d)) v."""
    score = (query.double() @ key.double().transpose(-1, -2)) / query.shape[-1] ** 0.5
    return (score.softmax(dim=-1) @ value.double()).float()


@pytest.mark.parametrize("linear_stems", [False, True])
def test_the_fast_path_equals_the_equations(monkeypatch, linear_stems):
    """Windows in groups by their sensors, in portions, two batches side by side, experts and stems fused: to 1e-5."""
    loaded = model()
    network = loaded.network
    with torch.no_grad():
        for adapter in network.adapters:
            torch.nn.init.normal_(adapter.bank.up.weight, std=0.2)  # a new adapter adds nothing
        for stem in network.stems:
            stem.activate = not linear_stems
    info = loaded.info
    tiling = Tiling(info.window, info.core, info.core_offset)
    area = Window(0, 0, 2 * info.core, 3 * info.core)
    around = tiling.needed(area)
    rng = np.random.default_rng(0)
    valid = rng.random((2, around.height, around.width)) < 0.8
    valid[1, :, 15:] = False  # one sensor ends: some windows have only the other
    values = tuple(rng.standard_normal((b, around.height, around.width)).astype(np.float32) for b in BANDS.values())
    sensors = (valid[0] + 2 * valid[1])[area.relative_to(around).slices]
    threads = set_threads(None)
    try:
        set_threads(2)
        with closing(BlockModel(loaded, tiling, CPU, "float32", batch=4, workers=2)) as fast:
            found = fast.probabilities(InputBlock(area, around, values, valid, sensors))
    finally:
        set_threads(threads)

    monkeypatch.setattr(MaMOLAdapter, "forward", by_the_equations)
    monkeypatch.setattr(backbone, "attend", attention)
    monkeypatch.setattr(Stem, "_is_cheaper_as_one", False)
    calibration = Calibration(info, CPU)
    for row in range(0, area.height, info.core):
        for col in range(0, area.width, info.core):
            cut = np.s_[:, row : row + info.window, col : col + info.window]
            inner = np.s_[row : row + info.core, col : col + info.core]
            with torch.no_grad():
                logits = network([torch.from_numpy(v[cut][None]) for v in values], torch.from_numpy(valid[cut][None]))
            expected = calibration(logits, torch.from_numpy(sensors[inner][None].astype(np.int64)))[0].numpy()
            mapped = sensors[inner] > 0
            assert np.abs(found[:, *inner] - expected)[:, mapped].max() < 1e-5
