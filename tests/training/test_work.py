"""How much work a training step is: no token and no pixel that nothing is learnt from."""

from contextlib import closing

import numpy as np
import torch

from engine.config import parse_config
from engine.data.statistics import band_statistics
from engine.data.window_cache import CLOSED, SceneCache, build_caches
from engine.progress import SilentProgress
from engine.training.assemble import assemble
from engine.training.prepare import prepare
from engine.training.record import natural_patterns
from engine.training.teacher import Teacher
from tests.training.conftest import SIDE, TINY_MODEL
from tests.work import counted

TOKENS = (TINY_MODEL["window"] // TINY_MODEL["token_px"]) ** 2 + 1
HEADS = 2  # one for each fusion


def test_patterns_are_found_without_reading_values(make_job, tmp_path, monkeypatch):
    """Only what is valid is asked for, of all pixels at once; the sensor with a hole is found missing."""
    monkeypatch.delattr(SceneCache, "read")
    with closing(prepare(parse_config(make_job()))) as data:
        stats = band_statistics(data.scenes, data.splits)
        caches = build_caches(
            tmp_path, data.scenes, data.splits, stats,
            reach_px=8, unlabelled_tiles=0, seed=0, progress=SilentProgress(),
        )  # fmt: skip
        assert natural_patterns(data, caches) == {(True, True), (True, False)}


def test_an_untaught_step_costs_its_labels_and_their_sensors(make_job, tmp_path, monkeypatch):
    """Tokens: of windows drawn for labels, where a sensor is kept. Pixels: the labelled ones, and those of the bank."""
    config = parse_config(make_job(training={"pixels_per_step": 64}))
    with closing(prepare(config)) as data:
        ready = assemble(data, tmp_path, torch.device("cpu"), "float32", SilentProgress())
        loss_of = ready.loss(Teacher(ready.network, 0.99))
        ready.network.train()
        for step in range(3):
            batch = ready.batches.draw(step)
            core = slice(ready.network.core_offset, ready.network.core_offset + ready.network.core)
            labelled = (batch.classes >= 0) & batch.kept[:, :, core, core].any(axis=1)
            assert labelled.any(axis=(1, 2)).all()  # a window without a label is never encoded
            with counted(monkeypatch) as work:
                loss_of(step, False).backward()
            assert work.tokens == TOKENS * int(batch.kept.any(axis=(2, 3)).sum())
            assert work.pixels == HEADS * (int(labelled.sum()) + 64)


def test_a_lesson_costs_one_more_look(make_job, tmp_path, monkeypatch):
    """Taught, the averaged network encodes the same windows with every sensor that is there; none is outside."""
    config = parse_config(make_job(training={"pixels_per_step": 64}))
    with closing(prepare(config)) as data:
        ready = assemble(data, tmp_path, torch.device("cpu"), "float32", SilentProgress())
        loss_of = ready.loss(Teacher(ready.network, 0.99))
        batch = ready.batches.draw(0, config.training.unlabelled)
        assert ((batch.classes != CLOSED).any(axis=(1, 2))).all()
        with counted(monkeypatch) as work:
            loss_of(0, True).backward()
        looks = [int(np.any(side, axis=(2, 3)).sum()) for side in (batch.kept, batch.valid)]
        assert work.tokens == TOKENS * sum(looks)


def test_a_step_reads_no_file_and_calls_no_more_kernels_for_more_experts(make_job, tmp_path, monkeypatch):
    """Rasters are read before the first step; experts are columns of the same products, in backward, too."""
    calls = []
    for experts in (2, 12):
        config = parse_config(
            make_job(training={"pixels_per_step": 64}, model=TINY_MODEL | {"dynamic_experts": experts})
        )
        with closing(prepare(config)) as data:
            with counted(monkeypatch) as before:
                ready = assemble(data, tmp_path / str(experts), torch.device("cpu"), "float32", SilentProgress())
            loss_of = ready.loss(Teacher(ready.network, 0.99))
            ready.network.train()
            with counted(monkeypatch) as work:
                loss_of(0, True).backward()
        assert before.numbers_read == 2 * 4 * SIDE**2  # all four bands, for their statistics and for the windows
        assert work.numbers_read == 0
        calls.append(work.kernels)
    assert calls[0] == calls[1] < 2500
