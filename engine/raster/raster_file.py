"""Files that GDAL reads: GeoTIFF, COG, VRT, ENVI."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, Interleaving, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as RasterioWindow

from engine.errors import RasterOpenError
from engine.raster import envi
from engine.raster.grid import Grid
from engine.raster.pixels import check_bands, empty, finite, placed
from engine.raster.vrt import check_layer
from engine.raster.wavelengths import nanometres
from engine.raster.windows import Window

# What GDAL may take a file for. Its other drivers reach services, read catalogues of files, or are seldom tried.
DRIVERS = (
    "GTiff", "VRT", "ENVI", "HFA", "JP2OpenJPEG", "PNG", "JPEG", "AAIGrid", "EHdr", "SRTMHGT", "DTED", "SAGA",
)  # fmt: skip
_MOST_BANDS = 10_000  # as in model files
_MOST_BLOCK_BYTES = 2**30  # GDAL reads whole blocks (tiles, strips), however small the window is

# Layers without georeferencing are allowed (the stack checks that they fit together), so the warning helps nobody.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)


class RasterFile:
    """A file that GDAL reads, with one handle for each thread because GDAL's are not thread-safe."""

    def __init__(self, path: Path) -> None:
        """Open the file and read its header."""
        self.path = path
        self._local = threading.local()
        self._handles: list[DatasetReader] = []
        self._lock = threading.Lock()
        if not path.is_file():
            raise RasterOpenError(f"{path}: {'not a file' if path.exists() else 'no such file'}; give a raster file")
        check_layer(path)
        dataset = self._dataset()
        try:
            self._read_header(dataset)
        except BaseException:
            self.close()
            raise

    def _read_header(self, dataset: DatasetReader) -> None:
        if dataset.count == 0:
            parts = f" of {len(dataset.subdatasets)} data sets" if dataset.subdatasets else ""
            raise RasterOpenError(f"{self.path}: a container{parts} without bands of its own; export one to GeoTIFF")
        if any(name.startswith("complex") for name in dataset.dtypes):
            raise RasterOpenError(f"{self.path}: complex values; convert them to intensity or decibels first")
        if dataset.gcps[0] and dataset.transform.is_identity:
            raise RasterOpenError(
                f"{self.path}: placed by ground control points only; warp it to a grid (gdalwarp) first"
            )
        self._check_sizes(dataset)
        header = dataset.tags(ns="ENVI")
        if dataset.driver == "ENVI":
            envi.check_complete(self.path, header, np.dtype(dataset.dtypes[0]).itemsize)
        try:
            self.grid = Grid(dataset.height, dataset.width, dataset.transform, dataset.crs or None)
        except ValueError as error:
            raise RasterOpenError(f"{self.path}: {error}; correct its georeferencing") from error
        self.count = dataset.count
        tags = [{key.lower(): value for key, value in dataset.tags(band).items()} for band in dataset.indexes]
        alphas = [band for band, use in enumerate(dataset.colorinterp, 1) if use == ColorInterp.alpha]
        self._alpha = alphas[-1] if alphas and dataset.count > 1 else None
        bad = {band for band, tag in enumerate(tags, 1) if envi.is_bad(tag.get("bbl", ""))}
        self.bad_bands = envi.bad_bands(header, self.count) | bad | ({self._alpha} if self._alpha else set())
        self.wavelengths_nm = _wavelengths(dataset, tags)
        self._scales = np.array(dataset.scales)
        self._offsets = np.array(dataset.offsets)
        self._nodata = [_typed(nodata, dtype) for nodata, dtype in zip(dataset.nodatavals, dataset.dtypes, strict=True)]
        self._one_type = len(set(dataset.dtypes)) == 1
        self._flags = dataset.mask_flag_enums

    def _check_sizes(self, dataset: DatasetReader) -> None:
        """Refuse numbers that no sensor has and blocks that no memory holds, before anything is read."""
        if dataset.count > _MOST_BANDS:
            raise RasterOpenError(f"{self.path}: {dataset.count} bands; at most {_MOST_BANDS} can be read")
        together = dataset.count if dataset.interleaving == Interleaving.pixel else 1
        kinds = {np.dtype(kind).itemsize for kind in dataset.dtypes}
        rows, cols = max(dataset.block_shapes, key=lambda shape: shape[0] * shape[1])
        size = rows * cols * max(kinds) * together
        if size > _MOST_BLOCK_BYTES:
            raise RasterOpenError(
                f"{self.path}: stored in blocks of {rows} x {cols} pixels, {size / 1e6:,.0f} MB each; rewrite it tiled "
                "(gdal_translate -co TILED=YES)"
            )

    def read(self, window: Window, bands: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """See `Source.read`. An alpha band masks the others, unless it is itself asked for: then it holds data."""
        check_bands(self.path, self.count, bands)
        inside = window.intersect(self.grid.window)
        if inside is None:
            return empty(window, len(bands))
        dataset = self._dataset()
        area = RasterioWindow(inside.col, inside.row, inside.width, inside.height)
        try:
            # rasterio reads bands of several types (of a VRT) only one at a time.
            raw = dataset.read(list(bands), window=area) if self._one_type else _stacked(dataset, bands, area)
            masks = self._masks(dataset, area, bands)
        except RasterioError as error:
            reason = error.__cause__ or error
            raise RasterOpenError(f"{self.path}: cannot be read, perhaps truncated: {reason}; copy it again") from error
        values, valid = self._decode(raw, bands)
        for index, mask in masks.items():
            valid[index] &= mask
        values[~valid] = 0
        return placed(values, valid, inside, window)

    def _decode(self, raw: np.ndarray, bands: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Apply nodata values, scale and offset."""
        indices = [band - 1 for band in bands]
        scale, offset = self._scales[indices], self._offsets[indices]
        scaled = bool(np.any(scale != 1) or np.any(offset != 0))
        values, valid = finite(raw * scale[:, None, None] + offset[:, None, None] if scaled else raw)
        for index, band in enumerate(bands):
            nodata = self._nodata[band - 1]
            if nodata is not None:
                valid[index] &= raw[index] != nodata
        return values, valid

    def _masks(self, dataset: DatasetReader, area: RasterioWindow, bands: Sequence[int]) -> dict[int, np.ndarray]:
        """Boolean masks from alpha and mask bands, by position in `bands`; nodata values are compared elsewhere."""
        masks: dict[int, np.ndarray] = {}
        shared: np.ndarray | None = None
        for index, band in enumerate(bands):
            flags = self._flags[band - 1]
            if MaskFlags.all_valid in flags or MaskFlags.alpha in flags or flags == [MaskFlags.nodata]:
                continue
            if MaskFlags.per_dataset not in flags:
                masks[index] = dataset.read_masks(band, window=area) > 0
                continue
            if shared is None:
                shared = dataset.read_masks(band, window=area) > 0
            masks[index] = shared
        if self._alpha and self._alpha not in bands:
            opaque = dataset.read(self._alpha, window=area) > 0
            masks = {index: masks[index] & opaque if index in masks else opaque for index in range(len(bands))}
        return masks

    def _dataset(self) -> DatasetReader:
        dataset: DatasetReader | None = getattr(self._local, "dataset", None)
        if dataset is None:
            try:
                # `rasterio.open` takes one driver or all. An absolute path is never taken for a driver's own syntax.
                with rasterio.Env():
                    dataset = DatasetReader(str(self.path.absolute()), driver=[*DRIVERS])
            except (RasterioError, ValueError, OverflowError) as error:
                raise RasterOpenError(
                    f"{self.path}: not a readable raster of a kind that is known ({error}); give GeoTIFF, COG, VRT, "
                    "ENVI or .mat"
                ) from error
            self._local.dataset = dataset
            with self._lock:
                self._handles.append(dataset)
        return dataset

    def close(self) -> None:
        """See `Source.close`."""
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()


def _stacked(dataset: DatasetReader, bands: Sequence[int], area: RasterioWindow) -> np.ndarray:
    """Read bands of different types one by one, into a type that holds them all."""
    arrays = [dataset.read(band, window=area) for band in bands]
    return np.stack(arrays, dtype=np.result_type(*arrays))


def _typed(nodata: float | None, dtype: str) -> np.generic | None:
    """A nodata value in its band's own type, None where no value of the band can equal it.

    The type matters: -3.4028235e+38 written as text is another number in float64 than in float32.
    """
    kind = np.dtype(dtype)
    if nodata is None or not np.isfinite(nodata):  # these are never measurements
        return None
    if kind.kind != "f" and (nodata != int(nodata) or not np.iinfo(kind).min <= nodata <= np.iinfo(kind).max):
        return None
    with np.errstate(over="ignore"):
        typed: np.generic = kind.type(nodata)
    return typed


def _wavelengths(dataset: DatasetReader, tags: list[dict[str, str]]) -> tuple[float, ...] | None:
    """From band tags, as ENVI headers and EnMAP-Box give them, else from GDAL's imagery domain (GDAL >= 3.10)."""
    if all("wavelength" in tag for tag in tags):
        # GDAL drops the units it does not know; the ENVI header has them as written.
        written = (tags[0], dataset.tags(), dataset.tags(ns="ENVI"))
        unit = next((tag["wavelength_units"] for tag in written if "wavelength_units" in tag), None)
        return nanometres([tag["wavelength"] for tag in tags], unit)
    imagery = [dataset.tags(band, ns="IMAGERY").get("CENTRAL_WAVELENGTH_UM") for band in dataset.indexes]
    known = [centre for centre in imagery if centre is not None]
    return nanometres(known, "um") if len(known) == len(imagery) else None
