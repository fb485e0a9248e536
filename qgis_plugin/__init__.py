"""QGIS plugin MaMOL Land Cover: Processing algorithms that let an engine in its own process do the work."""


def classFactory(iface):  # noqa: N802, ANN001, ANN201 - QGIS's name and types
    """Make the plugin; called by QGIS."""
    from .plugin import MamolPlugin

    return MamolPlugin(iface)
