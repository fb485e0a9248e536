"""What surrounds the engine's process, and which interpreter it gets."""

import os
import sys
from pathlib import Path

import pytest

from qgis_plugin.environment import clean_environment, creation_options, engine_source, find_python, venv_python

POISON = {
    "PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "PYTHONSTARTUP": "x", "VIRTUAL_ENV": "/nowhere",
    "PROJ_DATA": "/nowhere", "PROJ_LIB": "/nowhere", "GDAL_DATA": "/nowhere", "GDAL_DRIVER_PATH": "/nowhere",
    "LD_LIBRARY_PATH": "/nowhere", "LD_PRELOAD": "/nowhere", "DYLD_INSERT_LIBRARIES": "x", "QT_PLUGIN_PATH": "x",
    "QGIS_PREFIX_PATH": "/usr", "CONDA_PREFIX": "/nowhere", "OSGEO4W_ROOT": "C:/OSGeo4W", "PIP_TARGET": "/nowhere",
    "SSL_CERT_FILE": "/nowhere/cert.pem",
}  # fmt: skip


def test_what_misleads_another_python_or_gdal_is_left_out():
    clean = clean_environment(Path("/usr/bin/python3"), {**POISON, "PATH": "/bin", "HOME": "/h", "AWS_REGION": "eu"})
    ours = {"PYTHONPATH", "PYTHONUTF8", "PYTHONSAFEPATH", "PYTHONNOUSERSITE"}
    assert set(clean) == {"PATH", "HOME", "AWS_REGION"} | ours
    assert clean["PATH"] == "/bin" and clean["PYTHONPATH"] == str(engine_source())


@pytest.mark.parametrize("name", ["SYSTEMROOT", "SystemRoot"])  # as Python copies it, and as Windows writes it
def test_windows_is_found_wherever_it_is_installed(monkeypatch, name):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        path = clean_environment(Path("python"), {name: "/d/win", "PATH": "/qgis/bin"})["PATH"]
    assert f"{os.pathsep}{Path('/d/win/System32')}{os.pathsep}" in path
    assert "qgis" not in path and "C:" not in path


def test_certificates_that_exist_stay(tmp_path):
    file = tmp_path / "cert.pem"
    file.touch()
    assert "SSL_CERT_FILE" in clean_environment(Path("python"), {"SSL_CERT_FILE": str(file)})


def test_the_engine_of_the_checkout_is_found():
    folder = engine_source()
    assert folder is not None and (folder / "engine" / "predict.py").is_file()


def test_interpreter_named_for_the_session_then_setting_then_own(tmp_path, monkeypatch):
    monkeypatch.delenv("MAMOL_ENGINE_PYTHON", raising=False)
    assert find_python("", tmp_path) is None
    own = venv_python(tmp_path)
    own.parent.mkdir()
    own.touch()
    assert find_python("", tmp_path) == own
    assert find_python(" /opt/python ", tmp_path) == Path("/opt/python")
    assert find_python(str(tmp_path), Path("/nowhere")) == own  # the folder of an environment
    monkeypatch.setenv("MAMOL_ENGINE_PYTHON", "/my/python")
    assert find_python("/opt/python", tmp_path) == Path("/my/python")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_the_child_leads_a_group_of_its_own():
    assert creation_options() == {"start_new_session": True}
