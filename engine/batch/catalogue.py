"""Scenes from where they lie already: a STAC collection, or files with regular names.

STAC: an item collection (one JSON file of features), or a collection or catalog whose links lead to items. Assets whose
keys are names of modalities become layers. Everything is read from this machine: links and assets elsewhere are not
followed.

Pattern: `scenes/{id}/{modality}.tif`, where both words stand for a part of a file's or folder's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from engine.batch.faults import Faults
from engine.batch.scene import MAX_SCENES, Scene, id_fault
from engine.batch.table import is_datetime, read_table
from engine.errors import ConfigError

_MAX_BYTES = 256 * 2**20  # of one STAC file


def read_scenes(source: str, modalities: Sequence[str]) -> list[Scene]:
    """Scenes of a job list: a pattern (with braces), STAC (`.json`, `.geojson`), or a table.

    Raises:
        ConfigError: it cannot be read or understood, or holds no scene.
    """
    if "{" in source:
        return _from_pattern(source, modalities)
    path = Path(source)
    if path.suffix.lower() in (".json", ".geojson"):
        return _from_stac(path, modalities)
    return read_table(path, modalities)


def _from_pattern(pattern: str, modalities: Sequence[str]) -> list[Scene]:
    if "{id}" not in pattern or pattern.count("{modality}") != 1 or re.search(r"\{(?!id\}|modality\})", pattern):
        raise ConfigError(f"{pattern}: expected {{id}} and, once, {{modality}} in the pattern")
    pattern = Path(pattern).as_posix()
    expression = re.escape(pattern).replace(re.escape("{id}"), "(?P<id>[^/]+)", 1)
    expression = expression.replace(re.escape("{id}"), "(?P=id)")
    names = "|".join(re.escape(name) for name in sorted(modalities, key=len, reverse=True))
    shape = re.compile(expression.replace(re.escape("{modality}"), f"(?P<modality>{names})"))
    found: dict[str, dict[str, Path]] = {}
    wild = re.sub(r"([*?[])", r"[\1]", pattern).replace("{id}", "*").replace("{modality}", "*")
    root = Path(pattern).anchor
    for path in sorted(Path(root).glob(wild.removeprefix(Path(root).as_posix() if root else ""))):
        if match := shape.fullmatch(path.as_posix()):
            found.setdefault(match["id"], {})[match["modality"]] = path
    if not found:
        raise ConfigError(f"{pattern}: no file of that name; {{modality}} stands for one of {', '.join(modalities)}")
    return _checked([Scene(name, layers) for name, layers in found.items()], Path(pattern))


def _from_stac(path: Path, modalities: Sequence[str]) -> list[Scene]:
    faults = Faults(path)
    scenes: list[Scene] = []
    for item, folder in _items(path):
        if len(scenes) >= MAX_SCENES:
            raise ConfigError(f"{path}: more than {MAX_SCENES:,} items; split the collection")
        scenes.append(_from_item(item, folder, modalities, faults))
    faults.check()
    if not scenes:
        raise ConfigError(f"{path}: no item in it; expected features, or links of rel 'item'")
    return _checked(scenes, path)


def _items(start: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """Each item with the folder that its paths are relative to; no file is read twice, so circles end."""
    waiting, seen = [start], set()
    while waiting:
        path = waiting.pop()
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        data = _read(path)
        kind = data.get("type")
        if kind == "Feature":
            yield data, path.parent
        elif kind == "FeatureCollection":
            for item in _objects(data.get("features")):
                yield item, path.parent
        elif kind in ("Collection", "Catalog"):
            waiting += reversed(_linked(data, path))
        else:
            raise ConfigError(
                f"{path}: type {kind!r} is none of STAC's (Feature, FeatureCollection, Collection, Catalog)"
            )


def _linked(data: dict[str, Any], path: Path) -> list[Path]:
    """Files of the items and catalogs that a collection or catalog leads to."""
    targets = []
    for link in _objects(data.get("links")):
        if link.get("rel") in ("item", "child"):
            target = _local(link.get("href"), path.parent)
            if target is None:
                raise ConfigError(f"{path}: link to {link.get('href')!r}; only files of this machine are followed")
            targets.append(target)
    return targets


def _from_item(item: dict[str, Any], folder: Path, modalities: Sequence[str], faults: Faults) -> Scene:
    name = str(item.get("id") or "")
    place = f"item {name[:40]!r}"
    assets, properties = item.get("assets"), item.get("properties")
    layers = {}
    for key, asset in (assets if isinstance(assets, dict) else {}).items():
        if key not in modalities:
            continue
        href = asset.get("href") if isinstance(asset, dict) else None
        file = _local(href, folder)
        if file is None:
            faults.add(f"{place}, asset {key}", f"{href!r} is not a file of this machine; download or mount it first")
        else:
            layers[key] = file
    if not layers:
        faults.add(place, f"no asset is named like a modality of the model ({', '.join(modalities)})")
    when = properties.get("datetime") if isinstance(properties, dict) else None
    return Scene(name, layers, when if isinstance(when, str) and is_datetime(when) else None)


def _local(href: Any, folder: Path) -> Path | None:
    """The file that a reference means, None where it is not one of this machine."""
    if not isinstance(href, str) or not href or "\0" in href:
        return None
    try:
        parts = urlsplit(href)
    except ValueError:
        return None
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    # One letter is a Windows drive; /vsi... is GDAL's way to other machines and into archives.
    if (parts.scheme and len(parts.scheme) > 1) or parts.netloc or href.startswith("/vsi"):
        return None
    return folder / href


def _checked(scenes: list[Scene], source: Path) -> list[Scene]:
    """The scenes, if their names will do."""
    faults = Faults(source)
    seen: set[str] = set()
    for scene in scenes:
        if fault := id_fault(scene.id):
            faults.add("id", fault)
        elif scene.id.casefold() in seen:
            faults.add(f"id {scene.id!r}", "is there twice")
        seen.add(scene.id.casefold())
    faults.check()
    return scenes


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: more than {_MAX_BYTES // 2**20} MB of JSON; split it")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a JSON object, got {type(data).__name__}")
    return data


def _objects(data: Any) -> list[dict[str, Any]]:
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
