"""Training that outlives QGIS: started here, followed from any later session through files in its folder.

While it runs, its process holds a lock on one of them: that tells the truth after crashes and restarts, too, when a
number of a process may long belong to another program.
"""

import contextlib
import os
import subprocess  # nosec B404 - the engine is a process of its own
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Callable

from .environment import creation_options

_POLL_S = 0.2
_STARTED: list["subprocess.Popen[bytes]"] = []  # so that the ended ones among them are laid to rest


class DetachedRun:
    """The training in one folder.

    Attributes:
        output: what the engine says, JSON lines.
        log: what it says on stderr.
    """

    def __init__(self, folder: Path) -> None:
        self.output = folder / "progress.jsonl"
        self.log = folder / "engine.log"
        self._lock = folder / "running.lock"

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Start it and return the number of its process.

        Raises:
            OSError: it cannot be started, or the folder cannot be written.
        """
        self.output.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock, self.output.open("wb") as output, self.log.open("wb") as log:
            if sys.platform != "win32":
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its child inherits the lock with the open file
            child = subprocess.Popen(  # nosec B603 - a list of arguments, no shell
                list(command), env=dict(environment), cwd=str(self.output.parent),
                stdin=lock, stdout=output, stderr=log, **creation_options(),
            )  # fmt: skip
        _STARTED.append(child)
        return child.pid

    def stop(self, process: int) -> None:
        """Stop what was just started here."""
        for child in _STARTED:
            if child.pid == process:
                child.terminate()

    def is_running(self) -> bool:
        """Whether its process lives."""
        for child in list(_STARTED):
            if child.poll() is not None:
                _STARTED.remove(child)
        if not self._lock.exists():
            return False
        try:
            if sys.platform == "win32":
                self._lock.replace(self._lock)  # Windows renames no file that somebody has open
            else:
                import fcntl

                with self._lock.open("r+") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False

    def lines(self, cancelled: Callable[[], bool]) -> Iterator[str]:
        """Yield what it says from the beginning, until it ends or `cancelled` says so (it goes on then)."""
        with self.output.open(encoding="utf-8", errors="replace") as output:
            rest = ""
            while not cancelled():
                running = self.is_running()  # before reading: what it says last is read, too
                for part in iter(output.readline, ""):
                    rest += part
                    if rest.endswith("\n"):
                        yield rest.rstrip("\n")
                        rest = ""
                if not running:
                    return
                time.sleep(_POLL_S)

    def last_words(self) -> list[str]:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-60:]
        return []


def process_hint(pid: int, windows: bool = os.name == "nt") -> str:
    """How the user's system ends a process; without /F, Windows only asks windows to close, and ours has none."""
    return f"taskkill /F /T /PID {pid}" if windows else f"kill {pid}"
