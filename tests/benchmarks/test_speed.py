"""The speed suite on a tiny scene: every figure is there and hangs together; what is timed is what is meant."""

import json
import time

import pytest
import rasterio
import torch

from engine.benchmarks.speed import blocks, mapping, peers, suite
from engine.benchmarks.speed.peak import matmul_peak
from engine.benchmarks.speed.scene import BANDS, write_timing_scene
from engine.benchmarks.speed.stages import StageClock, counted_flops
from engine.config import ModelConfig
from engine.modality import Modality
from engine.model.backbone import VitShape
from engine.model.build import build_network
from engine.progress import SilentProgress

CPU = torch.device("cpu")
TINY = VitShape(width=16, depth=2, heads=2, mlp_width=32, grid=8)


@pytest.fixture
def small(monkeypatch):
    """Everything short and small."""
    monkeypatch.setattr(suite, "_SIDE_PX", 128)
    monkeypatch.setattr(suite, "_SIDE_PX_LARGE", 40)
    monkeypatch.setattr(suite, "_ROUNDS", 1)
    monkeypatch.setattr(suite, "_PIXELS_OF_PEERS", 8)
    monkeypatch.setattr(suite, "_PIXELS_LARGE", 2)
    monkeypatch.setattr(suite, "VIT_B", TINY)
    monkeypatch.setattr(suite, "VIT_S", TINY)
    monkeypatch.setattr("engine.benchmarks.speed.peak._SHAPES", ((64, 64, 64),))
    monkeypatch.setattr("engine.benchmarks.speed.peak._SECONDS", 0.01)
    monkeypatch.setattr("engine.training.pixel_bank._UNLABELLED", 100)
    monkeypatch.setattr("engine.training.pixel_bank._VIEWS", 1)
    monkeypatch.setattr("engine.benchmarks.speed.peers._FOREST_PIXELS", 500)


def test_the_whole_suite(run_command, tmp_path, small):
    code, _, err = run_command("benchmark", "speed", "--out", tmp_path, "--threads", "1", "--device", "cpu")
    assert code == 0, err
    facts = json.loads((tmp_path / "speed.json").read_text())
    mapped = facts["mapping"]
    assert mapped["pixels"] == 128 * 128
    assert set(mapped["shares"]) == {"tokens", "blocks", "experts", "pixels", "head", "other"}
    assert sum(mapped["shares"].values()) == pytest.approx(1)
    assert 0 <= mapped["waiting"] < 1
    assert facts["training"]["steps"] == [180, 270]
    assert facts["training"]["taught"]["flops"] > facts["training"]["untaught"]["flops"] > 1e6
    frozen = facts["frozen"]
    for kind, looks in (("untaught", False), ("taught", True)):
        step = frozen[kind]
        assert 16 <= step["encoded"] <= 3 * 16 and (step["looked"] >= step["encoded"]) == looks
        assert 0 < step["bare"] < step["seconds"]
    assert set(facts["peers"]) == {"plain loop", "window per pixel", "forest 1x1", "forest 13x13"}
    page = (tmp_path / "speed.md").read_text()
    assert "window per pixel" in page and "GFLOP" in page
    assert (tmp_path / "speed.png").stat().st_size > 5000


def test_peers_give_the_same_answers(tmp_path, small, monkeypatch):
    """The plain loop maps what our mapping maps, so the comparison is of speed alone."""
    monkeypatch.setattr(suite, "_SIDE_PX", 100)
    timed = suite.SpeedSuite(tmp_path, "cpu", "float32", 1, SilentProgress(), lambda: False)
    loaded = timed._loaded
    for facts in loaded.info.patterns.values():  # the plain loop knows nothing of calibration
        facts |= {"bias": None, "temperature": None}
    peers.plain_loop(loaded, timed.scene.layers, tmp_path / "plain.tif", CPU, "float32")
    mapping.measure_mapping(
        loaded, timed._model_path, timed.scene.layers, tmp_path / "map.tif", "float32", "cpu", 1
    )  # fmt: skip
    with rasterio.open(tmp_path / "plain.tif") as plain, rasterio.open(tmp_path / "map.tif") as ours:
        assert (plain.read(1) == ours.read(1)).mean() > 0.999


def test_operations_are_counted():
    """A product of (a, b) and (b, c) costs 2 a b c, its backward twice that."""
    one, other = torch.randn(3, 5, requires_grad=True), torch.randn(5, 7, requires_grad=True)
    assert counted_flops(lambda: one @ other) == 2 * 3 * 5 * 7
    assert counted_flops(lambda: (one @ other).sum().backward()) == 3 * 2 * 3 * 5 * 7


def test_stages_add_up_and_leave_no_trace():
    network = build_network(ModelConfig(width=24, depth=1), "skip", (Modality("sar", 2),), 3).eval()
    values, valid = [torch.randn(2, 2, 32, 32)], torch.ones(2, 1, 32, 32, dtype=torch.bool)
    hooks = sum(len(module._forward_hooks) for module in network.modules())
    with torch.inference_mode(), StageClock(network, CPU) as clock:
        network(values, valid)
        once = dict(clock.seconds)
        network(values, valid)
    assert all(clock.seconds[stage] > seconds > 0 for stage, seconds in once.items())
    assert sum(len(module._forward_hooks) for module in network.modules()) == hooks
    assert "numbers" not in vars(network.pixels)


def test_a_scene_has_the_shape_asked_for(tmp_path):
    """Three sensors on one grid, labels everywhere; the extent is that of the upper left corner's pixels."""
    scene = write_timing_scene(tmp_path, 40)
    with rasterio.open(scene.labels) as labels:
        grid = (labels.height, labels.width, labels.transform, labels.crs)
        assert grid[:2] == (40, 40) and (labels.read(1) > 0).all()
        left, bottom, right, top = labels.bounds
    for name, path in scene.layers.items():
        with rasterio.open(path) as layer:
            assert (layer.height, layer.width, layer.transform, layer.crs) == grid and layer.count == BANDS[name]
    assert scene.extent(40) == (left, bottom, right, top)
    assert scene.extent(10) == (left, top - 100, left + 100, top)


def test_works_take_turns():
    """So that a busy moment of the machine hits all of them; the first turn only warms up."""
    calls = []
    seconds = blocks.in_turns({"quick": lambda: calls.append(0), "slow": lambda: time.sleep(0.02)}, CPU, 3)
    assert len(calls) == 4 and seconds["slow"] > 0.02 > seconds["quick"]
    order = []
    blocks.in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, CPU, 2)
    assert order == ["a", "b"] * 3


def test_rates_count_tokens_and_products(monkeypatch):
    """Twice the windows in the same time is twice the rate; a product of 64 x 64 x 64 is 2 x 64 ** 3 operations."""
    monkeypatch.setattr(blocks, "in_turns", lambda works, device, rounds: dict.fromkeys(works, 0.5))
    assert blocks.backbone_rate(TINY, 4, CPU, "float32", 1) == 4 * 65 / 0.5
    monkeypatch.setattr("engine.benchmarks.speed.peak._SHAPES", ((64, 64, 64),))
    monkeypatch.setattr("engine.benchmarks.speed.peak._rate", lambda *_: 1000.0)
    assert matmul_peak(CPU, torch.float32) == pytest.approx(1000 * 2 * 64**3 / 1e9)
