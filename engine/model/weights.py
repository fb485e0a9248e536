"""Backbone weights from a local file, without ever running code from it."""

from __future__ import annotations

import pickle  # nosec B403 - the name of an exception
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.errors import WeightsError


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file or a torch checkpoint (a state dict, or one under `state_dict` or `model`).

    Raises:
        WeightsError: the file is missing, is neither of both, or would need to run code to be read.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such file of backbone weights; check model.weights")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, ValueError, EOFError) as error:
        raise WeightsError(
            f"{path}: backbone weights cannot be read ({first_line(error)}); give a safetensors file"
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path}: holds no plain table of tensors; give a safetensors file of the weights")
    return content


def fill(model: nn.Module, given: Mapping[str, Tensor], path: Path) -> None:
    """Give a model the tensors of its names and shapes; tensors that it does not have are left over.

    The model takes them as they are, so it may have been built on the device `meta`, without memory of its own. They
    may still lie in their file, which others can change or remove: pour the model, which copies them, before its use.

    Raises:
        WeightsError: a tensor is missing or has another shape.
    """
    wanted = model.state_dict()
    for name, value in wanted.items():
        if name not in given:
            raise WeightsError(f"{path}: no tensor {name}; these are weights of another model, or named in another way")
        if given[name].shape != value.shape:
            raise WeightsError(
                f"{path}: {name} is {tuple(given[name].shape)}, expected {tuple(value.shape)}; another model's weights"
            )
    model.load_state_dict({name: given[name].to(value.dtype) for name, value in wanted.items()}, assign=True)


def first_line(error: BaseException) -> str:
    """What an error of another library says, short enough for one sentence of ours."""
    return next(iter(str(error).splitlines()), type(error).__name__)
