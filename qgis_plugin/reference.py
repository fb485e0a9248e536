"""Whose pixels are used: those of the sensor that the user names, or that the engine would choose."""

from collections.abc import Mapping
from typing import Optional

from qgis.core import QgsCoordinateReferenceSystem, QgsUnitTypes

from .layers import LayerError, RasterInput
from .modelfile import Model
from .translation import tr

_SAME_SIZE = 1.05  # pixel sizes that differ by less are the same


def reference_of(bound: Mapping[str, RasterInput], wanted: str, model: Optional[Model] = None) -> str:
    """Sensor whose grid is used: the one wanted, else the one that the engine would choose.

    With a model that is the one with pixels as in training: the nearest in size, of equally near ones the finer. Then,
    and where there is no model or no size can be compared, bands decide, then pixels, then the alphabet.

    Args:
        bound: layers by the sensors' names.
        wanted: the user's choice, empty for none.
        model: what maps; None for training.

    Raises:
        LayerError: the one wanted is not among the layers.
    """
    if wanted and wanted not in bound:
        message = tr('"{name}" is to be the reference, but no layer is given for it (given: {names}).')
        raise LayerError(message.format(name=wanted, names=", ".join(bound)))
    if wanted:
        return wanted
    bands = {name: raster.bands for name, raster in bound.items()}
    names = list(bound)
    if model is not None:
        bands = {modality.name: modality.bands for modality in model.modalities}
        names = _with_pixels_as_in_training(model, bound) or names
    return min(names, key=lambda name: (-bands[name], -bound[name].pixels, name))


def _with_pixels_as_in_training(model: Model, bound: Mapping[str, RasterInput]) -> list[str]:
    """Sensors whose pixel size is nearest to the model's, of equally near ones the finer; none if none compares."""
    trained = QgsCoordinateReferenceSystem(model.crs)
    if not trained.isValid() or not model.resolution:
        return []
    ratios = {
        name: raster.resolution * _unit(raster.crs) / (model.resolution * _unit(trained))
        for name, raster in bound.items()
        if raster.crs.isValid() and raster.crs.isGeographic() == trained.isGeographic()
    }
    distances = {name: max(ratio, 1 / ratio) for name, ratio in ratios.items()}
    nearest = [name for name in ratios if distances[name] < min(distances.values()) * _SAME_SIZE]
    return [name for name in nearest if ratios[name] < min(ratios[near] for near in nearest) * _SAME_SIZE]


def _unit(crs: QgsCoordinateReferenceSystem) -> float:
    """Metres in a unit of a projected CRS; degrees are left as they are."""
    if crs.isGeographic():
        return 1.0
    return QgsUnitTypes.fromUnitToUnitFactor(crs.mapUnits(), QgsUnitTypes.DistanceUnit.DistanceMeters)
