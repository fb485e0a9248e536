"""What QGIS starts and stops: the provider, the translations, and the options page where there is a window."""

import contextlib
from typing import Any, Optional

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication
from qgis.utils import active_plugins

from .provider import MamolProvider
from .translation import load_translator


class MamolPlugin:
    """The plugin.

    Args:
        iface: the QGIS window; None under `qgis_process`.
    """

    def __init__(self, iface: Optional[Any]) -> None:
        self._iface = iface
        self._provider: Optional[MamolProvider] = None
        self._options_factory: Optional[Any] = None
        self._translator = load_translator(QgsApplication.locale())
        if self._translator is not None:
            QCoreApplication.installTranslator(self._translator)

    def initProcessing(self) -> None:  # noqa: N802 - QGIS's name
        """Add the provider: all that `qgis_process` asks for."""
        self._provider = MamolProvider()
        QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:  # noqa: N802
        """Add the provider and the options page."""
        self.initProcessing()
        if self._iface is None:
            return
        if "processing" in active_plugins:
            self._add_options_page()
        else:  # QGIS is starting; a page added before that of Processing would not come below it
            self._iface.initializationCompleted.connect(self._add_options_page)

    def _add_options_page(self) -> None:
        from .options import OptionsFactory  # widgets, which qgis_process has no use for

        self._options_factory = OptionsFactory()
        self._iface.registerOptionsWidgetFactory(self._options_factory)

    def unload(self) -> None:
        """Leave nothing behind."""
        if self._iface is not None and self._options_factory is None:
            with contextlib.suppress(TypeError):  # never connected, or served already
                self._iface.initializationCompleted.disconnect(self._add_options_page)
        if self._options_factory is not None:
            self._iface.unregisterOptionsWidgetFactory(self._options_factory)
            self._options_factory = None
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None
        if self._translator is not None:
            QCoreApplication.removeTranslator(self._translator)
            self._translator = None
