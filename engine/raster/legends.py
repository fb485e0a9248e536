"""Names and colours of classes: found beside the labels, generated where there are none, merged over files."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree  # nosec B405 - see _xml_root
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from engine.legend import LandClass, Legend, distinct_colour
from engine.raster import envi

Colour = tuple[int, int, int]


@dataclass(slots=True)
class Hints:
    """What a file says of its classes. Keys are pixel values, or the values of a vector field as text."""

    names: dict[str, str] = field(default_factory=dict)
    colours: dict[str, Colour] = field(default_factory=dict)

    def add(self, other: Hints) -> None:
        """Fill gaps from `other`, which is trusted less."""
        self.names = other.names | self.names
        self.colours = other.colours | self.colours


def generated_name(value: int) -> str:
    """Name of a class whose source gives none."""
    return f"class {value}"


def build_legend(values: Iterable[int], hints: Hints) -> Legend:
    """A legend for the class values that occur, each name once."""
    classes: list[LandClass] = []
    taken: set[str] = set()
    for index, value in enumerate(sorted(values)):
        name = hints.names.get(str(value), "").strip() or generated_name(value)
        if name.casefold() in taken:
            name = f"{name} ({value})"
        taken.add(name.casefold())
        classes.append(LandClass(value, name, hints.colours.get(str(value)) or distinct_colour(index)))
    return Legend(tuple(classes))


def merge_legends(legends: Sequence[Legend]) -> Legend:
    """One legend for several label files: named classes are the same where their names are, others where values are.

    A class keeps its value unless a class of another name has it already; then it gets one that no file uses.
    """
    every = [item for legend in legends for item in legend.classes]
    free = max((item.value for item in every), default=0) + 1
    merged: dict[int, LandClass] = {}
    # Named classes first: a class that one file only numbers takes its name from another.
    for item in sorted(every, key=lambda item: not _is_named(item)):
        if _find(merged.values(), item) is None:
            value = item.value
            if value in merged:
                value, free = free, free + 1
            merged[value] = LandClass(value, item.name, item.colour)
    return Legend(tuple(merged[value] for value in sorted(merged)))


def class_indices(legend: Legend, merged: Legend) -> np.ndarray:
    """Index in `merged` of each class of `legend` (Y,), where `merged` came from `merge_legends`.

    Raises:
        KeyError: `merged` lacks a class.
    """
    indices = []
    for item in legend.classes:
        same = _find(merged.classes, item)
        if same is None:
            raise KeyError(item.name)
        indices.append(merged.classes.index(same))
    return np.array(indices, np.int64)


def known_indices(legend: Legend, known: Legend) -> np.ndarray:
    """Index in a given legend of each class of `legend` (Y,), matched as in `merge_legends`; -1 for unknown classes.

    A class without a name is unknown, too, where `legend` gives the one of its value a value of its own.
    """
    merged = merge_legends([known, legend])
    place = np.full(len(merged), -1, np.int64)
    place[class_indices(known, merged)] = np.arange(len(known))
    indices = place[class_indices(legend, merged)]
    is_named = np.array([_is_named(item) for item in legend.classes])
    return np.where(~is_named & np.isin(indices, indices[is_named]), -1, indices)


def _is_named(item: LandClass) -> bool:
    return item.name != generated_name(item.value)


def _find(classes: Iterable[LandClass], item: LandClass) -> LandClass | None:
    """The class that means the same as `item`: by name if it has one, else by value."""
    if _is_named(item):
        return next((other for other in classes if other.name.casefold() == item.name.casefold()), None)
    return next((other for other in classes if other.value == item.value), None)


def raster_hints(path: Path) -> Hints:
    """Names and colours of a label raster: `.qml`, `.aux.xml`, ENVI header and colour table, in this order of trust."""
    hints = qml_hints(path.with_suffix(".qml"))
    hints.add(_pam_hints(Path(f"{path}.aux.xml")))
    try:
        with rasterio.open(path) as dataset:
            names, colours = envi.class_table(dataset.tags(ns="ENVI"))
            hints.add(Hints({str(k): v for k, v in names.items()}, {str(k): v for k, v in colours.items()}))
            table = dataset.colormap(1)
    except (RasterioError, ValueError):  # no colour table
        return hints
    # GDAL fills a table up to 256 entries with black.
    hints.add(Hints({}, {str(value): colour[:3] for value, colour in table.items() if colour[:3] != (0, 0, 0)}))
    return hints


def qml_hints(path: Path, field: str | None = None) -> Hints:
    """Names and colours of a QGIS style: paletted raster, or vector symbols categorised by `field`; else empty."""
    root = _xml_root(path)
    hints = Hints()
    if root is None:
        return hints
    renderer = root.find("renderer-v2")
    if field is not None and (renderer is None or renderer.get("attr", "").strip('"') != field):
        return hints
    for entry in root.iter("paletteEntry"):
        value = entry.get("value", "")
        hints.names[value] = entry.get("label", "")
        _set_colour(hints, value, entry.get("color", ""))
    symbols = {symbol.get("name"): symbol for symbol in root.iter("symbol")}
    for category in root.iter("category"):
        value = category.get("value", "")
        hints.names[value] = category.get("label", "")
        symbol = symbols.get(category.get("symbol"))
        for part in symbol.iter() if symbol is not None else ():
            # <Option name="color" value="r,g,b,a,..."> since QGIS 3.24, <prop k="color" v="r,g,b,a"> before.
            if part.get("name") == "color" or part.get("k") == "color":
                _set_colour(hints, value, part.get("value") or part.get("v") or "")
                break
    return hints


def _pam_hints(path: Path) -> Hints:
    """Category names and attribute table of the first band in GDAL's `.aux.xml`."""
    root = _xml_root(path)
    band = root.find("PAMRasterBand") if root is not None else None
    hints = Hints()
    if band is None:
        return hints
    table = band.find("GDALRasterAttributeTable")
    if table is not None:
        # Usages of GDALRATFieldUsage: 2 name, 5 value (min and max in one), 6 red, 7 green, 8 blue.
        columns = {column.findtext("Usage"): position for position, column in enumerate(table.findall("FieldDefn"))}
        for row in table.findall("Row"):
            cells = [cell.text or "" for cell in row.findall("F")]
            value = _integer_text(cells[columns["5"]]) if "5" in columns and columns["5"] < len(cells) else ""
            if "2" in columns:
                hints.names[value] = cells[columns["2"]]
            if {"6", "7", "8"} <= columns.keys():
                _set_colour(hints, value, ",".join(cells[columns[usage]] for usage in ("6", "7", "8")))
    categories = band.find("CategoryNames")
    if categories is not None:
        names = {str(value): item.text or "" for value, item in enumerate(categories.findall("Category"))}
        hints.add(Hints({value: name for value, name in names.items() if name}))
    return hints


def _xml_root(path: Path) -> ElementTree.Element | None:
    """Root of a sidecar file. One that is absent or broken costs names and colours, not the job."""
    try:
        # expat stops bombs of entities by itself since 2.4.1, older than any Python we run on
        return ElementTree.parse(path).getroot()  # nosec B314
    except (OSError, ElementTree.ParseError):
        return None


def _set_colour(hints: Hints, value: str, text: str) -> None:
    """Note a colour given as `#rrggbb` or `r,g,b...`."""
    try:
        if text.startswith("#"):
            red, green, blue = (int(text[start : start + 2], 16) for start in (1, 3, 5))
        else:
            red, green, blue = (int(part) for part in text.split(",")[:3])
    except ValueError:
        return
    hints.colours[value] = (red, green, blue)


def _integer_text(text: str) -> str:
    """`3.0` as `3`: attribute tables often keep values as reals."""
    try:
        return str(int(float(text)))
    except ValueError:
        return text
