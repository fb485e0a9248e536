"""A model saved by the Model Designer, and the batch window."""

import json
import shutil
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProject,
    QgsRasterLayer,
)

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
MODEL = Path(__file__).resolve().parent / "models" / "train and map.model3"
SENSORS = {"hyperspectral": "hsi.tif", "elevation": "lidar.tif", "sar": "sar.tif"}


@pytest.fixture
def scene(tmp_path):
    return Path(shutil.copytree(SAMPLE, tmp_path / "scene"))


@pytest.fixture
def designer_model(plugin):
    model = QgsProcessingModelAlgorithm()
    assert model.fromFile(str(MODEL))
    assert model.validate() == (True, [])
    return model


def test_a_saved_designer_model_trains_and_maps(designer_model, use_real_engine, scene, tmp_path, feedback):
    """The model file of `predict` does not exist before `train` has made it."""
    parameters = {name: str(scene / file) for name, file in SENSORS.items()}
    parameters |= {"labels": str(scene / "labels.gpkg"), "field": "class"}
    parameters |= {"settings": "training.steps=20\ntraining.validate_every=20"}
    parameters |= {"map:Land cover": str(tmp_path / "map.tif"), "map:Sensors used": str(tmp_path / "used.tif")}
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    fine, message = designer_model.checkParameterValues(parameters, context)
    assert fine, message
    results, done = designer_model.run(parameters, context, feedback)
    assert done, feedback.others[-5:]
    assert results["map:Land cover"] == str(tmp_path / "map.tif")
    assert QgsRasterLayer(results["map:Land cover"], "map").isValid()
    assert (tmp_path / "map.qml").is_file()
    assert QgsRasterLayer(results["map:Sensors used"], "used").isValid()


def test_the_designer_offers_training_s_model_to_the_map(designer_model):
    """What the Designer lists as possible sources of MODEL."""
    source = designer_model.childAlgorithm("map").parameterSources()["MODEL"][0]
    assert (source.outputChildId(), source.outputName()) == ("train", "MODEL")
    assert designer_model.dependsOnChildAlgorithms("map") == {"train"}


def test_a_batch_of_two_scenes(plugin, fake_engine, make_model, make_layer, tmp_path):
    """The batch window, filled as by hand; the second scene lacks a sensor."""
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog

    jobs = tmp_path / "jobs.txt"
    fake_engine(
        f"""
from pathlib import Path
with open({str(jobs)!r}, "a") as file:
    file.write(json.dumps(job) + "\\n")
Path(job["out"]).write_bytes(b"II*\\0")
say(type="progress", stage="mapping", done=1, total=1, pct=100)
say(type="result", mapped_pixels=10, seconds=1, pixels_per_second=10, classes=[], patterns=[])
"""
    )
    model = str(make_model("m.safetensors", {"hsi": ("hyperspectral", 4), "dem": ("elevation", 1)}))
    cube, dem = (make_layer(*arguments).source() for arguments in (("cube.tif", 4), ("dem.tif", 1)))
    scenes = [
        {"MODEL": model, "HYPERSPECTRAL": cube, "ELEVATION": dem, "OUTPUT": str(tmp_path / "map 1.tif")},
        {"MODEL": model, "ELEVATION": dem, "OUTPUT": str(tmp_path / "map 2.tif")},
    ]
    dialog = BatchAlgorithmDialog(QgsApplication.processingRegistry().createAlgorithmById("mamol:predict"))
    panel = dialog.mainWidget()
    panel.addRow()
    assert panel.batchRowCount() == len(scenes)
    for row, values in enumerate(scenes):
        for name, value in values.items():
            column = panel.parameter_to_column[name]
            if name == "OUTPUT":
                panel.tblParameters.cellWidget(row + 1, column).setValue(value)
            else:
                panel.wrappers[row][column].setParameterValue(value, QgsProcessingContext())
    dialog.runAlgorithm()
    dialog.close()
    told = [json.loads(line) for line in jobs.read_text().splitlines()]
    assert [sorted(job["layer"]) for job in told] == [["dem", "hsi"], ["dem"]]
    assert [Path(job["out"]).name for job in told] == ["map 1.tif", "map 2.tif"]
