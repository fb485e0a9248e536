"""A file from a stranger does no harm, and one that is damaged says so."""

from __future__ import annotations

import json
import resource
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from engine.bundle import load_model, save_model
from engine.config import ModelConfig
from engine.errors import ModelFileError
from engine.modelfile import METADATA_KEY, read_info
from tests.bundle.conftest import KEYS, make_info

CPU = torch.device("cpu")


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Change a file's header and keep its tensors' bytes."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    target = path.with_name("changed.safetensors")
    target.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    return target


def change_info(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """A change of the description inside the header."""

    def apply(header: dict[str, Any]) -> None:
        info = json.loads(header["__metadata__"][METADATA_KEY])
        change(info)
        header["__metadata__"][METADATA_KEY] = json.dumps(info)

    return apply


def set_key(section: str | None, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return change_info(lambda info: (info if section is None else info[section]).update({key: value}))


def reshape_first(header: dict[str, Any]) -> None:
    name = next(name for name in header if name != "__metadata__" and len(header[name]["shape"]) == 2)
    header[name]["shape"] = [*header[name]["shape"], 1]


def retype_first(header: dict[str, Any]) -> None:
    name = next(name for name in header if name != "__metadata__")
    header[name]["dtype"] = "I32"


def claim_gigabytes(header: dict[str, Any]) -> None:
    header["huge"] = {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}


def overlap(header: dict[str, Any]) -> None:
    names = [name for name in header if name != "__metadata__"]
    header[names[0]]["data_offsets"] = [0, 4]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_key(None, "format_version", 2), "format 2"),
        (set_key(None, "format_version", "new"), "format 'new'"),
        (set_key(None, "absent", "maybe"), "maybe"),
        (change_info(lambda info: info["patterns"]["hsi+sar"].update(temperature=0)), "temperature"),
        (change_info(lambda info: info["patterns"]["hsi+sar"]["bias"].pop()), "biases"),
        (change_info(lambda info: info["backbone"]["shape"].update(eps="small")), "eps"),
        (change_info(lambda info: info["backbone"]["shape"].update(output=2**40)), "output"),
        (change_info(lambda info: info.pop("legend")), "legend"),
        (change_info(lambda info: info["stats"]["hsi"]["mean"].pop()), "statistics"),
        (change_info(lambda info: info["stats"]["sar"]["maximum"].append(1.0)), "statistics"),
        (change_info(lambda info: info["stats"]["sar"].update(std=[1.0, 0.0])), "deviation"),
        (change_info(lambda info: info["stats"]["sar"].update(mean=[1.0, float("nan")])), "not finite"),
        (change_info(lambda info: info["grid"].update(crs="http://example.org/crs")), "CRS"),
        (change_info(lambda info: info["legend"][0].update(colour=[0, 0, 999])), "colour"),
        (set_key("model", "window", 10**9), "window"),
        (set_key("model", "width", 10**6), "width"),
        (set_key("model", "depth", 10**9), "depth"),
        (set_key("model", "unheard_of", 1), "damaged"),
        (set_key("model", "backbone", "../evil"), "two backbones"),
        (set_key("backbone", "shape", {"width": 16}), "damaged"),
        (set_key("backbone", "inside", False), "without its backbone"),
        (change_info(lambda info: info["backbone"]["shape"].update(depth=10**9)), "depth"),
        (change_info(lambda info: info["backbone"]["shape"].update(mlp_width=2**50)), "mlp_width"),
        (change_info(lambda info: info["modalities"][0].update(bands=10**9)), "bands"),
        (change_info(lambda info: info["modalities"][0].update(role="spy")), "role"),
        (lambda header: header["__metadata__"].update({METADATA_KEY: "[" * 100_000}), "damaged"),
        (lambda header: header["__metadata__"].update({METADATA_KEY: "{}"}), "damaged"),
        (lambda header: header.pop("__metadata__"), "not a MaMOL model"),
        (reshape_first, "tensor|cannot be read"),
        (retype_first, "I32"),
        (claim_gigabytes, "truncated"),
        (overlap, "tensor|cannot be read"),
        (
            lambda header: header.pop("fusion.nothing", header.pop("classifiers.0.head.pattern.bias")),
            "classifiers.0.head.pattern.bias|cannot be read",
        ),
    ],
)
def test_attacks_are_refused_without_memory(make_file, change, words):
    """A damaged or hostile description is a ModelFileError, and costs no memory to find out."""
    path, _ = make_file()
    changed = rewrite(path, change)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelFileError, match=words) as caught:
        load_model(changed, CPU)
    assert "\n" not in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB


def test_weights_that_are_no_numbers_are_refused(make_file):
    """They would map every pixel to the first class."""
    path, network = make_file()
    with torch.no_grad():
        next(iter(network.parameters())).fill_(float("nan"))
    save_model(path, network, make_info(ModelConfig(**KEYS)))
    with pytest.raises(ModelFileError, match="no numbers"):
        load_model(path, CPU)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no safetensors header"),
        (b"PK\x03\x04 a pickle in a zip", "no safetensors header"),
        (struct.pack("<Q", 2**63) + b"{}", "no safetensors header"),
        (struct.pack("<Q", 10_000_000) + b"{}", "truncated"),
        (struct.pack("<Q", 4) + b"[1]]", "no safetensors header"),
        (struct.pack("<Q", 4) + b"[11]", "no safetensors header"),
        (struct.pack("<Q", 2) + b"{}", "not a MaMOL model"),
    ],
)
def test_files_that_are_none_of_ours(tmp_path, content, words):
    """Empty, foreign and absurd files."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    for read in (read_info, lambda p: load_model(p, CPU)):
        with pytest.raises(ModelFileError, match=words):
            read(path)


def test_missing_foreign_and_truncated(make_file, tmp_path):
    """No file, another program's safetensors, and any truncation of ours."""
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_info(tmp_path / "nothing.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors", {"format": "pt"})
    with pytest.raises(ModelFileError, match="not a MaMOL model"):
        read_info(tmp_path / "other.safetensors")
    path, _ = make_file()
    whole = path.read_bytes()
    for length in (5, 8, 500, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            read_info(path)
