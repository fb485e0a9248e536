"""Scenes: the rasters and labels of one or several places, brought to one list of modalities and one legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.config import Config, ModalityConfig, SceneConfig
from engine.errors import BandCountError, LabelError, ModalityError
from engine.legend import Legend
from engine.modality import Modality
from engine.raster.bands import match_bands
from engine.raster.labels import Labels, read_labels
from engine.raster.legends import class_indices, known_indices, merge_legends
from engine.raster.sources import open_source
from engine.raster.stack import LayerSpec, RasterStack
from engine.raster.windows import Window

_NAMED = 12  # classes that a message names


@dataclass(frozen=True, slots=True)
class Scene:
    """One place.

    Attributes:
        name: for messages and reports.
        stack: its rasters on one grid.
        modalities: in model order; one that this scene lacks is invalid everywhere in it.
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
    indices = [[class_indices(labels.legend, legend) for labels in pair] for pair in files]
    return _scenes(config, stacks, tuple(modalities.values()), files, indices), legend


def open_scenes_for(config: Config, modalities: Sequence[Modality], legend: Legend) -> list[Scene]:
    """Open all scenes of a configuration for a finished model: with its modalities and its classes.

    Args:
        config: layers and labels; a modality that a scene has no layer of is absent in it.
        modalities: the model's. Bands are matched by wavelength, else by count.
        legend: the model's. Classes are matched by name where both sides have names, else by value.

    Raises:
        ModalityError: a layer is none of the modalities.
        LabelError: a class is none of the legend's.
        EngineError: a layer or the labels cannot be used; the message says which and why.
    """
    known = {modality.name: modality for modality in modalities}
    for scene in config.scene:
        for name, layer in scene.modalities.items():
            if name not in known:
                raise ModalityError(
                    f"layer {name} ({layer.path}): not a modality of the model, which knows {', '.join(known)}; give "
                    "it its name there in [scene.modalities], or leave it out"
                )
    stacks = [_open_stack(scene, known) for scene in config.scene]
    files = [_read_label_files(scene, stack) for scene, stack in zip(config.scene, stacks, strict=True)]
    indices = [
        [_indices_in(legend, labels, path) for labels, path in zip(pair, _label_paths(scene), strict=True)]
        for scene, pair in zip(config.scene, files, strict=True)
    ]
    return _scenes(config, stacks, tuple(modalities), files, indices)


def _scenes(
    config: Config,
    stacks: Sequence[RasterStack],
    modalities: tuple[Modality, ...],
    files: Sequence[Sequence[Labels]],
    indices: Sequence[Sequence[np.ndarray]],
) -> list[Scene]:
    """Scenes from their stacks and label files, of each of which class indices in the common legend are given."""
    scenes = []
    for number, (scene, stack, pair) in enumerate(zip(config.scene, stacks, files, strict=True), start=1):
        given_test = np.repeat(np.arange(len(pair)) > 0, [len(labels.rows) for labels in pair])
        scenes.append(
            Scene(
                name=scene.name or f"scene {number}",
                stack=stack,
                modalities=modalities,
                rows=np.concatenate([labels.rows for labels in pair]),
                cols=np.concatenate([labels.cols for labels in pair]),
                classes=np.concatenate(
                    [index[labels.classes] for labels, index in zip(pair, indices[number - 1], strict=True)]
                ),
                regions=_numbered_apart([labels.region for labels in pair]),
                given_test=given_test if len(pair) > 1 else None,
            )
        )
    return scenes


def _indices_in(legend: Legend, labels: Labels, path: Path) -> np.ndarray:
    """Index in a given legend of each class of a label file (Y,)."""
    indices = known_indices(labels.legend, legend)
    for item, index in zip(labels.legend.classes, indices.tolist(), strict=True):
        if index < 0:
            more = len(legend) - _NAMED
            names = ", ".join(legend.names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
            raise LabelError(
                f"{path}: class {item.name!r} (value {item.value}) is none of the model's classes ({names}); give it "
                "the name it has there, or leave it out (of class numbers: labels.ignore)"
            )
    return indices


def _open_stack(scene: SceneConfig, known: Mapping[str, Modality]) -> RasterStack:
    layers = []
    for name, layer in scene.modalities.items():
        role, unit, resampling, bands = layer.role, layer.unit, layer.resampling, layer.bands
        if name in known:
            role, unit = known[name].role, unit or known[name].unit
            resampling = resampling or known[name].resampling  # as mapping does
            bands = bands or _matching_bands(known[name], layer)
            if len(bands) != known[name].bands:
                raise BandCountError(
                    f"{layer.path}: bands names {len(bands)} bands of {name}, which has {known[name].bands}; name as "
                    "many, or leave bands out"
                )
        layers.append(LayerSpec(name, layer.path, role, unit, resampling, layer.variable, bands))
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
        for path in _label_paths(scene)
    ]


def _label_paths(scene: SceneConfig) -> list[Path]:
    """Label files of a scene, that of the test side last."""
    return [path for path in (scene.labels.path, scene.labels.test) if path is not None]


def _numbered_apart(regions: Sequence[np.ndarray]) -> np.ndarray:
    """Region numbers of several files, shifted so that no two files share one."""
    shifted, first = [], 0
    for numbers in regions:
        shifted.append(numbers + first)
        first += int(numbers.max(initial=-1)) + 1
    return np.concatenate(shifted)
