"""The parameters by which a user says which layer is which sensor, shared by the algorithms that read rasters."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ..binding import split_names
from ..layers import LayerError, RasterInput, raster_of_file, raster_of_layer
from ..sources import is_file
from ..translation import tr
from .base import MamolAlgorithm

# Parameter of each role.
ROLES = {
    "HYPERSPECTRAL": "hyperspectral",
    "ELEVATION": "elevation",
    "SAR": "sar",
    "MULTISPECTRAL": "multispectral",
}


class SensorAlgorithm(MamolAlgorithm):
    """An algorithm with one raster for each role, and further ones with names."""

    LAYERS = "LAYERS"
    LAYER_NAMES = "LAYER_NAMES"

    def add_sensors(self, names_help: str) -> None:
        """Add the parameters.

        Args:
            names_help: what the names of further layers mean here.
        """
        texts = {
            "HYPERSPECTRAL": (tr("Hyperspectral image"), tr("Image cube with tens to hundreds of narrow bands.")),
            "ELEVATION": (
                tr("Elevation or LiDAR"),
                tr("Surface or terrain model, canopy height, or other rasters made from LiDAR."),
            ),
            "SAR": (tr("Radar (SAR)"), tr("Backscatter, in decibels or as intensity; one band for each polarisation.")),
            "MULTISPECTRAL": (
                tr("Multispectral image"),
                tr("A few broad bands, such as Sentinel-2, Landsat or aerial."),
            ),
        }
        anyhow = tr(
            "Leave it empty where you have none. Pixel size, extent and CRS may differ from other layers. All bands of "
            "the file are read, whatever QGIS shows of them."
        )
        for name, (title, text) in texts.items():
            self.add(QgsProcessingParameterRasterLayer(name, title, optional=True), f"{text} {anyhow}")
        self.add(
            QgsProcessingParameterMultipleLayers(
                self.LAYERS, tr("Further layers"), QgsProcessing.SourceType.TypeRaster, optional=True
            ),
            tr("Rasters of any other kind, or a second one of a kind."),
        )
        self.add(
            QgsProcessingParameterString(self.LAYER_NAMES, tr("Names of the further layers"), optional=True), names_help
        )

    def sensors(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[dict[str, RasterInput], list[tuple[str, RasterInput]]]:
        """Layers by role, and further ones with their names (empty where none is given). Main thread only.

        Raises:
            LayerError: one cannot be used.
        """
        by_role = {}
        for name, role in ROLES.items():
            raster = self.raster(parameters, name, context)
            if raster is not None:
                by_role[role] = raster
        further = self._further(parameters, context)
        names = split_names(self.parameterAsString(parameters, self.LAYER_NAMES, context), len(further))
        return by_role, list(zip(names, further))

    def warn(self, rasters: Iterable[RasterInput], feedback: QgsProcessingFeedback) -> None:
        """Say what the user should know about the layers."""
        for raster in rasters:
            for warning in raster.warnings:
                feedback.pushWarning(warning)

    def _further(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[RasterInput]:
        if not self.given(parameters, self.LAYERS):
            return []
        values = parameters[self.LAYERS]
        if isinstance(values, (list, tuple)) and all(isinstance(v, str) and is_file(v) for v in values):
            return [raster_of_file(Path(value)) for value in values]
        layers = self.parameterAsLayerList(parameters, self.LAYERS, context)
        if not layers or not all(layer.isValid() for layer in layers):
            raise LayerError(tr("One of the further layers cannot be opened."))
        return [raster_of_layer(layer) for layer in layers]
