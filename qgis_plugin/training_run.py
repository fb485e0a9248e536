"""The folder of one training: what it was given, how to start it, go on with it, and follow it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingFeedback

from . import settings
from .bridge import (
    EngineCancelled,
    EngineError,
    engine_command,
    engine_python,
    remote_engine,
    run_engine,
    write_job,
)
from .detached import DetachedRun, process_hint
from .environment import clean_environment
from .failures import cannot_start, explain
from .layers import LayerError
from .listener import Listener
from .remote import RemoteError, config_there, parse_folders
from .translation import tr

_STAGES = {"reading scenes": (2.0, 10.0), "training": (10.0, 95.0)}


class TrainingRun:
    """One run.

    Attributes:
        folder: RUN/ of the engine.
        inputs: configuration, labels and job, so that the run can go on without the project it came from.
        model, report: what it leaves.
        detached: its process, where it runs without QGIS.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = folder / "inputs"
        self.model = folder / "model.safetensors"
        self.report = folder / "report.html"
        self.detached = DetachedRun(folder / "detached")
        self._config = self.inputs / "training.toml"
        self._job = self.inputs / "job.json"

    def check(self, resume: bool) -> None:
        """Check that a run can begin, or go on, in the folder.

        Raises:
            LayerError: it cannot.
        """
        if resume:
            if not self._job.is_file():
                raise LayerError(tr("{folder}: holds no run to go on with.").format(folder=self.folder))
        elif self.detached.is_running():
            raise LayerError(tr("{folder}: a detached training runs in this folder.").format(folder=self.folder))
        elif self.model.exists() or (self.folder / "checkpoint" / "state.json").exists():
            message = tr(
                '{folder}: holds a run already. Choose another folder, or tick "Go on with the run in the folder".'
            )
            raise LayerError(message.format(folder=self.folder))

    def write_inputs(self, config: str, job: Mapping[str, Any]) -> None:
        """Keep configuration and arguments.

        Raises:
            LayerError: the folder cannot be written.
        """
        try:
            self.inputs.mkdir(parents=True, exist_ok=True)
            self._config.write_text(config, encoding="utf-8")
            write_job(self._job, job)
        except OSError as error:
            message = tr("{folder}: cannot be written ({reason}); choose another folder.")
            raise LayerError(message.format(folder=self.folder, reason=error.strerror)) from error

    def train(self, resume: bool, compute: Mapping[str, Any], feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Train, and return the engine's facts.

        Raises:
            EngineError, EngineCancelled: see `run_engine`.
        """
        job = self._arguments(resume, compute)
        if remote_engine() is not None:
            job["config"] = str(self._config_there())
        return run_engine("train", job, feedback, _STAGES)

    def start_detached(self, resume: bool, compute: Mapping[str, Any], feedback: QgsProcessingFeedback) -> None:
        """Start a training that outlives QGIS, and return when it has begun.

        Raises:
            EngineError: it could not be started, or ended before it began.
            EngineCancelled: `feedback` was cancelled before; it is stopped.
        """
        if remote_engine() is not None:
            raise EngineError(
                tr("A training of a remote engine ends with QGIS; start it on the other machine instead.")
            )
        python = engine_python()
        try:
            job = write_job(self.inputs / "detached.json", self._arguments(resume, compute))
            process = self.detached.start(engine_command([str(python)], "train", job), clean_environment(python))
        except OSError as error:
            raise EngineError(cannot_start(python, error)) from error
        listener = Listener(feedback, _STAGES)
        for line in self.detached.lines(feedback.isCanceled):
            listener.hear("stdout", line)
            if listener.stage == "training" or listener.result is not None:
                message = tr("Training goes on without QGIS, as process {number}. To stop it: {command}")
                feedback.pushInfo(message.format(number=process, command=process_hint(process)))
                return
        if feedback.isCanceled():
            self.detached.stop(process)
            raise EngineCancelled(tr("Cancelled."))
        raise EngineError(explain(1, python, listener.error, self.detached.last_words()))

    def follow(self, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Wait for the end of a detached training, and return the engine's facts.

        Raises:
            EngineError: it ended without a model.
            EngineCancelled: `feedback` was cancelled; the training goes on.
        """
        listener = Listener(feedback, _STAGES)
        for line in self.detached.lines(feedback.isCanceled):
            listener.hear("stdout", line)
        if listener.result is not None:
            return listener.result
        if feedback.isCanceled():
            raise EngineCancelled(tr("No longer following. The training goes on without QGIS."))
        raise EngineError(explain(1, engine_python(), listener.error, self.detached.last_words()))

    def _config_there(self) -> Path:
        """The configuration with the names that files have where the engine runs."""
        path = self.inputs / "training_there.toml"
        try:
            folders = parse_folders(settings.remote_folders())
            path.write_text(config_there(self._config.read_text(encoding="utf-8"), folders), encoding="utf-8")
        except RemoteError as error:
            raise EngineError(str(error)) from error
        return path

    def _arguments(self, resume: bool, compute: Mapping[str, Any]) -> dict[str, Any]:
        job = json.loads(self._job.read_text(encoding="utf-8"))
        return {**job, "config": str(self._config), "out": str(self.folder), "resume": resume, **compute}
