"""A scene to be mapped, and names that are safe as names of files and in tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_SCENES = 1_000_000  # the manifest is kept in memory

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Names that Windows keeps for devices, whatever their suffix.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_OURS = {"manifest.csv", "collection.json", "model.json", "mosaic.vrt", "mosaic.tif"}


@dataclass(frozen=True, slots=True)
class Scene:
    """One place with the rasters there are.

    Attributes:
        id: its name, also that of its folder.
        layers: raster by modality name, at least one.
        datetime: when it was seen, RFC 3339; None where nobody says.
        fault: why it must not be mapped, a sentence; empty if nothing speaks against it.
    """

    id: str
    layers: Mapping[str, Path]
    datetime: str | None = None
    fault: str = ""


def id_fault(text: str) -> str | None:
    """What is wrong with the name of a scene, None if nothing is.

    A name becomes a folder and a cell of a table, and may come from a stranger: it must not lead out of the folder, nor
    be a formula to a spreadsheet.
    """
    if not text:
        return "the id is empty"
    if not _SAFE_ID.fullmatch(text) or text.endswith(".") or _DEVICES.fullmatch(text) or text.lower() in _OURS:
        return (
            f"{text[:40]!r} cannot name a folder: expected at most 100 letters, digits, dots, dashes and underscores, "
            "a letter or digit first, no reserved name"
        )
    return None
