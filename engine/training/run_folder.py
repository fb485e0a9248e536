"""What a run leaves in RUN/ beside the model file; each file is written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.atomic import replacing, write_text
from engine.config import Config
from engine.errors import OutputError


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        """Nothing is written yet."""
        self.path = path
        self.model = path / "model.safetensors"
        self.metrics = path / "metrics.json"
        self.checkpoint = path / "checkpoint"
        self.cache = path / "checkpoint" / "cache"

    def prepare(self, config: Config, resume: bool) -> None:
        """Make the folder and write the complete configuration, before any work is done.

        With `resume` the checkpoint, where there is one, must have been accepted: what is written is taken for the
        settings that the weights were trained with.

        Raises:
            OutputError: it holds a run already, or cannot be written.
        """
        if not resume and (self.model.exists() or (self.checkpoint / "state.json").exists()):
            raise OutputError(f"{self.path}: holds a run already; give --resume to go on with it, or another --out")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not resume and self.checkpoint.exists():  # left by a run that was stopped before its first checkpoint
                shutil.rmtree(self.checkpoint)
            self.cache.mkdir(parents=True, exist_ok=True)
            write_text(self.path / "config.toml", to_toml(config))
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror}); choose another --out") from error

    def write_history(self, history: Sequence[dict[str, float]]) -> None:
        """Write history.csv: one line for each validation."""
        text = io.StringIO()
        table = csv.DictWriter(text, list(dict.fromkeys(key for row in history for key in row)), lineterminator="\n")
        table.writeheader()
        table.writerows({key: _short(value) for key, value in row.items()} for row in history)
        write_text(self.path / "history.csv", text.getvalue())

    def write_metrics(self, patterns: dict[str, dict[str, Any]], device: str, seconds: float) -> None:
        """Write metrics.json."""
        metrics = {"patterns": patterns, "device": device, "seconds": round(seconds, 1)}
        write_text(self.metrics, json.dumps(metrics, indent=2) + "\n")

    def write_predictions(self, arrays: dict[str, np.ndarray]) -> None:
        """Write test_predictions.npz: plain arrays, readable with `allow_pickle=False`."""
        path = self.path / "test_predictions.npz"
        with replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as file:  # numpy's .npz
            for name, array in arrays.items():
                with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)

    def write_report(self, texts: dict[str, str]) -> None:
        """Write report.html and what stands beside it, by name."""
        for name, text in texts.items():
            write_text(self.path / name, text)

    def clean(self) -> None:
        """Remove the work files; the last checkpoint stays."""
        shutil.rmtree(self.cache, ignore_errors=True)


def to_toml(config: Config) -> str:
    """A configuration as TOML, with every key; those without a value are comments."""
    data = config.model_dump(mode="json")
    lines: list[str] = []
    for scene in data.pop("scene"):
        lines.append("[[scene]]")
        modalities, labels = scene.pop("modalities"), scene.pop("labels")
        lines += [*_pairs(scene), "[scene.labels]", *_pairs(labels)]
        for name, modality in modalities.items():
            lines += [f"[scene.modalities.{_key(name)}]", *_pairs(modality)]
        lines.append("")
    for section, values in data.items():
        lines += [f"[{section}]", *_pairs(values), ""]
    return "\n".join(lines)


def _pairs(values: dict[str, Any]) -> list[str]:
    return [
        f"# {_key(key)}: default" if value is None else f"{_key(key)} = {_value(value)}"
        for key, value in values.items()
    ]


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_value(item)}" for name, item in value.items()) + " }"
    # JSON's booleans, numbers and strings are TOML's, but for DEL and characters beyond the basic plane as surrogates.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _short(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(f"{value:.6g}")
