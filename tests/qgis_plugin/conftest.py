"""What the plugin's tests share. They run under the Python that QGIS belongs to; see `make test`.

Environment:
    MAMOL_ENGINE_PYTHON  interpreter of the real engine (default: .venv of the checkout)
"""

from __future__ import annotations

import importlib.util
import json
import os
import stat
import struct
import sys
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]

# Without QGIS one test is left, which says what is missing.
if importlib.util.find_spec("qgis") is None:
    collect_ignore_glob = ["test_[!q]*.py"]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End the process once all is told: QGIS 3.22, closed by then, at times crashes when Python clears its modules."""
    status = getattr(config, "_exit_status", None)
    if status is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember what pytest is about to exit with."""
    session.config._exit_status = int(exitstatus)


@pytest.fixture(scope="session")
def real_engine() -> Path:
    """Interpreter that has what the engine needs."""
    place = ROOT / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    python = Path(os.environ.get("MAMOL_ENGINE_PYTHON") or place)
    if not python.is_file():
        pytest.skip(f"no engine to run: MAMOL_ENGINE_PYTHON is not set and {place} does not exist")
    return python


@pytest.fixture
def plugin(qgis_processing, qgis_new_project):
    """The plugin, as `qgis_process` loads it, in an empty project (QGIS itself: pytest-qgis)."""
    from qgis.core import QgsSettings

    from qgis_plugin import classFactory

    QgsSettings().remove("mamol")
    plugin = classFactory(None)
    plugin.initProcessing()
    yield plugin
    plugin.unload()
    _end_proxy_tasks()


def _end_proxy_tasks():
    """End what the batch window of QGIS 3.22 leaves behind: a thread that stands for its run, and never ends."""
    from qgis.core import QgsApplication, QgsProxyProgressTask

    tasks = QgsApplication.taskManager()
    for task in tasks.tasks():
        if isinstance(task, QgsProxyProgressTask):
            task.finalize(True)
    while tasks.count():
        QgsApplication.processEvents()


@pytest.fixture
def feedback(qgis_app):
    """A feedback that remembers what it was told."""
    from qgis.core import QgsProcessingFeedback

    class Remembering(QgsProcessingFeedback):
        def __init__(self):
            super().__init__(False)
            self.infos, self.warnings, self.errors = [], [], []
            self.texts, self.percents, self.others = [], [], []
            self.progressChanged.connect(self.percents.append)

        def pushInfo(self, info):  # noqa: N802
            self.infos.append(info)

        def pushWarning(self, warning):  # noqa: N802
            self.warnings.append(warning)

        def reportError(self, error, fatalError=False):  # noqa: N802
            self.errors.append(error)

        def setProgressText(self, text):  # noqa: N802
            self.texts.append(text)

        def pushDebugInfo(self, info):  # noqa: N802
            self.others.append(info)

        def pushConsoleInfo(self, info):  # noqa: N802
            self.others.append(info)

    return Remembering()


# What a fake engine begins with: it knows its job, can speak, and says when it is asked to stop.
_FAKE = """
import json, os, signal, sys, threading, time
arguments = sys.argv[1:]
command = arguments[arguments.index("-m") + 1]
job = json.load(open(arguments[arguments.index("--job") + 1], encoding="utf-8"))
def say(**fields):
    print(json.dumps(fields), flush=True)
def fail(message, code):
    say(type="error", message=message, code=code)
    sys.exit(code)
def wait_for_request():
    sys.stdin.readline()
"""


@pytest.fixture
def fake_engine(tmp_path, monkeypatch):
    """Make an interpreter that runs a script instead of the engine, and let the plugin use it."""

    def make(script: str) -> Path:
        code = tmp_path / "fake_engine.py"
        code.write_text(_FAKE + script, encoding="utf-8")
        python = tmp_path / "fake python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{code}" "$@"\n')
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("MAMOL_ENGINE_PYTHON", str(python))
        return python

    return make


@pytest.fixture
def use_real_engine(real_engine, monkeypatch):
    """Let the plugin use the real engine."""
    monkeypatch.setenv("MAMOL_ENGINE_PYTHON", str(real_engine))
    return real_engine


def write_model(path: Path, modalities: dict, /, **changes) -> Path:
    """Write a model file without a single weight: {name: (role, bands)}, and changes of the description."""
    data = {
        "format_version": 1,
        "modalities": [
            {"name": name, "role": role, "bands": bands, "source_count": bands, "wavelengths_nm": None}
            for name, (role, bands) in modalities.items()
        ],
        "legend": [{"value": 1, "name": "water", "colour": [0, 0, 255]}],
        "patterns": {"+".join(modalities): {"oa": 0.875}, next(iter(modalities)): {"oa": None}},
        "trained_patterns": ["+".join(modalities)],
        "model": {"core": 4},
        **changes,
    }
    header = json.dumps({"__metadata__": {"mamol": json.dumps(data)}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def write_raster(path: Path, bands: int = 1, epsg: int = 32633, corner=(500_000, 5_800_000), side: int = 20) -> Path:
    """Write a square GeoTIFF of 10 m pixels with QGIS's own GDAL; epsg 0 leaves it without CRS."""
    from osgeo import gdal, osr

    gdal.UseExceptions()
    path.parent.mkdir(parents=True, exist_ok=True)
    file = gdal.GetDriverByName("GTiff").Create(str(path), side, side, bands, gdal.GDT_Float32)
    file.SetGeoTransform((corner[0], 10, 0, corner[1], 0, -10))
    if epsg:
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(epsg)
        file.SetProjection(crs.ExportToWkt())
    for band in range(1, bands + 1):
        file.GetRasterBand(band).Fill(band)
    return path


@pytest.fixture
def make_model(tmp_path):
    """`write_model` into tmp_path."""
    return lambda name, modalities, /, **changes: write_model(tmp_path / name, modalities, **changes)


@pytest.fixture
def make_layer(tmp_path, qgis_app):
    """`write_raster` into tmp_path, as a valid layer of QGIS."""
    from qgis.core import QgsRasterLayer

    def make(name: str, *arguments, **keywords):
        layer = QgsRasterLayer(str(write_raster(tmp_path / name, *arguments, **keywords)), Path(name).stem)
        assert layer.isValid()
        return layer

    return make
