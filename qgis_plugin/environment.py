"""Where the engine lives and what surrounds its process. Standard library only.

QGIS fills its own environment with paths to its own Python, GDAL, PROJ and Qt. A child with another Python and another
GDAL that inherits them loads the wrong libraries, or finds a coordinate system database that it cannot read.
"""

import os
import subprocess  # nosec B404 - the engine is a process of its own
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

PYTHON_VARIABLE = "MAMOL_ENGINE_PYTHON"  # an interpreter for this session; wins over the setting
_PACKAGE = Path(__file__).resolve().parent

# Beginnings of names, and names, that mislead another Python or GDAL.
_PREFIXES = ("PYTHON", "PIP_", "QGIS_", "QT_", "DYLD_", "CONDA_", "VIRTUAL_ENV", "OSGEO4W", "GISBASE", "GRASS_")
_NAMES = {
    "PROJ_DATA", "PROJ_LIB", "PROJ_NETWORK", "PROJSO",
    "GDAL_DATA", "GDAL_DRIVER_PATH", "GDAL_PYTHON_DRIVER_PATH", "GDAL_CACHEMAX", "GDAL_SKIP", "GDAL_CONFIG_FILE",
    "GEOTIFF_CSV", "OGR_SKIP", "CPL_CONFIG_FILE", "LD_LIBRARY_PATH", "LD_PRELOAD",
    "__PYVENV_LAUNCHER__", "_CONDA_ROOT", "MPLBACKEND",
}  # fmt: skip
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def clean_environment(python: Path, inherited: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """Environment of a child that runs the interpreter `python`.

    Args:
        python: the interpreter, of which Windows needs the folders of its libraries.
        inherited: the environment to clean; default: that of this process.
    """
    source = os.environ if inherited is None else inherited
    clean = {
        name: value
        for name, value in source.items()
        if name.upper() not in _NAMES and not name.upper().startswith(_PREFIXES)
    }
    for name in _CERTIFICATES:  # QGIS installers leave some that point to nothing
        if name in clean and not Path(clean[name]).exists():
            del clean[name]
    if sys.platform == "win32":
        clean["PATH"] = _windows_path(python, clean)
    engine = engine_source()
    if engine is not None:
        clean["PYTHONPATH"] = str(engine)
    # UTF-8 on every pipe; the working folder and the user's own packages stay out of the import path.
    return {**clean, "PYTHONUTF8": "1", "PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1"}


def engine_source() -> Optional[Path]:
    """Folder to import the package `engine` from: the packaged plugin carries it, a checkout has it next door.

    None: the interpreter must have it installed.
    """
    for folder in (_PACKAGE / "engine_source", _PACKAGE.parent):
        if (folder / "engine" / "commandline.py").is_file():
            return folder
    return None


def venv_python(folder: Path) -> Path:
    """Interpreter of the virtual environment in `folder`, whether it exists or not."""
    return folder / "Scripts" / "python.exe" if sys.platform == "win32" else folder / "bin" / "python"


def find_python(setting: str, engine_home: Path) -> Optional[Path]:
    """The engine's interpreter: the one of `PYTHON_VARIABLE`, the one that was set, the one that was set up, or None.

    One that was named is returned whether it exists or not: using another behind the user's back would help nobody.

    Args:
        setting: what the user chose in the options: an interpreter, or the folder of an environment; may be empty.
        engine_home: virtual environment that the algorithm "Set up engine" makes.
    """
    named = (os.environ.get(PYTHON_VARIABLE) or setting).strip()
    if named:
        path = Path(named).expanduser()
        if not path.is_dir():
            return path
        conda = path / "python.exe"  # on Windows; elsewhere its environments look like others
        return conda if conda.is_file() else venv_python(path)
    made = venv_python(engine_home)
    return made if made.is_file() else None


def creation_options() -> dict[str, Any]:
    """Arguments of `Popen`: a group of its own, so that all of it can be stopped, and no console window."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _windows_path(python: Path, environment: Mapping[str, str]) -> str:
    """Search path without the folders of QGIS, whose libraries bear the names of those the engine needs."""
    # A copy of `os.environ` has all names in capitals there, and knows no others.
    roots = (value for name, value in environment.items() if name.upper() == "SYSTEMROOT")
    system = Path(next(roots, r"C:\Windows"))
    prefix = python.parent.parent if python.parent.name.lower() == "scripts" else python.parent
    folders = [python.parent, prefix, prefix / "Library" / "bin", system / "System32", system, system / "System32/Wbem"]
    folders.append(system / "System32/OpenSSH")
    return os.pathsep.join(map(str, folders))
