"""The configuration of a training, as the TOML text that the engine reads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional


def config_text(
    modalities: Mapping[str, tuple[str, Path]],
    labels: Path,
    field: Optional[str],
    reference: str,
    sections: Mapping[str, Mapping[str, Any]],
) -> str:
    """Write a configuration.

    Args:
        modalities: role and file by the sensor's name.
        labels: file of labels.
        field: its class field, None for rasters.
        reference: sensor whose pixels are used; empty for the engine's choice.
        sections: further sections, by name; values that are None are left out.
    """
    lines = ["# Written by the QGIS plugin.", "[scene]"]
    if reference:
        lines.append(f"reference = {_value(reference)}")
    lines += ["[scene.labels]", f"path = {_value(str(labels))}"]
    if field is not None:
        lines.append(f"field = {_value(field)}")
    for name, (role, path) in modalities.items():
        lines += [f"[scene.modalities.{_value(name)}]", f"role = {_value(role)}", f"path = {_value(str(path))}"]
    for section, values in sections.items():
        given = [f"{key} = {_value(value)}" for key, value in values.items() if value is not None]
        if given:
            lines += ["", f"[{section}]", *given]
    return "\n".join(lines) + "\n"


def named_shares(modalities: Mapping[str, Path], labels: Path, weights: str) -> list[str]:
    """Settings that name once more what lies on shares of other machines.

    A configuration may come from anybody, and names no other machine; the engine's arguments may: here the user has
    picked each of these files.

    Args:
        modalities: file by the sensor's name.
        labels: file of labels.
        weights: file of the backbone's weights, empty for none.
    """
    files = {f"scene.modalities.{name}.path": str(path) for name, path in modalities.items()}
    files |= {"scene.labels.path": str(labels), "model.weights": weights}
    return [f"{key}={_value(file)}" for key, file in files.items() if file.startswith(("\\\\", "//"))]


def _value(value: Any) -> str:
    # JSON's numbers, booleans and strings are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
