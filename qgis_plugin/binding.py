"""Which layer is which sensor of a model, and whether they fit. Plain values: no layer is touched.

Nothing is refused here that the engine would accept; what only the pixels tell (wavelengths, bad bands) is left to it.
"""

from collections.abc import Mapping, Sequence

from qgis.core import (
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
)

from .layers import LayerError, RasterInput
from .modelfile import Modality, Model
from .titles import cleaned, sensors_named
from .translation import tr

# What a role's layer is called in a new model.
SHORT_NAMES = {"hyperspectral": "hsi", "elevation": "elevation", "sar": "sar", "multispectral": "msi"}


def bind(
    model: Model, by_role: Mapping[str, RasterInput], others: Sequence[tuple[str, RasterInput]]
) -> dict[str, RasterInput]:
    """Give each layer the sensor that it is.

    Args:
        model: what is needed.
        by_role: layers that were given for a role.
        others: further layers with the sensor's name; where it is empty, the layer's own name tells.

    Returns:
        Layers by the model's names, in the model's order.

    Raises:
        LayerError: a layer is no sensor of the model, or two are the same one.
    """
    bound: dict[str, RasterInput] = {}
    for role, raster in by_role.items():
        _give(bound, _of_role(model, role, raster), raster)
    for name, raster in others:
        _give(bound, _named(model, name, raster), raster)
    if not bound:
        message = tr("No layer is given. The model maps from any of {names}; give the layers you have.")
        raise LayerError(message.format(names=", ".join(model.names)))
    return {name: bound[name] for name in model.names if name in bound}


def check_fit(model: Model, bound: Mapping[str, RasterInput], reference: str) -> None:
    """Check bands, CRSs and overlap.

    Args:
        model: what is needed.
        bound: see `bind`.
        reference: sensor whose grid is mapped.

    Raises:
        LayerError: what the engine would refuse, too.
    """
    for modality in model.modalities:
        if modality.name in bound:
            _check_bands(modality, bound[modality.name])
    check_places(bound, reference)


def check_places(rasters: Mapping[str, RasterInput], reference: str) -> None:
    """Check that all layers have a CRS or none has, and that they overlap the reference.

    Raises:
        LayerError: they have not, or do not.
    """
    base = rasters[reference]
    for raster in rasters.values():
        if raster.crs.isValid() != base.crs.isValid():
            bare = base if raster.crs.isValid() else raster
            message = tr(
                'The file of layer "{layer}" has no CRS, others have one. Assign it one ("Assign projection").'
            )
            raise LayerError(message.format(layer=bare.title))
        if raster is not base and _apart(base, raster):
            message = tr('Layers "{one}" and "{other}" do not overlap. Give layers of one place, and check their CRSs.')
            raise LayerError(message.format(one=base.title, other=raster.title))


def name_layers(
    by_role: Mapping[str, RasterInput], others: Sequence[tuple[str, RasterInput]]
) -> dict[str, RasterInput]:
    """Name layers where no model does: short names for roles, cleaned names for others.

    Args:
        by_role: layers that were given for a role.
        others: further layers with their names; where one is empty, the layer's own name is taken.

    Raises:
        LayerError: a name comes twice.
    """
    named = {SHORT_NAMES[role]: raster for role, raster in by_role.items()}
    for name, raster in others:
        clean = cleaned(name or raster.title)
        if clean in named:
            message = tr('Two layers would be named "{name}": give the further layers names of their own.')
            raise LayerError(message.format(name=clean))
        named[clean] = raster
    return named


def split_names(text: str, count: int) -> list[str]:
    """Names from a comma-separated text, one for each of `count` layers; empty ones where the text is empty.

    Raises:
        LayerError: their numbers differ.
    """
    names = [part.strip() for part in text.split(",")] if text.strip() else [""] * count
    if len(names) != count:
        message = tr("{names} names are given for {layers} further layers; give one for each, separated by commas.")
        raise LayerError(message.format(names=len(names), layers=count))
    return names


def _give(bound: dict[str, RasterInput], modality: Modality, raster: RasterInput) -> None:
    if modality.name in bound:
        message = tr('Layers "{one}" and "{other}" are both given for {name}; mosaic them first, or leave one out.')
        raise LayerError(message.format(one=bound[modality.name].title, other=raster.title, name=modality.name))
    bound[modality.name] = raster


def _of_role(model: Model, role: str, raster: RasterInput) -> Modality:
    fitting = [modality for modality in model.modalities if modality.role == role]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        message = tr(
            'The model has {count} sensors of the role {role}: {names}. Give layer "{layer}" among the further layers, '
            "with its name."
        )
        names = ", ".join(modality.name for modality in fitting)
        raise LayerError(message.format(count=len(fitting), role=role, names=names, layer=raster.title))
    message = tr('The model has no sensor of the role {role}, for which layer "{layer}" is given; it knows {known}.')
    raise LayerError(message.format(role=role, layer=raster.title, known=_known(model)))


def _named(model: Model, name: str, raster: RasterInput) -> Modality:
    if name:
        found = next((modality for modality in model.modalities if modality.name == name), None)
        if found is None:
            raise LayerError(
                tr('The model has no sensor "{name}"; it knows {known}.').format(name=name, known=_known(model))
            )
        return found
    fitting = sensors_named(model, raster.title)
    if len(fitting) != 1:
        message = tr(
            'The name of layer "{layer}" does not tell which sensor it is; the model knows {known}. Say it in the '
            "names of the further layers."
        )
        raise LayerError(message.format(layer=raster.title, known=_known(model)))
    return fitting[0]


def _known(model: Model) -> str:
    return ", ".join(f"{modality.name} ({modality.role})" for modality in model.modalities)


def _check_bands(modality: Modality, raster: RasterInput) -> None:
    usable = raster.bands - raster.alpha_bands
    if modality.bands in (usable, raster.bands) or raster.bands == modality.source_count:
        return
    # By wavelength, or without bad bands, some of many may be the right ones.
    if usable > modality.bands and (modality.has_wavelengths or modality.role == "hyperspectral"):
        return
    message = tr(
        'Layer "{layer}" has {found} bands, the model reads {wanted} of {name}. Give the raster it was trained for.'
    )
    wanted = str(modality.bands)
    if modality.source_count not in (None, modality.bands):
        wanted = tr("{bands} of {count}").format(bands=modality.bands, count=modality.source_count)
    raise LayerError(message.format(layer=raster.title, found=raster.bands, wanted=wanted, name=modality.name))


def _apart(base: RasterInput, raster: RasterInput) -> bool:
    """Whether the layers' rectangles do not meet; False where that cannot be told."""
    extent = raster.extent
    if base.crs != raster.crs:
        try:
            transform = QgsCoordinateTransform(raster.crs, base.crs, QgsCoordinateTransformContext())
            extent = transform.transformBoundingBox(extent)
        except QgsCsException:
            return False
    return not base.extent.intersects(extent)
