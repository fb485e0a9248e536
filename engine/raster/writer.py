"""Finished maps: tiled, compressed GeoTIFFs with overviews, legend and provenance, or nothing at all.

Nothing is ever half-written under its final name. A map is written beside it as `NAME.part`, closed, reopened and
compared with what was meant; only when all of a job's maps have passed, sidecars and then the `.tif`s get their names.
"""

from __future__ import annotations

import errno
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError

from engine.atomic import flush, rename, try_replacing
from engine.errors import Cancelled, OutputError
from engine.legend import Legend
from engine.raster.grid import Grid
from engine.raster.symbology import colour_table

TILE_PX = 256
_FULL = 2**20  # bytes; with less, a failed write is blamed on the disk

# (band from 0, first row, number of rows) -> values (rows, width)
RowReader = Callable[[int, int, int], np.ndarray]


@dataclass(frozen=True, slots=True)
class RasterLayout:
    """What a map's file looks like.

    Attributes:
        dtype: uint8, uint16 or uint32.
        nodata: value of pixels without a result.
        overviews: how the smaller versions are made; classes must not be averaged.
        band_names: one for each band.
    """

    dtype: str
    nodata: int
    overviews: Literal["mode", "average"]
    band_names: tuple[str, ...]

    @property
    def bands(self) -> int:
        """Number of bands."""
        return len(self.band_names)

    @property
    def bytes_per_pixel(self) -> int:
        """Bytes of one pixel of all bands."""
        return self.bands * np.dtype(self.dtype).itemsize


def unsigned_dtype(largest: int) -> str:
    """The smallest of uint8, uint16 and uint32 that holds `largest`."""
    return next(name for name in ("uint8", "uint16", "uint32") if largest <= np.iinfo(name).max)


def part_path(path: Path) -> Path:
    """Where a file is written before it gets its name."""
    return path.with_name(path.name + ".part")


def write_geotiff(
    path: Path,
    layout: RasterLayout,
    grid: Grid,
    read_rows: RowReader,
    *,
    legend: Legend | None = None,
    tags: Mapping[str, str] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Write and check `part_path(path)`; `publish` gives it its name. Memory does not grow with the raster.

    Args:
        path: the final name.
        layout: type, nodata, overviews, bands.
        grid: shape, transform and CRS.
        read_rows: source of the pixels, asked for each band from top to bottom.
        legend: colours of the values, for rasters of one band of uint8 or uint16.
        tags: provenance, kept in the file.
        cancelled: asked every few rows.

    Raises:
        OutputError: the file cannot be written, or does not hold what was written.
        Cancelled: `cancelled` said so.
    """
    part = part_path(path)
    with writing(path):
        checksums = _write_pixels(part, layout, grid, read_rows, legend, tags or {}, cancelled)
        _add_overviews(part, layout)
        if _checksums(part, cancelled) != checksums:
            raise OutputError(f"{path}: what was written cannot be read back; check the disk it lies on")


def publish(files: Sequence[Path], sidecars: Mapping[Path, str]) -> None:
    """Give finished `.part` files their names, in order, after writing their sidecars.

    An `.aux.xml` of a raster that is replaced goes away, if there is no new one: it holds the statistics of the old.

    Args:
        files: final names of rasters that `write_geotiff` has finished; the most important one last.
        sidecars: texts by final name.

    Raises:
        OutputError: a file cannot be written or renamed.
    """
    for path, text in sidecars.items():
        with writing(path):
            part_path(path).write_text(text, encoding="utf-8")
    for path in [*sidecars, *files]:  # on the disk before any of them has its name
        with writing(path):
            flush(part_path(path))
    for path in [*sidecars, *files]:  # a second time, after hours: a file may have been opened since
        check_replaceable(path)
    for path in [*sidecars, *files]:
        with writing(path):
            rename(part_path(path), path)
    for path in {pam_path(path) for path in files} - set(sidecars):
        path.unlink(missing_ok=True)


def check_replaceable(path: Path) -> None:
    """See that a name can be given to a new file.

    Raises:
        OutputError: it is a folder's, or a file's that cannot be replaced: Windows locks what programs have open.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; choose another name")
    try:
        try_replacing(path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be replaced ({error.strerror or error}); close it in the program that has it open (in "
            "QGIS, remove the layer), or choose another name"
        ) from error


def discard_parts(paths: Sequence[Path]) -> None:
    """Remove unfinished `.part` files."""
    for path in paths:
        with suppress(OSError):  # what went wrong is being told already
            part_path(path).unlink()


def pam_path(path: Path) -> Path:
    """Where GDAL keeps what does not fit into a raster's own file."""
    return path.with_name(f"{path.name}.aux.xml")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while writing `path` into one sentence."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        if _is_full(path, error):
            raise OutputError(f"{path}: no space left on the disk; free some space or choose another folder") from error
        reason = error.strerror or str(error)
        raise OutputError(f"{path}: cannot be written ({reason}); check the folder and its permissions") from error
    except RasterioError as error:
        raise OutputError(f"{path}: cannot be written ({error}); check the disk it lies on") from error


def _is_full(path: Path, error: OSError) -> bool:
    if error.errno is None:  # one of GDAL's, who does not tell
        return shutil.disk_usage(path.parent).free < _FULL
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _write_pixels(
    part: Path,
    layout: RasterLayout,
    grid: Grid,
    read_rows: RowReader,
    legend: Legend | None,
    tags: Mapping[str, str],
    cancelled: Callable[[], bool],
) -> list[int]:
    """Write all pixels; return a checksum of each band."""
    checksums = []
    with rasterio.open(
        part, "w", driver="GTiff", dtype=layout.dtype, nodata=layout.nodata, count=layout.bands,
        height=grid.height, width=grid.width, transform=grid.transform, crs=grid.crs,
        tiled=True, blockxsize=TILE_PX, blockysize=TILE_PX, interleave="band", compress="deflate", bigtiff="if_safer",
    ) as target:  # fmt: skip
        target.update_tags(**tags)
        if legend is None:
            target.colorinterp = [ColorInterp.gray, *[ColorInterp.undefined] * (layout.bands - 1)]
        elif layout.dtype in ("uint8", "uint16"):
            target.write_colormap(1, colour_table(legend))
        for band, name in enumerate(layout.band_names, 1):
            target.set_band_description(band, name)
        for band in range(layout.bands):
            checksum = 0
            for row, count in _strips(grid.height):
                if cancelled():
                    raise Cancelled
                values = np.ascontiguousarray(read_rows(band, row, count), dtype=layout.dtype)
                checksum = zlib.crc32(values.data, checksum)
                target.write(values, band + 1, window=((row, row + count), (0, grid.width)))
            checksums.append(checksum)
    return checksums


def _add_overviews(part: Path, layout: RasterLayout) -> None:
    """Add overviews down to one tile; GDAL leaves nodata out of both mode and average."""
    with rasterio.open(part, "r+") as target:
        longest = max(target.shape)
        factors = [2**power for power in range(1, 16) if longest / 2 ** (power - 1) > TILE_PX]
        if factors:
            target.build_overviews(factors, Resampling[layout.overviews])


def _checksums(part: Path, cancelled: Callable[[], bool]) -> list[int]:
    """Checksum of each band as it is on the disk now."""
    checksums = []
    with rasterio.open(part) as written:
        for band in written.indexes:
            checksum = 0
            for row, count in _strips(written.height):
                if cancelled():
                    raise Cancelled
                values = written.read(band, window=((row, row + count), (0, written.width)))
                checksum = zlib.crc32(np.ascontiguousarray(values).data, checksum)
            checksums.append(checksum)
    return checksums


def _strips(height: int) -> Iterator[tuple[int, int]]:
    """(first row, number of rows) of the strips of one tile's height."""
    for row in range(0, height, TILE_PX):
        yield row, min(TILE_PX, height - row)
