"""How a map presents itself: pure text, no files.

GIS programs take a legend from different places: the colour table inside the TIFF (colours only), the `.aux.xml` beside
it (GDAL's category names and raster attribute table), and QGIS's own `.qml`, the only one that gives exactly our
classes in every version. All of them are made from one `Legend`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # nosec B405 - only writes
from collections.abc import Iterable, Mapping, Sequence

from engine.legend import LandClass, Legend, distinct_colour
from engine.modality import pattern_name, pattern_present

# GDALRATFieldType and GDALRATFieldUsage (gdal.h), as PAM files spell them.
_INTEGER, _REAL, _STRING = "0", "1", "2"
_GENERIC, _PIXEL_COUNT, _NAME, _MIN_MAX, _RED, _GREEN, _BLUE = "0", "1", "2", "5", "6", "7", "8"

# Low to high confidence; dark to light, also for readers who do not tell red from green.
_CONFIDENCE_RAMP = ((0, "#440154"), (25, "#3b528b"), (50, "#21918c"), (75, "#5ec962"), (100, "#fde725"))

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def colour_table(legend: Legend) -> dict[int, tuple[int, int, int, int]]:
    """Pixel value to (red, green, blue, alpha) for `rasterio`'s `write_colormap`; 0, nodata, is transparent."""
    return {0: (0, 0, 0, 0)} | {item.value: (*item.colour, 255) for item in legend.classes}


def sensors_legend(names: Sequence[str], occurring: Iterable[int]) -> Legend:
    """Legend of a sensors-used raster: one class for each pattern that occurs, with the same colour in every map.

    Args:
        names: modalities in model order; bit m of a pixel value is modality m.
        occurring: pixel values in the raster; 0 is nodata and left out.
    """
    return Legend(
        tuple(
            LandClass(bits, pattern_name(names, pattern_present(bits, len(names))), distinct_colour(bits))
            for bits in sorted(set(occurring) - {0})
        )
    )


def pam_xml(legend: Legend, pixels: Mapping[int, int], area_ha: Mapping[int, float] | None = None) -> str:
    """Text of the `.aux.xml` beside a class raster: category names and a raster attribute table.

    Args:
        legend: classes; the table has one row for each.
        pixels: number of pixels by pixel value; absent means none.
        area_ha: hectares by pixel value, None where the grid's unit is unknown.
    """
    root = ET.Element("PAMDataset")
    band = ET.SubElement(root, "PAMRasterBand", band="1")
    by_value = {item.value: item.name for item in legend.classes}
    categories = ET.SubElement(band, "CategoryNames")
    for value in range(max(by_value, default=0) + 1):
        ET.SubElement(categories, "Category").text = "nodata" if value == 0 else _clean(by_value.get(value, ""))
    columns = [
        ("Value", _INTEGER, _MIN_MAX), ("Count", _INTEGER, _PIXEL_COUNT), ("Class", _STRING, _NAME),
        ("Red", _INTEGER, _RED), ("Green", _INTEGER, _GREEN), ("Blue", _INTEGER, _BLUE),
    ]  # fmt: skip
    if area_ha is not None:
        columns.append(("Area_ha", _REAL, _GENERIC))
    table = ET.SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    for index, (name, kind, usage) in enumerate(columns):
        column = ET.SubElement(table, "FieldDefn", index=str(index))
        for tag, text in (("Name", name), ("Type", kind), ("Usage", usage)):
            ET.SubElement(column, tag).text = text
    for index, item in enumerate(legend.classes):
        row = ET.SubElement(table, "Row", index=str(index))
        cells = [item.value, pixels.get(item.value, 0), _clean(item.name), *item.colour]
        if area_ha is not None:
            cells.append(round(area_ha.get(item.value, 0.0), 6))
        for cell in cells:
            ET.SubElement(row, "F").text = str(cell)
    return _text(root)


def legend_qml(legend: Legend) -> str:
    """QGIS style of a class raster: one named, coloured entry for each class."""
    renderer = ET.Element("rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1", nodataColor="")
    palette = ET.SubElement(renderer, "colorPalette")
    for item in legend.classes:
        ET.SubElement(
            palette,
            "paletteEntry",
            value=str(item.value),
            color=_hex(item.colour),
            alpha="255",
            label=_clean(item.name),
        )
    return _qml(renderer)


def points_qml(legend: Legend, field: str, hidden: Sequence[str]) -> str:
    """QGIS style of points whose class is to be filled in: a list of the classes to choose from, and their colours.

    Args:
        legend: the classes.
        field: attribute that takes the class value.
        hidden: attributes that the form does not show.
    """
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology|Fields|Forms")
    renderer = ET.SubElement(root, "renderer-v2", type="categorizedSymbol", attr=field)
    categories, symbols = (ET.SubElement(renderer, tag) for tag in ("categories", "symbols"))
    unknown = ("", "", "255,255,255,0")
    known = [(str(item.value), _clean(item.name), ",".join(map(str, item.colour)) + ",255") for item in legend.classes]
    for index, (value, name, colour) in enumerate([*known, unknown]):
        ET.SubElement(categories, "category", value=value, label=name, symbol=str(index), render="true")
        symbol = ET.SubElement(symbols, "symbol", name=str(index), type="marker")
        options = ET.SubElement(ET.SubElement(symbol, "layer", {"class": "SimpleMarker", "enabled": "1"}), "Option")
        options.set("type", "Map")
        for key, text in (("name", "circle"), ("color", colour), ("outline_color", "0,0,0,255"), ("size", "2.6")):
            ET.SubElement(options, "Option", name=key, type="QString", value=text)
    configuration = ET.SubElement(root, "fieldConfiguration")
    for name, kind in ((field, "ValueMap"), *((name, "Hidden") for name in hidden)):
        widget = ET.SubElement(ET.SubElement(configuration, "field", name=name), "editWidget", type=kind)
        config = ET.SubElement(ET.SubElement(widget, "config"), "Option", type="Map")
        if kind == "ValueMap":
            choices = ET.SubElement(config, "Option", name="map", type="List")
            for value, label, _ in known:
                choice = ET.SubElement(choices, "Option", type="Map")
                ET.SubElement(choice, "Option", name=label, type="QString", value=value)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + _text(root)


def confidence_qml() -> str:
    """QGIS style of a percent raster: a continuous ramp from 0 to 100 in band 1."""
    renderer = ET.Element(
        "rasterrenderer", type="singlebandpseudocolor", band="1", opacity="1", alphaBand="-1", nodataColor="",
        classificationMin="0", classificationMax="100",
    )  # fmt: skip
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"), "colorrampshader",
        colorRampType="INTERPOLATED", classificationMode="1", clip="0", minimumValue="0", maximumValue="100",
    )  # fmt: skip
    for percent, colour in _CONFIDENCE_RAMP:
        ET.SubElement(shader, "item", value=str(percent), label=f"{percent} %", color=colour, alpha="255")
    return _qml(renderer)


def _qml(renderer: ET.Element) -> str:
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology")
    ET.SubElement(root, "pipe").append(renderer)
    ET.SubElement(root, "blendMode").text = "0"
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + _text(root)


def _text(root: ET.Element) -> str:
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _clean(name: str) -> str:
    """`name` without the control characters that no XML file may hold."""
    return _NOT_XML.sub("", name)
