"""All layers of one place on one reference grid, read window by window."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from engine.errors import BandCountError, ConfigError, GridMismatchError, ModalityError, RasterOpenError
from engine.modality import Modality, Resampling, Role, Unit, guess_role
from engine.raster.bands import bands_with_data, describe_bands, good_bands, sample_values
from engine.raster.grid import Grid, crs_name, is_local, same_crs
from engine.raster.matfile import split_variable
from engine.raster.pixels import check_bands
from engine.raster.placement import overlap
from engine.raster.resample import default_resampling, read_on_grid
from engine.raster.sources import Source, open_source
from engine.raster.windows import Window


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """What a user says of one layer; what is None is found out.

    Attributes:
        name: the modality's name.
        path: raster file; `scene.mat:cube` names a variable.
        role: kind of sensor; guessed from the name.
        unit: "db" or "linear"; for role "sar" guessed from the values (power is never negative).
        resampling: default average where the layer is finer than the grid, else bilinear.
        variable: variable of a .mat file.
        bands: 1-based numbers of the bands to read; default: those that are neither bad nor without any valid value.
    """

    name: str
    path: str | Path
    role: Role | None = None
    unit: Unit | None = None
    resampling: Resampling | None = None
    variable: str | None = None
    bands: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class StackBlock:
    """What a window holds.

    Attributes:
        window: where; in pixels of the reference grid.
        values: by modality, (C, h, w) float32, 0 where invalid.
        valid: by modality, (h, w) bool: all of its bands are valid.
    """

    window: Window
    values: dict[str, np.ndarray]
    valid: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class _Layer:
    spec: LayerSpec
    modality: Modality
    source: Source
    bands: tuple[int, ...]
    resampling: Resampling


class RasterStack:
    """Layers of one place, seen through the grid of one of them.

    Attributes:
        grid: the reference grid.
        reference: name of the modality whose grid it is.
        modalities: one for each layer, in the order given, with the bands that are read.
        dropped_bands: 1-based numbers, by modality, of the bands that were left out without being asked.
    """

    def __init__(self, layers: Sequence[LayerSpec], reference: str | None = None) -> None:
        """Open all layers and check that they fit together.

        Args:
            layers: at least one, with different names.
            reference: name of the layer whose grid is used; default: `with_most_bands`.

        Raises:
            ModalityError: no layer, or a name twice.
            ConfigError: `reference` is none of the layers.
            RasterOpenError: a file cannot be read.
            BandCountError: bands asked for that a file does not have, or none is left.
            GridMismatchError: a layer cannot be brought onto the reference grid, or does not overlap it.
        """
        _check_names([layer.name for layer in layers], reference)
        sources: dict[str, Source] = {}
        try:
            for layer in layers:
                sources[layer.name] = open_source(layer.path, layer.variable)
            chosen = {layer.name: _choose_bands(layer, sources[layer.name]) for layer in layers}
            grids = {name: source.grid for name, source in sources.items()}
            self.reference = reference or with_most_bands(grids, {name: len(bands) for name, bands in chosen.items()})
            self.grid = grids[self.reference]
            for name, source in sources.items():
                _check_fit(self.reference, sources[self.reference], name, source)
            self._layers = [_layer(spec, sources[spec.name], chosen[spec.name], self.grid) for spec in layers]
        except BaseException:
            for source in sources.values():
                source.close()
            raise
        self.modalities = tuple(layer.modality for layer in self._layers)
        self.dropped_bands: dict[str, tuple[int, ...]] = {
            spec.name: tuple(sorted(set(range(1, sources[spec.name].count + 1)) - set(chosen[spec.name])))
            for spec in layers
            if spec.bands is None and len(chosen[spec.name]) < sources[spec.name].count
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities, in the order given."""
        return tuple(modality.name for modality in self.modalities)

    def read(self, window: Window) -> StackBlock:
        """Read all layers in a window, which may leave the grid. Threads may call this at the same time.

        Raises:
            RasterOpenError: a file cannot be read there.
        """
        values, valid = {}, {}
        for layer in self._layers:
            name = layer.modality.name
            values[name], valid[name] = read_on_grid(
                layer.source, self.grid, window, layer.bands, layer.resampling, layer.modality.unit
            )
        return StackBlock(window, values, valid)

    def doubts(self, incomplete: Collection[str] | None = None) -> list[str]:
        """What is odd about the bands of a layer (see `describe_bands`), one sentence each.

        Args:
            incomplete: layers that lack data somewhere: only their gaps are looked at; None for all.

        Raises:
            RasterOpenError: a file cannot be read.
        """
        return [
            f"{layer.modality.name}: {sentence}"
            for layer in self._layers
            for sentence in describe_bands(
                layer.source, layer.bands, gaps=incomplete is None or layer.modality.name in incomplete
            )
        ]

    def stamp(self) -> list[Any]:
        """What tells whether `read` still gives the same numbers: grid, files, what is taken of them and how.

        JSON-able. A file is known by its full name, size and time of change; what a VRT refers to is not looked at.

        Raises:
            RasterOpenError: a file is gone.
        """
        return [str(self.grid), list(self.grid.transform), *(_stamp(layer) for layer in self._layers)]

    def close(self) -> None:
        """Close all files; no thread may be reading."""
        for layer in self._layers:
            layer.source.close()

    def __enter__(self) -> Self:
        """Return the stack; leaving the context closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stack."""
        self.close()


def with_most_bands(grids: Mapping[str, Grid], bands: Mapping[str, int]) -> str:
    """Layer with most bands; ties go to most pixels, then to the alphabet, so that the order does not matter.

    Args:
        grids: by name, those to choose from.
        bands: number of bands by name.
    """
    return min(grids, key=lambda name: (-bands[name], -grids[name].height * grids[name].width, name))


def _check_names(names: Sequence[str], reference: str | None) -> None:
    if not names:
        raise ModalityError("no layer is given; give at least one raster")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ModalityError(f"layer {twice} is given twice; give each layer its own name")
    if reference is not None and reference not in names:
        raise ConfigError(f"reference {reference} is none of the layers {', '.join(names)}")


def _choose_bands(layer: LayerSpec, source: Source) -> tuple[int, ...]:
    if layer.bands is not None:
        check_bands(source.path, source.count, layer.bands)
        return layer.bands
    good = good_bands(source)
    if not good:
        raise BandCountError(f"{source.path}: all {source.count} bands are marked as bad; name the bands to use")
    return bands_with_data(source, good)


def _check_fit(reference_name: str, reference: Source, name: str, source: Source) -> None:
    ours, theirs = reference.grid.crs, source.grid.crs
    pair = f"layers {reference_name} ({reference.path}) and {name} ({source.path})"
    if (ours is None) != (theirs is None):
        bare = reference_name if ours is None else name
        raise GridMismatchError(f"{pair} do not fit together: {bare} has no CRS; assign it one, or remove the layer")
    if ours is None and reference.grid.offset_of(source.grid) is None:
        raise GridMismatchError(
            f"{pair} have no CRS and different grids ({reference.grid}; {source.grid}); without a CRS all layers need "
            "the same pixels"
        )
    if not same_crs(ours, theirs) and (is_local(ours) or is_local(theirs)):
        raise GridMismatchError(
            f"{pair} do not fit together: no way from {crs_name(theirs)} to {crs_name(ours)}; assign the right CRS"
        )
    if not overlap(reference.grid, source.grid):
        raise GridMismatchError(
            f"{pair} do not overlap: {_bounds(reference.grid)} and {_bounds(source.grid)}; give layers of one place"
        )


def _bounds(grid: Grid) -> str:
    return f"{','.join(f'{value:.10g}' for value in grid.bounds)} in {crs_name(grid.crs)}"


def _layer(spec: LayerSpec, source: Source, bands: tuple[int, ...], grid: Grid) -> _Layer:
    role = spec.role or guess_role(spec.name)
    unit = spec.unit or (_guess_unit(source, bands) if role == "sar" else "linear")
    wavelengths = source.wavelengths_nm
    modality = Modality(
        name=spec.name,
        bands=len(bands),
        role=role,
        unit=unit,
        wavelengths_nm=tuple(wavelengths[band - 1] for band in bands) if wavelengths else None,
        source_bands=bands,
        source_count=source.count,
        resampling=spec.resampling,
    )
    return _Layer(spec, modality, source, bands, spec.resampling or default_resampling(grid, source.grid))


def _stamp(layer: _Layer) -> list[Any]:
    files = {
        Path(split_variable(layer.spec.path)[0]).resolve(),
        layer.source.path.resolve(),
    }  # an ENVI header, its data
    try:
        facts = [(path, path.stat()) for path in sorted(files)]
    except OSError as error:
        raise RasterOpenError(f"{error.filename}: raster cannot be read ({error.strerror}); check the path") from error
    return [
        layer.modality.name, str(layer.spec.path), layer.spec.variable, layer.bands, layer.modality.unit,
        layer.resampling, [[str(path), fact.st_size, fact.st_mtime_ns] for path, fact in facts],
    ]  # fmt: skip


def _guess_unit(source: Source, bands: tuple[int, ...]) -> Unit:
    values = sample_values(source, bands)
    return "db" if values.size and np.median(values) < 0 else "linear"
