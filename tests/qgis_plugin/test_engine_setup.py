"""Setting up the engine from a folder of wheels: made, repaired, renewed, cancelled, and never worse than before.

The packages are tiny and made here; whether the real ones work is what the self test decides in use.
"""

import base64
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from qgis_plugin import engine_setup, python_choice
from qgis_plugin.engine_setup import Cancelled, Installer, Plan, torch_index
from qgis_plugin.environment import venv_python
from qgis_plugin.python_choice import Interpreter, SetupError, ask, choose_python


def make_wheel(folder: Path, name: str, version: str = "1.0", requires: tuple = ()) -> None:
    """Write a wheel with one module that holds its version."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": metadata + "".join(f"Requires-Dist: {text}\n" for text in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(text)}\n")
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"])
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


@pytest.fixture
def world(tmp_path):
    """An engine that needs two packages, one of which needs a third; their wheels; a place for the engine."""
    return make_world(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """An environment that was set up once for all tests."""
    plan = make_world(tmp_path_factory.mktemp("finished"))
    Run(plan).go()
    return plan.home


@pytest.fixture
def installed(world, finished):
    """The interpreter of an engine that is there already."""
    shutil.copytree(finished, world.home, symlinks=True)
    return venv_python(world.home)


def make_world(folder):
    source = folder / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[project]\nname = "engine"\nversion = "1"\ndependencies = ["torch>=1.0", "mapper"]\n'
    )
    wheels = folder / "wheels ü"
    make_wheel(wheels, "torch")
    make_wheel(wheels, "mapper", requires=("helper",))
    make_wheel(wheels, "helper")
    python = ask([sys.executable])
    return Plan(folder / "profile é" / "mamol_engine", source, python, "cpu", wheels=wheels)


class Run:
    """One set-up and what it said."""

    def __init__(self, plan, test=None, cancelled=lambda: False):
        self.said, self.percent, self.tested = [], [], []
        self.installer = Installer(
            plan, self.said.append, lambda percent, what: self.percent.append(percent), cancelled, test or self.test
        )

    def test(self, python):
        self.tested.append(python)
        subprocess.run([str(python), "-I", "-c", "import torch, mapper, helper"], check=True, capture_output=True)

    def go(self):
        return self.installer.run()


def changed(plan, **values):
    return Plan(**{**{name: getattr(plan, name) for name in Plan.__dataclass_fields__}, **values})


def has(python, code):
    return subprocess.run([str(python), "-I", "-c", code], capture_output=True, check=False).returncode == 0


def beside(plan):
    return sorted(path.name for path in plan.home.parent.iterdir())


def test_an_environment_is_made_from_wheels_alone(world, monkeypatch):
    """Whatever pip and QGIS have in their surroundings."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://localhost:1/nothing")
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "nonsense")
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    run = Run(world)
    python = run.go()
    assert python == venv_python(world.home)
    assert has(python, "import torch, mapper, helper")
    assert beside(world) == ["mamol_engine"]
    assert run.percent[-1] == 100
    assert run.percent == sorted(run.percent)


def test_a_second_run_repairs_what_is_missing(world, installed):
    python = installed
    born = world.home.stat().st_ino
    subprocess.run([str(python), "-m", "pip", "uninstall", "--yes", "helper"], check=True, capture_output=True)
    Run(world).go()
    assert has(python, "import helper")
    assert world.home.stat().st_ino == born, "repaired, not built anew"


def test_what_pip_cannot_repair_is_built_anew(world, installed):
    python = installed
    born = world.home.stat().st_ino
    module = subprocess.run(
        [str(python), "-c", "import helper; print(helper.__file__)"], capture_output=True, text=True
    )
    Path(module.stdout.strip()).unlink()  # pip believes that it is there
    run = Run(world)
    run.go()
    assert has(python, "import helper")
    assert world.home.stat().st_ino != born
    assert any("built anew" in line for line in run.said)


@pytest.mark.parametrize("change", [{"renew": True}, {"compute": "cuda"}])
def test_other_choices_build_anew(world, installed, change, monkeypatch):
    monkeypatch.setitem(engine_setup.NEEDED_BYTES, "cuda", 10**6)
    born = world.home.stat().st_ino
    Run(changed(world, **change)).go()
    assert world.home.stat().st_ino != born
    assert beside(world) == ["mamol_engine"]


def test_a_failed_set_up_leaves_the_engine_as_it_was(world, installed):
    for wheel in world.wheels.glob("helper*"):
        wheel.unlink()
    with pytest.raises(SetupError, match="lacks this package for this Python and system"):
        Run(changed(world, renew=True)).go()
    assert has(installed, "import torch, mapper, helper")
    assert beside(world) == ["mamol_engine"]


def test_an_engine_that_fails_its_test_is_not_installed(world):
    def test(python):
        raise RuntimeError("no kernel image is available")

    with pytest.raises(RuntimeError, match="kernel image"):
        Run(world, test).go()
    assert beside(world) == []


def test_cancelling_stops_at_once_and_leaves_nothing(world):
    start = time.monotonic()
    with pytest.raises(Cancelled):
        Run(world, cancelled=lambda: time.monotonic() > start + 0.3).go()
    assert time.monotonic() - start < 2
    assert beside(world) == []


def test_a_folder_without_wheels_is_refused(world, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SetupError, match=r"no \.whl files"):
        Run(changed(world, wheels=tmp_path / "empty")).go()


def test_a_full_disk_is_noticed_before_anything_is_done(world, monkeypatch):
    monkeypatch.setitem(engine_setup.NEEDED_BYTES, "cpu", 10**18)
    with pytest.raises(SetupError, match="free some space"):
        Run(world).go()


def test_pytorch_comes_from_its_own_index(world, monkeypatch):
    """Online: the commands are looked at, not run."""
    commands = []
    requirements = json.dumps(["torch>=2.4", "torchvision", "rasterio"])

    def step(self, command, stage, take=None):
        commands.append(command)
        if take is not None:
            take(requirements)
        elif "venv" in command:
            Path(command[-1]).mkdir(parents=True)

    monkeypatch.setattr(Installer, "_step", step)
    Run(changed(world, wheels=None, torch_index="https://example.org/whl/cpu"), test=lambda python: None).go()
    torch, rest = commands[-2:]
    assert torch[-4:] == ["--index-url", "https://example.org/whl/cpu", "torch>=2.4", "torchvision"]
    assert rest[-3:] == ["torch>=2.4", "torchvision", "rasterio"]
    assert "--index-url" not in rest


@pytest.mark.parametrize(
    ("address", "compute", "expected"),
    [
        ("https://a.b/whl", "cpu", "https://a.b/whl/cpu"),
        ("https://a.b/whl/", "cuda", f"https://a.b/whl/{engine_setup.CUDA_TAG}"),
        ("https://a.b/whl/cu118", "cuda", "https://a.b/whl/cu118"),
        ("", "cuda", ""),
    ],
)
def test_index_of_pytorch(address, compute, expected):
    assert torch_index(address, compute) == expected


def fake_python(path: Path, answer: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.skipif(os.name == "nt", reason="the fake interpreters are shell scripts")
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ('[[3, 9, 5], "/usr/bin/python3.9", 64, true]', "the engine needs 3.11 or newer"),
        ('[[3, 12, 0], "C:/python.exe", 32, true]', "PyTorch needs 64"),
        ('[[3, 12, 0], "/usr/bin/python3", 64, false]', "apt install python3.12-venv"),
        ("this is no Python", "does not run as a Python interpreter"),
    ],
)
def test_unsuitable_interpreters_are_refused_with_a_reason(tmp_path, answer, message):
    with pytest.raises(SetupError, match=message):
        choose_python(str(fake_python(tmp_path / "python", answer)))


def test_a_missing_interpreter_is_named(tmp_path):
    with pytest.raises(SetupError, match="no_such_python"):
        choose_python(str(tmp_path / "no_such_python"))


@pytest.mark.skipif(os.name == "nt", reason="the fake interpreters are shell scripts")
def test_the_first_suitable_interpreter_is_taken(tmp_path, monkeypatch):
    old = fake_python(tmp_path / "old", '[[3, 9, 5], "/old", 64, true]')
    broken = fake_python(tmp_path / "broken", "?")
    good = fake_python(tmp_path / "good", '[[3, 12, 5], "/good", 64, true]')
    monkeypatch.setattr(python_choice, "_candidates", lambda: iter([[str(broken)], [str(old)], [str(good)]]))
    assert choose_python("") == Interpreter(Path("/good"), (3, 12, 5), 64, True)
    monkeypatch.setattr(python_choice, "_candidates", lambda: iter([[str(old)]]))
    with pytest.raises(SetupError, match=r"No suitable Python.*3\.9\.5"):
        choose_python("")
