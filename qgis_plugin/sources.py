"""Sources of layers as names of files. A source may be anything, and as long as a filter or a table's definition."""

from pathlib import Path
from typing import Optional

from qgis.core import QgsProviderRegistry, QgsVectorLayer


def is_file(source: str) -> bool:
    """Whether a text is the name of a file; False, not an error, where it could not even be one."""
    try:
        return Path(source).is_file()
    except (OSError, ValueError):  # longer than names may be, or with characters that none has
        return False


def style_beside(layer: QgsVectorLayer) -> Optional[Path]:
    """The style (.qml) beside the file that a layer's features come from; None where there is none, or no file."""
    if layer.providerType() != "ogr":
        return None
    source = str(QgsProviderRegistry.instance().decodeUri("ogr", layer.source()).get("path") or "")
    style = Path(source).with_suffix(".qml") if Path(source).name else None
    return style if style is not None and is_file(str(style)) else None
