"""Which sensor is worth buying? Accuracy of a finished model per pattern, and the value of each sensor, on a scene.

What the report of a training says of its own scene, for any model file and any labelled scene: pixels are predicted
under every pattern with the standardisation, the calibration and the windows of mapping, so the accuracy is that of
the map. A pixel counts for a pattern where all of its sensors really have data.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.assessment.confusion import Confusion
from engine.assessment.provenance import provenance
from engine.atomic import write_text
from engine.benchmarks.value.held_out import Judged, Which, choose_pixels
from engine.benchmarks.value.page import write_page
from engine.bundle import LoadedModel, load_model, read_info
from engine.checksum import file_sha256
from engine.config import Config, ModalityConfig
from engine.data.scene import open_scenes_for
from engine.device import choose_device, choose_precision, describe_device, set_threads
from engine.errors import NodataError
from engine.mapping.layers import default_reference
from engine.mapping.survey import describe_grid, describe_values, take_survey
from engine.modality import evaluation_patterns, pattern_name
from engine.modelfile import ModelInfo
from engine.progress import Progress
from engine.raster.grid import Grid
from engine.raster.sources import open_source
from engine.training.calibrate import Calibration
from engine.training.measure import measure, predictions
from engine.training.prepare import Prepared
from engine.training.record import source_files
from engine.training.validate import Pattern, ask_in_parts, from_scene


def run_value(
    model: Path,
    config: Config,
    out: Path,
    which: Which,
    *,
    device: str,
    precision: str,
    threads: int | None,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Judge a model on labelled scenes; at the end write value.json, value.md, value.html and value_sensors.png.

    Args:
        model: the model file.
        config: a job, of which scenes, `[split]` and `model.weights` count. Its sensors are the model's, or some.
        out: folder for the results.
        which: pixels; see `choose_pixels`.
        device: see the common options; so are `precision` and `threads`.
        precision: number format.
        threads: CPU threads.
        progress: told what happens.
        cancelled: asked often; True stops.

    Returns:
        What value.json says; accuracies are fractions.
        `patterns` by name: `oa`, `aa`, `kappa`, `n` here, `trained` (whether training has shown it to the model) and
        `own_test` (`oa`, `aa`, `n` in the test of its training, None where that is unknown).
        `sensors`: see `assessment.sensor_value`; None where it cannot be told. `absent`: the model's sensors that no
        scene has. `pixels`: `side`, `n` and `trained_on`, see `Judged`. `scenes`: `name`, modality whose `grid` is
        used, `pixels`. `warnings`, and what it was all made from.

    Raises:
        EngineError: the user has to change something.
        Cancelled: `cancelled()` said so; nothing is written.
    """
    started = time.monotonic()
    set_threads(threads)
    place = choose_device(device)
    precision = choose_precision(place, precision)
    info = read_info(model)
    with ExitStack() as open_files:
        scenes = open_scenes_for(_on_grids_of_maps(config, info), info.modalities, info.legend)
        data = Prepared(config, scenes, info.legend, splits=[])
        open_files.callback(data.close)
        judged = choose_pixels(data, info, which)
        warnings = [*judged.warnings, *_doubts(data, info, cancelled)]
        for warning in warnings:
            progress.warning(warning)
        loaded = load_model(model, place, config.model.weights)
        there = [name for name in info.names if any(name in scene.stack.names for scene in scenes)]
        patterns = patterns_of(info, there)
        progress.log(f"measuring {len(patterns)} patterns at {judged.count:,} labelled pixels ({judged.side})")
        predicted, reference = _predicted(loaded, data, judged, patterns, place, precision, progress, cancelled)
    confusions, sensors = measure(info.names, patterns, predicted, reference, len(info.legend))
    if not any(confusion.n for confusion in confusions.values()):
        raise NodataError(
            f"none of the {judged.count:,} labelled pixels has data of {', '.join(there)}; check nodata values, and "
            "that labels and layers show the same place"
        )
    facts = {
        "scenes": [
            {"name": scene.name, "reference": scene.stack.reference, "grid": str(scene.stack.grid), "pixels": len(part)}
            for scene, part in zip(scenes, judged.pixels, strict=True)
        ],
        "pixels": {"side": judged.side, "n": judged.count, "trained_on": judged.trained_on},
        "absent": [name for name in info.names if name not in there],
        "patterns": {name: _pattern_facts(name, confusion, info) for name, confusion in confusions.items()},
        "sensors": sensors,
        "warnings": warnings,
        "device": describe_device(place),
        "precision": precision,
        "seconds": round(time.monotonic() - started, 1),
        "model": {"path": str(model), "sha256": file_sha256(model)},
        "provenance": _origin(data, which),
    }
    page = write_page(facts, out)
    write_text(out / "value.json", json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    progress.log(page.read_text(encoding="utf-8"))
    return facts


def patterns_of(info: ModelInfo, there: Sequence[str]) -> list[Pattern]:
    """Patterns to ask a model about, complete one first: of the sensors that are there, as training evaluates them.

    Args:
        info: what the model file says; of more than five sensors its own patterns are among those asked about.
        there: names of sensors, in model order.
    """
    own = [name.split("+") for name in info.patterns]
    occurring = {tuple(name in parts for name in there) for parts in own if set(parts) <= set(there)}
    chosen = evaluation_patterns(len(there), occurring)
    groups = [{name for name, present in zip(there, pattern, strict=True) if present} for pattern in chosen]
    return [tuple(name in group for name in info.names) for group in groups]


def _on_grids_of_maps(config: Config, info: ModelInfo) -> Config:
    """The job with the reference that mapping would take, where a scene names none."""
    scenes = []
    for scene in config.scene:
        grids = {name: _grid(layer) for name, layer in scene.modalities.items() if name in info.names}
        named = {} if scene.reference or not grids else {"reference": default_reference(info, grids)}
        scenes.append(scene.model_copy(update=named))
    return config.model_copy(update={"scene": tuple(scenes)})


def _grid(layer: ModalityConfig) -> Grid:
    with closing(open_source(layer.path, layer.variable)) as source:
        return source.grid


def _doubts(data: Prepared, info: ModelInfo, cancelled: Callable[[], bool]) -> list[str]:
    """What mapping would warn of, too: pixels of another size, values in other units than those of training."""
    found = []
    for scene in data.scenes:
        survey = take_survey(scene.stack, info.names, scene.stack.grid.window, cancelled=cancelled)
        found += [
            f"{scene.name}: {doubt}"
            for doubt in (*describe_grid(scene.stack.grid, info), *describe_values(survey, info))
        ]
    return found


def _predicted(
    loaded: LoadedModel,
    data: Prepared,
    judged: Judged,
    patterns: Sequence[Pattern],
    device: torch.device,
    precision: str,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> tuple[np.ndarray, np.ndarray]:
    """Class index under each pattern (P, N), -1 where a pixel lacks a sensor of it, and reference class (N,)."""
    info, classes = loaded.info, len(loaded.info.legend)
    calibrations = [
        Calibration.stored(info.patterns.get(pattern_name(info.names, pattern), {}), classes) for pattern in patterns
    ]
    predicted, reference = np.empty((len(patterns), judged.count), np.int32), np.empty(judged.count, np.int64)
    first = done = 0
    for scene, pixels in zip(data.scenes, judged.pixels, strict=True):
        rows, cols = scene.rows[pixels], scene.cols[pixels]
        reference[first : first + len(pixels)] = scene.classes[pixels]
        for members, answers in ask_in_parts(
            loaded.network, from_scene(scene, info.stats), rows, cols, scene.classes[pixels], patterns,
            device=device, precision=precision, cancelled=cancelled,
        ):  # fmt: skip
            predicted[:, first + members] = predictions(answers, calibrations)[0]
            done += len(members)
            progress.step("measuring", done, judged.count, "pixels")
        first += len(pixels)
    return predicted, reference


def _pattern_facts(name: str, confusion: Confusion, info: ModelInfo) -> dict[str, Any]:
    own = info.patterns.get(name)
    return confusion.summary() | {
        "trained": name in info.trained_patterns,
        "own_test": None if own is None else {key: own.get(key) for key in ("oa", "aa", "n")},
    }


def _origin(data: Prepared, which: Which) -> dict[str, Any]:
    """What the figures were made from."""
    found = provenance(source_files(data), {"pixels": which, "split": data.config.split.model_dump(mode="json")})
    found["versions"]["torch"] = str(torch.__version__)
    return found
