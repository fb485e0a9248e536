"""What is remembered of a run: facts for the report, and all that a model file says."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

import engine
from engine.assessment.report import Report
from engine.bundle import ModelInfo
from engine.data.sampling import rare_classes
from engine.data.window_cache import SceneCache
from engine.modality import pattern_name
from engine.raster.normalise import BandStats
from engine.training.loop import Fitted
from engine.training.outcome import Outcome
from engine.training.prepare import Prepared


def natural_patterns(data: Prepared, caches: Sequence[SceneCache]) -> set[tuple[bool, ...]]:
    """Patterns that occur at training and validation pixels by nature."""
    found: set[tuple[bool, ...]] = set()
    for scene, split, cache in zip(data.scenes, data.splits, caches, strict=True):
        pixels = np.concatenate([split.train, split.validation])
        for start in range(0, len(pixels), 4096):
            part = pixels[start : start + 4096]
            valid = cache.read(scene.rows[part], scene.cols[part], 1).valid[:, :, 0, 0]
            found |= {tuple(row) for row in np.unique(valid, axis=0).tolist() if any(row)}
    return found


def run_facts(
    data: Prepared, fitted: Fitted, outcome: Outcome, device: str, precision: str, seconds: float
) -> dict[str, Any]:
    """Facts of a run, JSON-able."""
    config = data.config
    sizes = {name: parameter.numel() for name, parameter in fitted.network.named_parameters()}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "device": device,
        "precision": precision,
        "versions": {"engine": engine.__version__, "torch": torch.__version__, "python": platform.python_version()},
        "seed": config.training.seed,
        "steps": fitted.steps,
        "best_step": fitted.best_step,
        "parameters": sum(sizes.values()),
        "trained_parameters": sum(sizes[name] for name in fitted.network.trainable_state().keys() & sizes.keys()),
        "missing_rate": config.missing.rate,
        "measured_on": outcome.measured_on,
        "split": {
            "kind": config.split.kind,
            "seed": config.split.seed,
            "block_px": [split.block_px for split in data.splits],
            "buffer_px": [split.buffer_px for split in data.splits],
            "dropped": [split.dropped for split in data.splits],
        },
        "pixels": {side: counts.tolist() for side, counts in data.counts.items()},
    }


def model_info(
    data: Prepared, stats: dict[str, BandStats], outcome: Outcome, facts: dict[str, Any], natural: set[tuple[bool, ...]]
) -> ModelInfo:
    """What the model file says beside its weights."""
    grid = data.scenes[0].stack.grid
    labels = np.bincount(np.concatenate([scene.classes for scene in data.scenes]), minlength=len(data.legend))
    return ModelInfo(
        modalities=data.modalities,
        stats=stats,
        legend=data.legend,
        model=data.config.model.model_dump(mode="json"),
        patterns=outcome.model_patterns(),
        trained_patterns=_trained_patterns(data, natural),
        training=facts,
        grid={"resolution": list(grid.resolution), "crs": None if grid.crs is None else grid.crs.to_string()},
        priors=tuple((labels / labels.sum()).tolist()),
    )


def places(data: Prepared, side: str) -> dict[str, np.ndarray]:
    """Scene number, row and column of the measured pixels."""
    pixels = [getattr(split, side) for split in data.splits]
    return {
        "scene": np.repeat(np.arange(len(pixels), dtype=np.int32), [len(part) for part in pixels]),
        "row": np.concatenate([scene.rows[part] for scene, part in zip(data.scenes, pixels, strict=True)]),
        "col": np.concatenate([scene.cols[part] for scene, part in zip(data.scenes, pixels, strict=True)]),
    }


def report(data: Prepared, fitted: Fitted, outcome: Outcome, facts: dict[str, Any]) -> Report:
    """What report.html shows."""
    return Report(
        legend=data.legend,
        confusions=outcome.confusions,
        calibration_errors=outcome.calibration_errors,
        history=fitted.history,
        pixels=data.counts,
        rare=[data.legend.names[index] for index in rare_classes(data.counts["train"])],
        facts=facts,
    )


def _trained_patterns(data: Prepared, natural: set[tuple[bool, ...]]) -> tuple[str, ...]:
    """Names of the patterns that training has shown: those that occur, and with gaps all their parts."""
    shown = set(natural)
    if data.config.missing.rate > 0 and len(data.names) <= 10:
        for pattern in natural:
            shown |= set(itertools.product(*((False, True) if present else (False,) for present in pattern)))
    ordered = sorted((p for p in shown if any(p)), key=lambda p: (-sum(p), [not value for value in p]))
    return tuple(pattern_name(data.names, pattern) for pattern in ordered)
