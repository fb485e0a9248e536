"""Files that are not what they should be: cut, with flipped bits, lying about themselves, flooded with NaN, foreign.

Mutation number n of a kind is always the same, so that a finding can be made again from its name.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

Rng = random.Random

_NASTY: tuple[Any, ...] = (
    0, -1, 1, 2, 255, 256, 65536, 2**31 - 1, 2**31, 2**32, 2**53, 2**63, -(2**63), 2**200, 1e308, -1e308, 1e-320, 0.5,
    float("nan"), float("inf"), True, False, None, "", "a" * 10_000, "nan", "1e999", "../../etc/passwd", "/dev/zero",
    "http://127.0.0.1:9/x", "/vsicurl/http://127.0.0.1:9/x", "\\\\127.0.0.1\\x", "\u0000", "\ud800", "🜨" * 50, "=1+1",
    "<script>", "%s%n", [], {}, [[]], [0] * 100, {"a": {"b": {"c": []}}}, [None], ["hsi", 3], "compact", "timm:x",
)  # fmt: skip
# Tags of a TIFF that say how large it is and where its pixels are.
_TIFF_TAGS = (256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339, 33550, 33922, 42113)


def mutate(data: bytes, suffix: str, rng: Rng) -> bytes:
    """One mutation of a file's content, of a kind that its suffix admits."""
    ways: list[Callable[[bytes, Rng], bytes]] = [cut, flip, flip, splice, nothing, foreign, flood]
    if suffix == ".safetensors":
        ways += [model_header] * 14
    elif suffix in (".json", ".geojson"):
        ways += [json_value] * 10
    elif suffix in (".toml", ".hdr"):
        ways += [text_value] * 12
    elif suffix == ".csv":
        ways += [table_cell] * 12
    elif suffix in (".vrt", ".xml", ".qml"):
        ways += [xml_value] * 12
    elif suffix == ".tif":
        ways += [tiff_tag] * 12
    return rng.choice(ways)(data, rng)


def cut(data: bytes, rng: Rng) -> bytes:
    """The beginning only."""
    return data[: rng.choice((rng.randrange(len(data) + 1), rng.randrange(min(len(data), 600) + 1)))]


def flip(data: bytes, rng: Rng) -> bytes:
    """Some bits turned over, mostly near the beginning, where headers are."""
    changed = bytearray(data)
    reach = len(changed) if rng.random() < 0.3 else min(len(changed), 2000)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        changed[rng.randrange(reach)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def splice(data: bytes, rng: Rng) -> bytes:
    """A piece left out, doubled or overwritten."""
    start = rng.randrange(len(data))
    stop = min(len(data), start + rng.choice((1, 4, 100, 5000)))
    piece = rng.choice((b"", data[start:stop] * 2, bytes(stop - start), b"\xff" * (stop - start), rng.randbytes(64)))
    return data[:start] + piece + data[stop:]


def nothing(data: bytes, rng: Rng) -> bytes:
    """Empty, or next to it."""
    return rng.choice((b"", b"\0", b"\n", b"{}", b"<a/>", bytes(4096), b"\xff" * 4096))


def foreign(data: bytes, rng: Rng) -> bytes:
    """Something else altogether."""
    beginnings = (
        b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"SQLite format 3\0", b"II*\0\x08\0\0\0", b"%PDF-1.4", b"\x7fELF",
        b"\x80\x04cposix\nsystem\n", b"GIF89a", b"\xff\xd8\xff\xe0", b"<GDAL_WMS></GDAL_WMS>", b"\x89HDF\r\n\x1a\n",
        b"MATLAB 5.0 MAT-file", b"<OGRVRTDataSource/>", b'{"type": "gdal_streamed_alg"}', b"fgb\x03fgb\0",
    )  # fmt: skip
    return rng.choice(beginnings) + rng.randbytes(rng.choice((0, 100, 3000)))


def flood(data: bytes, rng: Rng) -> bytes:
    """NaN, infinity or huge numbers in the place of the second half, or of most of it."""
    start = rng.randrange(len(data) // 2 + 1) if rng.random() < 0.5 else len(data) // 2
    number = rng.choice((float("nan"), float("inf"), -3e38, 1e-42))
    count = (len(data) - start) // 4
    return data[:start] + struct.pack("<f", number) * count + data[start + 4 * count :]


def model_header(data: bytes, rng: Rng) -> bytes:
    """A model file whose header, or the description inside it, lies."""
    length = struct.unpack("<Q", data[:8])[0]
    header, tensors = json.loads(data[8 : 8 + length]), data[8 + length :]
    if rng.random() < 0.15:
        return struct.pack("<Q", rng.choice((0, 1, length - 1, length + 1, 2**24, 2**40, 2**64 - 1))) + data[8:]
    if rng.random() < 0.7:
        info = json.loads(header["__metadata__"]["mamol"])
        for _ in range(rng.choice((1, 1, 2, 3))):
            _change(info, rng)
        header["__metadata__"]["mamol"] = json.dumps(info)
    else:
        _change(header, rng)
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text)) + text + tensors


def json_value(data: bytes, rng: Rng) -> bytes:
    """A JSON text with other values in it, or too deep."""
    if rng.random() < 0.05:
        return b"[" * 100_000
    value = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        _change(value, rng)
    return json.dumps(value).encode("utf-8", "surrogatepass")


def text_value(data: bytes, rng: Rng) -> bytes:
    """Lines `key = value` with another value, or a line too many."""
    lines = data.decode("utf-8", "replace").splitlines()
    for _ in range(rng.choice((1, 1, 2, 4))):
        number = rng.randrange(len(lines))
        nasty = rng.choice(_NASTY)
        value = json.dumps(nasty) if rng.random() < 0.7 else str(nasty)
        if "=" in lines[number]:
            lines[number] = f"{lines[number].partition('=')[0]}= {value}"
        elif rng.random() < 0.5:
            lines.insert(number, rng.choice(("[" * 5000, f"x = {value}", "[scene]", lines[number])))
        else:
            del lines[number]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def table_cell(data: bytes, rng: Rng) -> bytes:
    """A table with other cells, or with rows that are there twice, cut, or gone."""
    rows = [line.split(",") for line in data.decode("utf-8", "replace").splitlines()]
    for _ in range(rng.choice((1, 1, 2, 4))):
        row = rng.choice(rows[1:] if len(rows) > 1 and rng.random() < 0.9 else rows)
        what = rng.random()
        if what < 0.6:
            nasty = rng.choice(_NASTY)
            row[rng.randrange(len(row))] = str(nasty) if rng.random() < 0.7 else json.dumps(nasty)
        elif what < 0.7:
            row[rng.randrange(len(row))] = rng.choice(rng.choice(rows))
        elif what < 0.8:
            row.insert(rng.randrange(len(row) + 1), rng.choice(('"', "", "x", "x" * 200_000)))
        elif what < 0.9:
            rows.insert(rng.randrange(len(rows) + 1), list(row))
        elif len(rows) > 1:
            rows.remove(row)
    separator = rng.choice((",",) * 9 + (";", "\t", "|"))
    text = rng.choice(("\n", "\n", "\n", "\r\n", "\r")).join(separator.join(row) for row in rows)
    return text.encode("utf-8", "surrogatepass")


def xml_value(data: bytes, rng: Rng) -> bytes:
    """XML with another number or text, or with a dangerous element in it."""
    text = data.decode("utf-8", "replace")
    if rng.random() < 0.2:
        bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
        extra = rng.choice((
            bomb, "<PixelFunctionLanguage>Python</PixelFunctionLanguage>", "<a>" * 20_000, "<Group name='/'/>",
            "<Overview><SourceFilename>/vsicurl/http://127.0.0.1:9/x</SourceFilename></Overview>",
            '<VRTRasterBand subClass="VRTRawRasterBand"><SourceFilename>/etc/passwd</SourceFilename></VRTRasterBand>',
        ))  # fmt: skip
        place = rng.randrange(len(text))
        return (text[:place] + extra + text[place:]).encode()
    values = list(re.finditer(r'(?<=")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)', text))
    for match in sorted(rng.sample(values, min(len(values), rng.choice((1, 1, 2)))), key=lambda m: -m.start()):
        nasty = str(rng.choice(_NASTY)).replace("<", "&lt;").replace("&", "&amp;")
        text = text[: match.start()] + nasty + text[match.end() :]
    return text.encode("utf-8", "surrogatepass")


def tiff_tag(data: bytes, rng: Rng) -> bytes:
    """A little-endian TIFF whose first directory lies about sizes, places or kinds."""
    changed = bytearray(data)
    start = struct.unpack_from("<I", changed, 4)[0]
    entries = [start + 2 + 12 * number for number in range(struct.unpack_from("<H", changed, start)[0])]
    known = [place for place in entries if struct.unpack_from("<H", changed, place)[0] in _TIFF_TAGS]
    for place in rng.sample(known, min(len(known), rng.choice((1, 1, 2, 3)))):
        what = rng.random()
        if what < 0.7:
            struct.pack_into("<I", changed, place + 8, rng.choice((0, 1, 7, 255, 65535, 10**6, 2**31 - 1, 2**32 - 1)))
        elif what < 0.85:
            struct.pack_into("<I", changed, place + 4, rng.choice((0, 2, 1000, 2**31, 2**32 - 1)))
        else:
            struct.pack_into("<H", changed, place + 2, rng.randrange(20))
    return bytes(changed)


def _change(value: Any, rng: Rng) -> None:
    """Replace, remove or double one value somewhere inside a JSON value."""
    places = list(_places(value))
    if not places:
        return
    holder, key = rng.choice(places)
    what = rng.random()
    if what < 0.7:
        holder[key] = rng.choice(_NASTY)
    elif what < 0.85:
        del holder[key]
    elif isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[f"{key}x"] = holder.pop(key)


def _places(value: Any) -> Any:
    """(holder, key) of every value inside."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


# Percent of all mutations that are of each kind.
SHARES = {"model": 25, "config": 15, "job": 10, "table": 10, "raster": 25, "labels": 15}


def base_files(folder: Path) -> dict[str, list[Path]]:
    """What is mutated, by kind: files of the world."""
    rasters = ("optical.tif", "packed.tif", "cube.hdr", "cube.mat", "mosaic.vrt")
    labels = ("labels.tif", "labels.tif.aux.xml", "points.gpkg", "points.geojson", "points.shp", "points.dbf")
    return {
        "model": [folder / "run" / "model.safetensors"],
        "config": [folder / "config.toml"],
        "job": [folder / "job.json"],
        "table": [folder / "jobs.csv"],
        "raster": [folder / name for name in rasters],
        "labels": [folder / name for name in labels],
    }


# Which files name others, and must find them.
_NAMED = {
    "config.toml": ("optical.tif", "height.tif", "labels.tif"),
    "mosaic.vrt": ("optical.tif",),
    "jobs.csv": ("optical.tif", "height.tif", "optical_corner.tif", "height_corner.tif"),
}


def label_file(path: Path) -> Path:
    """The file that is named where a mutated one is it or lies beside it."""
    if path.suffix == ".xml":  # NAME.tif.aux.xml
        return path.with_name(path.name.removesuffix(".aux.xml"))
    return path.with_suffix(".shp") if path.suffix == ".dbf" else path


def put(world: Path, base: Path, content: bytes, scratch: Path) -> Path:
    """A mutated copy of a file, with the neighbours of the whole one, in an emptied folder."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for beside in base.parent.glob(f"{base.name.partition('.')[0]}.*"):
        shutil.copy(beside, scratch / beside.name)
    for name in _NAMED.get(base.name, ()):
        shutil.copy(world / name, scratch / name)
    path = scratch / base.name
    path.write_bytes(content)
    return path
