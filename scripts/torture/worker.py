"""The worker that mutated files are given to: 2 GB of memory, an alarm, and a line of JSON for every file.

    python -m scripts.torture.worker WORLD SCRATCH       reads "KIND NUMBER" lines

A file that ends this process (a crash, the alarm, a lack of memory that C code did not survive) is a finding, too: the
one that reads the lines sees that none came.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import signal
import sys
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


def main() -> None:
    """Answer line by line until there is none."""
    world, scratch = Path(sys.argv[1]), Path(sys.argv[2])
    keep_gdal_local()
    victims = Victims(world, scratch)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what is printed must not stand among the answers
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    for line in sys.stdin:
        kind, number = line.split()
        started = time.monotonic()
        outcome, message = try_one(victims, world, kind, int(number))
        answer: dict[str, Any] = {"kind": kind, "number": int(number), "outcome": outcome, "message": message}
        print(json.dumps(answer | {"seconds": round(time.monotonic() - started, 3)}), file=answers)


def try_one(victims: Victims, world: Path, kind: str, number: int) -> tuple[str, str]:
    """`done`, `refused` or `bug` (what `engine.commandline.run` calls so), and the message."""
    base, content = mutation(world, kind, number)
    path = put(world, base, content, victims.scratch)
    signal.alarm(ALARM_S)
    try:
        with contextlib.redirect_stderr(None):
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


if __name__ == "__main__":
    main()
