"""Which bands of a raster are the ones a model knows, and which are worth training on."""

from __future__ import annotations

import numpy as np

from engine.errors import BandCountError
from engine.modality import Modality
from engine.raster.sources import Source
from engine.raster.windows import Window

_SCAN_PX = 64
_SCAN_WINDOWS = 64
_GAP_WINDOWS, _GAP_SHARE = 16, 0.01


def match_bands(modality: Modality, source: Source) -> tuple[int, ...]:
    """Find a model's bands in a raster.

    By wavelength where both sides know it. Else by number: a raster with as many bands as the training raster had gives
    the same ones, and a raster with as many (good) bands as the model reads gives them all.

    Returns:
        1-based band numbers, in the model's order.

    Raises:
        BandCountError: the bands do not fit.
    """
    if modality.wavelengths_nm and source.wavelengths_nm:
        return _by_wavelength(modality, modality.wavelengths_nm, source, source.wavelengths_nm)
    if modality.source_bands and source.count == modality.source_count:
        return modality.source_bands
    if source.count == modality.bands:
        return tuple(range(1, source.count + 1))
    good = good_bands(source)
    if len(good) == modality.bands:
        return good
    trained = f" (trained on a raster of {modality.source_count})" if modality.source_count else ""
    raise BandCountError(
        f"{source.path}: {source.count} bands, but the model reads {modality.bands} of {modality.name}{trained}; "
        "give the raster it was trained for, or a selection of its bands"
    )


def good_bands(source: Source) -> tuple[int, ...]:
    """1-based numbers of the bands that are neither on the bad-band list nor alpha."""
    return tuple(band for band in range(1, source.count + 1) if band not in source.bad_bands)


def bands_with_data(source: Source, bands: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out bands without a valid value in windows spread over the raster where other bands have some.

    Sensors deliver such bands around 1400 and 1900 nm, where water vapour absorbs everything. Where all bands are
    invalid in all windows, nothing is known and all are kept.
    """
    seen = np.zeros(len(bands), bool)
    for window in _scan_windows(source):
        seen |= source.read(window, bands)[1].any(axis=(1, 2))
        if seen.all():
            break
    return tuple(band for band, has_data in zip(bands, seen, strict=True) if has_data) if seen.any() else bands


def sample_values(source: Source, bands: tuple[int, ...]) -> np.ndarray:
    """Values (C, N) of pixels valid in all `bands`, from windows spread over the raster."""
    found = []
    for window in _scan_windows(source):
        values, valid = source.read(window, bands)
        found.append(values[:, valid.all(axis=0)][:, ::16])
    return np.concatenate(found, axis=1)


def describe_bands(source: Source, bands: tuple[int, ...], gaps: bool = True) -> list[str]:
    """What is odd about bands that are read, a sentence each: marked as bad, or without data where others have some.

    A pixel counts as without data where any band lacks it. A wrong nodata value in one of 200 bands, such as 0 over
    water, would take away all of them.

    Args:
        source: the raster.
        bands: 1-based numbers of those that are read.
        gaps: whether to look for gaps, which reads some windows.
    """
    sentences = []
    if bad := sorted(set(bands) & source.bad_bands):
        sentences.append(f"band {', '.join(map(str, bad))} is read and is marked as bad in the file")
    seen, lacking, missing = 0, 0, np.zeros(len(bands), np.int64)
    for window in _scan_windows(source, _GAP_WINDOWS) if gaps and len(bands) > 1 else ():
        valid = source.read(window, bands)[1]
        partly = valid.any(axis=0) & ~valid.all(axis=0)
        seen += int(valid.any(axis=0).sum())
        lacking += int(partly.sum())
        missing += (~valid & partly).sum(axis=(1, 2))
    if lacking > _GAP_SHARE * seen:
        sentences.append(
            f"{lacking / seen:.0%} of its pixels lack some bands only, most often band {bands[missing.argmax()]}, and "
            "count as without data; check the file's nodata value"
        )
    return sentences


def _scan_windows(source: Source, most: int = _SCAN_WINDOWS) -> list[Window]:
    """Some windows spread evenly over a raster, all of it where it is small."""
    grid = source.grid
    tile_rows, tile_cols = -(-grid.height // _SCAN_PX), -(-grid.width // _SCAN_PX)
    count = tile_rows * tile_cols
    chosen = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(np.int64))
    places = (divmod(index, tile_cols) for index in chosen.tolist())
    return [Window(row * _SCAN_PX, col * _SCAN_PX, _SCAN_PX, _SCAN_PX) for row, col in places]


def _by_wavelength(
    modality: Modality, wanted_nm: tuple[float, ...], source: Source, available_nm: tuple[float, ...]
) -> tuple[int, ...]:
    distance = np.abs(np.subtract.outer(np.array(wanted_nm), np.array(available_nm)))
    nearest = distance.argmin(axis=1)
    # Band centres of two instruments of one type differ by up to a percent (Sentinel-2A and 2B: 2202 and 2186 nm).
    allowed = np.maximum(10.0, 0.01 * np.array(wanted_nm))
    missing = np.flatnonzero(distance.min(axis=1) > allowed)
    if missing.size:
        raise BandCountError(
            f"{source.path}: no band near {wanted_nm[missing[0]]:g} nm, which the model reads of {modality.name} "
            f"(the raster has {len(available_nm)} bands from {min(available_nm):g} to {max(available_nm):g} nm)"
        )
    return tuple(int(index) + 1 for index in nearest)
