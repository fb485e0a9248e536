"""How somebody asks a running command to stop: a signal, or, for programs that started it, a line on its stdin."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType

from engine.launch import launch
from engine.progress import Progress

_STDIN = 0
_POLL_S = 0.1
_LINE_CAP = 2**22  # bytes


class Cancellation:
    """The question that long loops ask: `cancelled()` is True once somebody wants to stop.

    Attributes:
        asked: whether somebody does.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.asked = False

    def __call__(self) -> bool:
        """Say whether to stop at the next safe point."""
        return self.asked

    def on_signals(self) -> None:
        """Let SIGINT and SIGTERM ask; where somebody has asked already, they stop at once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def on_stdin(self) -> None:
        """Let a line on standard input ask, or its end: whoever held the other end may have crashed."""
        threading.Thread(target=self._watch_stdin, name="watch stdin", daemon=True).start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            # torchrun repeats a signal when one of its processes has ended; what takes too long it kills by itself.
            if launch().count > 1:
                return
            raise KeyboardInterrupt
        self.asked = True
        self.progress.log("stopping at the next safe point; once more to stop at once")

    def _watch_stdin(self) -> None:
        wait_for_line()
        self.asked = True  # without a word: another thread may be in the middle of a line


def read_line() -> str:
    """The first line of standard input, nothing of what follows: that may be a request to stop.

    Raises:
        ValueError: it is not UTF-8, or longer than any job.
    """
    line = bytearray()
    while (byte := os.read(_STDIN, 1)) not in (b"", b"\n"):
        line += byte
        if len(line) > _LINE_CAP:
            raise ValueError(f"a line of more than {_LINE_CAP // 2**20} MB")
    return line.decode("utf-8")


if sys.platform == "win32":

    def wait_for_line() -> None:
        """Return when standard input holds something, or has ended.

        Looks again and again: as long as a thread waits inside a read of a pipe, whatever else touches that pipe waits
        with it on Windows, and every C library that is loaded touches standard input.
        """
        import ctypes
        import msvcrt

        pipe = ctypes.c_void_p(msvcrt.get_osfhandle(_STDIN))
        waiting = ctypes.c_ulong(0)
        while ctypes.windll.kernel32.PeekNamedPipe(pipe, None, 0, None, ctypes.byref(waiting), None):
            if waiting.value:
                return
            time.sleep(_POLL_S)

else:

    def wait_for_line() -> None:
        """Return when standard input holds something, or has ended."""
        # Not sys.stdin: a thread inside its buffer makes the interpreter's end a fatal error.
        os.read(_STDIN, 1)
