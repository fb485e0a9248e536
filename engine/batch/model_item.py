"""STAC item of a model, after the Machine Learning Model extension (stac-extensions/mlm 1.5)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from engine import __version__
from engine.batch.items import CLASSIFICATION, STAC_VERSION, classes_json
from engine.batch.manifest import replace_text
from engine.modelfile import ModelInfo

_MLM = "https://stac-extensions.github.io/mlm/v1.5.0/schema.json"
_EO = "https://stac-extensions.github.io/eo/v2.0.0/schema.json"
_FILE = "https://stac-extensions.github.io/file/v2.1.0/schema.json"


def write_model_item(path: Path, info: ModelInfo, model: Path, sha256: str) -> None:
    """Write the item.

    Args:
        path: where to.
        info: what the model says of itself.
        model: its file.
        sha256: checksum of the file.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        href = Path(os.path.relpath(model, path.parent)).as_posix()
    except ValueError:  # another drive
        href = model.resolve().as_uri()
    item = model_item(info, href, model.stem, sha256, model.stat().st_size)
    replace_text(path, json.dumps(item, indent=1, ensure_ascii=False) + "\n")


def model_item(info: ModelInfo, href: str, name: str, sha256: str, size: int) -> dict[str, Any]:
    """STAC item of a model file.

    One `mlm:input` for each sensor, because each has a grid of its own before mapping and each may be missing. The item
    has no place: a model file does not say where its training pixels lay.

    Args:
        info: what the model says of itself.
        href: reference to its file.
        name: of the model.
        sha256: checksum of the file.
        size: of the file, bytes.
    """
    trained = info.training.get("date")
    bands = [band for modality in info.modalities for band in _bands(info, modality.name)]
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [_MLM, _FILE, _EO, CLASSIFICATION],
        "id": f"model-{sha256[:12]}",
        "geometry": None,
        "properties": {
            "title": name,
            "description": "Land-cover model that maps every pixel with whatever sensors cover it.",
            **({"datetime": trained} if trained else _ALWAYS),
            "bands": bands,  # here for MLM, and STAC wants them at an asset, too
            "mlm:name": name,
            "mlm:architecture": f"MaMOL ({info.model['method']}) on {info.model['backbone']}",
            "mlm:framework": "PyTorch",
            "mlm:tasks": ["semantic-segmentation"],
            "mlm:pretrained": info.model["backbone"] != "compact",
            "mlm:pretrained_source": None if info.model["backbone"] == "compact" else info.model["backbone"],
            "mlm:input": [_input(info, modality.name) for modality in info.modalities],
            "mlm:output": [
                {
                    "name": "land cover",
                    "tasks": ["semantic-segmentation"],
                    "result": {
                        "shape": [-1, len(info.legend), info.core, info.core],
                        "dim_order": ["batch", "class", "height", "width"],
                        "data_type": "float32",
                    },
                    "classification:classes": classes_json(info.legend),
                }
            ],
            "mlm:hyperparameters": {key: value for key, value in info.model.items() if value is not None},
            "mamol:version": __version__,
            "mamol:patterns": {
                pattern: {key: facts[key] for key in ("oa", "aa", "kappa", "n") if facts.get(key) is not None}
                for pattern, facts in info.patterns.items()
            },
        },
        "links": [],
        "assets": {
            "model": {
                "href": href,
                "type": "application/octet-stream; application=safetensors",
                "title": "Model file",
                "roles": ["mlm:model"],
                "mlm:artifact_type": "safetensors.torch.save_file",
                "bands": bands,
                "file:size": size,
                "file:checksum": f"1220{sha256}",  # multihash: SHA-256, 32 bytes
            }
        },
    }


# STAC wants a moment or a range.
_ALWAYS = {"datetime": None, "start_datetime": "1970-01-01T00:00:00Z", "end_datetime": "9999-12-31T23:59:59Z"}


def _bands(info: ModelInfo, name: str) -> list[dict[str, Any]]:
    """The bands of a sensor, named `sensor-1`, ... in the order in which the model reads them."""
    modality = next(item for item in info.modalities if item.name == name)
    bands = []
    for index in range(modality.bands):
        band: dict[str, Any] = {"name": f"{name}-{index + 1}"}
        if modality.source_bands:
            band["description"] = f"band {modality.source_bands[index]} of {modality.source_count} in training"
        if modality.wavelengths_nm:
            band["eo:center_wavelength"] = modality.wavelengths_nm[index] / 1000
        bands.append(band)
    return bands


def _input(info: ModelInfo, name: str) -> dict[str, Any]:
    stats = info.stats[name]
    bands = [band["name"] for band in _bands(info, name)]
    return {
        "name": name,
        "description": "May be missing, everywhere or at some pixels.",
        "bands": bands,
        "input": {
            "shape": [-1, len(bands), info.window, info.window],
            "dim_order": ["batch", "bands", "height", "width"],
            "data_type": "float32",
        },
        "value_scaling": [
            {"type": "z-score", "mean": mean, "stddev": std}
            for mean, std in zip(stats.mean.tolist(), stats.std.tolist(), strict=True)
        ],
    }
