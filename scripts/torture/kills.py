"""Kill a command again and again, let it go on, and compare what it leaves with an undisturbed run.

Half of the kills come at random times, the others in front of a random touch of the output folder: opening, renaming,
removing. The latter find the moments between two files that a clock would miss.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from safetensors.numpy import load_file

from scripts.torture.child import SAID, Touches, run_for
from scripts.torture.world import World, arguments

_MOST_KILLS = 4  # of one job
_GIVE_UP_S = 600


@dataclass(frozen=True)
class Victim:
    """A command that can be killed.

    Attributes:
        call: module and arguments, given the folder to write to; it must go on where a former one was killed.
        contents: what a finished folder holds, as comparable values by file; what differs between two honest runs
            (times, dates) is left out.
    """

    call: Callable[[Path], list[str]]
    contents: Callable[[Path], dict[str, Any]]


@dataclass(frozen=True)
class Expected:
    """An undisturbed run: `contents` of its folder, `seconds` it took, `touches` of the folder."""

    contents: dict[str, Any]
    seconds: float
    touches: int


@dataclass
class Finding:
    """What became of one job: how often it was killed, and what was wrong at its end (nothing, if all is well)."""

    kills: int = 0
    wrong: list[str] = field(default_factory=list)


def training(world: World) -> Victim:
    """`engine.train`, which writes a checkpoint after every step."""
    return Victim(lambda out: arguments("engine.train", world.config, "--out", out / "run", "--resume"), _run_contents)


def mapping(world: World) -> Victim:
    """`engine.predict` with all its outputs, in many small blocks."""

    def call(out: Path) -> list[str]:
        products = ("confidence", "probabilities", "sensors-used")
        outputs = [option for name in products for option in (f"--{name}", str(out / f"{name}.tif"))]
        given = [world.model, *world.layers(), "--out", out / "map.tif", "--report", out / "report.json", *outputs]
        return arguments("engine.predict", *given, "--resume", "--overwrite")

    return Victim(call, map_contents)


def batch(world: World) -> Victim:
    """`generate_maps` of several scenes, the largest in strips, and a mosaic of all."""

    def call(out: Path) -> list[str]:
        options = ["--model", world.model, "--out", out / "maps", "--confidence", "--mosaic", "--shard-pixels", 1000]
        return arguments("scripts.generate_maps", world.jobs, *options)

    return Victim(call, map_contents)


VICTIMS: dict[str, Callable[[World], Victim]] = {"training": training, "mapping": mapping, "batch": batch}


def undisturbed(victim: Victim, folder: Path) -> Expected:
    """What a run that nobody kills leaves, how long it takes and how often it touches its folder."""
    _empty(folder)
    started = time.monotonic()
    code, said = run_for(victim.call(folder), _GIVE_UP_S, Touches(folder))
    if code:
        raise RuntimeError(said)
    seconds, touches = time.monotonic() - started, int(said.rpartition(SAID)[2])
    return Expected(victim.contents(folder), seconds, touches)


def torment(victim: Victim, folder: Path, expected: Expected, seed: int) -> Finding:
    """Kill one job a few times, let it end, and compare."""
    rng, finding = random.Random(seed), Finding()  # nosec B311 - moments, no secrets
    _empty(folder)
    for _ in range(rng.randint(1, _MOST_KILLS)):
        share = 1 / (1 + finding.kills)  # who goes on has less to do: later kills come earlier, or they would miss
        if rng.random() < 0.5:
            code, said = run_for(victim.call(folder), rng.uniform(0, 0.9) ** 1.5 * expected.seconds * share)
        else:
            touches = Touches(folder, rng.randint(1, max(1, round(expected.touches * share))))
            code, said = run_for(victim.call(folder), _GIVE_UP_S, touches)
        if code == -signal.SIGKILL:
            finding.kills += 1
        elif code:
            finding.wrong.append(f"exit {code} after {finding.kills} kills: {said[-500:]}")
            return finding
    code, said = run_for(victim.call(folder), _GIVE_UP_S)
    finding.wrong += [f"exit {code} at the end: {said[-500:]}"] if code else []
    finding.wrong += differences(expected.contents, victim.contents(folder))
    return finding


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Files too many, too few, and with other contents."""
    wrong = [f"stray {name}" for name in sorted(found.keys() - expected.keys())]
    wrong += [f"missing {name}" for name in sorted(expected.keys() - found.keys())]
    return wrong + [
        f"{name} differs" for name in sorted(found.keys() & expected.keys()) if found[name] != expected[name]
    ]


def map_contents(folder: Path) -> dict[str, Any]:
    """Every file under a folder of maps: pixels and legends of rasters, texts as they are but for times."""
    return {str(path.relative_to(folder)): content(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def content(path: Path) -> Any:
    """What counts of a raster, a JSON text, or any other file."""
    if path.suffix == ".tif":
        with rasterio.open(path) as file:
            tags = {key: value for key, value in file.tags().items() if key != "TIFFTAG_DATETIME"}
            levels = [file.overviews(band) for band in file.indexes]
            return file.read().tobytes(), file.profile["nodata"], file.descriptions, sorted(tags.items()), levels
    if path.suffix == ".json":
        return _timeless(json.loads(path.read_text(encoding="utf-8")))
    return _rows(path) if path.suffix == ".csv" else path.read_bytes()


def _run_contents(folder: Path) -> dict[str, Any]:
    """Every file of a training run, without times."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".safetensors":
            found[name] = {key: value.tobytes() for key, value in load_file(path).items()}
        elif path.suffix == ".json":
            found[name] = _timeless(json.loads(path.read_text(encoding="utf-8")))
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                found[name] = {key: arrays[key].tobytes() for key in arrays}
        elif path.name == "history.csv":
            found[name] = _rows(path)
        elif path.suffix in (".html", ".csv"):
            found[name] = path.read_text(encoding="utf-8").count("\n")  # times and checksums stand among the text
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def _rows(path: Path) -> list[Any]:
    """A table without times."""
    return [_timeless(dict(row)) for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]


_TIMES = {
    "seconds", "job_seconds", "date", "created", "pixels_per_second", "stages", "sha256", "model_sha256", "map",
    "windows_per_second",
}  # fmt: skip


def _timeless(value: Any) -> Any:
    """A JSON value without what differs between two honest runs."""
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in _TIMES}
    return [_timeless(item) for item in value] if isinstance(value, list) else value
