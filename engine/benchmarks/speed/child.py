"""A process that is timed, and ends when the benchmark is cancelled."""

from __future__ import annotations

import subprocess  # nosec B404 - our own commands
from collections.abc import Callable

from engine.errors import Cancelled

_POLL_S = 0.2


def printed_by(process: subprocess.Popen[str], stop: Callable[[], None], cancelled: Callable[[], bool]) -> str:
    """What a process has printed when it has ended.

    Args:
        process: just started, with a pipe for its output.
        stop: asks it, and what it has started, to end.
        cancelled: asked often.

    Raises:
        Cancelled: `cancelled` said so; the process has ended.
    """
    while True:
        try:
            printed, _ = process.communicate(timeout=_POLL_S)
            if cancelled():  # Ctrl-C reaches both, and it may have been the first to end
                raise Cancelled("stopped while mapping")
            return printed
        except subprocess.TimeoutExpired:
            if cancelled():
                stop()
                process.communicate()
                raise Cancelled("stopped while mapping") from None
