"""Virtual rasters of strangers: what they name is looked at before GDAL opens any of it.

A VRT is XML that names other files, and GDAL would follow it anywhere: to URLs, into other programs' formats, into the
bytes of any file (raw bands), and, where it is built and told so, into Python. GDAL takes attributes and elements for
the same and does not tell upper from lower case; so does this check.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree  # nosec B405 - expat with entities refused, see _pairs
from collections.abc import Iterator
from pathlib import Path

from engine.errors import RasterOpenError
from engine.trust import leads_elsewhere, network_is_allowed, python_is_allowed

_MOST_BYTES = 64 * 2**20
_DEEPEST = 8
_HEAD = 4096
_SQLITE = b"SQLite format 3"
# How XML and JSON begin. Files of bare pixels (ENVI's, say) may begin with any byte: the first one alone tells nothing.
_TEXT = re.compile(
    rb"""<(?:!--|![a-z]+\s|\?[a-z][\w:.-]*[\s?]|[a-z_][\w:.-]*(?:[\s/>]|$))|\{\s*"|\[\s*["{\d]""", re.IGNORECASE
)
_DATASETS = {"", "vrtdataset", "vrtwarpeddataset", "vrtpansharpeneddataset"}
_BANDS = {
    "", "vrtsourcedrasterband", "vrtderivedrasterband", "vrtwarpedrasterband", "vrtpansharpenedrasterband",
    "vrtrawrasterband",
}  # fmt: skip
_KEYS = {"x_dataset", "y_dataset", "overview_file"}  # metadata that GDAL takes for files; all other is only text


def check_layer(path: Path) -> None:
    """Refuse a raster that would lead GDAL elsewhere: by itself, through what it names, or through a mask beside it.

    Args:
        path: a file that exists.

    Raises:
        RasterOpenError: it names a place that is not a file of this machine, holds code, or is nested too deeply.
    """
    _check(path, path, 0, set())
    for beside in (path.with_name(path.name + suffix) for suffix in (".msk", ".ovr")):
        if beside.is_file() and _looks_like_text(_head(beside)):
            raise RasterOpenError(f"{beside}: is no raster of pixels, and GDAL would follow it; remove it")


def _check(path: Path, named_by: Path, depth: int, seen: set[Path]) -> None:
    """Look at one file; those that it names, too."""
    if path in seen:
        return
    seen.add(path)
    try:
        there, regular = path.exists(), path.is_file()
    except OSError as error:  # a name that is too long, a loop of links
        raise RasterOpenError(f"{named_by}: names a file that cannot be ({error.strerror})") from error
    if not regular:
        if there and not path.is_dir():
            raise RasterOpenError(f"{named_by}: {path} is no regular file; name rasters only")
        return  # GDAL says that it is missing
    head = _head(path)
    if b"<vrtdataset" in head.lower():
        if path.stat().st_size > _MOST_BYTES:
            raise RasterOpenError(f"{path}: a virtual raster of more than {_MOST_BYTES >> 20} MB; split it")
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise RasterOpenError(f"{path}: not a readable virtual raster ({error})") from error
        _check_text(text, path, depth, seen)
    elif _looks_like_text(head) or (depth and head.startswith(_SQLITE)):
        kind = "a description of a service or of other files" if _looks_like_text(head) else "a data base"
        raise RasterOpenError(f"{path}: is {kind}, not a raster; give GeoTIFF, COG, VRT, ENVI or .mat")


def _check_text(text: str, path: Path, depth: int, seen: set[Path]) -> None:
    """Look at the XML of a VRT, which may stand inside another."""
    if depth > _DEEPEST:
        raise RasterOpenError(f"{path}: virtual rasters nested more than {_DEEPEST} deep; flatten them")
    for tag, name, value, relative in _pairs(text, path):
        if (name == "pixelfunctionlanguage" and value.lower() == "python") or name == "pixelfunctioncode":
            if not python_is_allowed():
                raise RasterOpenError(
                    f"{path}: holds Python code (a pixel function), which is not run; write its result to a GeoTIFF, "
                    "or set GDAL_VRT_ENABLE_PYTHON=YES if you trust the file"
                )
        elif name == "subclass" and value.lower() not in (_DATASETS if tag == "vrtdataset" else _BANDS):
            raise RasterOpenError(f"{path}: {value} is not supported; write it to a GeoTIFF with gdal_translate")
        elif name == "group":
            raise RasterOpenError(f"{path}: a multidimensional virtual raster; write a slice of it to a GeoTIFF")
        elif _names_a_file(name) and value:
            _check_named(value, relative, tag, path, depth, seen)


def _check_named(value: str, relative: bool, tag: str, path: Path, depth: int, seen: set[Path]) -> None:
    """Look at a file that a VRT names."""
    if value.startswith("<"):
        _check_text(value, path, depth + 1, seen)
    elif leads_elsewhere(value):
        if not network_is_allowed():
            raise RasterOpenError(
                f"{path}: names {value[:120]}, which is not a file on this machine's disks; copy it here, or set "
                "MAMOL_NETWORK=1 if you trust the file"
            )
    else:
        file = path.parent / value if relative else Path(value)
        if tag == "vrtrasterband" and not file.resolve().is_relative_to(path.parent.resolve()):
            raise RasterOpenError(f"{path}: reads raw bytes of {value[:120]}; only files beside it may be read so")
        _check(file, path, depth + 1, seen)


def _pairs(text: str, path: Path) -> Iterator[tuple[str, str, str, bool]]:
    """(parent or own tag, name, text, relative to the VRT?) of all elements and attributes, in lower case."""
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
        raise RasterOpenError(f"{path}: declares entities or a document type, which no virtual raster needs")
    try:
        root = ElementTree.fromstring(text)  # nosec B314
    except (ElementTree.ParseError, RecursionError, ValueError) as error:
        raise RasterOpenError(f"{path}: not a valid virtual raster ({error})") from error
    waiting = [(root, root.tag.lower())]
    while waiting:
        element, parent = waiting.pop()
        tag = element.tag.lower()
        given = {key.lower(): value.strip() for key, value in element.attrib.items()}
        children = {child.tag.lower(): (child.text or "").strip() for child in element}
        flag = (given | children).get("relativetovrt", "0")
        relative = flag.isdigit() and int(flag) != 0
        for name, value in given.items():
            yield tag, name, value, relative
        key = given.get("key", "").lower()
        name = tag if tag != "mdi" else key if key in _KEYS else "mdi"
        yield parent, name, (element.text or "").strip(), relative
        waiting += [(child, tag) for child in element]


def _names_a_file(name: str) -> bool:
    """True for the names of elements, attributes and metadata under which GDAL looks for a file."""
    return (name.endswith(("filename", "dataset", "dempath")) and name != "vrtdataset") or name in _KEYS


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise RasterOpenError(
            f"{path}: cannot be read ({error.strerror}); check the file and its permissions"
        ) from error


def _looks_like_text(head: bytes) -> bool:
    """True for XML and JSON: GDAL's ways of describing services, catalogues and pipelines."""
    return _TEXT.match(head.removeprefix(b"\xef\xbb\xbf").lstrip()) is not None
