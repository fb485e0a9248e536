"""The one door to the engine: a command in its own process, told by a job file, answering in JSON lines.

Everything here may run on a worker thread: nothing touches layers or widgets.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

from qgis.core import QgsProcessingException, QgsProcessingFeedback

from . import settings
from .child import Child
from .environment import PYTHON_VARIABLE, clean_environment
from .failures import cannot_start, explain, missing_python
from .listener import Listener, Stages
from .remote import RemoteError, job_line, parse_folders, split_command
from .translation import tr


class EngineError(QgsProcessingException):
    """The engine could not do it; the text is its own sentence, or says why it is silent.

    Attributes:
        found: the result that it gave all the same, None where it gave none.
        stage: what it was doing when it failed, as its progress lines call it; empty where it had not begun.
    """

    def __init__(self, message: str, found: Optional[dict[str, Any]] = None, stage: str = "") -> None:
        super().__init__(message)
        self.found = found
        self.stage = stage


class EngineCancelled(QgsProcessingException):
    """The user stopped the engine."""


def run_engine(
    command: str,
    job: Mapping[str, Any],
    feedback: QgsProcessingFeedback,
    stages: Optional[Stages] = None,
    python: Optional[Path] = None,
) -> dict[str, Any]:
    """Run `python -m engine.<command>` and return what it gives as result.

    Args:
        command: name of the command.
        job: its arguments, keys as in its job files; None counts as not given.
        feedback: told progress, log lines and warnings; cancelling it stops the engine within two seconds.
        stages: part of the progress bar that each stage of the command fills; others move no bar.
        python: interpreter to use instead of the one in the settings.

    Raises:
        EngineError: it cannot be started, ended with an error, or crashed.
        EngineCancelled: `feedback` was cancelled.
    """
    remote = remote_engine() if python is None else None
    python = python or engine_python()
    listener = Listener(feedback, stages or {})
    feedback.setProgressText(tr("Starting the engine"))
    with scratch_folder() as folder:
        if remote is None:
            words, told = engine_command([str(python)], command, write_job(folder / "job.json", job)), None
        else:
            words, told = engine_command(remote, command, "-"), _line_there(job)
        try:
            child = Child([*words, "--cancel-on-stdin"], clean_environment(python), folder)
        except OSError as error:
            raise EngineError(cannot_start(python, error)) from error
        with child:
            if told is not None:
                child.tell(told)
            for name, line in child.lines(feedback.isCanceled):
                listener.hear(name, line)
    if child.stopped:
        raise EngineCancelled(tr("Cancelled."))
    if child.returncode or listener.result is None:
        if child.returncode == 1:  # a bug: its traceback belongs into the report
            for line in listener.stderr:
                feedback.pushConsoleInfo(line)
        message = explain(child.returncode or 0, python, listener.error, list(listener.stderr))
        raise EngineError(message, listener.result, listener.stage)
    return listener.result


def engine_python() -> Path:
    """The engine's interpreter; of a remote engine the program that reaches it.

    Raises:
        EngineError: there is none; the text says how to get one.
    """
    remote = remote_engine()
    if remote is not None:
        return Path(remote[0])
    python = settings.python()
    if python is None or not python.is_file():
        raise EngineError(missing_python(python))
    return python


def remote_engine() -> Optional[list[str]]:
    """Command line that takes the interpreter's place, None where the engine runs here.

    An interpreter named for the session (`PYTHON_VARIABLE`) wins.

    Raises:
        EngineError: the settings will not do.
    """
    text = settings.remote_command()
    if not text or os.environ.get(PYTHON_VARIABLE):
        return None
    try:
        parse_folders(settings.remote_folders())
        return split_command(text)
    except RemoteError as error:
        raise EngineError(str(error)) from error


def engine_command(interpreter: Sequence[str], command: str, job: Union[Path, str]) -> list[str]:
    """Command line that runs a command of the engine with a job file, or with "-" for one that comes by stdin."""
    # How to report is said here, not in the job: a job that cannot be read must be reported in this way, too.
    return [*interpreter, "-m", f"engine.{command}", "--job", str(job), "--progress", "json"]


def _line_there(job: Mapping[str, Any]) -> str:
    try:
        return job_line(job, parse_folders(settings.remote_folders()))
    except RemoteError as error:
        raise EngineError(str(error)) from error


def write_job(file: Path, job: Mapping[str, Any]) -> Path:
    """Write a job file and return its path."""
    given = {key: value for key, value in job.items() if value is not None}
    file.write_text(json.dumps(given, indent=2, ensure_ascii=False), encoding="utf-8")
    return file


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for one run, which also is the engine's working folder: nothing to import by accident lies there."""
    folder = Path(tempfile.mkdtemp(prefix="mamol_"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
