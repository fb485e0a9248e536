"""What is to be mapped, from which files to which files: plain values, and the checks that need no pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import __version__
from engine.errors import ConfigError, OutputError
from engine.mapping.products import Product
from engine.modelfile import ModelInfo
from engine.raster.matfile import split_variable
from engine.raster.style_files import check_style
from engine.raster.windows import Window
from engine.raster.writer import check_replaceable, writing

_REPORTS = (".html", ".json")
_RASTERS = (".tif", ".tiff")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapJob:
    """Arguments of one map; paths as given.

    Attributes:
        model: the model file.
        layers: raster by modality name; modalities without one are missing everywhere.
        out: the class map, GeoTIFF.
        confidence: percent raster, optional.
        probabilities: percent raster with one band for each class, optional.
        sensors_used: raster of pattern bits, optional.
        report: summary, HTML or JSON by its suffix, optional.
        reference: modality whose grid is mapped; default: the one with pixels as in training.
        extent: (xmin, ymin, xmax, ymax) in the reference grid's CRS; default: all of the grid.
        aoi: vector file; pixels outside its polygons are nodata.
        readout: checked against the model's; None takes what it has.
        overlap: tilings along each axis whose probabilities are averaged.
        batch_size: windows at once; None chooses.
        weights: local file of a pretrained backbone's weights, where the model file does not hold them.
        device: auto, cpu, cuda or mps.
        precision: auto, float32 or bfloat16.
        threads: CPU threads; None leaves them.
        resume: go on where an interrupted job stopped.
        overwrite: replace existing outputs.
        ticket: what whoever ordered the map knows the order by; kept in the map's tags and its report.
    """

    model: Path
    layers: Mapping[str, Path]
    out: Path
    confidence: Path | None = None
    probabilities: Path | None = None
    sensors_used: Path | None = None
    report: Path | None = None
    reference: str | None = None
    extent: tuple[float, float, float, float] | None = None
    aoi: Path | None = None
    readout: str | None = None
    overlap: int = 1
    batch_size: int | None = None
    weights: Path | None = None
    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    resume: bool = False
    overwrite: bool = False
    ticket: str | None = None

    @property
    def rasters(self) -> dict[Product, Path]:
        """Path of each raster wanted; the class map last, because it is the sign that all is done."""
        paths: dict[Product, Path | None] = {
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "sensors": self.sensors_used,
            "classes": self.out,
        }
        return {product: path for product, path in paths.items() if path is not None}

    def check(self, info: ModelInfo) -> None:
        """Refuse what cannot work before any pixel is read, and make the outputs' folders.

        Raises:
            ConfigError: an output has a strange name, is an input or is named twice; or see `check_options`.
            OutputError: an output exists, or its folder cannot be made.
        """
        self.check_options(info)
        for path in self.rasters.values():
            self._check_output(path, _RASTERS)
            check_style(path, "raster")
        if self.report is not None:
            self._check_output(self.report, _REPORTS)
        # Without suffixes, because sidecars are named after the stem.
        stems = [path.resolve().with_suffix("") for path in self.rasters.values()]
        if twice := next((stem for stem in stems if stems.count(stem) > 1), None):
            raise ConfigError(f"{twice}: two outputs of that name; give each its own")

    def check_options(self, info: ModelInfo) -> None:
        """Refuse options that do not fit the model.

        Raises:
            ConfigError: the model has no such read-out; overlap or batch size are out of range.
        """
        own = info.model.get("readout")
        if self.readout is not None and self.readout != own:
            raise ConfigError(f"--readout {self.readout}: {self.model} was trained with {own}; leave the option out")
        if self.batch_size is not None and self.batch_size < 1:
            raise ConfigError(f"--batch-size {self.batch_size}: expected a whole number >= 1")
        if not 1 <= self.overlap <= info.core:
            raise ConfigError(
                f"--overlap {self.overlap}: expected 1 to {info.core}, the side of what one window predicts"
            )

    def _check_output(self, path: Path, suffixes: tuple[str, ...]) -> None:
        if path.suffix.lower() not in suffixes:
            raise ConfigError(f"{path}: expected a name ending in {' or '.join(suffixes)}")
        layers = [split_variable(layer)[0] for layer in self.layers.values()]
        inputs = [self.model, *layers, *([self.aoi] if self.aoi else [])]
        if path.resolve() in [file.resolve() for file in inputs]:
            raise ConfigError(f"{path}: is an input of this job; choose another name for the output")
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            exists = path.exists()
        if exists and not self.overwrite:
            raise OutputError(f"{path}: exists already; choose another name or add --overwrite")
        check_replaceable(path)

    def identity(self, model_sha256: str, area: Window, aoi: str | None, precision: str) -> dict[str, Any]:
        """Everything that decides the result, JSON-able: what a resumed job must share with the first.

        The area of interest counts by its content: programs that start this one copy it anew for every run.

        Args:
            model_sha256: checksum of the model file.
            area: the mapped window of the reference grid.
            aoi: checksum of the area of interest, None without one.
            precision: float32 or bfloat16.
        """
        return {
            "version": __version__,
            "model": model_sha256,
            "layers": {name: stamp(path) for name, path in sorted(self.layers.items())},
            "reference": self.reference,
            "area": [area.row, area.col, area.height, area.width],
            "aoi": aoi,
            "overlap": self.overlap,
            "precision": precision,
            "outputs": sorted(self.rasters),
        }


def stamp(path: Path) -> list[Any]:
    """What tells whether a file (or a variable in it) is still the same: full name, variable, bytes, time of change."""
    file, variable = split_variable(path)
    facts = file.stat()
    return [str(file.resolve()), variable, facts.st_size, facts.st_mtime_ns]
