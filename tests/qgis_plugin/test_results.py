"""Results in the project: names, groups, legends; loaded by QGIS's own code after an algorithm has run."""

import time
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProject,
)

from qgis_plugin.results import dress


@pytest.fixture
def styled(make_layer):
    """A class map of one band with a style beside it, as the engine writes it."""
    from qgis.core import QgsPalettedRasterRenderer
    from qgis.PyQt.QtGui import QColor

    def make(name: str) -> str:
        layer = make_layer(name)
        classes = [QgsPalettedRasterRenderer.Class(1, QColor("#1040ff"), "hsi + lidar")]
        layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, classes))
        layer.saveNamedStyle(str(Path(layer.source()).with_suffix(".qml")))
        return layer.source()

    return make


def loaded(context, plugin, feedback):
    """What QGIS does when an algorithm has finished."""
    from processing.gui.Postprocessing import handleAlgorithmResults

    algorithm = QgsApplication.processingRegistry().createAlgorithmById("mamol:predict")
    assert handleAlgorithmResults(algorithm, context, feedback)
    return {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}


def test_results_are_named_grouped_and_drawn_with_their_legend(plugin, styled, feedback):
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    paths = [styled("map.tif"), styled("used.tif")]
    for path, output in zip(paths, ("OUTPUT", "SENSORS_USED"), strict=True):
        details = QgsProcessingContext.LayerDetails(output, QgsProject.instance(), output)
        context.addLayerToLoadOnCompletion(path, details)
        dress(context, path, f"{output} (hsi)", "Land cover, model run")
    layers = loaded(context, plugin, feedback)
    assert set(layers) == {"OUTPUT (hsi)", "SENSORS_USED (hsi)"}
    for layer in layers.values():
        assert [item.label for item in layer.renderer().classes()] == ["hsi + lidar"]
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    assert group.name() == "Land cover, model run" and len(group.findLayers()) == 2


def test_names_that_others_gave_stay(plugin, styled, feedback):
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    path = styled("map.tif")
    details = QgsProcessingContext.LayerDetails("My map", QgsProject.instance(), "native_1:OUTPUT of a model")
    context.addLayerToLoadOnCompletion(path, details)
    dress(context, path, "Land cover", "group")
    assert set(loaded(context, plugin, feedback)) == {"My map"}


def test_what_is_not_loaded_is_left_alone(qgis_app):
    context = QgsProcessingContext()
    dress(context, "", "title", "group")
    dress(context, "/nowhere.tif", "title", "group")
    assert not context.layersToLoadOnCompletion()


def test_a_run_in_the_background_ends_in_the_project(
    plugin, styled, make_model, make_layer, fake_engine, tmp_path, feedback
):
    """The way of the toolbox: a task on a worker thread, then the results on the main thread."""
    source = styled("made.tif")
    facts = {"mapped_pixels": 1, "seconds": 1, "pixels_per_second": 1, "classes": [], "patterns": []}
    style = str(Path(source).with_suffix(".qml"))
    fake_engine(
        f"import shutil; shutil.copy({source!r}, job['out']); shutil.copy({style!r}, job['out'][:-4] + '.qml')\n"
        f"say(type='result', **{facts!r})"
    )
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    parameters = {
        "MODEL": str(make_model("run/model.safetensors", {"hsi": ("hyperspectral", 4)})),
        "HYPERSPECTRAL": make_layer("cube.tif", 4).source(),
        "OUTPUT": str(tmp_path / "map.tif"),
    }
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("mamol:predict")
    definition = algorithm.parameterDefinition("OUTPUT")
    from qgis.core import QgsProcessingOutputLayerDefinition

    parameters["OUTPUT"] = QgsProcessingOutputLayerDefinition(parameters["OUTPUT"], QgsProject.instance())
    assert definition.checkValueIsAcceptable(parameters["OUTPUT"])
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    ended = []
    task.executed.connect(lambda fine, results: ended.append((fine, results)))
    QgsApplication.taskManager().addTask(task)
    deadline = time.monotonic() + 60
    while not ended and time.monotonic() < deadline:
        QgsApplication.processEvents()
        time.sleep(0.01)
    assert ended and ended[0][0], feedback.infos
    layers = loaded(context, plugin, feedback)
    assert list(layers) == ["Land cover (hsi)"]
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    assert group.name() == "Land cover, model run"
