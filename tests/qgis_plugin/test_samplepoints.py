"""Drawing sample points with a fake engine: points that somebody has labelled are never replaced."""

import pytest
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsProperty,
    QgsVectorLayer,
)

from qgis_plugin.vectors import copy_features


@pytest.fixture
def points(tmp_path, qgis_app):
    """Make a file of three points, some of them labelled."""

    def make(labelled: int) -> str:
        layer = QgsVectorLayer("Point?crs=EPSG:32633&field=reference:integer", "points", "memory")
        for number in range(3):
            feature = QgsFeature(layer.fields())
            feature.setAttributes([1 if number < labelled else None])
            feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(number, 0)))
            layer.dataProvider().addFeature(feature)
        path = tmp_path / f"points {labelled}.gpkg"
        copy_features(layer, path, [0], QgsProcessingContext())
        return str(path)

    return make


def as_dialog(path):
    """What the dialog and the batch window make of a file's name."""
    return QgsProcessingOutputLayerDefinition(path, QgsProject.instance())


def as_property(path):
    """What the Designer makes of it."""
    return QgsProcessingOutputLayerDefinition(QgsProperty.fromExpression(f"'{path}'"))


@pytest.mark.parametrize("given", [str, as_dialog, as_property])
def test_labelled_points_stay_however_their_name_is_given(
    plugin, make_layer, points, fake_engine, feedback, tmp_path, given
):
    called = tmp_path / "called"
    fake_engine(f"open({str(called)!r}, 'w').close(); say(type='result', size=3)")
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("mamol:samplepoints")
    parameters = {"MAP": make_layer("map.tif").source(), "SIZE": 3}

    taken = {**parameters, "OUTPUT": given(points(2))}
    if given is not as_property:  # which is not known before the algorithm runs
        fine, message = algorithm.checkParameterValues(taken, QgsProcessingContext())
        assert not fine and "points 2.gpkg holds 2 points that are labelled already" in message
    with pytest.raises(QgsProcessingException, match="holds 2 points that are labelled already"):
        algorithm.create().run(taken, QgsProcessingContext(), feedback, {}, False)
    assert not called.exists()

    free = {**parameters, "OUTPUT": given(points(0))}
    assert algorithm.checkParameterValues(free, QgsProcessingContext())[0]
    results, _ = algorithm.create().run(free, QgsProcessingContext(), feedback, {}, False)
    assert results["POINTS"] == 3 and called.exists()
