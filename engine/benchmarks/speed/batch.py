"""What a batch of small scenes costs: one process with all threads, one with a single thread, and two workers.

Every scene is mapped three times: with all sensors, without the first, and with the first alone. The ways are timed in
turns, whole batches from the job table to the manifest, the start of workers included; and their maps are compared.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import statistics
import subprocess  # nosec B404 - our own script
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio

import engine
from engine.atomic import write_text
from engine.benchmarks.speed.child import printed_by
from engine.benchmarks.speed.jobs import barely_trained, default_job
from engine.benchmarks.speed.scene import BANDS, write_timing_scene
from engine.device import choose_device, choose_precision, describe_device, set_threads
from engine.errors import ConfigError, EngineError
from engine.progress import Progress

_SCENES, _SIDE_PX, _ROUNDS = 200, 128, 2
_TRAINING_PX = 384
_FIRST = next(iter(BANDS))
_VARIANTS = {
    "all": tuple(BANDS),
    "without": tuple(name for name in BANDS if name != _FIRST),
    "alone": (_FIRST,),
}


def run_batch(
    out: Path, device: str, precision: str, threads: int | None, progress: Progress, cancelled: Callable[[], bool]
) -> Path:
    """Time the three ways, count the pixels whose class differs between them, and return the page's path.

    Raises:
        ConfigError: the batch script is not beside the engine.
        EngineError: a batch failed.
        Cancelled: `cancelled` said so.
    """
    script = Path(engine.__file__).resolve().parents[1] / "scripts" / "generate_maps.py"
    if not script.is_file():
        raise ConfigError(f"{script} is not there; run this suite from a checkout")
    cores = set_threads(threads)
    model = barely_trained(
        default_job(write_timing_scene(out / "tile", _TRAINING_PX)), out / "run", device, precision, progress, cancelled
    )
    jobs = _write_jobs(out)
    ways = {
        "one process": [f"--threads={cores}"],
        "two workers": ["--workers=2", f"--threads={max(1, cores // 2)}"],
        "one thread": ["--threads=1"],
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(1, _ROUNDS + 1):
        for way, options in ways.items():
            maps = out / way.replace(" ", "_")
            shutil.rmtree(maps, ignore_errors=True)
            command = [sys.executable, str(script), str(jobs), f"--model={model}", f"--out={maps}", "--progress=json"]
            command += [f"--device={device}", f"--precision={precision}", *options]
            seconds[way].append(_run(command, cancelled))
            progress.log(f"round {number}, {way}: {seconds[way][-1]:.1f} s")
    differing = _differing(out, [way.replace(" ", "_") for way in ways])
    place = choose_device(device)
    facts = {
        "device": describe_device(place), "precision": choose_precision(place, precision),
        "maps": _SCENES * len(_VARIANTS), "pixels": _SIDE_PX**2, "seconds": seconds, "differing_pixels": differing,
    }  # fmt: skip
    write_text(out / "batch.json", json.dumps(facts, indent=2) + "\n")
    return _write_page(facts, seconds, out)


def _write_jobs(out: Path) -> Path:
    """Scenes, where they are not there yet, and their job table."""
    path = out / "jobs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", *BANDS])
        for number in range(_SCENES):
            folder = out / "scenes" / f"{number:03}"
            if not (folder / "labels.tif").exists():  # the last to be written
                write_timing_scene(folder, _SIDE_PX, seed=number)
            for variant, names in _VARIANTS.items():
                cells = [f"scenes/{number:03}/{name}.tif" if name in names else "" for name in BANDS]
                table.writerow([f"{number:03}-{variant}", *cells])
    return path


def _run(command: list[str], cancelled: Callable[[], bool]) -> float:
    """Seconds that a batch says it took."""
    process = subprocess.Popen(  # nosec B603 - a list of arguments, no shell
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    printed = printed_by(process, process.terminate, cancelled)
    lines = [json.loads(line) for line in printed.splitlines()]
    results = [line for line in lines if line["type"] == "result"]
    if process.returncode or not results or results[0]["done"] != _SCENES * len(_VARIANTS):
        raise EngineError(f"{' '.join(command)} ended with {process.returncode}: {printed.splitlines()[-1:]}")
    return float(results[0]["seconds"])


def _differing(out: Path, ways: list[str]) -> int:
    """Pixels whose class is not the same in all ways."""
    count = 0
    for path in sorted((out / ways[0]).glob("*/*.tif")):
        maps = []
        for way in ways:
            with rasterio.open(out / way / path.relative_to(out / ways[0])) as file:
                maps.append(file.read(1))
        count += int(np.any([maps[0] != other for other in maps[1:]], axis=0).sum())
    return count


def _write_page(facts: dict[str, object], seconds: dict[str, list[float]], out: Path) -> Path:
    maps = _SCENES * len(_VARIANTS)
    medians = {way: statistics.median(values) for way, values in seconds.items()}
    two = medians["two workers"]
    lines = [
        "# A batch of small scenes",
        "",
        f"{facts['device']}, {facts['precision']}, {os.cpu_count()} cores; {_SCENES} scenes of {_SIDE_PX} x {_SIDE_PX} "
        f"pixels, each with three sensors, without the first, and with the first alone: {maps} maps with the default "
        f"model. Whole batches, start of workers included; medians of {_ROUNDS} rounds in turns.",
        "",
        "| way | seconds | maps per second | two workers are faster by |",
        "|---|---|---|---|",
        *(f"| {way} | {value:,.1f} | {maps / value:.2f} | {value / two:.2f} |" for way, value in medians.items()),
        "",
        f"Pixels whose class differs between the ways: {facts['differing_pixels']}.",
        "",
    ]
    path = out / "batch.md"
    write_text(path, "\n".join(lines))
    return path
