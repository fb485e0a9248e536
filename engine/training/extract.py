"""Class maps of a part of a scene under several patterns, for the report: what a missing sensor does, to be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from engine.data.scene import Scene
from engine.model.network import MaMOLNetwork
from engine.raster.normalise import BandStats
from engine.raster.windows import Window
from engine.training.calibrate import Calibration
from engine.training.distributed import ALONE, Team
from engine.training.validate import Pattern, ask, from_scene

_SIDE = 256  # pixels of an extract at most
_CORES = 24  # along its side at most: a centre read-out asks for every pixel
_STEP = 32  # pixels between places that are considered, where it divides the side
_MOST = 8  # maps


@dataclass(frozen=True)
class Extract:
    """Class indices (H, W), -1 where there is none: the labels, and the map of each pattern by name."""

    window: Window
    labels: np.ndarray
    maps: dict[str, np.ndarray]


def map_extract(
    scene: Scene,
    network: MaMOLNetwork,
    stats: dict[str, BandStats],
    calibrations: dict[str, Calibration],
    patterns: list[Pattern],
    *,
    device: torch.device,
    precision: str,
    cancelled: Callable[[], bool] = lambda: False,
    team: Team = ALONE,
) -> Extract:
    """Map the square of a scene that has most labels.

    Args:
        scene: where.
        network: trained.
        stats: of its inputs.
        calibrations: by pattern name, in the order of `patterns`.
        patterns: what to map with; the first few.
        device: see the common options; so is `precision`.
        precision: number format.
        cancelled: asked often; True stops.
        team: processes that share the work.

    Raises:
        Cancelled: `cancelled()` said so.
    """
    grid = scene.stack.grid
    window = _most_labels(scene, min(_SIDE, _CORES * network.core))
    window = window.intersect(grid.window) or grid.window
    rows, cols = (index.ravel() for index in np.indices((window.height, window.width)))
    classes = len(next(iter(calibrations.values())).bias)
    chosen = dict(zip(calibrations, patterns[:_MOST], strict=False))
    answers = ask(
        network, from_scene(scene, stats), rows + window.row, cols + window.col, np.zeros(len(rows), np.int64),
        list(chosen.values()), classes, device=device, precision=precision, cancelled=cancelled,
        team=team,
    )  # fmt: skip
    maps = {}
    for number, (name, pattern) in enumerate(chosen.items()):
        indices = calibrations[name].apply(answers.logits[number]).argmax(axis=1)
        seen = (answers.natural & np.array(pattern)).any(axis=1)
        maps[name] = np.where(seen, indices, -1).reshape(window.height, window.width)
    labels = np.full((window.height, window.width), -1)
    inside = _inside(scene, window)
    labels[scene.rows[inside] - window.row, scene.cols[inside] - window.col] = scene.classes[inside]
    return Extract(window, labels, maps)


def _most_labels(scene: Scene, side: int) -> Window:
    """The square with most labelled pixels, the first one of several."""
    grid = scene.stack.grid
    step = _STEP if side % _STEP == 0 else side
    cells = np.zeros((-(-grid.height // step), -(-grid.width // step)), np.int64)
    np.add.at(cells, (scene.rows // step, scene.cols // step), 1)
    reach = side // step
    padded = np.pad(cells, ((1, reach - 1), (1, reach - 1))).cumsum(axis=0).cumsum(axis=1)
    labels = padded[reach:, reach:] - padded[:-reach, reach:] - padded[reach:, :-reach] + padded[:-reach, :-reach]
    row, col = np.unravel_index(labels.argmax(), labels.shape)
    return Window(int(row) * step, int(col) * step, side, side)


def _inside(scene: Scene, window: Window) -> np.ndarray:
    """Which labelled pixels (N,) lie in a window."""
    return np.asarray(
        (scene.rows >= window.row) & (scene.rows < window.bottom) & (scene.cols >= window.col)
        & (scene.cols < window.right)
    )  # fmt: skip
