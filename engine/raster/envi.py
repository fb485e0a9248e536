"""ENVI images: a text header beside a raw data file. GDAL reads pixels and header; this module fills its gaps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.errors import RasterOpenError

_DATA_SUFFIXES = ("", ".dat", ".img", ".bsq", ".bil", ".bip", ".raw", ".bin")


def data_file(header: Path) -> Path:
    """The data file of a header: `cube`, `cube.dat`, ... for `cube.hdr`, and `cube.dat` for `cube.dat.hdr`.

    Raises:
        RasterOpenError: there is no header, or no data file beside it.
    """
    if not header.is_file():
        raise RasterOpenError(f"{header}: no such file")
    stem = header.with_suffix("")
    endings = [*_DATA_SUFFIXES, *(suffix.upper() for suffix in _DATA_SUFFIXES)]
    found = [path for path in (stem.with_name(stem.name + ending) for ending in endings) if path.is_file()]
    if not found:
        tried = ", ".join(stem.name + suffix for suffix in _DATA_SUFFIXES)
        raise RasterOpenError(f"{header}: no data file beside this ENVI header (looked for {tried})")
    return found[0]


def check_complete(path: Path, header: Mapping[str, str], itemsize: int) -> None:
    """Compare a data file's size with its header, because GDAL reads what is missing as zeros.

    Args:
        path: the data file.
        header: its header as GDAL's metadata domain `ENVI` gives it.
        itemsize: bytes of one value.

    Raises:
        RasterOpenError: the file is too short.
    """
    if header.get("file_compression", "0").strip() != "0":
        return
    try:
        samples, lines, bands = (int(header[key]) for key in ("samples", "lines", "bands"))
        expected = int(header.get("header_offset", "0")) + samples * lines * bands * itemsize
    except (KeyError, ValueError) as error:
        raise RasterOpenError(f"{path}: its ENVI header does not give its size in numbers; correct the .hdr") from error
    size = path.stat().st_size
    if size < expected:
        raise RasterOpenError(f"{path}: truncated: its header promises {expected} bytes, it has {size}; copy it again")


def header_list(header: Mapping[str, str], key: str) -> list[str]:
    """The items of `key = {a, b, ...}`, empty where the header does not have it."""
    items = header.get(key, "").strip().removeprefix("{").removesuffix("}").split(",")
    return [item.strip() for item in items] if items != [""] else []


def bad_bands(header: Mapping[str, str], count: int) -> frozenset[int]:
    """1-based numbers of the bands that the bad-band list `bbl` marks with 0."""
    flags = header_list(header, "bbl")
    if len(flags) != count:
        return frozenset()
    return frozenset(number for number, flag in enumerate(flags, 1) if is_bad(flag))


def is_bad(flag: str) -> bool:
    """True for a bad-band flag of zero, however it is written ("0", "0.0")."""
    try:
        return float(flag) == 0
    except ValueError:
        return False


def class_table(header: Mapping[str, str]) -> tuple[dict[int, str], dict[int, tuple[int, int, int]]]:
    """Names and colours of an ENVI classification, by value; empty where the header has none."""
    names = dict(enumerate(header_list(header, "class_names")))
    lookup = header_list(header, "class_lookup")
    if not all(part.isdigit() for part in lookup):
        return names, {}
    parts = [int(part) for part in lookup]
    return names, dict(enumerate(zip(parts[0::3], parts[1::3], parts[2::3], strict=False)))
