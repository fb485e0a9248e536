"""What the plugin's tests share. They run under the Python that QGIS belongs to; see `make test`.

Environment:
    MAMOL_ENGINE_PYTHON  interpreter of the real engine (default: .venv of the checkout)
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]

# Without QGIS one test is left, which says what is missing.
if importlib.util.find_spec("qgis") is None:
    collect_ignore_glob = ["test_[!q]*.py"]


@pytest.fixture(scope="session")
def real_engine() -> Path:
    """Interpreter that has what the engine needs."""
    place = ROOT / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    python = Path(os.environ.get("MAMOL_ENGINE_PYTHON") or place)
    if not python.is_file():
        pytest.skip(f"no engine to run: MAMOL_ENGINE_PYTHON is not set and {place} does not exist")
    return python
