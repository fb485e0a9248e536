"""What a report is made from, so that others can make it again."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import RasterioError

from engine import __version__
from engine.checksum import file_sha256

_PACKAGES = ("numpy", "scipy", "rasterio", "geopandas", "matplotlib")
_TAGS = {
    "TIFFTAG_SOFTWARE": "made by",
    "TIFFTAG_DATETIME": "made at",
    "MAMOL_MODEL_SHA256": "model SHA-256",
    "MAMOL_LAYERS": "layers",
    "MAMOL_OPTIONS": "options",
}


def provenance(files: Mapping[str, Path | None], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Files with their fingerprints, settings, versions and what the files' makers wrote into them; JSON-able.

    Args:
        files: by what they are; None: not given.
        settings: of the command; those that are None are left out.
    """
    given = {name: path for name, path in files.items() if path is not None}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": {key: value for key, value in settings.items() if value is not None},
        "files": file_facts(given),
        "versions": versions(),
    }


def file_facts(files: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Path, fingerprint (empty for what is no plain file) and maker's notes of files, by what they are."""
    return {name: {"path": str(path), "sha256": _sha256(path)} | _tags(path) for name, path in files.items()}


def versions() -> dict[str, str]:
    """Of the engine, Python, and the packages that the figures depend on."""
    found = {"engine": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _sha256(path: Path) -> str:
    if not path.is_file():  # a variable of a .mat file, a folder
        return ""
    return file_sha256(path)


def _tags(path: Path) -> dict[str, str]:
    """What a map says of its own making."""
    try:
        with rasterio.open(path) as dataset:
            tags = dataset.tags()
    except RasterioError:
        return {}
    return {_TAGS[key]: value for key, value in tags.items() if key in _TAGS}
