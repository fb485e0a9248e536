"""The house has walls: which room may import which, and what is imported from outside where."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "engine"

BASE = {
    "errors", "modality", "legend", "config", "progress", "cancel", "commandline", "checksum", "launch", "atomic",
    "disk", "memory", "trust",
}  # fmt: skip
ALL = {path.stem for path in ENGINE.iterdir() if path.suffix == ".py" or path.is_dir()} | {"__init__"}

# Plain values of the raster room: no file is opened by them.
VALUES = {"raster.normalise", "raster.windows"}

# room: (rooms or modules of ours it may import, packages it must never import)
RULES = {
    "base": (BASE, {"torch", "rasterio", "numpy"}),
    "raster": (BASE, {"torch", "open_clip", "timm"}),
    "model": (BASE, {"rasterio", "geopandas"}),
    "modelfile": (BASE | {"raster.normalise"}, {"torch", "rasterio"}),
    "device": (BASE, {"rasterio"}),
    "bundle": (BASE | {"model", "raster.normalise", "modelfile", "device"}, {"rasterio"}),
    "data": (BASE | {"raster"}, {"torch"}),
    "assessment": (BASE | {"raster"}, {"torch"}),
    "training": (
        BASE | {"data", "model", "bundle", "modelfile", "assessment", "device"} | VALUES,
        {"rasterio"},
    ),
    "mapping": (BASE | {"raster", "bundle", "modelfile", "device"}, set()),
    "batch": (BASE | {"mapping", "raster", "bundle", "modelfile", "device"}, {"torch"}),
    "benchmarks": (ALL, set()),
    "commands": (ALL, set()),
}

# package: the only places where it may be imported
ONLY_IN = {
    "open_clip": {"model/clip.py"},
    "timm": {"model/timm_vit.py"},
    "sklearn": {"benchmarks"},
    "matplotlib": {"assessment/pictures.py", "benchmarks"},
    "qgis": set(),
    "dask": {"batch/cluster.py"},
    "distributed": {"batch/cluster.py"},
    "pickle": {"model/weights.py"},  # the name of an exception; see test_no_file_of_a_stranger_is_unpickled
    "geopandas": {"raster", "benchmarks"},
}


def room_of(path: Path) -> str:
    parts = path.relative_to(ENGINE).parts
    if len(parts) > 1:
        return parts[0]
    name = path.stem
    if name in BASE or name == "__init__":
        return "base"
    return name if name in RULES else "commands"


def imports(path: Path) -> set[str]:
    """Dotted names of everything a file imports, at whatever depth; names imported from a package count as modules."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "engine" or (node.module or "").startswith("engine."):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
            else:
                found.add(node.module or "")
    return found


FILES = sorted(ENGINE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_imports_stay_inside_the_walls(path):
    room = room_of(path)
    ours, never = RULES[room]
    for name in imports(path):
        top = name.partition(".")[0]
        assert top not in never, f"{room} must never import {top}"
        if top != "engine" or name in ("engine", "engine.__version__"):
            continue
        inside = name.removeprefix("engine.")
        allowed = inside.partition(".")[0] == room or any(
            inside == part or inside.startswith(f"{part}.") for part in ours
        )
        assert allowed, f"{room} may not import {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_packages_stay_where_they_belong(path):
    relative = path.relative_to(ENGINE)
    for name in imports(path):
        places = ONLY_IN.get(name.partition(".")[0])
        if places is not None:
            assert str(relative) in places or relative.parts[0] in places, f"{relative} may not import {name}"


def test_device_code_is_in_one_module():
    guilty = {
        str(path.relative_to(ENGINE))
        for path in FILES
        for word in ("torch.cuda", "torch.mps", "torch.backends", ".cuda()")
        if word in path.read_text(encoding="utf-8")
    }
    assert guilty <= {"device.py"}


def test_no_file_of_a_stranger_is_unpickled():
    calls = [
        (
            path.relative_to(ENGINE),
            ast.unparse(node.func),
            {word.arg: ast.unparse(word.value) for word in node.keywords},
        )
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    for path, function, keywords in calls:
        assert function not in ("torch.save", "pickle.load", "pickle.loads", "joblib.load"), path
        assert function != "torch.load" or keywords.get("weights_only") == "True", path
        assert keywords.get("allow_pickle") != "True", path


def test_importing_the_engine_costs_nothing():
    modules = ", ".join(f"engine.{name}" for name in sorted(BASE - {"config"}))
    code = f"import sys, {modules}; print({{'torch', 'rasterio', 'numpy', 'pydantic'}} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert output.stdout == "set()\n"


@pytest.mark.parametrize("path", sorted((ROOT / "qgis_plugin").rglob("*.py")), ids=lambda path: path.name)
def test_the_plugin_knows_nothing_but_qgis_and_the_standard_library(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [] if node.level else [node.module or ""]
        else:
            continue
        for name in names:
            # `processing` is part of QGIS.
            assert name.partition(".")[0] in sys.stdlib_module_names | {"qgis", "processing"}, f"{path} imports {name}"
