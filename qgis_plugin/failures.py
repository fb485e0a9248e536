"""Why the engine ended without its result, in words that say what to do."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from .translation import tr

OPTIONS_PAGE = "Settings > Options > Processing > MaMOL Land Cover"
_OUT_OF_MEMORY = (-9, 137)  # SIGKILL that we did not send; the second as a shell or container reports it
_TAIL = 12  # lines of stderr that are shown


def missing_python(python: Optional[Path]) -> str:
    """Text for an interpreter that is not there."""
    if python is None:
        return tr(
            'The engine is not set up yet. Run the algorithm "Set up the engine" once, or choose an interpreter that '
            "has it in {page}."
        ).format(page=OPTIONS_PAGE)
    return tr(
        "The engine's Python interpreter {python} does not exist. Choose another in {page}, or run the algorithm \"Set "
        'up the engine".'
    ).format(python=python, page=OPTIONS_PAGE)


def cannot_start(python: Path, error: OSError) -> str:
    """Text for an interpreter that is there and does not start."""
    return tr(
        "The engine's Python interpreter {python} cannot be started ({reason}). Choose another in {page}."
    ).format(python=python, reason=error.strerror or error, page=OPTIONS_PAGE)


def explain(returncode: int, python: Path, message: Optional[str], stderr: Sequence[str]) -> str:
    """Text for an engine that ended badly.

    Args:
        returncode: as `subprocess` gives it: negative for signals.
        python: the engine's interpreter.
        message: what the engine itself said last, if it could.
        stderr: its last lines there.
    """
    lacking = re.search(r"No module named '?([\w.]+)", message or "\n".join(stderr[-3:]))
    if lacking:
        return tr(
            'The engine\'s interpreter {python} lacks the package "{package}". Run the algorithm "Set up the engine" '
            "to install or repair it, or choose another interpreter in {page}."
        ).format(python=python, package=lacking.group(1), page=OPTIONS_PAGE)
    if message:
        return message
    if returncode in _OUT_OF_MEMORY:
        return tr(
            "The engine was ended by the system, most likely because memory ran out. Close other programs, set a "
            "smaller batch size or fewer threads, or map a smaller extent."
        )
    if returncode < 0 or returncode >= 0xC0000000:
        # A signal, or an NTSTATUS of Windows.
        code = returncode if returncode < 0 else f"0x{returncode:08X}"
        text = tr('The engine crashed (code {code}). Run the algorithm "Check the engine" to see whether it works.')
        return _with_tail(text.format(code=code), stderr)
    if returncode == 0:
        text = tr("The engine ended without a result. Is {python} the interpreter of the engine?")
        return _with_tail(text.format(python=python), stderr)
    text = tr(
        "The engine did not start (exit code {code}). It needs Python 3.11 or newer; the interpreter is {python}. Run "
        'the algorithm "Set up the engine", or choose another interpreter in {page}.'
    )
    return _with_tail(text.format(code=returncode, python=python, page=OPTIONS_PAGE), stderr)


def _with_tail(text: str, stderr: Sequence[str]) -> str:
    said = [line for line in stderr if line.strip()][-_TAIL:]
    return "\n".join([text, *said])
