"""One child process: its lines as they come, and an end within two seconds whenever it is wanted.

Standard library only.
"""

import contextlib
import os
import queue
import signal
import subprocess  # nosec B404 - the engine is a process of its own
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Callable, Optional

from .environment import creation_options

GRACE_S = 1.5  # from the request on stdin to terminate
_TERMINATE_S = 0.3  # from terminate to kill
_POLL_S = 0.1
_LINE_CAP = 1 << 20  # characters: something that never ends its line must not fill the memory


class Child:
    """A running command.

    Use it as a context manager: leaving it stops what still runs.

    Args:
        command: program and arguments; no shell is involved.
        environment: all of its environment.
        folder: its working folder.
        grace_s: how long to wait after a line on its stdin asked it to stop; 0 for programs that do not listen.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, grace_s: float = GRACE_S
    ) -> None:
        self.returncode: Optional[int] = None
        self.stopped = False
        self._grace_s = grace_s
        self._lines: queue.Queue[tuple[str, Optional[str]]] = queue.Queue()
        self._process = subprocess.Popen(  # nosec B603 - a list of arguments, no shell
            list(command), env=dict(environment), cwd=str(folder),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8", errors="replace", **creation_options(),
        )  # fmt: skip
        for name in ("stdout", "stderr"):
            stream = getattr(self._process, name)
            threading.Thread(target=self._read, args=(name, stream), name=f"read {name}", daemon=True).start()

    def tell(self, text: str) -> None:
        """Write to its stdin; where it is gone already, its end tells why."""
        with contextlib.suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.write(text)
                self._process.stdin.flush()

    def lines(self, cancelled: Callable[[], bool]) -> Iterator[tuple[str, str]]:
        """Yield ("stdout" or "stderr", line) until the child ends, or is stopped because `cancelled` said so.

        `cancelled` is asked ten times a second, whether there are lines or not. Afterwards `returncode` is set.
        """
        reading = 2
        while reading or self._process.poll() is None:
            if cancelled():
                self.stop()
                return
            try:
                name, line = self._lines.get(timeout=_POLL_S)
            except queue.Empty:
                if self._process.poll() is not None:
                    break  # a grandchild may hold the pipes open for as long as it likes
                continue
            if line is None:
                reading -= 1
            else:
                yield name, line
        self.returncode = self._process.wait()

    def stop(self) -> None:
        """Ask, then terminate, then kill; returns when the child is gone."""
        self.stopped = True
        with contextlib.suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.write("cancel\n")
                self._process.stdin.close()
        if not self._ended_within(self._grace_s):
            self._signal(kill=False)
            if not self._ended_within(_TERMINATE_S):
                self._signal(kill=True)
        self.returncode = self._process.wait()

    def __enter__(self) -> "Child":
        """Return the child."""
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """Stop it if it still runs, and let go of its pipes."""
        if self._process.poll() is None:
            self.stop()
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _read(self, name: str, stream: IO[str]) -> None:
        with stream, contextlib.suppress(OSError, ValueError):
            while True:
                line = stream.readline(_LINE_CAP)
                if not line:
                    break
                self._lines.put((name, line.rstrip("\r\n")))
        self._lines.put((name, None))

    def _ended_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _signal(self, kill: bool) -> None:
        """Signal the child and whatever it has started."""
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL if kill else signal.SIGTERM)
