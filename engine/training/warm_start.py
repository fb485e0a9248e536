"""Starting from a trained model, on a scene that may have other modalities and classes.

What belongs to a modality or class is carried over where the new model has one of that name; the rest starts afresh.
Where in a tensor they sit is not written down anywhere but found out: an axis that grows by u when a network gets one
more modality (or class) holds u entries for each of them, in order, at its end; one that doubles from 2^M holds one
for each pattern.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.bundle import LoadedModel
from engine.config import ModelConfig
from engine.errors import ConfigError
from engine.legend import Legend
from engine.modality import Modality
from engine.model.backbone import VisionTransformer
from engine.model.build import build_network
from engine.model.network import MaMOLNetwork

# Keys of [model] that change neither the weights' shapes nor what they do: a test tries every key there is.
_FREE = {"weights", "train_backbone", "core", "dropout", "token_dropout", "head_dropout", "expert_balance"}


@dataclass(frozen=True)
class _Layout:
    """Where a network keeps what belongs to one modality or class.

    Attributes:
        modality_axes: by tensor name and axis, entries per modality.
        class_axes: by tensor name and axis, entries per class.
        lists: prefixes of module lists with one module per modality.
    """

    modality_axes: dict[tuple[str, int], int]
    class_axes: dict[tuple[str, int], int]
    lists: frozenset[str]


@dataclass(frozen=True)
class _Places:
    """Number in the old model of each modality (or class) of the new one, None where it is new; how many it had."""

    here: list[int | None]
    old_count: int


def warm_start(
    network: MaMOLNetwork, config: ModelConfig, modalities: Sequence[Modality], legend: Legend, old: LoadedModel
) -> str:
    """Carry weights of `old` into `network`.

    Args:
        network: freshly built; changed in place.
        config: its resolved `[model]` section.
        modalities: its modalities.
        legend: its classes.
        old: the model to start from.

    Returns:
        What was carried over, in words.

    Raises:
        ConfigError: the models are built differently.
    """
    _check(config, network, old)
    modality_places = _places([modality.name for modality in modalities], old.info.names)
    class_places = _places([n.casefold() for n in legend.names], [n.casefold() for n in old.info.legend.names])
    layout = _layout(config, network, modalities, len(legend))
    source, state = old.network.state_dict(), network.trainable_state()
    for name, tensor in state.items():
        old_name = _old_name(name, layout.lists, modality_places)
        if old_name in source:
            _carry(name, tensor, source[old_name], layout, modality_places, class_places)
    network.load_state_dict(state, strict=False)
    known = [
        modality.name for modality, place in zip(modalities, modality_places.here, strict=True) if place is not None
    ]
    classes = sum(place is not None for place in class_places.here)
    return (
        f"starting from a trained model: {len(known)} of {len(modalities)} modalities ({', '.join(known)}), "
        f"{classes} of {len(legend)} classes"
    )


def _places(names: Sequence[str], old_names: Sequence[str]) -> _Places:
    return _Places([old_names.index(name) if name in old_names else None for name in names], len(old_names))


def _check(config: ModelConfig, network: MaMOLNetwork, old: LoadedModel) -> None:
    here = config.model_dump(mode="json")
    for key, there in old.info.model.items():
        if key not in _FREE and key in here and here[key] != there:
            raise ConfigError(
                f"model.{key} = {here[key]!r}, the model to start from has {there!r}; set it so, or leave out --init"
            )
    same_backbone = old.network.frozen_backbone and old.network.backbone_sha256 == network.backbone_sha256
    if network.frozen_backbone and not same_backbone:  # a frozen one is not carried over
        raise ConfigError(
            "the model to start from has other backbone weights than those that would stay as they are; set "
            "model.train_backbone = true to take them over and train them, or leave out --init"
        )


def _layout(config: ModelConfig, network: MaMOLNetwork, modalities: Sequence[Modality], classes: int) -> _Layout:
    """Compare the shapes of networks with one more modality and one more class, built without memory."""

    def shapes(modalities: Sequence[Modality], classes: int) -> dict[str, torch.Size]:
        with torch.device("meta"):
            backbone = VisionTransformer(network.backbone.shape)
            built = build_network(config, network.absent, modalities, classes, backbone)
        return {name: tensor.shape for name, tensor in built.state_dict().items()}

    base = shapes(modalities, classes)
    more_modalities = shapes([*modalities, modalities[-1]], classes)
    index = len(modalities)
    added = (re.fullmatch(rf"(.*?)\.{index}\..*", name) for name in more_modalities.keys() - base.keys())
    return _Layout(
        modality_axes=_grown(base, more_modalities),
        class_axes=_grown(base, shapes(modalities, classes + 1)),
        lists=frozenset(match[1] for match in added if match),
    )


def _grown(base: dict[str, torch.Size], other: dict[str, torch.Size]) -> dict[tuple[str, int], int]:
    return {
        (name, axis): other[name][axis] - size
        for name, shape in base.items()
        for axis, size in enumerate(shape)
        if other[name][axis] != size
    }


def _old_name(name: str, lists: frozenset[str], modalities: _Places) -> str | None:
    """Name of the same tensor in the old model, None where its modality is new."""
    for prefix in lists:
        match = re.fullmatch(rf"{re.escape(prefix)}\.(\d+)\.(.*)", name)
        if match:
            place = modalities.here[int(match[1])]
            return None if place is None else f"{prefix}.{place}.{match[2]}"
    return name


def _carry(name: str, new: Tensor, old: Tensor, layout: _Layout, modalities: _Places, classes: _Places) -> None:
    """Copy into `new` what has a counterpart in `old`; nothing where their shapes tell that they differ otherwise."""
    if new.ndim != old.ndim:
        return
    pairs = []
    for axis, (size, old_size) in enumerate(zip(new.shape, old.shape, strict=True)):
        growth = layout.modality_axes.get((name, axis))
        if growth == size == 2 ** len(modalities.here):
            found = _same_patterns(old_size, modalities)
        elif growth is not None:
            found = _counterparts(size, old_size, growth, modalities)
        elif (name, axis) in layout.class_axes:
            found = _counterparts(size, old_size, layout.class_axes[name, axis], classes)
        else:
            found = [(index, index) for index in range(size)] if size == old_size else None
        if found is None:
            return
        pairs.append(torch.tensor(found, dtype=torch.long).reshape(-1, 2))
    if new.ndim == 0:
        new.copy_(old)
        return
    here = torch.meshgrid(*(pair[:, 0] for pair in pairs), indexing="ij")
    there = torch.meshgrid(*(pair[:, 1] for pair in pairs), indexing="ij")
    new[here] = old[there]


def _counterparts(size: int, old_size: int, unit: int, places: _Places) -> list[tuple[int, int]] | None:
    """(new index, old index) along an axis that ends with `unit` entries for each modality or class."""
    fixed = size - unit * len(places.here)
    if fixed < 0 or old_size - unit * places.old_count != fixed:
        return None
    own = [
        (fixed + here * unit + entry, fixed + there * unit + entry)
        for here, there in enumerate(places.here)
        if there is not None
        for entry in range(unit)
    ]
    return [*((index, index) for index in range(fixed)), *own]


def _same_patterns(old_size: int, modalities: _Places) -> list[tuple[int, int]] | None:
    """(new index, old index) along an axis of patterns, of those without new modalities; bit m is modality m."""
    if old_size != 2**modalities.old_count:
        return None
    pairs = []
    for pattern in range(2 ** len(modalities.here)):
        there = [place for m, place in enumerate(modalities.here) if pattern >> m & 1]
        if None not in there:
            pairs.append((pattern, sum(1 << place for place in there if place is not None)))
    return pairs
