"""The algorithms with the real engine on the sample scene, in folders with spaces and umlauts.

The layers are files that QGIS has not opened, as under `qgis_process`; `scripts/check_plugin.py` does the same with the
installed plugin.
"""

import json
import shutil
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingException

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data"
CLASSES = ("water", "trees", "grass", "crops", "built-up", "bare soil")  # values 1 to 6 of truth.tif
SHORT = "training.steps=24\ntraining.validate_every=24"
SENSORS = {"HYPERSPECTRAL": "hsi.tif", "ELEVATION": "lidar.tif", "SAR": "sar.tif"}


def run(name: str, parameters: dict, feedback) -> dict:
    """Run an algorithm as QGIS does; errors are raised."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"mamol:{name}")
    context = QgsProcessingContext()
    fine, message = algorithm.checkParameterValues(parameters, context)
    assert fine, message
    results, _ = algorithm.run(parameters, context, feedback, {}, False)
    return results


def failure(name: str, parameters: dict, feedback) -> str:
    with pytest.raises(QgsProcessingException) as error:
        run(name, parameters, feedback)
    return str(error.value)


@pytest.fixture(autouse=True)
def real(plugin, use_real_engine, monkeypatch):
    """The plugin with the real engine, which shares the machine with other tests."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def scene(tmp_path_factory) -> Path:
    """A copy of the sample scene."""
    return Path(shutil.copytree(SAMPLE, tmp_path_factory.mktemp("Szene") / "Äcker & Wälder"))


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("Läufe mit Leerzeichen")


@pytest.fixture
def training(scene):
    """Parameters of a short training."""
    rasters = {name: str(scene / file) for name, file in SENSORS.items()}
    return {**rasters, "LABELS": str(scene / "labels.gpkg"), "FIELD": "class", "SETTINGS": SHORT, "DEVICE": "cpu"}


@pytest.fixture
def trained(training, runs, feedback) -> Path:
    """A model file, trained once."""
    folder = runs / "Lauf 1"
    if not (folder / "model.safetensors").exists():
        results = run("train", {**training, "OUTPUT": str(folder)}, feedback)
        assert results["MODEL"] == str(folder / "model.safetensors") and results["SECONDS"] > 0
        assert Path(results["REPORT"]).is_file()
        accuracies = json.loads(results["ACCURACIES"])
        assert len(accuracies) == 7 and accuracies["hsi+elevation+sar"] == results["OVERALL_ACCURACY"] > 0.3
        assert any("Overall accuracy" in line for line in feedback.infos) and feedback.percents[-1] > 90
    return folder / "model.safetensors"


@pytest.fixture
def mapping(trained, scene, tmp_path):
    """Parameters of a map with all sensors."""
    rasters = {name: str(scene / file) for name, file in SENSORS.items()}
    return {"MODEL": str(trained), **rasters, "OUTPUT": str(tmp_path / "Karte ä.tif"), "DEVICE": "cpu"}
