"""What is remembered of a run: facts for the report, and all that a model file says."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.assessment.provenance import file_facts, versions
from engine.assessment.report import Floors, Report
from engine.bundle import ModelInfo
from engine.data.missing import chosen_patterns
from engine.data.sampling import rare_classes
from engine.data.window_cache import SceneCache
from engine.modality import pattern_name
from engine.model.network import ADDED
from engine.raster.normalise import BandStats
from engine.training.extract import Extract
from engine.training.loop import Fitted
from engine.training.outcome import Outcome
from engine.training.prepare import Prepared


def natural_patterns(data: Prepared, caches: Sequence[SceneCache]) -> set[tuple[bool, ...]]:
    """Patterns that occur at training and validation pixels by nature."""
    found: set[tuple[bool, ...]] = set()
    for scene, split, cache in zip(data.scenes, data.splits, caches, strict=True):
        pixels = np.concatenate([split.train, split.validation])
        valid = cache.valid_at(scene.rows[pixels], scene.cols[pixels])
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
        "versions": versions() | {"torch": torch.__version__},
        "seed": config.training.seed,
        "steps": fitted.steps,
        "best_step": fitted.best_step,
        "parameters": sum(sizes.values()),
        "method": config.model.method,
        "method_parameters": sum(size for name, size in sizes.items() if name.startswith(ADDED)),
        "trained_parameters": sum(sizes[name] for name in fitted.network.trainable_state().keys() & sizes.keys()),
        "missing_rate": config.missing.rate,
        "measured_on": outcome.measured_on,
        **split_facts(data),
    }


def split_facts(data: Prepared) -> dict[str, Any]:
    """The facts `split` and `pixels` of a run, JSON-able: equal for jobs that split the same labels in the same way."""
    return {
        "split": {
            "kind": data.config.split.kind,
            "seed": data.config.split.seed,
            "block_px": [split.block_px for split in data.splits],
            "buffer_px": [split.buffer_px for split in data.splits],
            "dropped": [split.dropped for split in data.splits],
            "labels": [np.bincount(scene.classes, minlength=len(data.legend)).tolist() for scene in data.scenes],
        },
        "pixels": {side: counts.tolist() for side, counts in data.counts.items()},
    }


def model_info(
    data: Prepared, stats: dict[str, BandStats], outcome: Outcome, facts: dict[str, Any], natural: set[tuple[bool, ...]]
) -> ModelInfo:
    """What the model file says beside its weights."""
    grid = data.scenes[0].stack.grid
    trained = data.counts["train"]
    return ModelInfo(
        modalities=data.modalities,
        stats=stats,
        legend=data.legend,
        model=data.config.model.model_dump(mode="json"),
        patterns=outcome.model_patterns(),
        trained_patterns=_trained_patterns(data, natural),
        training=facts,
        grid={"resolution": list(grid.resolution), "crs": None if grid.crs is None else grid.crs.to_string()},
        priors=tuple((trained / trained.sum()).tolist()),
    )


def places(data: Prepared, side: str) -> dict[str, np.ndarray]:
    """Scene number, row and column of the measured pixels."""
    pixels = [getattr(split, side) for split in data.splits]
    return {
        "scene": np.repeat(np.arange(len(pixels), dtype=np.int32), [len(part) for part in pixels]),
        "row": np.concatenate([scene.rows[part] for scene, part in zip(data.scenes, pixels, strict=True)]),
        "col": np.concatenate([scene.cols[part] for scene, part in zip(data.scenes, pixels, strict=True)]),
    }


def report(
    data: Prepared,
    fitted: Fitted,
    outcome: Outcome,
    facts: dict[str, Any],
    extract: Extract,
    floors: Floors | None,
    model_sha256: str,
) -> Report:
    """What report.html, report.json and report.csv show."""
    window, scene = extract.window, data.scenes[0]
    grids = {scene.name: str(scene.stack.grid) for scene in data.scenes}
    return Report(
        title=f"Training report: {', '.join(grids)}",
        legend=data.legend,
        sensors=outcome.sensors,
        confusions=outcome.confusions,
        reliability=outcome.reliability,
        uncalibrated=outcome.uncalibrated,
        validation=outcome.validation,
        temperatures={name: calibration.temperature for name, calibration in outcome.calibrations.items()},
        history=fitted.history,
        pixels=data.counts,
        rare=[data.legend.names[index] for index in rare_classes(data.counts["train"])],
        experts=outcome.experts,
        facts=facts | {"model_sha256": model_sha256, "grids": grids},
        sources=file_facts(source_files(data)),
        settings=data.config.model_dump(mode="json"),
        maps={"labels": extract.labels} | {f"mapped with {name}": indices for name, indices in extract.maps.items()},
        maps_note=(
            f"{scene.name}: rows {window.row} to {window.bottom - 1}, columns {window.col} to "
            f"{window.right - 1}, mapped as if only these sensors were there. Labels include those of the training."
        ),
        floors=floors,
    )


def source_files(data: Prepared) -> dict[str, Path]:
    """Rasters and labels of all scenes, by what they are."""
    files: dict[str, Path] = {}
    for scene, opened in zip(data.config.scene, data.scenes, strict=True):
        files |= {f"{opened.name}: {name}": modality.path for name, modality in scene.modalities.items()}
        files[f"{opened.name}: labels"] = scene.labels.path
        if scene.labels.test is not None:
            files[f"{opened.name}: test labels"] = scene.labels.test
    return files


def _trained_patterns(data: Prepared, natural: set[tuple[bool, ...]]) -> tuple[str, ...]:
    """Names of the patterns that training has shown: those that occur, and with gaps all their parts."""
    shown = set(natural)
    only = chosen_patterns(data.config.missing.patterns, data.names)
    if data.config.missing.rate > 0 and only is not None:
        shown |= {tuple((only_P & np.array(pattern)).tolist()) for pattern in natural for only_P in only.kept}
    elif data.config.missing.rate > 0 and len(data.names) <= 10:
        for pattern in natural:
            shown |= set(itertools.product(*((False, True) if present else (False,) for present in pattern)))
    ordered = sorted((p for p in shown if any(p)), key=lambda p: (-sum(p), [not value for value in p]))
    return tuple(pattern_name(data.names, pattern) for pattern in ordered)
