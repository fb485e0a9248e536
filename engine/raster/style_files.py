"""Styles beside layers: QGIS looks for NAME.qml beside NAME.tif and NAME.gpkg, so both may want the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.errors import OutputError

_MARKS = {"raster": b"<rasterrenderer", "vector": b"<renderer-v2"}
_MOST_BYTES = 16 * 2**20


def check_style(layer: Path, kind: Literal["raster", "vector"]) -> None:
    """See that the style of a new layer replaces none of a layer of the other kind, which has the same name.

    Raises:
        OutputError: it would.
    """
    style = layer.with_suffix(".qml")
    other: Literal["raster", "vector"] = "vector" if kind == "raster" else "raster"
    try:
        with style.open("rb") as file:
            text = file.read(_MOST_BYTES)
    except OSError:  # there is none, or it says why when it is written
        return
    if _MARKS[other] in text and _MARKS[kind] not in text:
        raise OutputError(f"{style}: is the style of a {other} layer and would be replaced; choose another name")
