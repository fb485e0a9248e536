"""The bank of pixels that speak for themselves."""

import numpy as np
import pytest
import torch

from engine.config import parse_config
from engine.data.batches import Batches
from engine.data.statistics import band_statistics
from engine.data.window_cache import CLOSED, build_caches
from engine.model.build import build_network
from engine.progress import SilentProgress
from engine.training import pixel_bank
from engine.training.pixel_bank import PixelBank
from engine.training.prepare import prepare


@pytest.fixture
def make_bank(make_job, tmp_path):
    opened = []

    def make(**keys):
        data = prepare(parse_config(make_job(**keys)))
        opened.append(data)
        config = data.config
        network = build_network(config.model, "skip", data.modalities, len(data.legend))
        caches = build_caches(
            tmp_path / "cache", data.scenes, data.splits, band_statistics(data.scenes, data.splits),
            reach_px=network.window, unlabelled_tiles=10, seed=0, progress=SilentProgress(),
        )  # fmt: skip
        batches = Batches(
            data.scenes, data.splits, caches, training=config.training, missing=config.missing,
            window=network.window, core=network.core, core_offset=network.core_offset,
        )  # fmt: skip
        return PixelBank(network, batches, torch.device("cpu"))

    yield make
    for data in opened:
        data.close()


def test_numbers_are_those_of_the_pixel_in_every_view(make_bank):
    """A pixel's own bands lead its numbers; they and its class are the cache's, wherever in the window it was seen."""
    bank = make_bank(model={"boxes": [7]})
    count, batches = len(bank.labelled), bank.batches
    windows = batches.caches[0].read(batches.rows[bank.labelled], batches.cols[bank.labelled], 1)
    assert bank.views > 1
    for view in range(bank.views):
        rows = slice(view * count, (view + 1) * count)
        assert np.allclose(bank.numbers[0][rows, :3], windows.values[0][:, :, 0, 0], atol=1e-6)
        assert (bank.present[rows] == windows.valid[:, :, 0, 0]).all()
        assert (bank.classes[rows] == windows.classes[:, 0, 0]).all()
    assert not torch.equal(bank.numbers[0][:count], bank.numbers[0][count : 2 * count])  # boxes end with the window
    assert bank.unlabelled and (bank.classes[count * bank.views :] == -1).all()


def test_gaps_are_those_of_the_configuration(make_bank):
    """A pixel has the row that a fixed table gave it, in every view and step; chosen patterns alone are drawn."""
    bank = make_bank(missing={"protocol": "paper", "rate": 0.6, "cut_rate": 0}, hole=False)
    drawn = [bank.draw(step, 400) for step in range(2)]
    shares = [float((~pixels.kept.all(dim=1)).double().mean()) for pixels in drawn]
    assert shares == pytest.approx([0.6, 0.6], abs=0.1)
    table = {tuple(row) for row in np.unique(bank.batches.table, axis=0).tolist()}
    assert table == {(True, True), (True, False), (False, True)}
    seen = {}
    for numbers, kept in zip(torch.cat([p.numbers[0] for p in drawn]), torch.cat([p.kept for p in drawn]), strict=True):
        assert seen.setdefault(numbers.numpy().tobytes(), kept.tolist()) == kept.tolist()


def test_only_chosen_patterns_are_drawn(make_bank):
    kept = make_bank(missing={"patterns": ["b"], "rate": 0.5}, hole=False).draw(0, 400).kept
    assert {tuple(row) for row in kept.tolist()} == {(True, True), (False, True)}


def test_unlabelled_pixels_are_of_the_training_side(make_bank, monkeypatch):
    """No pixel that is held for validation or test, or lies in the buffer, is learnt from."""
    asked = []
    around = Batches.around
    monkeypatch.setattr(Batches, "around", lambda *a: asked.append(a[2:]) or around(*a))
    batches = make_bank().batches
    _, rows, cols = np.concatenate([np.stack(part) for part in asked], axis=1)
    windows = [batches.caches[0].read(rows[i : i + 500], cols[i : i + 500], 1) for i in range(0, len(rows), 500)]
    assert all((window.classes != CLOSED).all() for window in windows)


def test_a_draw_follows_from_the_step_alone(make_bank):
    """Same step, same pixels and patterns; every labelled pixel comes once before any comes twice."""
    bank = make_bank()
    count = len(bank.labelled)
    first, again, other = bank.draw(0, count), bank.draw(0, count), bank.draw(1, count)
    for one, two in zip([*first.numbers, first.kept], [*again.numbers, again.kept], strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(first.kept, other.kept)
    bands = first.numbers[0][:, :3]
    assert len(torch.unique(bands, dim=0)) == len(torch.unique(bank.numbers[0][:count, :3], dim=0))


def test_pixels_get_patterns_of_their_own(make_bank):
    """What is kept is really there and never nothing; both incomplete patterns are drawn, at the missing rate."""
    bank = make_bank(missing={"rate": 0.5})
    for pixels in (bank.draw(0, 4000), bank.draw_unlabelled(0, 4000)):
        assert (pixels.kept <= pixels.present).all()
        assert pixels.kept[pixels.present.any(dim=1)].any(dim=1).all()
        both = pixels.present.all(dim=1)
        assert pixels.kept[both].all(dim=1).float().mean() == pytest.approx(0.5, abs=0.05)
        for alone in ([True, False], [False, True]):
            share = (pixels.kept[both] == torch.tensor(alone)).all(dim=1).float().mean()
            assert share == pytest.approx(0.25, abs=0.05)


def test_many_labels_are_thinned(make_bank, monkeypatch):
    """Wall-to-wall labels do not fill the memory."""
    monkeypatch.setattr(pixel_bank, "_LABELLED", 50)
    bank = make_bank()
    assert (len(bank.labelled), bank.views) == (50, 1)
    assert len(bank.draw(0, 120).classes) == 120
