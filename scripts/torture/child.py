"""Commands in processes of their own that can be killed, forked from one that has imported everything.

Importing takes longer than the small jobs do, and nothing can go wrong in it. The parent must have one thread only.
"""

from __future__ import annotations

import importlib
import os
import resource
import runpy
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAID = "touches: "
_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
_POLL_S = 0.002


@dataclass(frozen=True)
class Touches:
    """Files of `folder` opened for writing, renamed, removed; folders made: what Python tells its audit hooks.

    The process dies in front of number `last`; with 0 it lives, and says at its end how many there were.
    """

    folder: Path
    last: int = 0


# What commands, reports and clusters import, at their start or at their first use.
_MODULES = (
    "distributed.cli.dask_scheduler", "distributed.cli.dask_worker", "engine.batch.cluster", "engine.batch.generate",
    "engine.training.run", "matplotlib.backends.backend_svg", "matplotlib.figure", "matplotlib.image",
    "PIL.JpegImagePlugin", "scripts.torture.victims",
)  # fmt: skip


def preload() -> None:
    """Import what commands import, once; also what torch imports at its first use."""
    import torch

    for module in _MODULES:
        importlib.import_module(module)
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])


class Child:
    """A module in a forked process of its own.

    Args:
        call: module and arguments.
        touches: die early, or count.
        memory: limit of its data, bytes.
        slow_s: how much longer each read of a raster takes.
    """

    def __init__(
        self, call: list[str], touches: Touches | None = None, memory: int | None = None, slow_s: float = 0.0
    ) -> None:
        self.code: int | None = None  # negative: killed by this signal
        self._said = tempfile.TemporaryFile()
        self.process = os.fork()
        if not self.process:
            _live(call, self._said.fileno(), touches, memory, slow_s)

    def poll(self) -> int | None:
        """Exit code, None while it lives."""
        if self.code is None and (ended := os.waitpid(self.process, os.WNOHANG))[0]:
            self.code = os.waitstatus_to_exitcode(ended[1])
        return self.code

    def kill(self) -> int:
        """SIGKILL, if it still lives; exit code."""
        if self.poll() is None:
            os.kill(self.process, signal.SIGKILL)
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        return self.code or 0

    def said(self) -> str:
        """What it has said on stdout and stderr."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._said.close()


def run_for(
    call: list[str],
    seconds: float,
    touches: Touches | None = None,
    memory: int | None = None,
    slow_s: float = 0.0,
    strike: tuple[float, Callable[[int], None]] | None = None,
) -> tuple[int, str]:
    """Run a module in a forked process that gets SIGKILL after `seconds`.

    Args:
        call: module and arguments.
        seconds: time to live.
        touches: see `Child`; so are `memory` and `slow_s`.
        memory: limit.
        slow_s: seconds.
        strike: seconds, and what is done to the process (its number is given) after them.

    Returns:
        Exit code (negative: killed by this signal) and what it said on stdout and stderr.
    """
    with Child(call, touches, memory, slow_s) as child:
        started = time.monotonic()
        while (code := child.poll()) is None:
            lived = time.monotonic() - started
            if strike is not None and lived > strike[0]:
                strike[1](child.process)
                strike = None
            if lived > seconds:
                code = child.kill()
                break
            time.sleep(_POLL_S)
        return code, child.said()


def _live(call: list[str], output: int, touches: Touches | None, memory: int | None, slow_s: float) -> None:
    """The life of the forked process; never returns."""
    code: Any = 1
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        _cut_small()
        if slow_s:
            _slow_down(slow_s)
        module, *arguments = call
        sys.argv = [module, *arguments]
        count = _watch(touches) if touches is not None else None
        try:
            runpy.run_module(module, run_name="__main__")
        except SystemExit as end:
            code = int(end.code or 0)
        if count is not None and touches is not None and not touches.last:
            print(f"{SAID}{count[0]}", flush=True)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _cut_small() -> None:
    """Map in many small blocks: scenes are small here, and there is to be something between two blocks."""
    from engine.mapping import plan

    plan._CORES_PER_SIDE = 4


def _slow_down(slow_s: float) -> None:
    """Make every read of a raster take longer, as over a bad network."""
    from engine.raster.raster_file import RasterFile

    read = RasterFile.read

    def slowly(self: RasterFile, window: Any, bands: Any) -> Any:
        time.sleep(slow_s)
        return read(self, window, bands)

    RasterFile.read = slowly  # type: ignore[method-assign]


def _watch(touches: Touches) -> list[int]:
    """Count touches from now on, and die in front of the last."""
    folder, count = str(touches.folder), [0]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS or not str(arguments[0]).startswith(folder):
            return
        if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
            return
        count[0] += 1
        if count[0] == touches.last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return count
