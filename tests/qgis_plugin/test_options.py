"""The options page, and how the plugin brings it into QGIS."""

import pytest
import qgis.utils
from qgis.core import QgsApplication

from qgis_plugin import classFactory, settings
from qgis_plugin.options import OptionsFactory


@pytest.fixture
def page(plugin):
    return OptionsFactory().createWidget(None)


def test_the_page_shows_and_keeps_the_settings(page):
    assert (settings.device(), settings.threads(), settings.memory_mb(), settings.engine_python()) == (
        "auto",
        0,
        256,
        "",
    )
    assert page.threads.text() == "all"
    page.python.setFilePath(" /opt/engine python ")
    page.device.setCurrentText("cpu")
    page.threads.setValue(3)
    page.memory.setValue(512)
    page.torch_index.setText("")
    page.remote_command.setText(" ssh gpu-server python ")
    page.remote_folders.setText("/a = /b")
    assert settings.threads() == 0  # nothing is kept before the dialog is accepted
    page.apply()
    assert (settings.device(), settings.threads(), settings.memory_mb()) == ("cpu", 3, 512)
    assert settings.engine_python() == "/opt/engine python" and settings.torch_index() == ""
    assert settings.remote_command() == "ssh gpu-server python" and settings.remote_folders() == "/a = /b"
    again = OptionsFactory().createWidget(None)
    assert again.device.currentText() == "cpu" and again.threads.value() == 3


def test_settings_that_somebody_has_edited_are_no_harm(plugin):
    settings.save({settings.DEVICE: "abacus", settings.THREADS: "many", settings.MEMORY_MB: "-5"})
    assert (settings.device(), settings.threads(), settings.memory_mb()) == ("auto", 0, 1)


def test_the_button_tests_with_what_is_shown(page, monkeypatch):
    import processing

    opened = []
    monkeypatch.setattr(processing, "execAlgorithmDialog", opened.append, raising=False)
    page.threads.setValue(2)
    page.test.click()
    assert opened == ["mamol:checkengine"] and settings.threads() == 2


class Signal:
    def __init__(self):
        self.receivers = []

    def connect(self, receiver):
        self.receivers.append(receiver)

    def disconnect(self, receiver):
        if receiver not in self.receivers:
            raise TypeError
        self.receivers.remove(receiver)


class Window:
    """What the plugin asks of the QGIS window."""

    def __init__(self):
        self.pages, self.initializationCompleted = [], Signal()

    def registerOptionsWidgetFactory(self, factory):  # noqa: N802
        self.pages.append(factory)

    def unregisterOptionsWidgetFactory(self, factory):  # noqa: N802
        self.pages.remove(factory)


@pytest.mark.parametrize("starting", [True, False])
def test_the_page_comes_below_that_of_processing(qgis_app, monkeypatch, starting):
    """While QGIS starts, plugins are loaded by name, and ours before Processing: then the page has to wait."""
    monkeypatch.setattr(qgis.utils, "active_plugins", [])
    monkeypatch.setattr("qgis_plugin.plugin.active_plugins", [] if starting else ["processing"])
    window = Window()
    plugin = classFactory(window)
    plugin.initGui()
    assert QgsApplication.processingRegistry().providerById("mamol") is not None
    assert bool(window.pages) != starting
    for receiver in list(window.initializationCompleted.receivers):
        receiver()
    assert [page.path() for page in window.pages] == [["Processing"]]
    plugin.unload()
    assert not window.pages and QgsApplication.processingRegistry().providerById("mamol") is None


def test_unloading_before_qgis_has_started_leaves_nothing(qgis_app, monkeypatch):
    monkeypatch.setattr("qgis_plugin.plugin.active_plugins", [])
    window = Window()
    plugin = classFactory(window)
    plugin.initGui()
    plugin.unload()
    assert not window.pages and not window.initializationCompleted.receivers
