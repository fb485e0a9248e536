"""The algorithms that check and set up the engine: what they say, and to whom they hand the work."""

from pathlib import Path
from typing import ClassVar

import pytest
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingException, QgsSettings

from qgis_plugin import engine_setup, settings
from qgis_plugin.algorithms import setupengine
from qgis_plugin.python_choice import Interpreter, SetupError


def run(name, parameters, feedback):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"mamol:{name}")
    return algorithm.run(parameters, QgsProcessingContext(), feedback, {}, False)[0]


def test_the_report_names_what_a_developer_asks_first(plugin, fake_engine, feedback, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fake_engine(
        'say(type="result", engine="0.1.0", torch="2.9", device=job["device"] + " card", memory="16 GiB", '
        f'disk="9 GiB in {tmp_path}", **{{"self test": "passed in 1.0 s"}})'
    )
    result = run("checkengine", {"DEVICE": "cpu", "REPORT": str(tmp_path / "report.txt")}, feedback)
    text = result["TEXT"]
    lines = dict(line.split(None, 1) for line in text.splitlines() if len(line.split(None, 1)) == 2)
    assert {"plugin", "QGIS", "locale", "interpreter", "settings", "engine", "torch", "memory", "disk"} <= set(lines)
    assert lines["device"] == "cpu card"
    assert text.startswith("```\n") and text.endswith("\n```")
    assert str(tmp_path) not in text and "~" in lines["disk"], "whose computer it is, is nobody's business"
    assert (tmp_path / "report.txt").read_text(encoding="utf-8").strip() == text


def test_there_is_something_to_paste_when_the_engine_is_broken(plugin, fake_engine, feedback):
    fake_engine('fail("no kernel image is available", 2)')
    with pytest.raises(QgsProcessingException, match="no kernel image"):
        run("checkengine", {}, feedback)
    said = "\n".join(feedback.infos)
    assert "FAILED: no kernel image is available" in said and "interpreter" in said


@pytest.mark.parametrize("name", ["checkengine", "inspect"])
def test_a_report_s_folder_is_made_or_what_is_wrong_told_before_the_work(
    plugin, fake_engine, feedback, make_layer, tmp_path, name
):
    called, file = tmp_path / "called", tmp_path / "file"
    file.touch()
    fake_engine(f"open({str(called)!r}, 'w').close(); say(type='result', layers=[])")
    parameters = {"ELEVATION": make_layer("dem.tif").source()} if name == "inspect" else {}
    for report in (tmp_path, file / "report.html"):
        with pytest.raises(QgsProcessingException) as error:
            run(name, {**parameters, "REPORT": str(report)}, feedback)
        assert str(error.value).startswith(f"{report}: the report cannot be written (")
    assert not called.exists(), "nobody waits for a report that cannot be written"
    report = tmp_path / "new folder" / "deeper" / "report.html"
    assert run(name, {**parameters, "REPORT": str(report)}, feedback)["REPORT"] == str(report)
    assert called.exists() and report.stat().st_size


class FakeInstaller:
    """Takes down the plan; makes nothing."""

    plans: ClassVar[list] = []
    failure = None

    def __init__(self, plan, say, progress, cancelled, test):
        self.plans.append(plan)
        self.test = test

    def run(self):
        if self.failure:
            raise self.failure
        return Path("/made/python")


@pytest.fixture
def installer(plugin, monkeypatch):
    monkeypatch.setattr(setupengine, "Installer", FakeInstaller)
    monkeypatch.setattr(FakeInstaller, "plans", [])
    chosen = Interpreter(Path("/usr/bin/python3.12"), (3, 12, 1), 64, True)
    monkeypatch.setattr(setupengine, "choose_python", lambda path: chosen)
    monkeypatch.delenv("MAMOL_ENGINE_PYTHON", raising=False)
    return FakeInstaller


def test_the_plan_is_what_the_dialog_says(installer, feedback, tmp_path):
    parameters = {"COMPUTE": "cuda", "WHEELS": str(tmp_path), "RENEW": True, "TORCH_INDEX": "https://example.org/whl"}
    assert run("setupengine", parameters, feedback)["ENGINE_PYTHON"] == "/made/python"
    plan = installer.plans[0]
    assert (plan.compute, plan.wheels, plan.renew) == ("cuda", tmp_path, True)
    assert plan.home == settings.engine_home()
    assert plan.torch_index == f"https://example.org/whl/{engine_setup.CUDA_TAG}"
    assert (plan.source / "engine" / "predict.py").is_file() and (plan.source / "pyproject.toml").is_file()


@pytest.mark.parametrize(("driver", "compute"), [(None, "cpu"), ("/usr/bin/nvidia-smi", "cuda")])
def test_auto_asks_for_an_nvidia_driver(installer, feedback, monkeypatch, driver, compute):
    monkeypatch.setattr(setupengine.shutil, "which", lambda name: driver)
    run("setupengine", {}, feedback)
    assert installer.plans[0].compute == compute
    assert installer.plans[0].torch_index.startswith("https://download.pytorch.org/whl/c")


def test_an_interpreter_in_the_settings_is_pointed_out(installer, feedback):
    QgsSettings().setValue(settings.ENGINE_PYTHON, "/my/own/python")
    run("setupengine", {}, feedback)
    assert any("/my/own/python" in text for text in feedback.warnings)


def test_the_reason_of_a_failure_is_shown(installer, feedback, monkeypatch):
    monkeypatch.setattr(FakeInstaller, "failure", SetupError("the disk is full"))
    with pytest.raises(QgsProcessingException, match="the disk is full"):
        run("setupengine", {}, feedback)
