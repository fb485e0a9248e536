"""When training ends, which weights it keeps, and what it says it cost: shown with scores that are made up."""

from contextlib import closing

import pytest
import torch

from engine.progress import SilentProgress
from engine.training.assemble import assemble
from engine.training.checkpoint import Checkpoints
from engine.training.loop import fit
from engine.training.prepare import prepare


@pytest.fixture
def fitted(make_config, tmp_path):
    def fitted(scores, patience, **options):
        """A training of as many steps as there are scores, one after each step."""
        training = {"validate_every": 1, "patience": patience, "teaching": 0.0, "batch_size": 2, "pixels_per_step": 8}
        given = iter(scores)
        with closing(prepare(make_config(training=training, **options))) as data:
            ready = assemble(data, tmp_path / "cache", torch.device("cpu"), "float32", SilentProgress())
            return fit(
                ready, lambda network: (next(given), {}), Checkpoints(tmp_path / "checkpoint", {}),
                steps=len(scores), resume=False, progress=SilentProgress(),
            )  # fmt: skip

    return fitted


@pytest.mark.parametrize(
    ("scores", "patience", "steps", "best"),
    [
        ([0.5] * 9, 3, 4, 4),  # a plateau is no improvement; of equals the last is kept
        ([0.5, 0.4, 0.5, 0.4, 0.4, 0.4], 4, 5, 3),
        ([0.1, 0.1, 0.2, 0.2, 0.1, 0.3, 0.3, 0.2, 0.4], 3, 9, 9),
        ([0.1, 0.1, 0.2, 0.2, 0.1, 0.3, 0.3, 0.2, 0.4], 2, 5, 4),
        ([0.5] * 4, None, 4, 4),
    ],
)
def test_patience_ends_what_does_not_improve(fitted, scores, patience, steps, best):
    done = fitted(scores, patience)
    assert (done.steps, done.best_step) == (steps, best)


def test_without_validation_pixels_patience_has_nothing_to_go_by(fitted):
    done = fitted([0.0] * 5, 2, split={"validation_fraction": 0})
    assert (done.steps, done.best_step) == (5, 5)
