"""What a model file says about itself, read from its header alone: 8 bytes of length, then JSON. No engine is needed.

Files come from strangers: the header's size is capped, and it is only parsed.
"""

import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from qgis.core import QgsProcessingException

from .translation import tr

FORMAT_VERSION = 1
_KEY = "mamol"
_HEADER_CAP = 16 * 2**20  # bytes, as in the engine
_MODALITIES_CAP = 32
# As in the engine: a code, WKT or PROJ text. Other texts might be fetched from where they point to.
_CRS = re.compile(r"[A-Z][A-Z0-9_]{2,15}:[0-9A-Z_]{1,16}(\+\d{1,8})?$|[A-Z_]{5,20}\[|\+(proj|init)=", re.IGNORECASE)


class ModelFileError(QgsProcessingException):
    """The file cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Modality:
    """One sensor that a model knows.

    Attributes:
        name: its name in the model.
        role: hyperspectral, multispectral, elevation, sar or other.
        bands: how many bands the model reads.
        source_count: how many bands the training raster had, None where unknown.
        has_wavelengths: whether the model finds its bands by wavelength.
    """

    name: str
    role: str
    bands: int
    source_count: Optional[int]
    has_wavelengths: bool


@dataclass(frozen=True)
class Model:
    """What a model needs and knows.

    Attributes:
        path: the file.
        modalities: in the model's order.
        classes: names of the classes.
        accuracy: overall accuracy, a fraction, of each combination of sensors; None where unknown.
        trained: combinations that the model was trained on.
        core: side of what one window predicts, pixels.
        resolution: longer side of the training's pixels, in units of `crs`; None where unknown.
        crs: that of the training, as text; empty where unknown.
    """

    path: Path
    modalities: tuple[Modality, ...]
    classes: tuple[str, ...]
    accuracy: dict[str, Optional[float]]
    trained: frozenset[str]
    core: int
    resolution: Optional[float]
    crs: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities."""
        return tuple(modality.name for modality in self.modalities)

    def combination(self, present: Any) -> str:
        """Name of a combination of sensors: theirs, in the model's order, joined by +."""
        return "+".join(name for name in self.names if name in present)


def read_model(path: Path) -> Model:
    """Read what a model file says.

    Raises:
        ModelFileError: it is missing, truncated, no model, or of another version.
    """
    metadata = _read_header(path).get("__metadata__")
    text = metadata.get(_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelFileError(_foreign(path))
    try:
        data = json.loads(text)
        version = data["format_version"]
        if version != FORMAT_VERSION:
            raise ModelFileError(
                tr(
                    "{path}: model file format {version}, this plugin reads {ours}; update the plugin or train the "
                    "model again."
                ).format(path=path, version=version, ours=FORMAT_VERSION)
            )
        return _model(path, data)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ModelFileError(tr("{path}: damaged model description; copy the file again.").format(path=path)) from error


def _read_header(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= _HEADER_CAP:
                raise ModelFileError(_foreign(path))
            text = file.read(length)
    except OSError as error:
        message = tr("{path}: the model file cannot be read ({reason}); check the path.")
        raise ModelFileError(message.format(path=path, reason=error.strerror)) from error
    try:
        header = json.loads(text)
        tensors = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        whole = 8 + length + max(tensors, default=0) == size
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ModelFileError(_foreign(path)) from error
    if not whole:
        raise ModelFileError(tr("{path}: truncated or damaged model file; copy it again.").format(path=path))
    return header


def _model(path: Path, data: dict[str, Any]) -> Model:
    modalities = tuple(
        Modality(
            name=str(item["name"]),
            role=str(item["role"]),
            bands=int(item["bands"]),
            source_count=None if item.get("source_count") is None else int(item["source_count"]),
            has_wavelengths=bool(item.get("wavelengths_nm")),
        )
        for item in data["modalities"]
    )
    if not 1 <= len(modalities) <= _MODALITIES_CAP:
        raise ValueError(f"{len(modalities)} modalities")
    accuracy = {}
    for name, facts in data["patterns"].items():
        figure = facts.get("oa")
        accuracy[str(name)] = float(figure) if isinstance(figure, (int, float)) else None
    grid = data.get("grid", {})
    crs = str(grid.get("crs") or "")
    if crs and not _CRS.match(crs):
        raise ValueError("the grid's CRS is neither a code nor WKT")
    return Model(
        path=path,
        modalities=modalities,
        classes=tuple(str(item["name"]) for item in data["legend"]),
        accuracy=accuracy,
        trained=frozenset(map(str, data["trained_patterns"])),
        core=max(1, int(data["model"]["core"])),
        resolution=max(map(float, grid.get("resolution") or ()), default=None),
        crs=crs,
    )


def _foreign(path: Path) -> str:
    return tr("{path}: not a model file; choose a .safetensors file that was written by training.").format(path=path)
