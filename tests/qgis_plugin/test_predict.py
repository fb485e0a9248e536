"""The algorithm that maps, with a fake engine: what is checked before, what the engine is told, what comes back."""

import json
import time
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

FACTS = {
    "mapped_pixels": 7, "seconds": 2.0, "pixels_per_second": 3.5,
    "classes": [{"name": "water", "area_ha": 1.5}], "patterns": [{"name": "hsi", "share": 1.0}],
}  # fmt: skip
SENSORS = {"hsi": ("hyperspectral", 4), "dem": ("elevation", 1), "s1": ("sar", 2)}


@pytest.fixture
def case(plugin, make_model, make_layer, tmp_path):
    """Parameters of a run: two layers of the project."""
    layers = [make_layer("cube.tif", 4), make_layer("dem.tif")]
    QgsProject.instance().addMapLayers(layers)
    return {
        "MODEL": str(make_model("m.safetensors", SENSORS)),
        "HYPERSPECTRAL": layers[0].id(),
        "ELEVATION": layers[1].id(),
        "OUTPUT": str(tmp_path / "map.tif"),
    }


def failure(parameters, feedback) -> str:
    """What the analyst reads when a run fails: the text and nothing else."""
    with pytest.raises(QgsProcessingException) as error:
        algorithm().run(parameters, context(), feedback, {}, False)
    return str(error.value)


def algorithm():
    return QgsApplication.processingRegistry().createAlgorithmById("mamol:predict")


def context():
    made = QgsProcessingContext()
    made.setProject(QgsProject.instance())
    return made


def check(parameters):
    fine, message = algorithm().checkParameterValues(parameters, context())
    return "" if fine else message


def run(parameters, feedback, where=None):
    """Run as QGIS does; (results, context)."""
    where = where or context()
    results, fine = algorithm().run(parameters, where, feedback, {}, False)
    assert fine
    return results, where


ECHO = f"say(type='result', job=job, **{FACTS!r})"


def job_of(fake_engine, tmp_path, parameters, feedback) -> dict:
    """What the engine is told."""
    file = tmp_path / "told.json"
    fake_engine(f"json.dump(job, open({str(file)!r}, 'w'))\n{ECHO}")
    run(parameters, feedback)
    return json.loads(file.read_text())


def test_the_job_is_complete(case, fake_engine, feedback, tmp_path):
    job = job_of(fake_engine, tmp_path, {**case, "CONFIDENCE": str(tmp_path / "c.tif"), "DEVICE": "cpu"}, feedback)
    assert job == {
        "model": case["MODEL"], "layer": {"hsi": str(tmp_path / "cube.tif"), "dem": str(tmp_path / "dem.tif")},
        "reference": "hsi", "out": case["OUTPUT"], "confidence": str(tmp_path / "c.tif"), "overlap": 1,
        "resume": False, "overwrite": True, "device": "cpu", "precision": "auto", "memory": 256,
    }  # fmt: skip


def test_further_layers_are_bound_by_their_names(case, fake_engine, feedback, tmp_path, make_layer):
    files = [make_layer("x.tif", 2).source(), make_layer("a dem.tif").source()]
    more = {**case, "ELEVATION": None, "LAYERS": files[:1], "LAYER_NAMES": "s1", "REFERENCE": "s1"}
    job = job_of(fake_engine, tmp_path, more, feedback)
    assert job["layer"] == {"hsi": str(tmp_path / "cube.tif"), "s1": files[0]} and job["reference"] == "s1"
    job = job_of(fake_engine, tmp_path, {**case, "ELEVATION": None, "LAYERS": files[1:]}, feedback)
    assert job["layer"]["dem"] == files[1]


def test_the_extent_is_given_in_the_grid_s_crs(case, fake_engine, feedback, tmp_path):
    wgs84 = QgsCoordinateReferenceSystem.fromEpsgId(4326)
    box = QgsReferencedRectangle(QgsRectangle(15.0, 52.34, 15.001, 52.35), wgs84)
    extent = job_of(fake_engine, tmp_path, {**case, "EXTENT": box}, feedback)["extent"]
    assert 499_900 < extent[0] < 500_001 and 5_790_000 < extent[1] < extent[3] < 5_810_000


def area_layer(name: str, side: float) -> QgsVectorLayer:
    """A square in memory."""
    area = QgsVectorLayer("Polygon?crs=EPSG:32633", name, "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(500_000, 5_800_000 - side, 500_000 + side, 5_800_000)))
    area.dataProvider().addFeature(feature)
    return area


def test_an_area_in_memory_reaches_the_engine(case, fake_engine, feedback, tmp_path):
    area = area_layer("area", 100)
    QgsProject.instance().addMapLayer(area)
    copy = QgsVectorLayer(job_of(fake_engine, tmp_path, {**case, "AOI": area.id()}, feedback)["aoi"], "copy")
    assert copy.featureCount() == 1 and copy.extent().width() == 100 and copy.crs().authid() == "EPSG:32633"


def test_of_a_file_with_several_layers_the_right_one_is_the_area(case, fake_engine, feedback, tmp_path):
    """Also where it bears the name of the file, which QGIS takes as a sign that it is the only one."""
    options, path = QgsVectorFileWriter.SaveVectorOptions(), str(tmp_path / "areas.gpkg")
    for name, side in (("other", 50), ("areas", 100)):
        options.layerName = name
        layer = area_layer(name, side)
        QgsVectorFileWriter.writeAsVectorFormatV3(layer, path, layer.transformContext(), options)
        options.actionOnExistingFile = QgsVectorFileWriter.ActionOnExistingFile.CreateOrOverwriteLayer
    chosen = {**case, "AOI": f"{path}|layername=areas"}
    copy = QgsVectorLayer(job_of(fake_engine, tmp_path, chosen, feedback)["aoi"], "copy")
    assert copy.featureCount() == 1 and copy.extent().width() == 100


def test_numbers_come_back_and_accuracy_is_told_first(case, fake_engine, feedback):
    fake_engine(ECHO)
    results, _ = run(case, feedback)
    assert (results["PIXELS"], results["SECONDS"], results["PIXELS_PER_SECOND"]) == (7, 2.0, 3.5)
    assert json.loads(results["CLASS_AREAS"]) == {"water": 1.5} and json.loads(results["SENSOR_SHARES"]) == {"hsi": 1}
    assert results["OUTPUT"] == case["OUTPUT"] and "CONFIDENCE" not in results
    told = [line.strip() for line in feedback.infos]
    # Of all combinations only those that the given layers can make.
    assert "Accuracy" in told[0] and told[1] == "hsi: unknown" and "hsi+dem+s1: 87.5 %" not in told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"MODEL": "/nowhere/m.safetensors"}, "cannot be read"),
        ({"HYPERSPECTRAL": None, "ELEVATION": None}, "No layer is given. The model maps from any of hsi, dem, s1"),
        ({"HYPERSPECTRAL": "dem"}, "has 1 bands, the model reads 4 of hsi"),
        ({"MULTISPECTRAL": "dem"}, "no sensor of the role multispectral"),
        ({"HYPERSPECTRAL": "/nowhere/cube.tif"}, "/nowhere/cube.tif"),
        ({"LAYERS": ["dem"], "LAYER_NAMES": "a,b"}, "2 names are given for 1"),
        ({"OVERLAP": 5}, "at most 4"),
        ({"REFERENCE": "s1"}, "no layer is given for it"),
        ({"OUTPUT": "/tmp/map.jpg"}, "jpg"),
    ],
)
def test_what_does_not_fit_is_told_before(case, fake_engine, change, words):
    fake_engine("")
    assert check(case) == ""
    named = {layer.name(): layer.id() for layer in QgsProject.instance().mapLayers().values()}
    values = {
        key: [named[v] for v in value] if isinstance(value, list) else named.get(value, value)
        for key, value in change.items()
    }
    assert words in check({**case, **values})


def test_layers_of_two_places_are_told_before(case, fake_engine, make_layer):
    fake_engine("")
    far = make_layer("far.tif", corner=(600_000, 5_800_000)).source()
    assert '"cube" and "far" do not overlap' in check({**case, "ELEVATION": far})


def test_a_missing_engine_is_told_before(case, monkeypatch):
    monkeypatch.setenv("MAMOL_ENGINE_PYTHON", "/nowhere/python")
    assert "/nowhere/python does not exist" in check(case)


def test_checking_takes_less_than_a_tenth_of_a_second(case, fake_engine, make_layer, tmp_path):
    """Layers of the project, and files; the best of three, because the machine is busy with other things, too."""
    fake_engine("")
    for parameters in (case, {**case, "HYPERSPECTRAL": make_layer("big.tif", 4, side=2000).source()}):
        seconds = []
        for _ in range(3):
            begin = time.perf_counter()
            assert check(parameters) == ""
            seconds.append(time.perf_counter() - begin)
        assert min(seconds) < 0.1, seconds


def test_a_designer_model_is_checked_when_it_runs(case, fake_engine, feedback):
    """No model file is needed to put the algorithm into a model; when it runs, `prepare` says what is missing."""
    fake_engine(ECHO)
    later = {**case, "MODEL": "/nowhere/m.safetensors"}
    mapping = algorithm()
    assert all(mapping.parameterDefinition(name).checkValueIsAcceptable(value) for name, value in later.items())
    mapping.run(later, context(), feedback)
    assert feedback.errors == [
        "/nowhere/m.safetensors: the model file cannot be read (No such file or directory); check the path."
    ]


@pytest.mark.parametrize("resume", [False, True])
def test_a_failure_leaves_nothing_but_what_is_to_be_resumed(case, fake_engine, feedback, tmp_path, resume):
    fake_engine(
        "out = job['out']; os.mkdir(out + '.work'); open(out + '.part', 'w').close()\n"
        "open(out[:-4] + '.qml.part', 'w').close(); open(out + '.aux.xml.part', 'w').close(); fail('disk full', 2)"
    )
    before = set(tmp_path.iterdir())
    assert failure({**case, "RESUME": resume}, feedback) == "disk full"
    left = {path.name for path in set(tmp_path.iterdir()) - before} - {"fake_engine.py", "fake python"}
    assert bool(left) == resume


WRITES = """
out = job['out']; os.mkdir(out + '.work'); open(out + '.part', 'w').close()
say(type='progress', stage='mapping', pct=100); say(type='progress', stage='writing', pct=0)
"""


def test_a_map_that_only_lacks_its_files_is_kept(case, fake_engine, feedback, tmp_path):
    """As on Windows, where the old map cannot be replaced while QGIS shows it."""
    fake_engine(WRITES + "fail(out + ': cannot be written (Access is denied)', 2)")
    text, work = failure(case, feedback), Path(case["OUTPUT"] + ".work")
    assert text.startswith(f"{case['OUTPUT']}: cannot be written (Access is denied)\n")
    assert '"Keep unfinished work, and go on with it"' in text and str(work) in text
    assert work.is_dir() and not list(tmp_path.glob("*.part"))
    work.rmdir()
    assert failure({**case, "RESUME": True}, feedback) == f"{case['OUTPUT']}: cannot be written (Access is denied)"
    assert work.is_dir()


def test_a_temporary_map_is_not_kept_because_its_name_never_comes_again(case, fake_engine, feedback, tmp_path):
    told = tmp_path / "out"
    fake_engine(WRITES + f"open({str(told)!r}, 'w').write(out); fail('disk full', 2)")
    assert failure({**case, "OUTPUT": "TEMPORARY_OUTPUT"}, feedback) == "disk full"
    assert told.read_text().endswith(".tif") and not Path(told.read_text() + ".work").exists()


def test_a_map_that_is_cancelled_while_it_is_written_is_not_kept(case, fake_engine, feedback):
    fake_engine(WRITES + "wait_for_request(); fail('stopped', 3)")
    feedback.setProgressText = lambda text: feedback.cancel() if text.startswith("Writing") else None
    assert failure(case, feedback) == "Cancelled." and not Path(case["OUTPUT"] + ".work").exists()


def test_warnings_of_layers_are_passed_on(case, fake_engine, feedback):
    fake_engine(ECHO)
    layer = QgsProject.instance().mapLayer(case["ELEVATION"])
    layer.setCrs(QgsCoordinateReferenceSystem.fromEpsgId(25833))
    run(case, feedback)
    assert any("Assign projection" in warning for warning in feedback.warnings)


def test_every_parameter_has_help(plugin):
    for one in QgsApplication.processingRegistry().providerById("mamol").algorithms():
        assert one.shortHelpString() and one.shortDescription() and one.tags() and Path(one.svgIconPath()).is_file()
        missing = [d.name() for d in one.parameterDefinitions() if not d.help()]
        assert not missing, (one.name(), missing)
