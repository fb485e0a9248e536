"""What the user chose once for all runs: names, defaults, and where the values are kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from qgis.core import QgsApplication, QgsSettings

from .environment import find_python

ENGINE_PYTHON = "mamol/engine_python"  # interpreter or folder of a virtual environment; empty: the one set up
DEVICE = "mamol/device"
THREADS = "mamol/threads"  # 0: all
MEMORY_MB = "mamol/memory_mb"  # GDAL's raster cache in the engine
REMOTE_COMMAND = "mamol/remote_command"  # instead of an interpreter here: see remote.py; empty: none
REMOTE_FOLDERS = "mamol/remote_folders"  # what folders are called there
TORCH_INDEX = "mamol/torch_index"  # package index that "Set up the engine" takes PyTorch from

DEVICES = ["auto", "cpu", "cuda", "mps"]
PRECISIONS = ["auto", "float32", "bfloat16"]
DEFAULT_MEMORY_MB = 256
DEFAULT_TORCH_INDEX = "https://download.pytorch.org/whl"


def engine_python() -> str:
    """What the user set as interpreter; empty where nothing is set."""
    return str(QgsSettings().value(ENGINE_PYTHON, "") or "")


def engine_home() -> Path:
    """Virtual environment that "Set up engine" makes, in the user's QGIS profile."""
    return Path(QgsApplication.qgisSettingsDirPath()) / "mamol_engine"


def python() -> Optional[Path]:
    """The engine's interpreter, None where there is none; see `find_python`."""
    return find_python(engine_python(), engine_home())


def remote_command() -> str:
    """Command that runs the engine elsewhere; empty: it runs here."""
    return str(QgsSettings().value(REMOTE_COMMAND, "") or "").strip()


def remote_folders() -> str:
    """What folders are called where the engine runs, `here = there; ...`."""
    return str(QgsSettings().value(REMOTE_FOLDERS, "") or "")


def device() -> str:
    """Where to compute unless an algorithm says otherwise."""
    value = str(QgsSettings().value(DEVICE, DEVICES[0]))
    return value if value in DEVICES else DEVICES[0]


def threads() -> int:
    """CPU threads; 0 means all."""
    return max(0, _integer(THREADS, 0))


def memory_mb() -> int:
    """Raster cache of the engine, megabytes."""
    return max(1, _integer(MEMORY_MB, DEFAULT_MEMORY_MB))


def torch_index() -> str:
    """Address of PyTorch's package index, without its last part; empty: the index of all other packages."""
    return str(QgsSettings().value(TORCH_INDEX, DEFAULT_TORCH_INDEX))


def save(values: Mapping[str, Any]) -> None:
    """Keep new values, by the names above."""
    settings = QgsSettings()
    for name, value in values.items():
        settings.setValue(name, value)


def _integer(name: str, default: int) -> int:
    """A number from the settings file, where everything is text and may have been edited."""
    try:
        return int(QgsSettings().value(name, default))
    except (TypeError, ValueError):
        return default
