"""One model file: save it whole or not at all, load it without trusting it.

The weights are plain float32 tensors in safetensors, the rest is JSON (`engine.modelfile.ModelInfo`). Frozen backbone
weights stay outside unless asked for; the file names them by SHA-256, and loading checks that the weights found are
those.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.atomic import replacing
from engine.config import ModelConfig
from engine.errors import ConfigError, ModelFileError, OutputError, WeightsError
from engine.model.backbone import VisionTransformer, VitShape, weights_sha256
from engine.model.build import build_network, load_backbone
from engine.model.network import Absent, MaMOLNetwork
from engine.model.resolve import ResolvedModelConfig, resolve_model_config
from engine.model.weights import first_line
from engine.modelfile import METADATA_KEY, ModelInfo, read_header, read_info

__all__ = ["LoadedModel", "ModelInfo", "load_model", "read_info", "save_model"]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A network ready to predict, and what must be known to use it."""

    info: ModelInfo
    network: MaMOLNetwork


def save_model(path: Path, network: MaMOLNetwork, info: ModelInfo, self_contained: bool = False) -> ModelInfo:
    """Write a model file; nothing stands under `path` until it is complete.

    Args:
        path: where to; an older file is replaced.
        network: its weights are written in float32, those of a frozen backbone only if `self_contained`.
        info: everything else; `backbone` and `absent` are taken from the network.
        self_contained: put frozen backbone weights inside, too.

    Returns:
        The description as written.

    Raises:
        OutputError: the file cannot be written.
        ValueError: `info` contradicts itself.
    """
    inside = self_contained or not network.frozen_backbone
    info = replace(
        info,
        absent=network.absent,
        model=info.model | {"weights": None},  # a path of this machine is of no use elsewhere
        backbone={
            "name": network.backbone_name,
            "sha256": network.backbone_sha256,
            "inside": inside,
            "shape": network.backbone.shape.to_json(),
        },
    )
    ModelInfo.from_json(info.to_json())  # what could not be read again is not written
    state = network.state_dict() if inside else network.trainable_state()
    tensors = {name: tensor.detach().to("cpu", torch.float32).contiguous() for name, tensor in state.items()}
    try:
        with replacing(path) as part:
            save_file(tensors, part, {METADATA_KEY: json.dumps(info.to_json(), allow_nan=False)})
            part.chmod(0o666 & ~_umask())  # safetensors lets the owner alone read its files
    except (OSError, SafetensorError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "no space" in str(error).lower()
        reason = "the disk is full" if full else getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{path}: model file cannot be written ({reason}); choose another place") from error
    return info


def _umask() -> int:
    """Permissions that new files do not get; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def load_model(path: Path, device: torch.device, weights: Path | None = None) -> LoadedModel:
    """Read a model file and build its network, ready to predict.

    Memory stays in proportion to the file (and its backbone): the network is laid out without memory first, and the
    file's tensors must be exactly those that it has.

    Args:
        path: the model file.
        device: where the network shall run.
        weights: local file of the backbone's weights, where they are not inside; default: downloaded.

    Raises:
        ModelFileError: the file is truncated, foreign, of another version, or its tensors do not fit its description.
        WeightsError: the backbone's weights cannot be had, or are not those that the model was trained with.
    """
    info = read_info(path)
    try:
        absent = cast(Absent, info.absent)
        if absent not in get_args(Absent):
            raise ValueError(f"absent is {absent!r}")
        config = resolve_model_config(ModelConfig.model_validate(info.model | {"weights": weights}))
        inside = bool(info.backbone["inside"])
        shape = VitShape.from_json(info.backbone["shape"])
        sha256 = info.backbone["sha256"]
        if info.backbone["name"] != config.backbone:
            raise ValueError(f"two backbones: {info.backbone['name']!r} and {config.backbone!r}")
    except (ValidationError, ConfigError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: damaged model description ({first_line(error)})") from error
    backbone = None if inside else _outside_backbone(config, sha256, path)
    try:
        with torch.device("meta"):
            network = build_network(
                config,
                absent,
                info.modalities,
                len(info.legend),
                VisionTransformer(shape, dropout=0.0) if backbone is None else backbone,
            )
    except (ConfigError, TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise ModelFileError(f"{path}: damaged model description ({first_line(error)})") from error
    network.backbone_sha256 = sha256
    expected = network.state_dict() if inside else network.trainable_state()
    _compare(path, expected, read_header(path))
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path}: weights cannot be read ({error}); copy the file again") from error
    damaged = next((name for name, tensor in tensors.items() if not tensor.isfinite().all()), None)
    if damaged is not None:
        raise ModelFileError(f"{path}: tensor {damaged} holds values that are no numbers; copy or train it again")
    # Copies: safetensors maps the file, which may be replaced while the network lives.
    owned = {name: tensor.clone() for name, tensor in tensors.items()}
    network.load_state_dict(owned, strict=inside, assign=True)
    return LoadedModel(info, network.to(device).eval().requires_grad_(False))


def _outside_backbone(config: ResolvedModelConfig, sha256: str | None, path: Path) -> VisionTransformer:
    if config.backbone == "compact":
        raise ModelFileError(f"{path}: a compact model without its backbone's weights; copy the file again")
    backbone = load_backbone(config)
    found = weights_sha256(backbone)
    if found != sha256:
        source = config.weights or config.backbone
        raise WeightsError(
            f"{source}: backbone weights {found[:12]} are not the {str(sha256)[:12]} that {path} was trained with; "
            "give the right file with --weights"
        )
    return backbone


def _compare(path: Path, expected: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Every tensor that the network has must be in the file with its shape, and no other."""
    given = {name: entry for name, entry in header.items() if name != "__metadata__"}
    for name in sorted(expected.keys() | given.keys()):
        wanted = ("F32", list(expected[name].shape)) if name in expected else None
        found = (given[name].get("dtype"), given[name].get("shape")) if name in given else None
        if wanted != found:
            raise ModelFileError(f"{path}: tensor {name} is {found}, expected {wanted}; not a model of this version")
