"""Features copied into a file that the engine reads. Main thread only.

A copy takes along edits, filters, selections and layers in memory, and holds one layer: of a file with several the
engine could not know which is meant.
"""

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from qgis.core import QgsProcessingContext, QgsProcessingUtils, QgsVectorFileWriter, QgsVectorLayer

from .bridge import remote_engine
from .layers import LayerError
from .translation import tr


class Copies:
    """A folder for the copies of one run.

    It lies among Processing's temporary ones, which QGIS removes. A remote engine does not see those: for it, the
    copies lie beside the output, under a name of their own, and go when the run is over.

    Args:
        output: folder of the output; where it is no full name, the engine will refuse it anyway.

    Attributes:
        folder: does not exist yet.
    """

    def __init__(self, output: str) -> None:
        self._passing = remote_engine() is not None and Path(output).is_absolute()
        name = f"mamol_inputs_{uuid.uuid4().hex[:8]}"
        self.folder = Path(output) / name if self._passing else Path(QgsProcessingUtils.generateTempFilename(name))

    def discard(self) -> None:
        """Remove them, unless QGIS will."""
        if self._passing:
            shutil.rmtree(self.folder, ignore_errors=True)


def copy_features(layer: QgsVectorLayer, path: Path, fields: Sequence[int], context: QgsProcessingContext) -> None:
    """Write a layer's features to a GeoPackage.

    Args:
        layer: in whatever format and CRS.
        path: the file; its folder is made.
        fields: numbers of the fields to take along.
        context: knows the transformations of coordinates.

    Raises:
        LayerError: it cannot be written.
    """
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = path.stem
    options.attributes = list(fields)
    options.skipAttributeCreation = not fields
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LayerError(f"{path.parent}: {error.strerror}") from error
    outcome = QgsVectorFileWriter.writeAsVectorFormatV3(layer, str(path), context.transformContext(), options)
    if outcome[0] != QgsVectorFileWriter.WriterError.NoError:
        message = tr('Layer "{layer}" cannot be copied to {path}: {reason}')
        raise LayerError(message.format(layer=layer.name(), path=path, reason=outcome[1]))
