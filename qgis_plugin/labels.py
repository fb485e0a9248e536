"""Labels: features with a class field, or a raster of class values. Main thread only.

Features are copied: that takes along edits, filters and layers in memory, and the names and colours of the classes as
QGIS shows them.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterField,
    QgsProcessingParameterMapLayer,
    QgsVectorLayer,
)

from .layers import LayerError, RasterInput, check_class_values, raster_of_value
from .sources import style_beside
from .translation import tr
from .vectors import copy_features

# How sample points were drawn (see `SamplePointsAlgorithm`): without these fields the engine would not know.
_DESIGN = ("stratum", "stratum_name", "stratum_pixels", "stratum_ha")


@dataclass(frozen=True)
class Labels:
    """A file of labels, and the field that holds the class (None for rasters, and where it is left to the engine)."""

    path: Path
    field: Optional[str]


def add_labels(algorithm: Any, name: str, title: str, field_name: str, help_text: str) -> None:
    """Add a parameter for labels, and one for their class field."""
    source = QgsProcessing.SourceType
    algorithm.add(
        QgsProcessingParameterMapLayer(name, title, None, False, [source.TypeVectorAnyGeometry, source.TypeRaster]),
        help_text,
    )
    algorithm.add(
        QgsProcessingParameterField(field_name, tr("Class field of points or polygons"), None, name, optional=True),
        tr("Field that holds the class, as a number or a name. Not for rasters."),
    )


def check_labels(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    name: str,
    field_name: str,
    context: QgsProcessingContext,
) -> Union[RasterInput, QgsVectorLayer]:
    """The labels: a raster, or a layer of features with a class field.

    Raises:
        LayerError: they cannot be used.
    """
    raster = raster_of_value(parameters.get(name), lambda: algorithm.parameterAsLayer(parameters, name, context))
    if raster is not None:
        check_class_values(raster)
        return raster
    layer = algorithm.parameterAsVectorLayer(parameters, name, context)
    if layer is None or not layer.isValid():
        raise LayerError(algorithm.invalidSourceError(parameters, name))
    if not layer.isSpatial():
        message = tr('Layer "{layer}" holds no places; give points, polygons, or a raster of class values.')
        raise LayerError(message.format(layer=layer.name()))
    field = algorithm.parameterAsString(parameters, field_name, context)
    known = ", ".join(layer.fields().names())
    if not field:
        message = tr('Say which field of layer "{layer}" holds the class: {known}.')
        raise LayerError(message.format(layer=layer.name(), known=known))
    if layer.fields().lookupField(field) < 0:
        message = tr('Layer "{layer}" has no field "{field}"; it has: {known}.')
        raise LayerError(message.format(layer=layer.name(), field=field, known=known))
    return layer


def export_labels(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    name: str,
    field_name: str,
    context: QgsProcessingContext,
    folder: Path,
) -> Labels:
    """Bring labels into files that the engine reads: rasters stay where they are, features are copied into `folder`.

    Raises:
        LayerError: they cannot be used or copied.
    """
    source = check_labels(algorithm, parameters, name, field_name, context)
    if isinstance(source, RasterInput):
        return Labels(source.path, None)
    fields = source.fields()
    index = fields.lookupField(algorithm.parameterAsString(parameters, field_name, context))
    path = folder / "labels.gpkg"
    design = [fields.lookupField(name) for name in _DESIGN]
    copy_features(source, path, [index] if min(design) < 0 else [index, *design], context)
    _copy_style(source, path.with_suffix(".qml"))
    return Labels(path, fields.at(index).name())


def _copy_style(source: QgsVectorLayer, path: Path) -> None:
    """Keep names and colours of classes: those in the project, or those beside the file, which Processing ignores."""
    beside, renderer = style_beside(source), source.renderer()
    if beside is not None and (renderer is None or renderer.type() != "categorizedSymbol"):
        shutil.copyfile(beside, path)
    else:
        source.saveNamedStyle(str(path))
