"""From layers of QGIS to the files behind them, which is what the engine reads. Main thread only.

How a layer is drawn (bands shown, stretch, transparency) plays no part: the file is read as it is. What a user has
told QGIS about the data but not the file (a CRS, another no-data value) is pointed out: the engine cannot see it.
"""

from dataclasses import dataclass
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessingException,
    QgsRaster,
    QgsRasterLayer,
    QgsRectangle,
)

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
        crs: that of the file, which may be invalid.
        extent: in `crs`.
        warnings: what the user should know about it.
    """

    path: Path
    title: str
    bands: int
    alpha_bands: int
    pixels: int
    crs: QgsCoordinateReferenceSystem
    extent: QgsRectangle
    warnings: list[str]


def raster_input(layer: QgsRasterLayer) -> RasterInput:
    """Find the file behind a raster layer.

    Raises:
        LayerError: there is none that the engine could read.
    """
    title = layer.name()
    path = _file_of(layer)
    provider = layer.dataProvider()
    crs = provider.crs()
    warnings = []
    if layer.crs().isValid() and layer.crs() != crs:
        message = tr(
            'Layer "{layer}" has the CRS {shown} in QGIS, its file {path} has {own}. The engine reads the file: write '
            'the right CRS into it with "Assign projection".'
        ).format(layer=title, shown=layer.crs().authid(), path=path, own=crs.authid() or tr("none"))
        if not crs.isValid():
            raise LayerError(message)
        warnings.append(message)
    numbers = range(1, provider.bandCount() + 1)
    if any(
        provider.userNoDataValues(band)
        or (provider.sourceHasNoDataValue(band) and not provider.useSourceNoDataValue(band))
        for band in numbers
    ):
        warnings.append(
            tr(
                'Layer "{layer}" has its own no-data settings in QGIS. The engine reads the file {path} as it is: '
                'write no-data values into it with "Translate".'
            ).format(layer=title, path=path)
        )
    return RasterInput(
        path=path,
        title=title,
        bands=provider.bandCount(),
        alpha_bands=sum(provider.colorInterpretation(band) == QgsRaster.AlphaBand for band in numbers),
        pixels=layer.width() * layer.height(),
        crs=crs,
        extent=QgsRectangle(provider.extent()),
        warnings=warnings,
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
    path = Path(source)
    if not path.is_file():
        message = tr(
            'Layer "{layer}" is no raster file of its own ({source}), for instance a data set inside a container. Save '
            "it as GeoTIFF first (Export > Save As)."
        )
        raise LayerError(message.format(layer=title, source=source))
    return path.absolute()
