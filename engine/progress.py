"""How a running job speaks: one protocol, three voices (terminal, JSON lines, none)."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Protocol, TextIO

from engine.launch import launch


class Progress(Protocol):
    """What long work reports to. Implementations never raise."""

    def step(self, stage: str, done: float, total: float, unit: str = "") -> None:
        """`done` of `total` units of `stage` are finished."""

    def log(self, message: str) -> None:
        """Say something worth knowing."""

    def warning(self, message: str) -> None:
        """Say something that may need attention; the job goes on."""

    def result(self, values: dict[str, Any]) -> None:
        """Say what came out, once, at the end."""


class SilentProgress:
    """Says nothing but warnings, on stderr."""

    def step(self, stage: str, done: float, total: float, unit: str = "") -> None:
        """Ignore."""

    def log(self, message: str) -> None:
        """Ignore."""

    def warning(self, message: str) -> None:
        """Print to stderr."""
        print(f"warning: {message}", file=sys.stderr, flush=True)

    def result(self, values: dict[str, Any]) -> None:
        """Ignore."""


class MuteProgress(SilentProgress):
    """Says nothing: another process speaks for this one."""

    def warning(self, message: str) -> None:
        """Ignore."""


class _Clock:
    """Rate and time left of a stage, and whether it is time to speak again."""

    def __init__(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self.stage, self.start, self.first, self.last = "", 0.0, 0.0, 0.0
        self.done = 0.0

    def tick(self, stage: str, done: float, total: float) -> tuple[bool, float, float]:
        """Return (speak now, units per second, seconds left)."""
        now = time.monotonic()
        if stage != self.stage or done < self.done:  # the same once more, of the next training or scene
            # What a resumed job had done before it was stopped says nothing of today's rate.
            self.stage, self.start, self.first, self.last = stage, now, done, 0.0
        self.done = done
        rate = (done - self.first) / (now - self.start) if now > self.start else 0.0
        speak = done >= total or now - self.last >= self.interval_s
        if speak:
            self.last = now
        return speak, rate, (total - done) / rate if rate > 0 else 0.0


class TextProgress:
    """For people: one line rewritten on a terminal, a line every few seconds elsewhere; all on stderr."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.tty = self.stream.isatty()
        self.clock = _Clock(0.2 if self.tty else 5.0)
        self.open_line = False

    def _print(self, text: str) -> None:
        if self.open_line:
            self.stream.write("\r\x1b[K")
            self.open_line = False
        self.stream.write(text + "\n")
        self.stream.flush()

    def step(self, stage: str, done: float, total: float, unit: str = "") -> None:
        """Show share, rate and time left."""
        speak, rate, left_s = self.clock.tick(stage, done, total)
        if not speak:
            return
        share = 100 * done / total if total else 100.0
        text = f"{stage} {share:3.0f} %"
        if rate > 0:  # not before something is done
            speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
            text += f"  {speed} {unit}/s  {_duration(left_s)} left"
        if self.tty and done < total:
            self.stream.write("\r\x1b[K" + text)
            self.stream.flush()
            self.open_line = True
        else:
            self._print(text)

    def log(self, message: str) -> None:
        """Print the message."""
        self._print(message)

    def warning(self, message: str) -> None:
        """Print the message, marked."""
        self._print(f"warning: {message}")

    def result(self, values: dict[str, Any]) -> None:
        """Print each value on its line."""
        for key, value in values.items():
            if not isinstance(value, dict | list):
                self._print(f"{key}: {_short(value) if isinstance(value, float) else value}")


class JsonProgress:
    """For programs: one JSON object a line on stdout (`type`: progress, log, warning, result, error)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.clock = _Clock(0.2)

    def write(self, **fields: Any) -> None:
        """Write one line at once, so that a reader at the other end of a pipe sees it."""
        print(json.dumps(fields, ensure_ascii=False), file=self.stream, flush=True)

    def step(self, stage: str, done: float, total: float, unit: str = "") -> None:
        """Write a `progress` line, five times a second at most."""
        speak, rate, left_s = self.clock.tick(stage, done, total)
        if speak:
            share = round(100 * done / total, 2) if total else 100.0
            self.write(
                type="progress", stage=stage, done=done, total=total, unit=unit, pct=share, rate=rate, eta_s=left_s
            )

    def log(self, message: str) -> None:
        """Write a `log` line."""
        self.write(type="log", message=message)

    def warning(self, message: str) -> None:
        """Write a `warning` line."""
        self.write(type="warning", message=message)

    def result(self, values: dict[str, Any]) -> None:
        """Write the `result` line."""
        self.write(type="result", **values)


def make_progress(kind: str) -> Progress:
    """`auto` (text), `json` or `none`; of processes that torchrun has started together, the first one speaks."""
    if launch().rank:
        return MuteProgress()
    voices: dict[str, type[Progress]] = {"auto": TextProgress, "json": JsonProgress, "none": SilentProgress}
    return voices[kind]()


def _short(value: float) -> str:
    """Four decimals, or three digits of what is small: more is for programs."""
    return f"{round(value, 4)}" if abs(value) >= 0.01 or not value else f"{value:.3g}"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
