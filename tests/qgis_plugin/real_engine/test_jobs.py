"""Training, mapping and inspecting: with and without sensors, cancelled, resumed, detached, at once."""

import json
import threading
import time
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsRasterLayer,
    QgsVectorLayer,
)

from tests.qgis_plugin.real_engine.conftest import SENSORS, failure, run


def test_map_with_all_sensors_and_without_each(mapping, tmp_path, feedback):
    feedback = type(feedback)()  # without what the training said
    extras = {name: str(tmp_path / f"{name}.tif") for name in ("CONFIDENCE", "PROBABILITIES", "SENSORS_USED")}
    extras["REPORT"] = str(tmp_path / "report.html")
    results = run("predict", {**mapping, **extras}, feedback)
    assert all(Path(results[name]).is_file() for name in ("OUTPUT", *extras))
    assert results["PIXELS"] > 40_000 and sum(json.loads(results["CLASS_AREAS"]).values()) > 100
    first = [line for line in feedback.infos if "patterns in" in line]
    assert feedback.infos.index(first[0]) < 10 and "hsi+elevation+sar (overall accuracy 0." in first[0]
    for missing in SENSORS:
        without = run("predict", {**mapping, missing: None}, feedback)
        shares = json.loads(without["SENSOR_SHARES"])
        assert all({"ELEVATION": "elevation", "SAR": "sar"}.get(missing, "hsi") not in name for name in shares)
        # 5 m as in training; without the cube 2.5 m rather than the 10 m of SAR, which are as near.
        side = QgsRasterLayer(without["OUTPUT"]).rasterUnitsPerPixelX()
        assert side == (2.5 if missing == "HYPERSPECTRAL" else 5)

    used = QgsRasterLayer(extras["SENSORS_USED"], "used")
    used.loadNamedStyle(str(Path(extras["SENSORS_USED"]).with_suffix(".qml")))
    assert "hsi+elevation+sar" in [item.label for item in used.renderer().classes()]
    classes = QgsRasterLayer(results["OUTPUT"], "map")
    classes.loadNamedStyle(str(Path(results["OUTPUT"]).with_suffix(".qml")))
    legend = {item.label: item.color.name() for item in classes.renderer().classes()}
    assert legend["water"] == "#2b6db3" and len(legend) == 6  # as labels.qml has them


def test_a_poisoned_environment_is_no_harm(mapping, monkeypatch, feedback):
    for name in ("PYTHONHOME", "PYTHONPATH", "PROJ_DATA", "PROJ_LIB", "GDAL_DATA", "GDAL_DRIVER_PATH"):
        monkeypatch.setenv(name, "/nowhere")
    broken = Path(mapping["OUTPUT"]).parent / "libraries"
    broken.mkdir()
    (broken / "libstdc++.so.6").write_text("no library")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(broken))
    assert run("predict", mapping, feedback)["PIXELS"] > 0


class Cancelling:
    """Cancels a feedback from another thread, as QGIS's button does, and measures how long the end takes."""

    def __init__(self, feedback, ready):
        self.feedback, self.ready, self.asked = feedback, ready, None
        self.thread = threading.Thread(target=self._wait, daemon=True)
        self.thread.start()

    def _wait(self):
        end = time.monotonic() + 120
        while not self.ready() and time.monotonic() < end:
            time.sleep(0.02)
        self.asked = time.monotonic()
        self.feedback.cancel()

    def seconds(self) -> float:
        self.thread.join()
        return time.monotonic() - self.asked


def processes() -> set[str]:
    """Command lines of all processes that run an engine."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "-m engine." in line:
            found.add(f"{entry.parent.name} {line}")
    return found


@pytest.mark.parametrize("moment", ["while it starts", "while it maps"])
def test_cancelled_within_two_seconds_without_a_trace(mapping, tmp_path, feedback, moment, record_property):
    before, others = set(tmp_path.iterdir()), processes()
    begin = time.monotonic()
    ready = {
        "while it starts": lambda: time.monotonic() - begin > 1.0,
        "while it maps": lambda: any("Mapping" in text for text in feedback.texts) and feedback.percents,
    }[moment]
    cancelling = Cancelling(feedback, ready)
    assert failure("predict", {**mapping, "OVERLAP": 8}, feedback) == "Cancelled."
    taken = cancelling.seconds()
    record_property("seconds", taken)
    print(f"cancelled {moment}: {taken:.2f} s")
    assert taken < 2.0
    assert set(tmp_path.iterdir()) == before and processes() <= others


def test_a_cancelled_training_goes_on(training, runs, feedback):
    folder = runs / "Lauf 2"
    cancelling = Cancelling(feedback, lambda: any("Training" in text for text in feedback.texts))
    parameters = {**training, "SAR": None, "OUTPUT": str(folder)}
    assert failure("train", parameters, feedback) == "Cancelled."
    assert cancelling.seconds() < 2.0
    assert not (folder / "model.safetensors").exists()
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("mamol:train")
    state = (folder / "checkpoint" / "state.json").exists()
    fine, message = algorithm.checkParameterValues(parameters, QgsProcessingContext())
    assert fine != state and (fine or "holds a run already" in message)
    again = type(feedback)()
    results = run("train", {**parameters, "SEED": 99, "RESUME": True}, again)  # the seed is the run's, not this one
    assert Path(results["MODEL"]).is_file() and "seed = 0" in (folder / "config.toml").read_text()


def test_a_detached_training_outlives_its_starter_and_is_followed(training, runs, feedback):
    folder = runs / "Lauf 3"
    parameters = {**training, "SAR": None, "OUTPUT": str(folder), "DETACHED": True}
    results = run("train", parameters, feedback)
    assert results == {"OUTPUT": str(folder), "MODEL": str(folder / "model.safetensors")}
    assert any("goes on without QGIS" in line for line in feedback.infos)
    if not (folder / "model.safetensors").exists():
        algorithm = QgsApplication.processingRegistry().createAlgorithmById("mamol:train")
        fine, message = algorithm.checkParameterValues(parameters, QgsProcessingContext())
        assert not fine and ("detached training runs" in message or (folder / "model.safetensors").exists())
    again = type(feedback)()
    results = run("train", {**parameters, "DETACHED": False, "RESUME": True}, again)
    assert Path(results["MODEL"]).is_file() and results["OVERALL_ACCURACY"] > 0.3


def test_two_runs_at_once(mapping, tmp_path, feedback):
    ended, tasks = [], []
    for number in (1, 2):
        algorithm = QgsApplication.processingRegistry().createAlgorithmById("mamol:predict")
        context, own = QgsProcessingContext(), type(feedback)()
        parameters = {**mapping, "OUTPUT": str(tmp_path / f"{number}.tif")}
        task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, own)
        task.executed.connect(lambda fine, results: ended.append((fine, results)))
        tasks.append((task, context, own))
        QgsApplication.taskManager().addTask(task)
    end = time.monotonic() + 240
    while len(ended) < 2 and time.monotonic() < end:
        QgsApplication.processEvents()
        time.sleep(0.02)
    assert [fine for fine, _ in ended] == [True, True]
    one, two = (bytes(gdal.Open(str(tmp_path / f"{number}.tif")).ReadRaster()) for number in (1, 2))
    assert one == two and set(one) == {1, 2, 3, 4, 5, 6}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder that even root cannot write: Linux")
def test_a_folder_that_cannot_be_written_is_the_engine_s_sentence(mapping, training, feedback):
    message = failure("predict", {**mapping, "OUTPUT": "/proc/nowhere/map.tif"}, feedback)
    assert "/proc/nowhere" in message and "Traceback" not in message and "\n" not in message
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("mamol:train")
    fine, _ = algorithm.checkParameterValues({**training, "OUTPUT": "/proc/nowhere"}, QgsProcessingContext())
    assert fine
    algorithm.run({**training, "OUTPUT": "/proc/nowhere"}, QgsProcessingContext(), feedback)
    assert len(feedback.errors) == 1 and "/proc/nowhere" in feedback.errors[0] and "Traceback" not in feedback.errors[0]


def test_inspect_tells_what_would_happen(mapping, scene, tmp_path, feedback):
    report = str(tmp_path / "inspect.html")
    results = run(
        "inspect", {"MODEL": mapping["MODEL"], "HYPERSPECTRAL": str(scene / "hsi_cut.tif"), "REPORT": report}, feedback
    )
    assert results["WORKS"] is True and results["PROBLEM"] == ""
    text = Path(report).read_text(encoding="utf-8")
    assert "no data" in text and "hsi+elevation+sar" in text and "water" in text
    results = run(
        "inspect", {"MODEL": mapping["MODEL"], "ELEVATION": str(scene / "hsi.tif"), "REPORT": report}, feedback
    )
    assert results["WORKS"] is False and "40 bands" in results["PROBLEM"]
    assert "Does not work" in Path(report).read_text(encoding="utf-8")
    assert run("inspect", {"SAR": mapping["SAR"], "REPORT": report}, feedback)["WORKS"] is True


def test_a_map_that_could_not_get_its_name_goes_on_from_there(mapping, scene, tmp_path, feedback):
    """Also with an area of interest, which is copied anew for each run. A folder stands for a disk that fails."""
    extent = QgsRasterLayer(str(scene / "hsi.tif"), "cube").extent()
    area = QgsVectorLayer("Polygon?crs=EPSG:32633", "area", "memory")
    area.setCrs(QgsRasterLayer(str(scene / "hsi.tif"), "cube").crs())
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromPointXY(extent.center()).buffer(extent.width() / 4, 8))
    area.dataProvider().addFeature(feature)
    parameters, out = {**mapping, "AOI": area}, Path(mapping["OUTPUT"])
    part = out.with_name(f"{out.name}.part")
    part.mkdir()
    text = failure("predict", parameters, feedback)
    assert "cannot be written" in text and "Keep unfinished work" in text
    part.rmdir()
    results = run("predict", {**parameters, "RESUME": True}, feedback)
    assert any("resuming after" in line for line in feedback.infos) and out.is_file() and results["PIXELS"] > 1000
    assert not list(tmp_path.glob("*.work"))
