"""The whole job: scenes -> split -> cache -> training -> calibration -> test -> files in RUN/."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.assessment.report import Floors
from engine.assessment.report_page import report_texts
from engine.bundle import load_model, save_model
from engine.checksum import file_sha256
from engine.config import Config, TrainingConfig
from engine.data.sampling import rare_classes
from engine.device import choose_device, choose_precision, describe_device, set_threads
from engine.errors import ConfigError
from engine.modality import evaluation_patterns
from engine.progress import Progress, SilentProgress
from engine.training.assemble import assemble
from engine.training.checkpoint import Checkpoints
from engine.training.distributed import ALONE, Team
from engine.training.extract import map_extract
from engine.training.loop import fit
from engine.training.outcome import Examiner, examine
from engine.training.prepare import Prepared, prepare, resolve
from engine.training.record import model_info, natural_patterns, places, report, run_facts
from engine.training.run_folder import RunFolder
from engine.training.schedule import total_steps
from engine.training.warm_start import warm_start

__all__ = ["Prepared", "TrainingResult", "prepare", "resolve", "run_training"]


@dataclass(frozen=True)
class TrainingResult:
    """What a finished run gives.

    Attributes:
        folder: RUN/.
        model: the model file.
        patterns: `oa`, `aa`, `kappa`, `n` of each pattern.
        seconds: time of the whole job, over all sittings; what a kill cost since the last checkpoint is not known.
        predictions: see `Outcome.predictions`, and `scene`, `row`, `col` of each pixel (N,).
    """

    folder: Path
    model: Path
    patterns: dict[str, dict[str, Any]]
    seconds: float
    predictions: dict[str, np.ndarray]


def run_training(
    config: Config,
    out: Path,
    *,
    resume: bool = False,
    init: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    floors: Callable[[Prepared], Floors] | None = None,
    team: Team = ALONE,
) -> TrainingResult:
    """Train a model and leave everything about it in `out`.

    Args:
        config: the job.
        out: folder RUN/.
        resume: go on with a run that was stopped.
        init: model file to start from; modalities and classes are matched by name.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "auto", "float32" or "bfloat16".
        threads: CPU threads; default: torch's own choice.
        progress: told what happens.
        cancelled: asked often; True stops, resumably.
        floors: what to compare with in the report; measured first.
        team: processes that do this together; all get the result, the first one alone writes.

    Raises:
        EngineError: the user has to change something.
        Cancelled: `cancelled()` said so.
    """
    started = time.monotonic()
    progress = progress or SilentProgress()
    with team.together():
        set_threads(threads)
        place = choose_device(device)
        precision = choose_precision(place, precision)
        config = resolve(config)
        training = config.training
        _check_shares(training, team)
        folder = RunFolder(out)
        job = {"config": config.model_dump(mode="json"), "init": None if init is None else str(init)}
        checkpoints = Checkpoints(folder.checkpoint, job)
        if team.first:
            if resume:
                checkpoints.facts()  # may be another job's, whose settings must stay
            folder.prepare(config, resume)
        data = prepare(config, progress)

    with closing(data):
        _describe(data, progress)
        with team.together():
            beside = floors(data) if floors is not None and team.first else None
        ready = assemble(data, folder.cache, place, precision, progress, cancelled, team=team)
        with team.together():
            if init is not None:
                start = load_model(init, torch.device("cpu"), config.model.weights)
                progress.log(warm_start(ready.network, config.model, data.modalities, data.legend, start))
            natural = natural_patterns(data, ready.caches)
        team.take_from_first(ready.network)
        examiner = Examiner(
            data.scenes, data.splits, ready.caches, ready.stats, evaluation_patterns(len(data.names), natural),
            len(data.legend), place, precision, cancelled, team,
        )  # fmt: skip
        fitted = fit(
            ready, examiner.score, checkpoints,
            steps=total_steps(training, len(ready.batches.classes)), resume=resume,
            progress=progress, cancelled=cancelled, started=started,
        )  # fmt: skip
        progress.log(f"measuring {len(examiner.patterns)} patterns")
        outcome = examine(fitted.network, examiner, data.names, training.prior_correction)
        extract = map_extract(
            data.scenes[0], fitted.network, ready.stats, outcome.calibrations, examiner.patterns,
            device=place, precision=precision, cancelled=cancelled, team=team,
        )  # fmt: skip
        seconds = fitted.earlier_seconds + time.monotonic() - started
        predictions = outcome.predictions | places(data, outcome.measured_on)
        with team.together():
            if team.first:
                folder.clean()  # before what stays is written: the disk may be nearly full
                facts = run_facts(data, fitted, outcome, describe_device(place), precision, seconds)
                save_model(folder.model, fitted.network, model_info(data, ready.stats, outcome, facts, natural))
                folder.write_predictions(predictions)
                folder.write_history(fitted.history)
                digest = file_sha256(folder.model)
                folder.write_report(report_texts(report(data, fitted, outcome, facts, extract, beside, digest)))
                folder.write_metrics(outcome.metrics(), describe_device(place), seconds)
    return TrainingResult(out, folder.model, outcome.metrics(), seconds, predictions)


def _check_shares(training: TrainingConfig, team: Team) -> None:
    if training.batch_size < team.count:
        raise ConfigError(
            f"training.batch_size = {training.batch_size} windows cannot be shared by {team.count} processes; set it "
            f"to {team.count} or more, or start fewer"
        )


def _describe(data: Prepared, progress: Progress) -> None:
    """Say what will be trained on."""
    for scene, split in zip(data.scenes, data.splits, strict=True):
        for name, bands in scene.stack.dropped_bands.items():
            progress.log(f"{scene.name}: {name}: bands without use left out: {', '.join(map(str, bands))}")
        for doubt in scene.stack.doubts():
            progress.warning(f"{scene.name}: {doubt}")
        blocks = f", blocks of {split.block_px} px, buffer {split.buffer_px} px" if split.block_px else ""
        progress.log(
            f"{scene.name}: {len(split.train)} training, {len(split.validation)} validation, {len(split.test)} test "
            f"pixels ({split.kind}{blocks})"
        )
        if not len(split.validation):
            progress.warning(f"{scene.name}: no validation pixels: last weights kept, confidence not calibrated")
    counts = data.counts["train"]
    for index in rare_classes(counts):
        progress.warning(f"class {data.legend.names[index]!r} has only {counts[index]} training pixels")
