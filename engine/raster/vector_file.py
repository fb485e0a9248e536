"""Vector files: looked at before GDAL opens them, read whole."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pyogrio  # type: ignore[import-untyped]

from engine.errors import LabelError

_HEAD = 64 * 2**10
_SQLITE, _SHAPEFILE, _FLATGEOBUF = b"SQLite format 3\0", b"\0\0\x27\x0a", b"fgb"
_JSON, _XML, _TABLE = b"{", b"<", b""

# What a file of each kind begins with. GDAL goes by content alone: an `.shp` may be a text that names a service.
_BEGINNINGS = {
    ".gpkg": _SQLITE, ".sqlite": _SQLITE, ".shp": _SHAPEFILE, ".fgb": _FLATGEOBUF, ".geojson": _JSON, ".json": _JSON,
    ".geojsonl": _JSON, ".kml": _XML, ".gml": _XML, ".gpx": _XML, ".tab": b"!", ".mif": _TABLE, ".csv": _TABLE,
}  # fmt: skip
# In the text of a file: sources elsewhere, and pipelines of GDAL's own commands.
_LEADS_ON = (b"gdal_streamed_alg", b"<ogrvrtdatasource", b"<ogrwfsdatasource", b"<ogrcswdatasource", b"<gdal_")


def check_vector(path: Path) -> None:
    """Refuse a file that is not of the kind that its name says, or that would lead GDAL elsewhere.

    Raises:
        LabelError: it is, or it is not there.
    """
    if not path.exists():
        raise LabelError(f"{path}: no such file")
    if path.suffix.lower() == ".gdb" and path.is_dir():
        return
    beginning = _BEGINNINGS.get(path.suffix.lower())
    if beginning is None or not path.is_file():
        known = ", ".join(sorted([*_BEGINNINGS, ".gdb"]))
        raise LabelError(f"{path}: not a vector file of a kind that is read ({known}); save it as GeoPackage")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip() if beginning in (_JSON, _XML, b"!") else head
    if not text.startswith(beginning) or (beginning == _TABLE and text.lstrip()[:1] in (_JSON, _XML)):
        raise LabelError(f"{path}: not a readable vector file: its content is not that of a {path.suffix} file")
    if any(word in head.lower() for word in _LEADS_ON):
        raise LabelError(f"{path}: describes data that lie elsewhere; save them as GeoPackage")


def read_vector(path: Path, layer: str | None = None) -> geopandas.GeoDataFrame:
    """Read a layer; without `layer` the only one that has geometries.

    Raises:
        LabelError: the file cannot be read, has no such layer, or has several and none is named.
    """
    check_vector(path)
    layers = list_layers(path)
    if layer is None and len(layers) > 1:
        raise LabelError(f"{path}: several layers ({', '.join(layers)}); say which one as labels.layer")
    if layer is not None and layer not in layers:
        raise LabelError(f"{path}: no layer {layer}; it has: {', '.join(layers)}")
    try:
        return geopandas.read_file(path, layer=layer or (layers[0] if layers else None))
    except Exception as error:  # GDAL, shapely and pyproj raise whatever they stumble over in a damaged file
        raise LabelError(f"{path}: not a readable vector file ({error})") from error


def list_layers(path: Path) -> list[str]:
    """Names of the layers that have geometries; others are tables, like the styles that QGIS keeps in a GeoPackage.

    Raises:
        LabelError: the file cannot be read.
    """
    check_vector(path)
    try:
        return [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    except Exception as error:
        raise LabelError(f"{path}: not a readable vector file ({error})") from error
