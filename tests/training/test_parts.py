"""The parts of the loop, one by one."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.config import ModelConfig, TrainingConfig, parse_config
from engine.errors import OutputError, ResumeError
from engine.modality import Modality
from engine.model.backbone import VisionTransformer, VitShape
from engine.model.build import build_network
from engine.training.calibrate import calibrate, fit_calibration
from engine.training.checkpoint import Checkpoints
from engine.training.loop import make_optimiser
from engine.training.losses import supervised_loss, teaching_loss
from engine.training.prepare import resolve
from engine.training.run_folder import to_toml
from engine.training.schedule import average_decay, learning_rate, total_steps
from engine.training.teacher import Teacher
from engine.training.validate import Answers, few_cores

CPU = torch.device("cpu")


@given(st.integers(1, 500), st.floats(0, 0.9))
def test_learning_rate_rises_then_falls_to_nearly_nothing(steps, warmup):
    rates = np.array([learning_rate(step, steps, 1.0, warmup) for step in range(steps)])
    top = int(rates.argmax())
    assert rates.max() == pytest.approx(1.0)
    assert (np.diff(rates[: top + 1]) > 0).all() and (np.diff(rates[round(warmup * steps) :]) < 0).all()
    assert rates.min() > 0


def test_epochs_become_steps():
    assert total_steps(TrainingConfig(epochs=3, batch_size=10, accumulate=2), 101) == 16
    assert total_steps(TrainingConfig(steps=7), 101) == 7


def test_what_a_method_adds_learns_at_its_own_rate():
    """Every trained weight once, decayed ones first; adapters with their factor."""
    shape = VitShape(width=24, depth=2, heads=3, mlp_width=48, grid=6)
    config = ModelConfig(window=12, token_px=2, core=6, boxes=(3,), backbone="timm:some")
    network = build_network(config, "skip", (Modality("a", 3), Modality("b", 1)), 4, VisionTransformer(shape))
    names = {id(weight): name for name, weight in network.named_parameters()}
    plain, slow = (make_optimiser(network, TrainingConfig(adapter_learning_rate=factor)) for factor in (1.0, 0.1))
    assert len(plain.param_groups) == 2 and plain.param_groups[0]["weight_decay"] > 0
    factors = {names[id(weight)]: group["factor"] for group in slow.param_groups for weight in group["params"]}
    trained = [name for name, weight in network.named_parameters() if weight.requires_grad]
    assert sorted(factors) == sorted(trained)
    assert sum(len(group["params"]) for group in slow.param_groups) == len(trained)
    assert {name for name, factor in factors.items() if factor == 0.1} == {
        name for name in trained if name.startswith("adapters.")
    }


@pytest.mark.parametrize(
    ("model", "factor"),
    [
        ({}, 1.0), ({"backbone": "timm:some"}, 0.1), ({"backbone": "timm:some", "train_backbone": True}, 1.0),
        ({"backbone": "timm:some", "method": "moe_task"}, 0.1), ({"backbone": "timm:some", "method": "mmp"}, 1.0),
    ],
)  # fmt: skip
def test_experts_in_frozen_blocks_learn_slower(model, factor):
    """Unless it is said otherwise; prompts do not."""
    scene = {"modalities": {"a": "a.tif"}, "labels": {"path": "labels.tif"}}
    job = {"scene": scene, "model": model}
    assert resolve(parse_config(job)).training.adapter_learning_rate == factor
    given = parse_config(job | {"training": {"adapter_learning_rate": 0.5}})
    assert resolve(given).training.adapter_learning_rate == 0.5


def test_average_forgets_the_start_soon():
    assert average_decay(0, 0.99) == 0.1 and average_decay(10_000, 0.99) == 0.99 and average_decay(5, 0.0) == 0.0


def test_classes_of_a_batch_count_the_same():
    logits = torch.tensor([[2.0, 0.0, 0.0]] * 4)
    reference = torch.tensor([0, 0, 0, 1])
    weights = torch.tensor([1.0, 3.0, 0.0])
    right, wrong = (-torch.log_softmax(torch.tensor([2.0, 0.0, 0.0]), 0)[i] for i in (0, 1))
    expected = {
        "sampling": (right + wrong) / 2,
        "none": (3 * right + wrong) / 4,
        "weights": (3 * right + 3 * wrong) / 6,
    }
    for balance, value in expected.items():
        loss = supervised_loss(logits, reference, TrainingConfig(balance=balance, label_smoothing=0), weights)
        assert loss.item() == pytest.approx(value.item())


def test_without_pixels_the_losses_are_zero():
    logits = torch.randn(0, 3, requires_grad=True)
    loss = supervised_loss(logits, torch.zeros(0, dtype=torch.long), TrainingConfig(), torch.ones(3))
    loss.backward()
    assert loss.item() == 0
    assert teaching_loss(logits, logits.softmax(1)).item() == 0


def test_teaching_loss_is_least_where_both_agree():
    logits = torch.randn(8, 3, requires_grad=True)
    teaching_loss(logits, logits.detach().softmax(dim=1)).backward()
    assert logits.grad.abs().max() < 1e-6


def test_teacher_is_the_running_mean_and_takes_no_gradient():
    network = torch.nn.Linear(2, 2)
    teacher = Teacher(network, decay=0.5)
    before = teacher.network.weight.clone()
    with torch.no_grad():
        network.weight.add_(1.0)
    teacher.follow(network, step=100)
    assert torch.allclose(teacher.network.weight, before + 0.5)
    assert not teacher.network.weight.requires_grad and network.weight.requires_grad


def test_checkpoint_round_trip_keeps_one_state(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoint", {"seed": 1})
    assert checkpoints.load(CPU) is None
    for step in (3, 7):
        checkpoints.save(
            step, {"network": {"a.b/c": torch.full((2,), step)}, "best": {"x": torch.tensor(1.5)}}, {"note": "n"}
        )
    tensors, facts = checkpoints.load(CPU)
    assert tensors["network"]["a.b/c"].tolist() == [7, 7] and tensors["best"]["x"] == 1.5
    assert facts["step"] == 7 and facts["note"] == "n"
    assert len(list((tmp_path / "checkpoint").iterdir())) == 2


def test_checkpoint_of_another_job_or_damaged(tmp_path):
    folder = tmp_path / "checkpoint"
    Checkpoints(folder, {"config": {"training": {"seed": 1}}}).save(1, {"network": {"a": torch.zeros(1)}}, {})
    with pytest.raises(ResumeError, match=r"config\.training\.seed = 1, now it is 2"):
        Checkpoints(folder, {"config": {"training": {"seed": 2}}}).load(CPU)
    file = next(folder.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(ResumeError, match="damaged"):
        Checkpoints(folder, {"config": {"training": {"seed": 1}}}).load(CPU)


@pytest.mark.parametrize("damage", ["tensors", "json", "list", "bytes", "job"])
def test_a_damaged_checkpoint_is_no_new_start(tmp_path, damage):
    """Only where no checkpoint was ever written, a run starts at step 0."""
    checkpoints = Checkpoints(tmp_path, {})
    checkpoints.save(1, {"network": {"a": torch.zeros(1)}}, {})
    state = tmp_path / "state.json"
    if damage == "tensors":
        next(tmp_path.glob("*.safetensors")).unlink()
    else:
        text = json.dumps({key: value for key, value in json.loads(state.read_text()).items() if key != "job"})
        state.write_bytes({"json": b"{", "list": b"[]", "bytes": b"\xff\xfe", "job": text.encode()}[damage])
    with pytest.raises(ResumeError, match="damaged"):
        checkpoints.load(CPU)


def test_checkpoint_that_cannot_be_written_leaves_the_former(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, {})
    checkpoints.save(1, {"network": {"a": torch.zeros(1)}}, {})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.training.checkpoint.save_file", full)
    with pytest.raises(OutputError, match="No space left"):
        checkpoints.save(2, {"network": {"a": torch.zeros(1)}}, {})
    assert checkpoints.load(CPU)[1]["step"] == 1


def made_answers(rng, count, shares, sharpness):
    """Logits of a classifier that takes all classes as equally frequent and is too sure of itself."""
    classes = len(shares)
    reference = rng.choice(classes, count, p=shares)
    evidence = rng.normal(0, 1, (count, classes)) + 1.5 * np.eye(classes)[reference]
    return sharpness * 1.5 * evidence, reference


def test_calibration_finds_shares_and_sharpness():
    rng = np.random.default_rng(0)
    shares = np.array([0.8, 0.15, 0.05])
    logits, reference = made_answers(rng, 40_000, shares, sharpness=2.0)
    fitted = fit_calibration(logits, reference)
    assert fitted.temperature == pytest.approx(2.0, rel=0.1)
    expected = 2.0 * np.log(shares)
    assert fitted.bias == pytest.approx(expected - expected.mean(), abs=0.3)


def test_few_pixels_change_little():
    logits, reference = made_answers(np.random.default_rng(0), 5, np.ones(3) / 3, 1.0)
    fitted = fit_calibration(logits, reference)
    assert np.abs(fitted.bias).max() < 0.5 and 0.6 < fitted.temperature < 1.6
    nothing = fit_calibration(np.empty((0, 3)), np.empty(0, int))
    assert nothing.temperature == 1 and not nothing.bias.any()


def test_a_share_of_the_bias_is_applied():
    logits, reference = made_answers(np.random.default_rng(1), 3000, np.array([0.7, 0.2, 0.1]), 2.0)
    whole, none, some = (calibrate(logits, reference, strength) for strength in (1.0, 0.0, 0.25))
    assert not none.bias.any() and some.bias == pytest.approx(whole.bias / 4)
    assert none.temperature > 1.3  # the logits are too sure whatever the bias


def test_only_pixels_with_all_of_a_pattern_count():
    natural = np.array([[True, True], [True, False], [False, True], [False, False]])
    answers = Answers([(True, True), (True, False), (False, True)], np.zeros((3, 4, 2)), natural, np.zeros(4, int))
    assert [answers.counted(i).tolist() for i in range(3)] == [
        [True, False, False, False], [True, True, False, False], [True, False, True, False],
    ]  # fmt: skip


def test_few_cores_keeps_whole_cores():
    rows, cols = map(np.ravel, np.mgrid[:40, :40])
    chosen = few_cores(rows, cols, 8, 3, np.random.default_rng(0))
    assert len(chosen) == 3 * 64
    assert len(few_cores(rows[:0], cols[:0], 8, 3, np.random.default_rng(0))) == 0


def test_configuration_survives_toml(tmp_path):
    import tomllib

    data = {
        "scene": [
            {
                "name": 'a "quoted" näme',
                "modalities": {"hsi 2": {"path": "C:\\data\\a.tif", "bands": [1, 2]}, "lidar": "b.tif"},
                "labels": {"path": "l.gpkg", "field": "class", "ignore": [9]},
            }
        ],
        "training": {"learning_rate": 1e-5},
        "missing": {"patterns": {"hsi 2": 2, "lidar": 1}},
    }
    config = parse_config(data)
    assert parse_config(tomllib.loads(to_toml(config))) == config
    assert json.loads(config.model_dump_json())["training"]["learning_rate"] == 1e-5
