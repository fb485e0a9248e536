"""From a map to its accuracy: reference labels, sample points, figures and reports."""

import json
import shutil
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProcessingContext, QgsRasterLayer, QgsVectorLayer

from tests.qgis_plugin.real_engine.conftest import CLASSES, failure, run


def test_evaluate_gives_figures_and_a_report(mapping, scene, tmp_path, feedback):
    used = str(tmp_path / "used.tif")
    run("predict", {**mapping, "SENSORS_USED": used}, feedback)
    for reference in (
        {"REFERENCE": str(scene / "labels.gpkg"), "FIELD": "class"},
        {"REFERENCE": str(scene / "truth.tif")},
    ):
        folder = tmp_path / "Güte 1"
        parameters = {"MAP": mapping["OUTPUT"], "SENSORS_USED": used, **reference, "OUTPUT": str(folder)}
        results = run("evaluate", parameters, feedback)
        figures = json.loads((folder / "accuracy.json").read_text())
        assert results["OVERALL_ACCURACY"] == figures["overall"]["oa"] > 0.3 and results["PIXELS"] > 1000
        assert "hsi+elevation+sar" in figures["patterns"] and Path(results["REPORT"]).is_file()
        assert figures["classes_matched_by"] == "name"
        shutil.rmtree(folder)


def fill_in(points: QgsVectorLayer, truth: Path) -> None:
    """Label sample points with what a raster says there, as an analyst picks classes by their names from the list."""
    widget = points.editorWidgetSetup(points.fields().lookupField("reference"))
    assert widget.type() == "ValueMap"
    choices = {name: int(value) for entry in widget.config()["map"] for name, value in entry.items()}
    hidden = points.editorWidgetSetup(points.fields().lookupField("stratum_name"))
    assert hidden.type() == "Hidden"
    raster = QgsRasterLayer(str(truth), "truth")
    points.startEditing()
    for point in points.getFeatures():
        value, there = raster.dataProvider().sample(point.geometry().asPoint(), 1)
        assert there
        points.changeAttributeValue(
            point.id(), points.fields().lookupField("reference"), choices[CLASSES[int(value) - 1]]
        )
    assert points.commitChanges()


def test_from_map_to_sample_points_to_evaluation(mapping, scene, tmp_path, feedback):
    used = str(tmp_path / "used.tif")
    run("predict", {**mapping, "SENSORS_USED": used}, feedback)
    path = tmp_path / "Stichprobe ä.gpkg"
    drawing = {"MAP": mapping["OUTPUT"], "SIZE": 150, "MIN_PER_CLASS": 10, "EXPECTED_ACCURACY": "0.7; water=0.95"}
    drawn = run("samplepoints", {**drawing, "OUTPUT": str(path)}, feedback)
    assert drawn["POINTS"] == 150 and Path(drawn["OUTPUT"]) == path

    points = QgsVectorLayer(str(path), "points", "ogr")
    assert points.isValid() and points.featureCount() == 150 and points.crs().isValid()
    assert {category.label() for category in points.renderer().categories()} >= {"water", "trees", "grass"}
    evaluation = {"MAP": mapping["OUTPUT"], "SENSORS_USED": used, "REFERENCE": str(path), "FIELD": "reference"}
    unfilled = failure("evaluate", {**evaluation, "OUTPUT": str(tmp_path / "x")}, feedback)
    assert "none of its 150 points has a class" in unfilled
    fill_in(points, scene / "truth.tif")

    feedback = type(feedback)()
    results = run("evaluate", {**evaluation, "OUTPUT": str(tmp_path / "Güte")}, feedback)
    figures = json.loads((tmp_path / "Güte" / "accuracy.json").read_text(encoding="utf-8"))
    overall = figures["overall"]
    assert results["OVERALL_ACCURACY"] == overall["oa"] and results["OVERALL_ACCURACY_SE"] == overall["oa_se"] > 0
    assert results["PIXELS"] == 150 and "hsi+elevation+sar" in figures["patterns"]
    assert figures["design"]["text"].endswith("as the points were drawn") and figures["classes_matched_by"] == "name"
    whole = run("evaluate", {**evaluation, "REFERENCE": str(scene / "truth.tif"), "FIELD": None, "DESIGN": "random",
                             "OUTPUT": str(tmp_path / "census")}, feedback)  # fmt: skip
    assert whole["OVERALL_ACCURACY_SE"] == 0
    assert abs(whole["OVERALL_ACCURACY"] - overall["oa"]) < 4 * overall["oa_se"]
    assert any(f"[{overall['oa_low']:.3f}, {overall['oa_high']:.3f}]" in line for line in feedback.infos)
    assert "hold for the mapped area" in Path(results["REPORT"]).read_text(encoding="utf-8")

    assert "150 points that are labelled already" in refusal("samplepoints", {**drawing, "OUTPUT": str(path)})
    assert QgsVectorLayer(str(path), "points", "ogr").featureCount() == 150


def refusal(name: str, parameters: dict) -> str:
    """What an algorithm says before it starts."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"mamol:{name}")
    fine, message = algorithm.checkParameterValues(parameters, QgsProcessingContext())
    assert not fine
    return message


def test_samplepoints_tells_what_is_wrong(mapping, scene, feedback, tmp_path):
    parameters = {"MAP": str(scene / "truth.tif"), "OUTPUT": str(tmp_path / "p.gpkg")}
    assert "Give a number of points" in refusal("samplepoints", {**parameters, "SIZE": None, "TARGET_SE": None})
    assert "bands" in refusal("samplepoints", {**parameters, "MAP": str(scene / "sar.tif")})
    assert "at least 50 each" in failure("samplepoints", {**parameters, "SIZE": 20}, feedback)
    by_error = run("samplepoints", {**parameters, "TARGET_SE": 0.03, "MIN_PER_CLASS": 0}, feedback)
    assert by_error["POINTS"] == pytest.approx(0.16 / 0.03**2, abs=2)  # 0.8 * 0.2 over the variance wanted
