"""Give mutated files to the limited worker, and some of them to the real command line."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.torture.mutations import SHARES, label_file, put
from scripts.torture.worker import ALARM_S, MEMORY, Worker, mutation
from scripts.torture.world import World, arguments, environment


def planned(mutations: int) -> list[tuple[str, int]]:
    """(kind, number) of so many mutations, kinds by their shares and in turns."""
    counts = {kind: round(mutations * share / sum(SHARES.values())) for kind, share in SHARES.items()}
    listed = [(kind, number) for kind, count in counts.items() for number in range(count)]
    return sorted(listed, key=lambda item: item[1] / counts[item[0]])


def try_all(world: World, todo: list[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    """Outcome of each mutation; the worker is started anew where one has ended it."""
    waiting = list(reversed(todo))
    with tempfile.TemporaryDirectory() as scratch:
        while waiting:
            with Worker(world.folder, Path(scratch) / "files") as worker:
                while waiting:
                    kind, number = waiting.pop()
                    answer = worker.ask(kind, number)
                    yield answer
                    if answer["outcome"] in ("crash", "hang"):
                        break


def command_for(world: World, kind: str, path: Path, out: Path) -> list[str]:
    """The command that a mutated file is meant for."""
    predict = ["--out", out / "map.tif", "--overwrite"]
    height = ["--layer", f"height={world.folder / 'height.tif'}"]
    if kind == "model":
        return arguments("engine.predict", path, *world.layers(), *predict)
    if kind == "raster":
        return arguments("engine.predict", world.model, "--layer", f"optical={path}", *height, *predict)
    if kind == "job":
        return arguments("engine.predict", "--job", path, *predict)
    if kind == "table":
        return arguments("scripts.generate_maps", path, "--model", world.model, "--out", out / "maps")
    if kind == "config":
        return arguments("engine.train", path, "--out", out / "run", "--set", "training.steps=2")
    labels = label_file(path)
    options = ["--set", f"scene.labels.path={json.dumps(str(labels))}", "--set", "training.steps=2"]
    options += [] if labels.suffix == ".tif" else ["--set", "scene.labels.field=class"]
    return arguments("engine.train", world.config, "--out", out / "run", *options)


def through_the_command_line(world: World, kind: str, number: int, folder: Path) -> dict[str, Any]:
    """Run the real command on a mutated file: it must end by itself, with 0, or with 2 and one sentence."""
    base, content = mutation(world.folder, kind, number)
    path = put(world.folder, base, content, folder)
    module, *given = command_for(world, kind, path, folder)
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *given], cwd=folder, env=environment(), capture_output=True, text=True,
            check=False, timeout=10 * ALARM_S, errors="replace",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY)),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"kind": kind, "number": number, "outcome": "hang", "message": ""}
    sentences = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    good = done.returncode == 0 or (done.returncode == 2 and len(sentences) == 1)
    good &= "Traceback" not in done.stderr
    outcome = ("done" if done.returncode == 0 else "refused") if good else "bug"
    message = sentences[0] if good and sentences else done.stderr[-2000:]
    return {"kind": kind, "number": number, "outcome": outcome, "message": "" if outcome == "done" else message}
