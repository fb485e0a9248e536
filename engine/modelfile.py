"""What a model file says about itself. Standard library only: reading it never imports torch.

A model file is one safetensors file. Its header holds, under `mamol` in `__metadata__`, one JSON object: `ModelInfo`.
Everything needed to use the model safely is written there; nothing is guessed from the weights. Files come from
strangers: the header's size is capped, and it is only parsed, never run.
"""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ModelFileError
from engine.legend import Legend
from engine.modality import ROLES, Modality

if TYPE_CHECKING:
    from engine.raster.normalise import BandStats

FORMAT_VERSION = 1
METADATA_KEY = "mamol"
HEADER_CAP = 16 * 2**20  # bytes
# A code such as EPSG:32633, WKT or PROJ text. GDAL would fetch other texts from where they point to.
_CRS = re.compile(r"[A-Z][A-Z0-9_]{2,15}:[0-9A-Z_]{1,16}(\+\d{1,8})?$|[A-Z_]{5,20}\[|\+(proj|init)=", re.IGNORECASE)
_LIMITS = {"modalities": 32, "bands": 10_000, "classes": 65_535}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """All that a model file says beside its weights.

    Attributes:
        modalities: in model order.
        stats: standardisation of each modality's bands, by modality name.
        legend: the classes.
        model: the resolved `[model]` section: every key has its value.
        absent: "skip" or "dummy", as `[missing] absent`.
        backbone: `name`, `sha256` (of the weights it started from, None for ours), `inside` (whether the file holds
            its weights), `shape` (see `engine.model.backbone.VitShape`).
        patterns: by pattern name: `oa`, `aa`, `kappa` (fractions), `n`, `temperature`, `bias` (per class, added to
            logits before the temperature divides them).
        trained_patterns: names of the patterns that training has seen.
        training: facts of the run: seconds, device, versions, split, seed, rate, date, ...
        grid: hint for users: `resolution` of the training grid in CRS units, `crs` as text.
        priors: share of each class among the training pixels; empty where unknown.
    """

    modalities: tuple[Modality, ...]
    stats: dict[str, BandStats]
    legend: Legend
    model: dict[str, Any]
    absent: str = "skip"
    backbone: dict[str, Any] = field(default_factory=dict)
    patterns: dict[str, dict[str, Any]] = field(default_factory=dict)
    trained_patterns: tuple[str, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, Any] = field(default_factory=dict)
    priors: tuple[float, ...] = ()
    format_version: int = FORMAT_VERSION

    @property
    def names(self) -> tuple[str, ...]:
        """Modality names in model order."""
        return tuple(modality.name for modality in self.modalities)

    @property
    def window(self) -> int:
        """Side of the model's input, pixels."""
        return int(self.model["window"])

    @property
    def core(self) -> int:
        """Side of the inner square that one window predicts, pixels."""
        return int(self.model["core"])

    @property
    def core_offset(self) -> int:
        """First row and column of the core inside a window; a core of 1 is pixel `window // 2`."""
        return (self.window - self.core + 1) // 2

    def to_json(self) -> dict[str, Any]:
        """JSON-able form, the one inside model files."""
        return {
            "format_version": self.format_version,
            "modalities": [_modality_to_json(modality) for modality in self.modalities],
            "stats": {name: stats.to_json() for name, stats in self.stats.items()},
            "legend": self.legend.to_json(),
            "model": self.model,
            "absent": self.absent,
            "backbone": self.backbone,
            "patterns": self.patterns,
            "trained_patterns": list(self.trained_patterns),
            "training": self.training,
            "grid": self.grid,
            "priors": list(self.priors),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ModelInfo:
        """Inverse of `to_json`; unknown keys are ignored.

        Raises:
            KeyError, TypeError, ValueError: something is missing or of the wrong kind.
        """
        from engine.raster.normalise import BandStats

        modalities = tuple(_modality_from_json(item) for item in data["modalities"])
        info = cls(
            modalities=modalities,
            stats={modality.name: BandStats.from_json(data["stats"][modality.name]) for modality in modalities},
            legend=Legend.from_json(data["legend"]),
            model=dict(data["model"]),
            absent=str(data["absent"]),
            backbone=dict(data["backbone"]),
            patterns={str(name): dict(facts) for name, facts in data["patterns"].items()},
            trained_patterns=tuple(map(str, data["trained_patterns"])),
            training=dict(data["training"]),
            grid=dict(data["grid"]),
            priors=tuple(map(float, data["priors"])),
            format_version=int(data["format_version"]),
        )
        info._check()
        return info

    def _check(self) -> None:
        counts = {
            "modalities": len(self.modalities),
            "bands": max((modality.bands for modality in self.modalities), default=0),
            "classes": len(self.legend),
        }
        for what, count in counts.items():
            if not 1 <= count <= _LIMITS[what]:
                raise ValueError(f"{count} {what}, expected 1 to {_LIMITS[what]}")
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"modality names repeat: {', '.join(self.names)}")
        for modality in self.modalities:
            self._check_bands(modality)
        for name, facts in self.patterns.items():
            bias, temperature = facts.get("bias") or [0.0] * len(self.legend), facts.get("temperature", 1.0)
            if len(bias) != len(self.legend) or not all(map(math.isfinite, bias)) or not 0 < temperature < math.inf:
                raise ValueError(f"pattern {name} has temperature {temperature} and {len(bias)} biases")
            if not all(facts.get(key) is None or _is_number(facts[key]) for key in ("oa", "aa", "kappa", "n")):
                raise ValueError(f"pattern {name} has an accuracy that is no number")
        resolution = self.grid.get("resolution")
        if resolution is not None and not all(_is_number(size) and size > 0 for size in resolution):
            raise ValueError(f"the grid's resolution is {resolution}")
        crs = self.grid.get("crs")
        if crs is not None and not (isinstance(crs, str) and _CRS.match(crs)):
            raise ValueError("the grid's CRS is neither a code nor WKT")
        if not 1 <= self.core <= self.window <= 4096:
            raise ValueError(f"core {self.core} does not fit window {self.window}")

    def _check_bands(self, modality: Modality) -> None:
        stats, bands = self.stats[modality.name], modality.bands
        arrays = (stats.mean, stats.std, stats.minimum, stats.maximum)
        if any(array.shape != (bands,) for array in arrays):
            raise ValueError(f"{modality.name} has {bands} bands, its statistics have another number")
        # nan compares as false
        if not all((abs(array) < math.inf).all() for array in arrays) or not (stats.std > 0).all():
            raise ValueError(f"statistics of {modality.name} are not finite, or a deviation is not positive")
        if modality.wavelengths_nm is not None and len(modality.wavelengths_nm) != bands:
            raise ValueError(f"{modality.name} has {bands} bands, but {len(modality.wavelengths_nm)} wavelengths")
        sources = modality.source_bands
        if sources is not None and (len(sources) != bands or min(sources) < 1):
            raise ValueError(f"{modality.name} has {bands} bands, but {len(sources)} numbers of source bands from 1")


def read_info(path: Path) -> ModelInfo:
    """Read what a model file says, checking that it is whole and ours.

    Raises:
        ModelFileError: the file is missing, truncated, foreign, or of another format version.
    """
    header = read_header(path)
    metadata = header.get("__metadata__")
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelFileError(f"{path}: a safetensors file, but not a MaMOL model; choose a file written by training")
    try:
        data = json.loads(text)
        version = data["format_version"]
        if version != FORMAT_VERSION:
            raise ModelFileError(
                f"{path}: model file format {version!r}, this version reads {FORMAT_VERSION}; "
                "update the program or train the model again"
            )
        return ModelInfo.from_json(data)
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        raise ModelFileError(f"{path}: damaged model description ({type(error).__name__}: {error})") from error


def read_header(path: Path) -> dict[str, Any]:
    """Read a safetensors header: `__metadata__`, and dtype, shape and place of every tensor.

    Raises:
        ModelFileError: the file is missing, truncated (it must be as long as its tensors say), or no safetensors file.
    """
    foreign = f"{path}: not a model file (no safetensors header); choose a file written by training"
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= HEADER_CAP:
                raise ModelFileError(foreign)
            if 8 + length > size:
                raise ModelFileError(f"{path}: truncated model file; copy it again")
            text = file.read(length)
    except OSError as error:
        raise ModelFileError(f"{path}: model file cannot be read ({error.strerror}); check the path") from error
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(foreign) from error
    if not isinstance(header, dict):
        raise ModelFileError(foreign)
    end = 0
    try:
        for name, entry in header.items():
            if name != "__metadata__":
                end = max(end, int(entry["data_offsets"][1]))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFileError(foreign) from error
    if 8 + length + end != size:
        raise ModelFileError(
            f"{path}: truncated or damaged model file ({size} bytes, expected {8 + length + end}); copy it again"
        )
    return header


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _modality_to_json(modality: Modality) -> dict[str, Any]:
    return {
        "name": modality.name,
        "bands": modality.bands,
        "role": modality.role,
        "unit": modality.unit,
        "wavelengths_nm": None if modality.wavelengths_nm is None else list(modality.wavelengths_nm),
        "source_bands": None if modality.source_bands is None else list(modality.source_bands),
        "source_count": modality.source_count,
        "resampling": modality.resampling,
    }


def _modality_from_json(data: dict[str, Any]) -> Modality:
    if data["role"] not in ROLES or data["unit"] not in ("linear", "db"):
        raise ValueError(f"modality {data['name']!r} has role {data['role']!r} and unit {data['unit']!r}")
    resampling = data.get("resampling")  # absent from files of the first days
    if resampling not in (None, "nearest", "bilinear", "average"):
        raise ValueError(f"modality {data['name']!r} has resampling {resampling!r}")
    wavelengths, bands = data["wavelengths_nm"], data["source_bands"]
    return Modality(
        name=str(data["name"]),
        bands=int(data["bands"]),
        role=data["role"],
        unit=data["unit"],
        wavelengths_nm=None if wavelengths is None else tuple(map(float, wavelengths)),
        source_bands=None if bands is None else tuple(map(int, bands)),
        source_count=None if data["source_count"] is None else int(data["source_count"]),
        resampling=resampling,
    )
