"""What the engine says, told to the user of QGIS: progress, log lines, warnings."""

import collections
import json
import time
from collections.abc import Mapping
from typing import Any, Optional

from qgis.core import QgsProcessingFeedback

from .translation import tr

Stages = Mapping[str, tuple[float, float]]
"""From where to where, in percent, a stage of a command fills the progress bar."""

_TEXT_EVERY_S = 5.0  # the dialog keeps every progress text as a line of its log
_TEXT_SHARE = 0.02  # of the time passed: a night's training must not leave a million lines
_STDERR_LINES = 60


class Listener:
    """Hears the lines of one engine command.

    Attributes:
        result: what it gave as result, None so far.
        error: its own sentence on what went wrong, None so far.
        stderr: the last lines there.
        stage: what it is doing, empty so far.
    """

    def __init__(self, feedback: QgsProcessingFeedback, stages: Stages) -> None:
        self.result: Optional[dict[str, Any]] = None
        self.error: Optional[str] = None
        self.stderr: collections.deque[str] = collections.deque(maxlen=_STDERR_LINES)
        self._feedback = feedback
        self._stages = stages
        self.stage = ""
        self._percent = 0.0
        self._start = time.monotonic()
        self._spoke = 0.0

    def hear(self, stream: str, line: str) -> None:
        """Take one line of "stdout" or "stderr"."""
        if stream == "stderr":
            self.stderr.append(line)
            return
        message = _parsed(line)
        kind = message.pop("type", None) if message else None
        if message is None or kind not in ("progress", "log", "warning", "result", "error"):
            # A library that prints: worth keeping, but not part of the conversation.
            if line.strip():
                self._feedback.pushDebugInfo(line[:500])
        elif kind == "progress":
            self._progress(message)
        elif kind == "log":
            self._feedback.pushInfo(str(message.get("message", "")))
        elif kind == "warning":
            self._feedback.pushWarning(str(message.get("message", "")))
        elif kind == "result":
            self.result = message
        else:
            self.error = str(message.get("message", ""))

    def _progress(self, message: Mapping[str, Any]) -> None:
        stage, share = str(message.get("stage", "")), _number(message.get("pct"))
        if stage in self._stages:
            first, last = self._stages[stage]
            percent = first + (last - first) * min(share, 100.0) / 100
            if percent > self._percent:  # a bar that runs backwards looks broken
                self._percent = percent
                self._feedback.setProgress(percent)
        now = time.monotonic()
        pause = max(_TEXT_EVERY_S, _TEXT_SHARE * (now - self._start))
        if stage != self.stage or now - self._spoke >= pause:
            self.stage, self._spoke = stage, now
            self._feedback.setProgressText(_progress_text(stage, share, message))


def _progress_text(stage: str, share: float, message: Mapping[str, Any]) -> str:
    names = {
        "reading scenes": tr("Reading the layers"),
        "training": tr("Training"),
        "mapping": tr("Mapping"),
        "writing": tr("Writing"),
    }
    text = f"{names.get(stage, stage)}: {share:.0f} %"
    rate, left_s = _number(message.get("rate")), _number(message.get("eta_s"))
    if rate > 0:
        text += f", {rate:,.0f}" if rate >= 10 else f", {rate:.2g}"
        text += f" {message.get('unit', '')}/s"
    if left_s >= 1 and share < 100:
        text += ", " + tr("{time} left").format(time=duration(left_s))
    return text


def duration(seconds: float) -> str:
    """Seconds as 1:02:03 or 2:03."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _parsed(line: str) -> Optional[dict[str, Any]]:
    """The JSON object on a line, None where there is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
