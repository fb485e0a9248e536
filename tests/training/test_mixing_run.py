"""Whole trainings with modality-mix learning: when it acts, at which rate, and that it can be stopped anywhere."""

import csv

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.config import parse_config
from engine.errors import Cancelled, ConfigError
from engine.progress import SilentProgress
from engine.training.run import run_training
from tests.training.small import EARLY


def train(config, out, **options):
    return run_training(config, out, device="cpu", precision="float32", threads=1, **options)


def same_weights(one, other):
    one, other = (load_file(run / "model.safetensors") for run in (one, other))
    return all((one[name] == other[name]).all() for name in one)


def test_one_sensor_alone_cannot_be_mixed(make_job, tmp_path):
    """With a single modality the section changes nothing."""
    job = make_job()
    del job["scene"][0]["modalities"]["b"]
    train(parse_config(job), tmp_path / "off")
    mixing = EARLY | {"kind": "balanced_mixup", "gradient_modulation": 0.5}
    train(parse_config(job | {"mixing": mixing}), tmp_path / "on")
    assert same_weights(tmp_path / "off", tmp_path / "on")


def rates(run):
    """Learning rates of the history."""
    with (run / "history.csv").open() as file:
        return np.array([float(row["learning_rate"]) for row in csv.DictReader(file)])


def test_learning_rate_falls_with_the_first_mixed_samples(make_job, tmp_path):
    """By the factor, in the history and in what the last step does; as usual where there is nothing to mix."""
    chance = {"dropout": 0.0, "head_dropout": 0.0, "token_dropout": 0.0}
    job = make_job(model=chance, training={"noise": 0.0, "average": 0.0, "validate_every": 1, "patience": None})
    last = EARLY | {"start": 5 / 6, "weight": 0.0}
    keys = {"off": {}, "half": {"learning_rate": 0.5}, "quarter": {"learning_rate": 0.25}}
    for name, mixing in keys.items():
        train(parse_config(job | {"mixing": last | mixing if mixing else {}}), tmp_path / name)
    none = EARLY | {"confidence": 0.999, "learning_rate": 0.25}
    train(parse_config(job | {"mixing": none}), tmp_path / "none")
    usual = rates(tmp_path / "off")
    assert len(usual) == 6 and (usual > 0).all()
    assert rates(tmp_path / "half") == pytest.approx(usual * [1, 1, 1, 1, 1, 0.5])
    assert rates(tmp_path / "quarter") == pytest.approx(usual * [1, 1, 1, 1, 1, 0.25])
    assert rates(tmp_path / "none").tolist() == usual.tolist()
    ends = []
    for name in keys:
        state = load_file(next((tmp_path / name / "checkpoint").glob("*.safetensors")))
        ends.append({key: w for key, w in state.items() if key.startswith("network/") and w.is_floating_point()})
    whole, half, quarter = ends  # with a weight of 0, the last step goes the same way
    moved = 0
    for key, end in whole.items():
        one, other = end - half[key], half[key] - quarter[key]
        assert torch.allclose(one, 2 * other, atol=1e-6), key
        moved += bool(one.abs().max() > 1e-5)
    assert moved > 5


def test_mixing_changes_training_from_its_start_on(make_job, tmp_path):
    """It does something; too few well predicted samples leave training as it is."""
    job = make_job()
    keys = {"off": {}, "on": EARLY | {"start": 0.5}, "none": EARLY | {"confidence": 0.999}}
    for name, mixing in keys.items():
        train(parse_config(job | {"mixing": mixing}), tmp_path / name)
    assert not same_weights(tmp_path / "off", tmp_path / "on")
    assert same_weights(tmp_path / "off", tmp_path / "none")


@pytest.mark.parametrize("mixing", [{"pure": True}, {"kind": "balanced_mixup", "gradient_modulation": 0.5}])
def test_cancelled_and_resumed_equals_uninterrupted(make_job, tmp_path, mixing):
    """What was chosen, and what each sensor said, is in the checkpoint."""
    config = parse_config(make_job() | {"mixing": EARLY | {"start": 0.3, "every": 100} | mixing})
    train(config, tmp_path / "whole")
    steps = []

    class Counter(SilentProgress):
        def step(self, stage, done, total, unit=""):
            steps.append((stage, done))

    with pytest.raises(Cancelled):
        train(config, tmp_path / "parts", progress=Counter(), cancelled=lambda: ("training", 4) in steps)
    train(config, tmp_path / "parts", resume=True)
    assert same_weights(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize("kind", ["mixup", "balanced_mixup", "dropout"])
def test_filling_belongs_to_modality_mixing(make_job, kind):
    with pytest.raises(ConfigError, match=f'fill_incomplete needs kind = "modality", got {kind!r}'):
        parse_config(make_job() | {"mixing": {"kind": kind, "fill_incomplete": True}})


def test_unknown_kinds_name_the_known_ones(make_job):
    with pytest.raises(ConfigError, match=r"mixing\.kind: .*'balanced_mixup'.*\(got 'blend'\)"):
        parse_config(make_job() | {"mixing": {"kind": "blend"}})
