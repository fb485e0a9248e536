"""Which Python the engine's environment is made with."""

import json
import os
import shutil
import subprocess  # nosec B404 - an interpreter is asked what it is
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .environment import clean_environment, creation_options
from .translation import tr

MINIMUM = (3, 11)  # the engine reads its configuration with tomllib
_PROBE_S = 20
_PROBE = """
import importlib.util, json, struct, sys
print(json.dumps([sys.version_info[:3], sys.executable, 8 * struct.calcsize("P"),
                  all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))]))
"""


class SetupError(Exception):
    """The engine cannot be set up: one sentence, what to do included."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that was run and asked.

    Attributes:
        path: what `sys.executable` said.
        version: for example (3, 12, 4).
        bits: 64, or 32, for which there is no PyTorch.
        makes_environments: the modules venv and ensurepip are there (Debian packs them apart).
    """

    path: Path
    version: tuple[int, ...]
    bits: int
    makes_environments: bool

    def complaint(self) -> str:
        """Why it cannot be used, or nothing."""
        facts = {"path": self.path, "version": _dotted(self.version)}
        if self.version < MINIMUM:
            text = tr("{path} is Python {version}, the engine needs {minimum} or newer; choose another Python.")
            return text.format(**facts, minimum=_dotted(MINIMUM))
        if self.bits != 64:
            text = tr("{path} is Python {version} with {bits} bits, PyTorch needs 64; choose another Python.")
            return text.format(**facts, bits=self.bits)
        if not self.makes_environments:
            text = tr(
                "{path} is Python {version} without the modules venv and ensurepip; on Debian and Ubuntu: apt install "
                "{package}"
            )
            return text.format(**facts, package=f"python{_dotted(self.version[:2])}-venv")
        return ""


def choose_python(chosen: str) -> Interpreter:
    """The Python that the user chose, or else the first suitable one of this machine.

    Raises:
        SetupError: the chosen one is not suitable, or there is none.
    """
    if chosen:
        interpreter = ask([chosen])
        complaint = interpreter.complaint()
        if complaint:
            raise SetupError(complaint)
        return interpreter
    complaints = []
    for command in _candidates():
        try:
            interpreter = ask(command)
        except SetupError:
            continue
        if not interpreter.complaint():
            return interpreter
        complaints.append(interpreter.complaint())
    text = tr("No suitable Python was found. Install Python {minimum} or newer, or choose one. {complaint}")
    raise SetupError(text.format(minimum=_dotted(MINIMUM), complaint=complaints[0] if complaints else "").strip())


def ask(command: list[str]) -> Interpreter:
    """Run an interpreter and let it say what it is.

    Raises:
        SetupError: it does not run, or is no Python.
    """
    try:
        done = subprocess.run(  # nosec B603 - a list of arguments, no shell
            [*command, "-I", "-c", _PROBE],
            env=clean_environment(Path(command[0])), stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="replace", timeout=_PROBE_S, check=True, **creation_options(),
        )  # fmt: skip
        version, path, bits, complete = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        text = tr("{path} does not run as a Python interpreter ({reason}); choose another.")
        raise SetupError(text.format(path=command[0], reason=error)) from error
    return Interpreter(Path(path), tuple(version), bits, bool(complete))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _candidates() -> Iterator[list[str]]:
    """Commands that may start a Python, the best first.

    QGIS's own comes last: an environment made with it breaks when QGIS is updated.
    """
    names = ["python3.13", "python3.12", "python3.11", "python3", "python"]
    if sys.platform == "win32" and shutil.which("py"):
        yield from ([str(shutil.which("py")), f"-3.{minor}"] for minor in (13, 12, 11))
    yield from ([str(path)] for path in map(shutil.which, names) if path)
    own = Path(sys.prefix) / ("python.exe" if os.name == "nt" else "bin/python3")
    if own.is_file():
        yield [str(own)]
