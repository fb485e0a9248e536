"""The algorithms with the real engine on the sample scene, in folders with spaces and umlauts.

The layers are files that QGIS has not opened, as under `qgis_process`; `scripts/check_plugin.py` does the same with the
installed plugin.
"""

import json
import shutil
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
    QgsProcessingException,
    QgsRasterLayer,
    QgsVectorLayer,
)

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
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
