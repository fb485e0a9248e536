"""From the layers that a user has to the stack that a model reads. Never imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from engine.errors import ModalityError
from engine.modality import Modality
from engine.modelfile import ModelInfo
from engine.raster.bands import match_bands
from engine.raster.sources import open_source
from engine.raster.stack import LayerSpec, RasterStack


def open_stack(info: ModelInfo, layers: Mapping[str, Path], reference: str | None = None) -> RasterStack:
    """Open layers for a model: in model order whatever the order given, with the bands that the model knows.

    Args:
        info: what the model needs.
        layers: path by modality name; a modality without a layer is absent everywhere.
        reference: modality whose grid is mapped; default: the one with most bands.

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
    return RasterStack([_layer(known[name], layers[name]) for name in known if name in layers], reference)


def _layer(modality: Modality, path: Path) -> LayerSpec:
    with closing(open_source(path)) as source:
        bands = match_bands(modality, source)
    return LayerSpec(
        modality.name, path, role=modality.role, unit=modality.unit, resampling=modality.resampling, bands=bands
    )
