"""Labels: features with a class field, or a raster of class values. Main thread only.

Features are copied: that takes along edits, filters and layers in memory, and the names and colours of the classes as
QGIS shows them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from qgis.core import (
    QgsMapLayer,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterField,
    QgsProcessingParameterMapLayer,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from .layers import LayerError, raster_input
from .translation import tr


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
        QgsProcessingParameterField(field_name, tr("Class field"), None, name, optional=True),
        tr("Field that holds the class, as a number or a name. Not for rasters."),
    )


def check_labels(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    name: str,
    field_name: str,
    context: QgsProcessingContext,
) -> QgsMapLayer:
    """The layer of labels.

    Raises:
        LayerError: it cannot be used.
    """
    layer = algorithm.parameterAsLayer(parameters, name, context)
    if layer is None or not layer.isValid():
        raise LayerError(algorithm.invalidSourceError(parameters, name))
    if isinstance(layer, QgsRasterLayer):
        if raster_input(layer).bands != 1:
            message = tr('Layer "{layer}" has {bands} bands; a raster of class values has one.')
            raise LayerError(message.format(layer=layer.name(), bands=layer.bandCount()))
        return layer
    if not isinstance(layer, QgsVectorLayer) or not layer.isSpatial():
        message = tr('Layer "{layer}" holds no places; give points, polygons, or a raster of class values.')
        raise LayerError(message.format(layer=layer.name()))
    field = algorithm.parameterAsString(parameters, field_name, context)
    if not field:
        message = tr('Say which field of layer "{layer}" holds the class.')
        raise LayerError(message.format(layer=layer.name()))
    if layer.fields().lookupField(field) < 0:
        known = ", ".join(layer.fields().names())
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
    layer = check_labels(algorithm, parameters, name, field_name, context)
    if isinstance(layer, QgsRasterLayer):
        return Labels(raster_input(layer).path, None)
    field = layer.fields().at(layer.fields().lookupField(algorithm.parameterAsString(parameters, field_name, context)))
    path = folder / "labels.gpkg"
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = "labels"
    options.attributes = [layer.fields().lookupField(field.name())]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LayerError(f"{folder}: {error.strerror}") from error
    outcome = QgsVectorFileWriter.writeAsVectorFormatV3(layer, str(path), context.transformContext(), options)
    if outcome[0] != QgsVectorFileWriter.WriterError.NoError:
        message = tr('Layer "{layer}" cannot be copied to {path}: {reason}')
        raise LayerError(message.format(layer=layer.name(), path=path, reason=outcome[1]))
    layer.saveNamedStyle(str(path.with_suffix(".qml")))
    return Labels(path, field.name())
