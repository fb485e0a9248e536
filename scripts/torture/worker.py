"""The worker that mutated files are given to: 2 GB of memory, an alarm, and a line of JSON for every file.

A file that ends this process (a crash, the alarm, a lack of memory that C code did not survive) is a finding, too: who
asks sees that no line comes.
"""

from __future__ import annotations

import json
import os
import random
import resource
import select
import signal
import time
import traceback
from pathlib import Path
from typing import Any

from engine.commandline import users_trouble
from engine.errors import EngineError
from engine.trust import keep_gdal_local
from scripts.torture.mutations import base_files, mutate, put
from scripts.torture.victims import Victims

MEMORY = 2 * 2**30
ALARM_S = 60


def mutation(world: Path, kind: str, number: int) -> tuple[Path, bytes]:
    """Mutation number `number` of a kind: the file it was made from, and its content."""
    rng = random.Random(f"{kind} {number}")  # nosec B311 - repeatable, no secrets
    bases = base_files(world)[kind]
    base = bases[number % len(bases)]
    return base, mutate(base.read_bytes(), base.suffix, rng)


class Worker:
    """The process, forked from one that has imported everything.

    Args:
        world: folder of the whole files.
        scratch: folder for mutated ones.
    """

    def __init__(self, world: Path, scratch: Path) -> None:
        (read_here, write_there), (read_there, write_here) = os.pipe(), os.pipe()
        self.process = os.fork()
        if not self.process:
            os.close(read_here), os.close(write_here)
            _serve(world, scratch, read_there, write_there)
        os.close(read_there), os.close(write_there)
        self.questions, self.answers = os.fdopen(write_here, "w"), os.fdopen(read_here)

    def ask(self, kind: str, number: int) -> dict[str, Any]:
        """What becomes of mutation number `number` of a kind."""
        print(kind, number, file=self.questions, flush=True)
        if select.select([self.answers], [], [], 3 * ALARM_S)[0] and (line := self.answers.readline()):
            return dict(json.loads(line))
        code = self._end()
        outcome = "hang" if code in (-signal.SIGALRM, -signal.SIGKILL) else "crash"
        return {"kind": kind, "number": number, "outcome": outcome, "message": f"exit {code}", "seconds": 0.0}

    def _end(self) -> int:
        """Exit code of the process, which is killed if it still lives."""
        ended, status = os.waitpid(self.process, os.WNOHANG)
        if not ended:
            os.kill(self.process, signal.SIGKILL)
            status = os.waitpid(self.process, 0)[1]
        self.process = 0
        return os.waitstatus_to_exitcode(status)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process:
            self._end()
        self.questions.close()
        self.answers.close()


def _serve(world: Path, scratch: Path, questions: int, answers: int) -> None:
    """The life of the process; never returns."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        keep_gdal_local()
        victims = Victims(world, scratch)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        with os.fdopen(questions) as lines, os.fdopen(answers, "w", buffering=1) as told:
            for line in lines:
                kind, number = line.split()
                started = time.monotonic()
                outcome, message = try_one(victims, world, kind, int(number))
                answer: dict[str, Any] = {"kind": kind, "number": int(number), "outcome": outcome, "message": message}
                print(json.dumps(answer | {"seconds": round(time.monotonic() - started, 3)}), file=told)
    finally:
        os._exit(0)


def try_one(victims: Victims, world: Path, kind: str, number: int) -> tuple[str, str]:
    """`done`, `refused` or `bug` (what `engine.commandline.run` calls so), and the message."""
    base, content = mutation(world, kind, number)
    path = put(world, base, content, victims.scratch)
    signal.alarm(ALARM_S)
    try:
        victims.kinds[kind](path)
    except EngineError as error:
        return "refused", str(error)[:300]
    except Exception as error:
        if (sentence := users_trouble(error)) is not None:
            return "refused", sentence[:300]
        return "bug", traceback.format_exc()[-3000:]
    finally:
        signal.alarm(0)
    return "done", ""
