"""Modalities (named groups of bands of one sensor) and patterns (which of them are present)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["hyperspectral", "multispectral", "elevation", "sar", "other"]
Unit = Literal["linear", "db"]
Resampling = Literal["nearest", "bilinear", "average"]
ROLES: tuple[str, ...] = get_args(Role)

# Parts of layer names that tell the role when the configuration does not.
_ROLE_HINTS: dict[str, Role] = {
    "hsi": "hyperspectral", "hyper": "hyperspectral", "enmap": "hyperspectral", "prisma": "hyperspectral",
    "vnir": "hyperspectral", "swir": "hyperspectral", "msi": "multispectral", "multi": "multispectral",
    "s2": "multispectral", "optical": "multispectral", "lidar": "elevation", "dem": "elevation", "dsm": "elevation",
    "dtm": "elevation", "chm": "elevation", "elev": "elevation", "height": "elevation", "sar": "sar", "s1": "sar",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Modality:
    """One sensor's bands, as a model knows them.

    Attributes:
        name: the user's name for it, also the `--layer NAME=...` key.
        bands: number of bands the model reads (bad bands already left out).
        role: what kind of sensor; decides the QGIS parameter and the default resampling.
        unit: "db" for SAR in decibels (averaged in linear power when resampled), else "linear".
        wavelengths_nm: centre of each band in nanometres, or None where unknown.
        source_bands: 1-based numbers of those bands in the training raster.
        source_count: number of bands of the training raster.
        resampling: what the user chose for bringing it to the grid; None leaves it to the resolutions.
    """

    name: str
    bands: int
    role: Role = "other"
    unit: Unit = "linear"
    wavelengths_nm: tuple[float, ...] | None = None
    source_bands: tuple[int, ...] | None = None
    source_count: int | None = None
    resampling: Resampling | None = None


def guess_role(name: str) -> Role:
    """Role that a modality's name suggests, "other" where it suggests none."""
    lowered = name.lower()
    return next((role for hint, role in _ROLE_HINTS.items() if hint in lowered), "other")


def pattern_name(names: Sequence[str], present: Iterable[bool]) -> str:
    """`hsi+lidar` for the modalities present, in model order; `none` where none is."""
    return "+".join(name for name, is_present in zip(names, present, strict=True) if is_present) or "none"


def pattern_bits(present: Iterable[bool]) -> int:
    """Bit m is set where modality m is present: the value of the sensors-used raster."""
    return sum(1 << index for index, is_present in enumerate(present) if is_present)


def pattern_present(bits: int, count: int) -> tuple[bool, ...]:
    """Inverse of `pattern_bits` for `count` modalities."""
    return tuple(bool(bits >> index & 1) for index in range(count))


def all_patterns(count: int) -> list[tuple[bool, ...]]:
    """The 2^M - 1 patterns with at least one modality, the complete one first, then by fewer sensors."""
    patterns = [pattern_present(bits, count) for bits in range(1, 1 << count)]
    return sorted(patterns, key=lambda present: (-sum(present), [not value for value in present]))


def evaluation_patterns(count: int, occurring: Iterable[tuple[bool, ...]] = ()) -> list[tuple[bool, ...]]:
    """Patterns to evaluate: all up to 5 modalities; beyond, complete, leave-one-out, single and occurring ones."""
    if count <= 5:
        return all_patterns(count)
    chosen = {(True,) * count, *occurring}
    for index in range(count):
        chosen.add(tuple(other != index for other in range(count)))
        chosen.add(tuple(other == index for other in range(count)))
    chosen.discard((False,) * count)
    return sorted(chosen, key=lambda present: (-sum(present), [not value for value in present]))
