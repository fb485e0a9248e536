"""How much work a map is: tokens, pixels, numbers read, kernel calls. No seconds, so nothing here is flaky."""

import math

import numpy as np
import pytest
import torch

from engine.bundle import LoadedModel
from engine.config import ModelConfig
from engine.mapping import plan
from engine.mapping.map import predict_map
from engine.modality import Modality
from engine.model.build import build_network, resolve_model_config
from tests.mapping.conftest import make_info
from tests.work import counted

HEIGHT, WIDTH, SPLIT = 100, 140, 70
WINDOW, TOKEN, CORE = 16, 4, 8
OFFSET = (WINDOW - CORE + 1) // 2
TOKENS = (WINDOW // TOKEN) ** 2 + 1
BANDS = {"optical": 3, "height": 1}


@pytest.fixture
def layers(make_raster):
    """Optical everywhere, height in the columns left of SPLIT only."""
    rng = np.random.default_rng(0)
    height = rng.standard_normal((1, HEIGHT, WIDTH)).astype(np.float32)
    height[:, :, SPLIT:] = -9999
    return {
        "optical": make_raster("o.tif", rng.standard_normal((3, HEIGHT, WIDTH)).astype(np.float32)),
        "height": make_raster("h.tif", height, nodata=-9999),
    }


def model(**keys):
    torch.manual_seed(0)
    config = resolve_model_config(
        ModelConfig(window=WINDOW, token_px=TOKEN, core=CORE, width=16, depth=2, heads=2, stem_width=8, **keys)
    )
    modalities = tuple(Modality(name, bands, source_count=bands) for name, bands in BANDS.items())
    network = build_network(config, "skip", modalities, 3).eval()
    info = make_info(BANDS, window=WINDOW, core=CORE, modalities=modalities, model=config.model_dump(mode="json"))
    return LoadedModel(info, network)


def windows_with(columns):
    """Windows of the whole scene that see any of the columns from 0 to `columns`."""
    rows, cols = math.ceil(HEIGHT / CORE), math.ceil(WIDTH / CORE)
    return rows * sum(col * CORE - OFFSET < columns for col in range(cols))


def test_a_window_costs_the_tokens_of_the_sensors_it_has(make_job, layers, monkeypatch):
    """Each window once, each sensor where a window has it and nowhere else; each pixel in two readings of two heads."""
    with counted(monkeypatch) as work:
        predict_map(make_job(layers=layers, threads=1, overwrite=True), predictor=model())
    assert work.tokens == TOKENS * (windows_with(WIDTH) + windows_with(SPLIT))
    assert work.pixels == 4 * CORE**2 * windows_with(WIDTH)


@pytest.mark.parametrize("cores", [100, 5])
def test_files_are_read_once_but_for_the_margins_of_blocks(make_job, layers, monkeypatch, cores):
    """In blocks of 5 x 5 cores a block's margin is read again by its neighbours, and nothing else is."""
    monkeypatch.setattr(plan, "_CORES_PER_SIDE", cores)
    with counted(monkeypatch) as work:
        predict_map(make_job(layers=layers, threads=1, overwrite=True), predictor=model())
    side, after = cores * CORE, WINDOW - CORE - OFFSET
    read = [
        sum(min(start + side + after, length) - max(start - OFFSET, 0) for start in range(0, length, side))
        for length in (HEIGHT, WIDTH)
    ]
    once = sum(BANDS.values()) * HEIGHT * WIDTH
    mapped = work.numbers_read - once  # the survey before looks at all pixels of a scene as small as this one
    # At most: the last block of a row ends with the map's last core.
    assert once <= mapped <= sum(BANDS.values()) * read[0] * read[1]
    assert (mapped == once) == (cores == 100)


def test_kernel_calls_do_not_grow_with_experts(make_job, layers, monkeypatch):
    """All experts of a block run as one pair of products, so that more of them are more arithmetic, not more calls."""
    calls = []
    for experts in (2, 12):
        with counted(monkeypatch) as work:
            predict_map(make_job(layers=layers, threads=1, overwrite=True), predictor=model(dynamic_experts=experts))
        calls.append(work.kernels)
    assert calls[0] == calls[1]


def test_kernel_calls_of_a_batch_are_few(make_job, layers, monkeypatch):
    """Small tensors cost as much as their number of kernels: a loop over windows or pixels would show here."""
    loaded = model()
    with counted(monkeypatch) as work:
        predict_map(make_job(layers=layers, threads=1, overwrite=True), predictor=loaded)
    batches, portions = 2, 5  # windows with both sensors and with one; pixels in portions that fit a cache
    assert work.kernels < batches * 220 + portions * 270 + 250
