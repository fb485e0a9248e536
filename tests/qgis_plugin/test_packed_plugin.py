"""The packed plugin in the QGIS of this machine: from the zip to the accuracy of its maps, all through qgis_process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.mark.timeout(1800)  # it trains on the whole sample scene
def test_the_zip_is_installed_trains_maps_and_evaluates(real_engine, tmp_path):
    pytest.importorskip("tomllib", reason="packing needs Python 3.11; plugins run on 3.9")
    if not (shutil.which("qgis_process.bin") or shutil.which("qgis_process")):
        pytest.skip("qgis_process is not installed: apt-get install --no-install-recommends qgis")
    folder = tmp_path / "dist"
    subprocess.run([sys.executable, str(SCRIPTS / "package_plugin.py"), "--out", str(folder)], check=True)
    active = f"{real_engine.parent}{os.pathsep}{os.environ['PATH']}"  # as where a virtual environment is active
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "check_plugin.py"), str(next(folder.glob("*.zip"))),
         "--engine", str(real_engine), "--work", str(tmp_path / "work ü")],
        capture_output=True, encoding="utf-8", errors="replace", check=False,
        env=os.environ | {"PATH": active},
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert "without_sar: overall accuracy" in done.stdout
