"""From the layers that a user has to the stack that a model reads. Never imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from rasterio.crs import CRS
from rasterio.errors import CRSError

from engine.errors import ModalityError
from engine.modality import Modality
from engine.modelfile import ModelInfo
from engine.raster.bands import match_bands
from engine.raster.grid import Grid
from engine.raster.sources import open_source
from engine.raster.stack import LayerSpec, RasterStack, with_most_bands

_SAME_SIZE = 1.05  # sizes that differ by less are the same


def open_stack(info: ModelInfo, layers: Mapping[str, Path], reference: str | None = None) -> RasterStack:
    """Open layers for a model: in model order whatever the order given, with the bands that the model knows.

    Args:
        info: what the model needs.
        layers: path by modality name; a modality without a layer is absent everywhere.
        reference: modality whose grid is mapped; default: see `default_reference`.

    Raises:
        ModalityError: no layer, or one that the model does not know.
        BandCountError: a layer's bands do not fit the model's.
        RasterOpenError, GridMismatchError: see `RasterStack`.
    """
    known = {modality.name: modality for modality in info.modalities}
    if not layers:
        raise ModalityError(f"no layer given; the model maps from any of {', '.join(known)}: add --layer NAME=RASTER")
    unknown = [name for name in layers if name not in known]
    if unknown:
        raise ModalityError(f"layer {unknown[0]}: not a modality of the model; it knows {', '.join(known)}")
    if reference is not None and reference not in layers:
        raise ModalityError(f"--reference {reference}: not among the layers given ({', '.join(layers)})")
    specs, grids = [], {}
    for name in known:
        if name in layers:
            spec, grids[name] = _look(known[name], layers[name])
            specs.append(spec)
    return RasterStack(specs, reference or default_reference(info, grids))


def default_reference(info: ModelInfo, grids: Mapping[str, Grid]) -> str:
    """Modality whose grid is mapped where nobody says: the one with pixels as in training.

    A model has learnt neighbourhoods of so many pixels; in pixels of another size they are other neighbourhoods. Of
    equally near sizes (as a ratio) the finer is taken, which loses nothing of the others; then bands decide, see
    `with_most_bands`. A layer whose size cannot be compared is taken only where none can. The plugin's
    `reference_of` has the same rule.

    Args:
        info: the model.
        grids: those of the layers given, by modality name.
    """
    ratios = {}
    for name, grid in grids.items():
        if sizes := pixel_sizes(info, grid):
            ratios[name] = sizes[0] / sizes[1]
    if ratios:
        distances = {name: max(ratio, 1 / ratio) for name, ratio in ratios.items()}
        nearest = [name for name in ratios if distances[name] < min(distances.values()) * _SAME_SIZE]
        finest = min(ratios[name] for name in nearest)
        grids = {name: grids[name] for name in nearest if ratios[name] < finest * _SAME_SIZE}
    return with_most_bands(grids, {modality.name: modality.bands for modality in info.modalities})


def pixel_sizes(info: ModelInfo, grid: Grid) -> tuple[float, float] | None:
    """Longer side of the grid's pixels and of those of training, both in metres or both in degrees.

    Returns:
        None where they cannot be compared: one has no CRS that is known here, or degrees would meet metres.
    """
    resolution, text = info.grid.get("resolution"), info.grid.get("crs")
    if not resolution or not text or grid.crs is None:
        return None
    try:
        crs = CRS.from_string(text)
    except CRSError:
        return None
    if crs.is_geographic != grid.crs.is_geographic:
        return None
    return max(grid.resolution) * _unit(grid.crs), max(resolution) * _unit(crs)


def _unit(crs: CRS) -> float:
    """Metres in a unit of a projected CRS; degrees are left as they are."""
    return 1.0 if crs.is_geographic else float(crs.units_factor[1])


def _look(modality: Modality, path: Path) -> tuple[LayerSpec, Grid]:
    """A layer with the bands that the model knows, and its grid."""
    with closing(open_source(path)) as source:
        bands, grid = match_bands(modality, source), source.grid
    name, role, unit, resampling = modality.name, modality.role, modality.unit, modality.resampling
    return LayerSpec(name, path, role=role, unit=unit, resampling=resampling, bands=bands), grid
