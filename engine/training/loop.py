"""The training story: one loop on one device, or in several processes on a share of each batch (`distributed.py`).

A step's windows, gaps, dropout and noise follow from the seed and the step's number alone. So a run that was stopped
anywhere and resumed from its last checkpoint ends with the same weights, bit for bit on a CPU with the same threads.
How many processes share the work changes rounding, and which dropout and noise there is; nothing else.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from engine.config import TrainingConfig
from engine.errors import Cancelled, ConfigError, NodataError
from engine.memory import is_out_of_memory
from engine.model.network import ADDED, MaMOLNetwork
from engine.progress import Progress
from engine.training.assemble import Assembled
from engine.training.checkpoint import Checkpoints, Tensors
from engine.training.mixing import Mixer
from engine.training.schedule import learning_rate
from engine.training.teacher import Teacher

# One validation: its score (higher is better), and numbers for the history by column name.
Validate = Callable[[MaMOLNetwork], tuple[float, dict[str, float]]]


@dataclass
class Fitted:
    """What training ends with.

    Attributes:
        network: the averaged network with its best weights.
        history: one row for each validation.
        steps: steps done.
        seconds: time spent on them, over all sittings.
        best_step: the step after which validation was best.
        earlier_seconds: of the whole job in the sittings before this one, up to the checkpoint from which it went on.
    """

    network: MaMOLNetwork
    history: list[dict[str, float]]
    steps: int
    seconds: float
    best_step: int
    earlier_seconds: float = 0.0


@dataclass
class _Progress:
    """Where the loop is; all of it is in a checkpoint."""

    step: int = 0
    seconds: float = 0.0
    job_seconds: float = 0.0  # of all that the job did until this checkpoint, over all sittings
    best_score: float = -1.0
    best_step: int = 0
    losses: float = 0.0  # sum since the last validation
    rate: float = 0.0  # learning rate of the last step
    history: list[dict[str, float]] = field(default_factory=list)


def fit(
    ready: Assembled,
    validate: Validate,
    checkpoints: Checkpoints,
    *,
    steps: int,
    resume: bool,
    progress: Progress,
    cancelled: Callable[[], bool] = lambda: False,
    started: float | None = None,
) -> Fitted:
    """Train the network, from its last checkpoint if `resume`.

    Args:
        ready: the network, trained in place, and what it learns from.
        validate: scores a network; the best averaged weights are kept.
        checkpoints: where state goes.
        steps: optimiser steps to do in all.
        resume: start from the checkpoint where there is one.
        progress: told of every step.
        cancelled: asked before every step.
        started: when this sitting of the job began, by the monotonic clock; default: now.

    Raises:
        Cancelled: `cancelled()` said so; the checkpoint is up to date.
        ConfigError: the device has too little memory for a batch.
    """
    started = time.monotonic() if started is None else started
    network, config, device, team = ready.network, ready.data.config.training, ready.device, ready.team
    optimiser = make_optimiser(network, config)
    teacher = Teacher(network, config.average)
    mixer = ready.mixer(teacher, steps)
    loss_of = ready.loss(teacher, mixer)
    best = _weights(teacher.network)
    at = _Progress()
    with team.together():
        stored = checkpoints.load(device) if resume else None
    if stored is not None:
        at, best = _restore(stored, network, teacher, optimiser, mixer)
        progress.log(f"resuming after step {at.step}")
    earlier = at.job_seconds
    judged = any(len(split.validation) for split in ready.data.splits)
    patience = config.patience if judged else None  # without validation pixels all scores are equal
    teaching_from = round(config.teaching_start * steps) if config.teaching > 0 else steps
    sitting, saved = time.monotonic() - at.seconds, time.monotonic()

    def write() -> None:
        at.job_seconds = earlier + time.monotonic() - started
        checkpoints.save(*_state(at, network, teacher, optimiser, mixer, best))

    def save() -> None:
        with team.together():  # torchrun stops the one that still writes, where another has ended
            if team.first:
                write()

    try:
        while True:
            if _validation_is_due(at, config, steps):
                score, numbers = validate(teacher.network)
                since = at.step - (int(at.history[-1]["step"]) if at.history else 0)
                at.history.append(
                    {"step": at.step, "seconds": at.seconds, "learning_rate": at.rate}
                    | {"loss": at.losses / since, "score": score}
                    | numbers
                )
                at.losses = 0.0
                if score >= at.best_score:  # of equals the last is kept: without validation pixels all are
                    at.best_score, at.best_step, best = score, at.step, _weights(teacher.network)
                progress.log(f"step {at.step}: loss {at.history[-1]['loss']:.3f}, validation score {score:.3f}")
            if at.step == steps or _patience_is_over(at, patience):
                break
            if team.any(cancelled()):
                raise Cancelled(f"stopped after step {at.step} of {steps}; --resume goes on from there")

            team.seed(config.seed * 1_000_003 + at.step)  # dropout and noise depend on nothing else
            network.train()
            rate = learning_rate(at.step, steps, config.learning_rate, config.warmup)
            if mixer is not None:
                if chosen := mixer.prepare(at.step):
                    progress.log(chosen)
                rate *= mixer.config.learning_rate if mixer.active else 1.0
            for group in optimiser.param_groups:
                group["lr"] = rate * group["factor"]
            at.rate = rate
            for part in range(config.accumulate):
                number = at.step * config.accumulate + part
                with _room_for(config, device):
                    loss: Tensor = loss_of(number, taught=at.step >= teaching_from) / config.accumulate
                    loss.backward()  # type: ignore[no-untyped-call]
                at.losses += team.sum(loss).item()
            if not math.isfinite(at.losses):
                raise NodataError(
                    f"training: the loss is no number after step {at.step}; a layer may hold values that are meant as "
                    "nodata, or training.learning_rate is too high"
                )
            team.sum_gradients(network.parameters())
            nn.utils.clip_grad_norm_(network.parameters(), config.clip)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            teacher.follow(network, at.step)
            at.step += 1
            at.seconds = time.monotonic() - sitting
            progress.step("training", at.step, steps, "steps")
            if team.first and time.monotonic() - saved >= config.checkpoint_seconds:
                write()
                saved = time.monotonic()
    except Cancelled:  # before a step, or during a validation, which is then due again
        save()
        raise

    save()
    teacher.network.load_state_dict(best, strict=False)
    return Fitted(teacher.network, at.history, at.step, at.seconds, at.best_step, earlier)


def make_optimiser(network: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW. Weights of products decay; biases, norms, tokens and positions have no scale to keep small.

    What a method adds to the backbone has a learning rate of its own: several experts act on a token at once, and each
    step of Adam moves every one of them as far as it moves the one matrix elsewhere.
    """
    products = (nn.Linear, nn.Conv2d)
    decayed = {id(module.weight) for module in network.modules() if isinstance(module, products)}
    trained = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    own_factor = config.adapter_learning_rate
    assert own_factor is not None  # of a resolved configuration
    parts: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in trained.items():
        factor = own_factor if name.startswith(ADDED) else 1.0
        parts.setdefault((config.weight_decay if id(parameter) in decayed else 0.0, factor), []).append(parameter)
    groups = [
        {"params": parts[decay, factor], "weight_decay": decay, "factor": factor}
        for decay, factor in sorted(parts, reverse=True)  # decayed first: checkpoints count parameters in this order
    ]
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in trained.values())  # one pass, not ten
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=fused)


def _validation_is_due(at: _Progress, config: TrainingConfig, steps: int) -> bool:
    validated = bool(at.history) and at.history[-1]["step"] == at.step
    return at.step > 0 and not validated and (at.step % config.validate_every == 0 or at.step == steps)


def _patience_is_over(at: _Progress, patience: int | None) -> bool:
    """Whether so many validations have been no better than the best before them; an equal one is no better."""
    if patience is None or not at.history:
        return False
    scores = [row["score"] for row in at.history]
    return len(scores) - 1 - scores.index(max(scores)) >= patience


def _weights(network: MaMOLNetwork) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.trainable_state().items()}


def _state(
    at: _Progress,
    network: MaMOLNetwork,
    teacher: Teacher,
    optimiser: torch.optim.Optimizer,
    mixer: Mixer | None,
    best: dict[str, Tensor],
) -> tuple[int, Tensors, dict[str, Any]]:
    """Step, tensors and facts of a checkpoint."""
    moments = {
        f"{number}.{key}": tensor
        for number, values in optimiser.state_dict()["state"].items()
        for key, tensor in values.items()
    }
    tensors = {
        "network": network.trainable_state(),
        "average": teacher.network.trainable_state(),
        "best": best,
        "optimiser": moments,
        "mixing": {} if mixer is None else mixer.state(),
    }
    return at.step, tensors, {"progress": vars(at)}


def _restore(
    stored: tuple[Tensors, dict[str, Any]],
    network: MaMOLNetwork,
    teacher: Teacher,
    optimiser: torch.optim.Optimizer,
    mixer: Mixer | None,
) -> tuple[_Progress, dict[str, Tensor]]:
    """Inverse of `_state`: put tensors where they belong; return where the loop was, and the best weights."""
    tensors, facts = stored
    network.load_state_dict(tensors["network"], strict=False)
    teacher.network.load_state_dict(tensors["average"], strict=False)
    state = optimiser.state_dict()
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.get("optimiser", {}).items():
        number, _, name = key.partition(".")
        moments.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict({"state": moments, "param_groups": state["param_groups"]})
    if mixer is not None:
        mixer.restore(tensors["mixing"])
    return _Progress(**facts["progress"]), tensors["best"]


@contextmanager
def _room_for(config: TrainingConfig, device: torch.device) -> Iterator[None]:
    """Turn a lack of memory into a sentence."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ConfigError(
            f"training.batch_size = {config.batch_size} windows do not fit into the memory of {device}; set it lower, "
            "and training.accumulate higher by the same factor"
        ) from error
