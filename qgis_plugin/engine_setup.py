"""Make, renew and repair the engine's own Python environment.

A new environment is built beside the old one and takes its place when its self test has passed, so that a set-up that
fails or is cancelled leaves the engine as it was. Programs that pip puts into the environment remember the first place
and do not survive the move; the engine is only ever run as `python -m engine...`, which does.
"""

import contextlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from .child import Child
from .environment import clean_environment, venv_python
from .pip_output import Progress, Say, Stage, explain
from .python_choice import Interpreter, SetupError
from .translation import tr

TORCH_PACKAGES = ("torch", "torchvision")
CUDA_TAG = "cu126"  # of PyTorch's index: serves drivers from 2024 on and cards from Maxwell on
NEEDED_BYTES = {"cpu": 4 * 10**9, "cuda": 12 * 10**9}  # while packages are unpacked
_RECORD = "mamol_setup.json"
_NEWER_PIP = "pip>=24.1"  # tells how far a download is in lines that can be read
_READ_REQUIREMENTS = """
import json, sys, tomllib
with open(sys.argv[1], "rb") as file:
    print(json.dumps(tomllib.load(file)["project"]["dependencies"]))
"""


@dataclass(frozen=True)
class Plan:
    """What to set up.

    Attributes:
        home: the environment's folder.
        source: folder with the engine's pyproject.toml.
        python: interpreter to make it with.
        compute: `cpu` or `cuda`.
        torch_index: package index for PyTorch; empty: the general one.
        wheels: folder to take all packages from, without a network; None: online.
        renew: build it anew even where repairing would do.
    """

    home: Path
    source: Path
    python: Interpreter
    compute: str
    torch_index: str = ""
    wheels: Optional[Path] = None
    renew: bool = False

    def record(self) -> dict[str, str]:
        """What an environment must have in common with the plan to be repaired instead of renewed."""
        return {"python": ".".join(map(str, self.python.version[:2])), "compute": self.compute}


class Installer:
    """Carries a plan out.

    Args:
        plan: what to set up.
        say: takes lines worth showing.
        progress: takes percent done and what is being done.
        cancelled: asked ten times a second.
        test: runs the engine's self test with an interpreter; raises what it likes when it fails.
    """

    def __init__(
        self,
        plan: Plan,
        say: Say,
        progress: Progress,
        cancelled: Callable[[], bool],
        test: Callable[[Path], None],
    ) -> None:
        self.plan = plan
        self.say, self.progress, self.cancelled, self.test = say, progress, cancelled, test

    def run(self) -> Path:
        """Repair or build; return the engine's interpreter.

        Raises:
            SetupError: it did not work; the engine is as it was before.
            Cancelled: the user stopped it; likewise.
        """
        plan = self.plan
        self._check()
        if not plan.renew and self._fits():
            self.say(tr("Repairing {folder}").format(folder=plan.home))
            try:
                self._fill(plan.home)
                return venv_python(plan.home)
            except Exception as error:  # what ails it may be anything: build anew
                if self.cancelled():
                    raise
                self.say(tr("It cannot be repaired, and is built anew: {reason}").format(reason=error))
        fresh = plan.home.with_name(f"{plan.home.name}.new")
        _remove(fresh)
        try:
            self._build(fresh)
            self._take_place(fresh)
        finally:
            _remove(fresh)
        return venv_python(plan.home)

    def _check(self) -> None:
        plan = self.plan
        if plan.wheels is not None and not any(plan.wheels.glob("*.whl")):
            text = tr("{folder}: no .whl files in this folder; choose the folder of the downloaded wheels.")
            raise SetupError(text.format(folder=plan.wheels))
        plan.home.parent.mkdir(parents=True, exist_ok=True)
        free, needed = shutil.disk_usage(plan.home.parent).free, NEEDED_BYTES[plan.compute]
        if free < needed:
            text = tr("{folder}: {free:.1f} GB free, the set-up needs {needed:.0f} GB for {compute}; free some space.")
            facts = {"folder": plan.home.parent, "compute": plan.compute}
            raise SetupError(text.format(**facts, free=free / 1e9, needed=needed / 1e9))

    def _fits(self) -> bool:
        """The environment there was made by us, for the same choices."""
        try:
            record = json.loads((self.plan.home / _RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(record == self.plan.record()) and venv_python(self.plan.home).is_file()

    def _build(self, folder: Path) -> None:
        python = self.plan.python
        self.say(f"{python.path} -> {folder}")
        self.progress(1, tr("Making the environment"))
        self._step([str(python.path), "-m", "venv", str(folder)], self._stage(1, 5))
        self._fill(folder)
        (folder / _RECORD).write_text(json.dumps(self.plan.record()), encoding="utf-8")

    def _fill(self, folder: Path) -> None:
        """Install what is missing and test it."""
        plan, python = self.plan, str(venv_python(folder))
        found: list[str] = []
        command = [python, "-c", _READ_REQUIREMENTS, str(plan.source / "pyproject.toml")]
        self._step(command, self._stage(5, 6), found.append)
        requirements = json.loads(found[-1])
        pip = [python, "-m", "pip", "--no-input", "--disable-pip-version-check", "install"]
        if plan.wheels is not None:
            pip += ["--no-index", "--find-links", str(plan.wheels)]
            self._step([*pip, *requirements], self._stage(6, 40, tr("Reading the wheels")))
        else:
            self._step([*pip, "--upgrade", _NEWER_PIP], self._stage(6, 8, tr("Installing pip")))
            pip += ["--progress-bar", "raw"]
            torch = [text for text in requirements if _package(text) in TORCH_PACKAGES]
            index = ["--index-url", plan.torch_index] if plan.torch_index else []
            self._step([*pip, *index, *torch], self._stage(8, 60, tr("Installing PyTorch")))
            self._step([*pip, *requirements], self._stage(60, 92, tr("Installing packages")))
        self.progress(92, tr("Testing"))
        self.test(Path(python))
        self.progress(100, "")

    def _take_place(self, fresh: Path) -> None:
        """Put the new environment where the old one was."""
        home = self.plan.home
        old = home.with_name(f"{home.name}.old")
        _remove(old)
        try:
            if home.exists():
                home.rename(old)
            fresh.rename(home)
        except OSError as error:  # Windows: somebody uses it
            if old.exists() and not home.exists():
                old.rename(home)
            text = tr("{folder} cannot be replaced ({reason}); stop what uses the engine, and repeat.")
            raise SetupError(text.format(folder=home, reason=error.strerror)) from error
        _remove(old)

    def _stage(self, start: float, end: float, what: str = "") -> Stage:
        return Stage(self.say, self.progress, start, end, what)

    def _step(self, command: list[str], stage: Stage, take: Optional[Say] = None) -> None:
        """Run one command to its end."""
        environment = clean_environment(Path(command[0]))
        environment.pop("PYTHONPATH", None)  # the engine itself is no package of this environment
        if self.plan.wheels is None:  # proxies, certificates and mirrors that the administrator set up
            environment.update({name: value for name, value in os.environ.items() if name.startswith("PIP_")})
        else:
            environment["PIP_CONFIG_FILE"] = os.devnull
        errors: list[str] = []
        with Child(command, environment, self.plan.home.parent, grace_s=0) as child:
            for stream, line in child.lines(self.cancelled):
                if stream == "stderr" and line.strip():
                    errors.append(line.strip())
                elif take is not None:
                    take(line)
                else:
                    stage.read(line)
        if child.stopped:
            raise Cancelled
        if child.returncode:
            raise SetupError(explain(errors, child.returncode, self.plan.wheels))


class Cancelled(Exception):
    """The user stopped the set-up."""


def torch_index(address: str, compute: str) -> str:
    """Address of PyTorch's index for `compute`; one that already ends with cpu or cuXXX stays, an empty one, too."""
    address = address.strip().rstrip("/")
    if not address or re.search(r"/(cpu|cu\d+)$", address):
        return address
    return f"{address}/{CUDA_TAG if compute == 'cuda' else 'cpu'}"


def _package(requirement: str) -> str:
    """Name of the package that a requirement such as `torch>=2.4` is about."""
    return re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0].lower()


def _remove(folder: Path) -> None:
    """Remove a folder as far as it can be removed; what Windows holds on to is removed next time."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
