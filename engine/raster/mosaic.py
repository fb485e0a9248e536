"""Many maps as one: a virtual mosaic that refers to them, and one Cloud Optimized GeoTIFF.

All must lie on one CRS with pixels of one size; where they overlap, the later one counts where it has data. Pixels are
copied, not resampled, where grids are aligned; others are moved by less than a pixel.
"""

from __future__ import annotations

import math
import os
import xml.etree.ElementTree as ET  # nosec B405 - only writes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rasterio
import rasterio.shutil
from rasterio.crs import CRS

from engine.atomic import flush, rename
from engine.errors import GridMismatchError, OutputError
from engine.legend import Legend
from engine.raster.grid import Grid, crs_name, same_crs
from engine.raster.symbology import colour_table, legend_qml, pam_xml
from engine.raster.writer import discard_parts, pam_path, part_path, publish, writing

_SAME_SIZE = 1e-6  # relative; sizes that differ by less are the same
_TYPES = {"uint8": "Byte", "uint16": "UInt16"}


@dataclass(frozen=True, slots=True)
class _Tile:
    path: Path
    grid: Grid
    dtype: str


def write_mosaic(maps: Sequence[Path], vrt: Path, cog: Path, legend: Legend) -> Grid:
    """Write a virtual mosaic of class maps, and the same as one Cloud Optimized GeoTIFF, both with legends beside them.

    Args:
        maps: class maps, 0 for nodata; the last one lies on top.
        vrt: the virtual mosaic; refers to the maps relative to itself.
        cog: the GeoTIFF.
        legend: the classes.

    Returns:
        The grid of the whole.

    Raises:
        GridMismatchError: the maps do not lie on one grid.
        OutputError: something cannot be written.
    """
    tiles = [_tile(path) for path in maps]
    grid = _common_grid(tiles)
    sidecars = {cog.with_suffix(".qml"): legend_qml(legend), pam_path(cog): pam_xml(legend, {})}
    text = _vrt_text(tiles, grid, legend, vrt.parent)
    try:
        with writing(vrt):
            part_path(vrt).write_text(text, encoding="utf-8")
        with writing(cog):
            # GDAL tells a VRT by its first bytes, whatever its name.
            rasterio.shutil.copy(
                part_path(vrt), part_path(cog), driver="COG", compress="deflate", overview_resampling="mode",
                bigtiff="if_safer", num_threads="all_cpus",
            )  # fmt: skip
            pam_path(part_path(cog)).unlink(missing_ok=True)  # GDAL's own, ours has more
            _check(cog, grid)
        publish([cog], sidecars)
        with writing(vrt):
            flush(part_path(vrt))
            rename(part_path(vrt), vrt)
    finally:
        discard_parts([vrt, cog, *sidecars])
    return grid


def _tile(path: Path) -> _Tile:
    with rasterio.open(path) as file:
        return _Tile(path, Grid(file.height, file.width, file.transform, file.crs), file.dtypes[0])


def _common_grid(tiles: Sequence[_Tile]) -> Grid:
    """The smallest grid around all, anchored at the first."""
    first = tiles[0]
    if first.grid.transform.b or first.grid.transform.d:
        raise GridMismatchError(f"{first.path}: a rotated grid cannot be part of a mosaic; resample it, or go without")
    for tile in tiles[1:]:
        if not same_crs(tile.grid.crs, first.grid.crs):
            raise GridMismatchError(
                f"no mosaic of {first.path} ({crs_name(first.grid.crs)}) and {tile.path} ({crs_name(tile.grid.crs)}): "
                "they lie in different CRSs; make one batch for each CRS, or resample the maps"
            )
        mine, theirs = _sizes(first.grid), _sizes(tile.grid)
        if not all(math.isclose(a, b, rel_tol=_SAME_SIZE) for a, b in zip(mine, theirs, strict=True)):
            raise GridMismatchError(
                f"no mosaic of {first.path} and {tile.path}: their pixels differ ({mine} and {theirs}); "
                "resample the maps, or go without"
            )
    places = [_place(tile.grid, first.grid) for tile in tiles]
    row, col = math.floor(min(place[0] for place in places)), math.floor(min(place[1] for place in places))
    bottom = math.ceil(max(place[0] + tile.grid.height for place, tile in zip(places, tiles, strict=True)))
    right = math.ceil(max(place[1] + tile.grid.width for place, tile in zip(places, tiles, strict=True)))
    t = first.grid.transform
    transform = rasterio.Affine(t.a, t.b, t.c + col * t.a, t.d, t.e, t.f + row * t.e)
    return Grid(bottom - row, right - col, transform, first.grid.crs)


def _sizes(grid: Grid) -> tuple[float, float, float, float]:
    t = grid.transform
    return t.a, t.b, t.d, t.e


def _place(grid: Grid, anchor: Grid) -> tuple[float, float]:
    """(row, col) of a grid's first pixel on another, rounded where it is a whole one but for rounding errors."""
    row = (grid.transform.f - anchor.transform.f) / anchor.transform.e
    col = (grid.transform.c - anchor.transform.c) / anchor.transform.a
    return tuple(float(round(x)) if abs(x - round(x)) < 1e-3 else x for x in (row, col))  # type: ignore[return-value]


def _vrt_text(tiles: Sequence[_Tile], grid: Grid, legend: Legend, folder: Path) -> str:
    """The mosaic as GDAL's XML."""
    dtype = "UInt16" if any(tile.dtype == "uint16" for tile in tiles) else "Byte"
    root = ET.Element("VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height))
    if grid.crs is not None:
        ET.SubElement(root, "SRS").text = _wkt(grid.crs)
    t = grid.transform
    ET.SubElement(root, "GeoTransform").text = ", ".join(repr(v) for v in (t.c, t.a, t.b, t.f, t.d, t.e))
    band = ET.SubElement(root, "VRTRasterBand", dataType=dtype, band="1")
    ET.SubElement(band, "Description").text = "class"
    ET.SubElement(band, "NoDataValue").text = "0"
    ET.SubElement(band, "ColorInterp").text = "Palette"
    table = ET.SubElement(band, "ColorTable")
    colours = colour_table(legend)
    for value in range(max(colours) + 1):
        red, green, blue, alpha = colours.get(value, (0, 0, 0, 0))
        ET.SubElement(table, "Entry", c1=str(red), c2=str(green), c3=str(blue), c4=str(alpha))
    names = {item.value: item.name for item in legend.classes} | {0: "nodata"}
    categories = ET.SubElement(band, "CategoryNames")
    for value in range(max(names) + 1):
        ET.SubElement(categories, "Category").text = names.get(value, "")
    for tile in tiles:
        row, col = _place(tile.grid, grid)
        source = ET.SubElement(band, "ComplexSource")
        name = Path(os.path.relpath(tile.path, folder)).as_posix()
        ET.SubElement(source, "SourceFilename", relativeToVRT="1").text = name
        ET.SubElement(source, "SourceBand").text = "1"
        size = {"xSize": str(tile.grid.width), "ySize": str(tile.grid.height)}
        ET.SubElement(source, "SrcRect", {"xOff": "0", "yOff": "0"} | size)
        ET.SubElement(source, "DstRect", {"xOff": repr(col), "yOff": repr(row)} | size)
        ET.SubElement(source, "NODATA").text = "0"
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _wkt(crs: CRS) -> str:
    wkt: str = crs.to_wkt()
    return wkt


def _check(cog: Path, grid: Grid) -> None:
    with rasterio.open(part_path(cog)) as written:
        if written.shape != (grid.height, grid.width) or written.nodata != 0:
            raise OutputError(f"{cog}: what was written cannot be read back; check the disk it lies on")
