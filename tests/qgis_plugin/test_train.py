"""Training with a fake engine: what is written down, and the life of a run that outlives QGIS."""

import json
import os
import signal
import time
import tomllib
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingException, QgsVectorLayer

from qgis_plugin.detached import DetachedRun, process_hint
from qgis_plugin.training_config import named_shares

FACTS = {"model": "m", "seconds": 3.0, "patterns": {"hsi+elevation": {"oa": 0.9}, "hsi": {"oa": None}}}
BEGUN = "say(type='progress', stage='training', pct=1)"
DONE = f"say(type='result', **{FACTS!r})"
COLOURS = '<qgis><renderer-v2 attr="class"/></qgis>'


@pytest.fixture
def case(plugin, make_layer, tmp_path):
    labels = QgsVectorLayer("Point?crs=EPSG:32633&field=class:string", "labels", "memory")
    from qgis_plugin.vectors import copy_features

    copy_features(labels, tmp_path / "labels.gpkg", [0], QgsProcessingContext())
    return {
        "HYPERSPECTRAL": make_layer("cube.tif", 4).source(),
        "ELEVATION": make_layer("dem.tif").source(),
        "LAYERS": [make_layer("Wald höhe.tif").source()],
        "LABELS": str(tmp_path / "labels.gpkg"),
        "FIELD": "class",
        "OUTPUT": str(tmp_path / "run ä"),
    }


def algorithm():
    return QgsApplication.processingRegistry().createAlgorithmById("mamol:train")


def check(parameters) -> str:
    fine, message = algorithm().checkParameterValues(parameters, QgsProcessingContext())
    return "" if fine else message


def run(parameters, feedback) -> dict:
    results, _ = algorithm().run(parameters, QgsProcessingContext(), feedback, {}, False)
    return results


def failure(parameters, feedback) -> str:
    with pytest.raises(QgsProcessingException) as error:
        run(parameters, feedback)
    return str(error.value)


def test_the_inputs_are_written_down_in_the_run_folder(case, fake_engine, feedback, tmp_path):
    fake_engine(f"json.dump(job, open({str(tmp_path / 'told.json')!r}, 'w')); {DONE}")
    more = {"EPOCHS": 7, "MISSING_RATE": 0.5, "SETTINGS": "training.steps=5\n\n model.width=32 ", "SEED": 4}
    results = run({**case, **more, "REFERENCE": "elevation"}, feedback)
    folder = Path(case["OUTPUT"])
    job = json.loads((tmp_path / "told.json").read_text())
    assert job["config"] == str(folder / "inputs" / "training.toml") and job["out"] == str(folder)
    assert job["set"] == ["training.steps=5", "model.width=32"] and job["resume"] is False and "init" not in job
    config = tomllib.loads((folder / "inputs" / "training.toml").read_text(encoding="utf-8"))
    modalities = config["scene"]["modalities"]
    assert {name: item["role"] for name, item in modalities.items()} == {
        "hsi": "hyperspectral", "elevation": "elevation", "Wald_höhe": "other"
    }  # fmt: skip
    assert modalities["Wald_höhe"]["path"] == case["LAYERS"][0]
    assert config["scene"]["reference"] == "elevation" and config["scene"]["labels"]["field"] == "class"
    assert config["training"] == {"epochs": 7, "seed": 4} and config["missing"] == {"rate": 0.5}
    assert config["model"] == {"backbone": "compact", "readout": "dense"} and config["split"] == {"kind": "blocks"}
    assert Path(config["scene"]["labels"]["path"]).parent == folder / "inputs"
    assert results["MODEL"] == str(folder / "model.safetensors") and results["OVERALL_ACCURACY"] == 0.9
    assert json.loads(results["ACCURACIES"]) == {"hsi+elevation": 0.9, "hsi": None}


def test_files_on_shares_are_named_in_the_arguments_too(case, fake_engine, feedback, tmp_path):
    """A configuration may not name other machines; that the user has picked a file is told by the command line."""
    fake_engine(f"json.dump(job, open({str(tmp_path / 'told.json')!r}, 'w')); {DONE}")
    share = f"/{tmp_path}"  # begins with two slashes, and leads to the same files here
    picked = {"ELEVATION": f"{share}/dem.tif", "LAYERS": [f"{share}/Wald höhe.tif"], "OUTPUT": f"{share}/run"}
    run({**case, **picked, "SETTINGS": "training.steps=5"}, feedback)
    told = json.loads((tmp_path / "told.json").read_text())["set"]
    assert told == [
        f'scene.modalities.elevation.path="{share}/dem.tif"',
        f'scene.modalities.Wald_höhe.path="{share}/Wald höhe.tif"',
        f'scene.labels.path="{share}/run/inputs/labels.gpkg"', "training.steps=5",
    ]  # fmt: skip


def test_names_of_shares_of_windows_survive():
    share = r"\\server\my data"
    told = named_shares(
        {"hsi": share + r"\hsi.tif", "dem": r"D:\dem.tif"}, Path("labels.gpkg"), share + r"\w.safetensors"
    )
    assert [tomllib.loads(text)["scene" if "scene" in text else "model"] for text in told] == [
        {"modalities": {"hsi": {"path": share + r"\hsi.tif"}}}, {"weights": share + r"\w.safetensors"},
    ]  # fmt: skip


def test_how_a_process_is_ended_that_has_no_window():
    assert process_hint(7, windows=True) == "taskkill /F /T /PID 7" and process_hint(7, windows=False) == "kill 7"


def test_a_run_is_not_overwritten_and_goes_on_with_its_own_inputs(case, fake_engine, feedback, tmp_path):
    fake_engine(f"open(job['out'] + '/model.safetensors', 'w').close(); {DONE}")
    run({**case, "SEED": 1}, feedback)
    assert "holds a run already" in check(case)
    algorithm().run(case, QgsProcessingContext(), feedback)  # as a model of the Designer does, without a check
    assert len(feedback.errors) == 1 and "holds a run already" in feedback.errors[0]
    again = {**case, "SEED": 2, "ELEVATION": None, "RESUME": True}
    fake_engine(f"json.dump(job, open({str(tmp_path / 'told.json')!r}, 'w')); {DONE}")
    run(again, feedback)
    job = json.loads((tmp_path / "told.json").read_text())
    assert job["resume"] is True and job["out"] == case["OUTPUT"]
    assert "seed = 1" in Path(job["config"]).read_text() and "elevation" in Path(job["config"]).read_text()
    assert "no run to go on with" in check({**again, "OUTPUT": str(tmp_path / "empty")})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"HYPERSPECTRAL": None, "ELEVATION": None, "LAYERS": None}, "No layer is given"),
        ({"FIELD": ""}, "Say which field"),
        ({"LAYER_NAMES": "hsi"}, 'named "hsi"'),
        ({"REFERENCE": "sar"}, "no layer is given for it"),
    ],
)
def test_what_does_not_fit_is_told_before(case, fake_engine, change, words):
    fake_engine("")
    assert check(case) == "" and words in check({**case, **change})


def wait_for_end(folder: Path) -> None:
    end = time.monotonic() + 20
    while DetachedRun(folder / "detached").is_running():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_detached_run_is_left_when_it_has_begun_and_followed_to_its_end(case, fake_engine, feedback, tmp_path):
    go = tmp_path / "go"
    fake_engine(
        f"say(type='log', message='looking'); {BEGUN}\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.05)\n"
        f"say(type='log', message='last words'); {DONE}"
    )
    results = run({**case, "DETACHED": True}, feedback)
    assert set(results) == {"OUTPUT", "MODEL"} and "looking" in feedback.infos
    assert any("goes on without QGIS" in line and "kill " in line for line in feedback.infos)
    assert DetachedRun(Path(case["OUTPUT"]) / "detached").is_running()
    assert "a detached training runs" in check(case)

    impatient = type(feedback)()  # follows, and stops following
    impatient.cancel()
    assert "goes on without QGIS" in failure({**case, "RESUME": True}, impatient)
    assert DetachedRun(Path(case["OUTPUT"]) / "detached").is_running()

    go.touch()
    follower = type(feedback)()
    assert run({**case, "RESUME": True}, follower)["OVERALL_ACCURACY"] == 0.9
    assert follower.infos.index("looking") < follower.infos.index("last words")
    wait_for_end(Path(case["OUTPUT"]))
    # Now nothing runs: going on starts the engine again.
    assert run({**case, "RESUME": True}, type(feedback)())["OVERALL_ACCURACY"] == 0.9


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("fail('labels.gpkg: no such field', 2)", "labels.gpkg: no such field"),
        ("print('boom', file=sys.stderr, flush=True); os.abort()", "boom"),
    ],
)
def test_a_detached_run_that_does_not_begin_says_why(case, fake_engine, feedback, script, words):
    fake_engine(script)
    assert words in failure({**case, "DETACHED": True}, feedback)


def test_a_detached_run_that_is_cancelled_before_it_begins_is_stopped(case, fake_engine, feedback):
    fake_engine("say(type='log', message=str(os.getpid())); time.sleep(60)")
    feedback.isCanceled = lambda: bool(feedback.infos)
    assert failure({**case, "DETACHED": True}, feedback) == "Cancelled."
    wait_for_end(Path(case["OUTPUT"]))


def test_a_detached_run_that_was_killed_is_no_longer_running(case, fake_engine, feedback):
    fake_engine(f"say(type='log', message=str(os.getpid())); {BEGUN}; time.sleep(60)")
    run({**case, "DETACHED": True}, feedback)
    process = next(int(line) for line in feedback.infos if line.isdigit())
    os.kill(process, signal.SIGKILL)
    wait_for_end(Path(case["OUTPUT"]))
    assert check(case) == ""  # there is no checkpoint to lose
