"""Scenes: the rasters and labels of one or several places, brought to one list of modalities and one legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.config import Config, ModalityConfig, SceneConfig
from engine.errors import LabelError
from engine.legend import Legend
from engine.modality import Modality
from engine.raster.bands import match_bands
from engine.raster.labels import Labels, read_labels
from engine.raster.legends import class_indices, merge_legends
from engine.raster.sources import open_source
from engine.raster.stack import LayerSpec, RasterStack
from engine.raster.windows import Window


@dataclass(frozen=True, slots=True)
class Scene:
    """One place.

    Attributes:
        name: for messages and reports.
        stack: its rasters on one grid.
        modalities: those of all scenes, in model order; one that this scene lacks is invalid everywhere in it.
        rows: row of each labelled pixel (N,).
        cols: its column (N,).
        classes: its class index in the legend of all scenes (N,).
        regions: number of its polygon or connected region (N,).
        given_test: whether it comes from a separate test file (N,), None where there is none.
    """

    name: str
    stack: RasterStack
    modalities: tuple[Modality, ...]
    rows: np.ndarray
    cols: np.ndarray
    classes: np.ndarray
    regions: np.ndarray
    given_test: np.ndarray | None

    def read(self, window: Window) -> tuple[list[np.ndarray], np.ndarray]:
        """Values (C, H, W) float32 of each modality, 0 where invalid, and validity (M, H, W) bool, in a window."""
        block = self.stack.read(window)
        shape = (window.height, window.width)
        values = [block.values.get(m.name, np.zeros((m.bands, *shape), np.float32)) for m in self.modalities]
        valid = [block.valid.get(m.name, np.zeros(shape, bool)) for m in self.modalities]
        return values, np.stack(valid)


def open_scenes(config: Config) -> tuple[list[Scene], Legend]:
    """Open all scenes of a configuration.

    The first scene that has a modality defines it; in later scenes its bands are matched by wavelength, else by count.

    Raises:
        EngineError: a layer or the labels cannot be used; the message says which and why.
    """
    modalities: dict[str, Modality] = {}
    stacks = []
    for scene in config.scene:
        stack = _open_stack(scene, modalities)
        for modality in stack.modalities:
            modalities.setdefault(modality.name, modality)
        stacks.append(stack)
    files = [_read_label_files(scene, stack) for scene, stack in zip(config.scene, stacks, strict=True)]
    legend = merge_legends([labels.legend for pair in files for labels in pair])
    if len(legend) < 2:
        path = config.scene[0].labels.path
        raise LabelError(f"{path}: only one class ({legend.names[0]}); training needs at least two")
    scenes = []
    for number, (scene, stack, pair) in enumerate(zip(config.scene, stacks, files, strict=True), start=1):
        given_test = np.repeat(np.arange(len(pair)) > 0, [len(labels.rows) for labels in pair])
        scenes.append(
            Scene(
                name=scene.name or f"scene {number}",
                stack=stack,
                modalities=tuple(modalities.values()),
                rows=np.concatenate([labels.rows for labels in pair]),
                cols=np.concatenate([labels.cols for labels in pair]),
                classes=np.concatenate([class_indices(labels.legend, legend)[labels.classes] for labels in pair]),
                regions=_numbered_apart([labels.region for labels in pair]),
                given_test=given_test if len(pair) > 1 else None,
            )
        )
    return scenes, legend


def _open_stack(scene: SceneConfig, known: dict[str, Modality]) -> RasterStack:
    layers = []
    for name, layer in scene.modalities.items():
        role, unit, bands = layer.role, layer.unit, layer.bands
        if name in known:
            role, unit = known[name].role, unit or known[name].unit
            bands = bands or _matching_bands(known[name], layer)
        layers.append(LayerSpec(name, layer.path, role, unit, layer.resampling, layer.variable, bands))
    return RasterStack(layers, reference=scene.reference)


def _matching_bands(modality: Modality, layer: ModalityConfig) -> tuple[int, ...]:
    source = open_source(layer.path, layer.variable)
    try:
        return match_bands(modality, source)
    finally:
        source.close()


def _read_label_files(scene: SceneConfig, stack: RasterStack) -> Sequence[Labels]:
    """Labels of the scene, and those of its test file where it has one."""
    labels = scene.labels
    return [
        read_labels(
            path,
            grid=stack.grid,
            field=labels.field,
            layer=labels.layer,
            variable=labels.variable,
            ignore=labels.ignore,
        )
        for path in (labels.path, labels.test)
        if path is not None
    ]


def _numbered_apart(regions: Sequence[np.ndarray]) -> np.ndarray:
    """Region numbers of several files, shifted so that no two files share one."""
    shifted, first = [], 0
    for numbers in regions:
        shifted.append(numbers + first)
        first += int(numbers.max(initial=-1)) + 1
    return np.concatenate(shifted)
