"""From layers of QGIS to the files behind them, which is what the engine reads. Main thread only.

How a layer is drawn (bands shown, stretch, transparency) plays no part: the file is read as it is. What a user has
told QGIS about the data but not the file (a CRS, another no-data value) is pointed out: the engine cannot see it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDataProvider,
    QgsMapLayer,
    QgsProcessingException,
    QgsProviderRegistry,
    QgsRaster,
    QgsRasterDataProvider,
    QgsRasterLayer,
    QgsRectangle,
)

from .sources import is_file
from .translation import tr

# What users call providers, where that is not the provider's name.
_KINDS = {"wms": "WMS", "wcs": "WCS", "arcgismapserver": "ArcGIS", "postgresraster": "PostgreSQL"}


class LayerError(QgsProcessingException):
    """A layer cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class RasterInput:
    """A raster layer, as plain values that a worker thread may use.

    Attributes:
        path: its file.
        title: its name in QGIS.
        bands: number of bands.
        alpha_bands: how many of them are alpha.
        pixels: width times height.
        resolution: longer side of a pixel, in units of `crs`.
        crs: that of the file, which may be invalid.
        extent: in `crs`.
        warnings: what the user should know about it.
    """

    path: Path
    title: str
    bands: int
    alpha_bands: int
    pixels: int
    resolution: float
    crs: QgsCoordinateReferenceSystem
    extent: QgsRectangle
    warnings: list[str]


def raster_of_layer(layer: QgsRasterLayer) -> RasterInput:
    """Find the file behind a raster layer.

    Raises:
        LayerError: there is none that the engine could read.
    """
    path = _file_of(layer)
    found = _look(layer.dataProvider(), path, layer.name())
    shown = layer.crs()
    if shown.isValid() and shown != found.crs:
        message = tr(
            'Layer "{layer}" has the CRS {shown} in QGIS, its file {path} has {own}. The engine reads the file: write '
            'the right CRS into it with "Assign projection".'
        ).format(layer=found.title, shown=shown.authid(), path=path, own=found.crs.authid() or tr("none"))
        if not found.crs.isValid():
            raise LayerError(message)
        found.warnings.append(message)
    if _has_own_nodata(layer.dataProvider()):
        message = tr(
            'Layer "{layer}" has its own no-data settings in QGIS. The engine reads the file {path} as it is: write '
            'no-data values into it with "Translate".'
        )
        found.warnings.append(message.format(layer=found.title, path=path))
    return found


def raster_of_file(path: Path) -> RasterInput:
    """Look at a raster file without making a layer of it, which would compute statistics and write them beside it.

    Raises:
        LayerError: it is no raster.
    """
    options = QgsDataProvider.ProviderOptions()
    provider = QgsProviderRegistry.instance().createProvider("gdal", str(path), options)
    if provider is None or not provider.isValid() or not provider.bandCount():
        raise LayerError(tr("{path}: not a raster that can be opened.").format(path=path))
    return _look(provider, path.absolute(), path.stem)


def raster_of_value(value: Any, layer: Callable[[], Optional[QgsMapLayer]]) -> Optional[RasterInput]:
    """The raster behind the value of a parameter.

    Args:
        value: what the parameter was given.
        layer: gives the layer that QGIS makes of it, asked only where the value is not just the name of a file.

    Returns:
        None where it is no raster.

    Raises:
        LayerError: the engine could not read it.
    """
    if isinstance(value, str) and is_file(value):
        return raster_of_file(Path(value)) if QgsRasterLayer.isValidRasterFileName(value) else None
    found = layer()
    return raster_of_layer(found) if isinstance(found, QgsRasterLayer) and found.isValid() else None


def check_class_values(raster: RasterInput) -> None:
    """Check that a raster may hold classes.

    Raises:
        LayerError: it has several bands.
    """
    if raster.bands != 1:
        message = tr('Layer "{layer}" has {bands} bands; a raster of class values has one.')
        raise LayerError(message.format(layer=raster.title, bands=raster.bands))


def _look(provider: QgsRasterDataProvider, path: Path, title: str) -> RasterInput:
    bands, alpha = range(1, provider.bandCount() + 1), QgsRaster.ColorInterpretation.AlphaBand
    extent, width, height = QgsRectangle(provider.extent()), provider.xSize(), provider.ySize()
    return RasterInput(
        path=path,
        title=title,
        bands=len(bands),
        alpha_bands=sum(provider.colorInterpretation(band) == alpha for band in bands),
        pixels=width * height,
        resolution=max(extent.width() / width, extent.height() / height),
        crs=provider.crs(),
        extent=extent,
        warnings=[],
    )


def _has_own_nodata(provider: QgsRasterDataProvider) -> bool:
    return any(
        provider.userNoDataValues(band)
        or (provider.sourceHasNoDataValue(band) and not provider.useSourceNoDataValue(band))
        for band in range(1, provider.bandCount() + 1)
    )


def _file_of(layer: QgsMapLayer) -> Path:
    title, kind = layer.name(), layer.providerType()
    if kind != "gdal":
        raise LayerError(
            tr(
                'Layer "{layer}" comes from {kind}, not from a file. The engine reads raster files: save the layer as '
                "GeoTIFF first (Export > Save As)."
            ).format(layer=title, kind=_KINDS.get(kind, kind))
        )
    source = layer.source().partition("|")[0]
    if source.startswith("/vsi"):
        message = tr(
            'Layer "{layer}" ({source}) lies in memory, in an archive or on a server. The engine reads raster files: '
            "save the layer as GeoTIFF first (Export > Save As)."
        )
        raise LayerError(message.format(layer=title, source=source))
    if not is_file(source):
        message = tr(
            'Layer "{layer}" is no raster file of its own ({source}), for instance a data set inside a container. Save '
            "it as GeoTIFF first (Export > Save As)."
        )
        raise LayerError(message.format(layer=title, source=source))
    return Path(source).absolute()
