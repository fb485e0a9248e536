"""Disks that are full or read-only, files that vanish, disks that are slow: each one sentence, and nothing lost.

Needs the right to mount, as root in a container has it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.commandline import CANCELLED
from scripts.torture.child import run_for
from scripts.torture.kills import VICTIMS, Victim, content, differences, map_contents, undisturbed
from scripts.torture.world import World, arguments

_GIVE_UP_S = 600
_SENTENCE = "error: "
_SLOW_S = 0.02  # each read of a raster, longer
_PATIENCE_S = 5.0


def all_faults(world: World, folder: Path) -> dict[str, Callable[[], list[str]]]:
    """Every fault by name; each, called, says what was wrong (nothing, if all is well)."""
    faults: dict[str, Callable[[], list[str]]] = {}
    for name, make in VICTIMS.items():
        victim = make(world)
        for kib in (16, 64, 256) if name != "training" else (64, 256, 1024):
            faults[f"{name}: disk of {kib} KiB is full, then larger"] = lambda v=victim, k=kib: full_disk(v, folder, k)
        faults[f"{name}: folder is read-only"] = lambda v=victim: read_only(v, folder)
    for when in (0.1, 0.4, 0.7):
        faults[f"mapping: a raster is cut short after {when:.0%} of the time"] = lambda w=when: vanishing(
            world, folder, w, cut=True
        )
        faults[f"mapping: a raster vanishes after {when:.0%} of the time"] = lambda w=when: vanishing(
            world, folder, w, cut=False
        )
    faults["mapping: slow reads, then cancelled"] = lambda: slow_reads(world, folder)
    return faults


def full_disk(victim: Victim, folder: Path, kib: int) -> list[str]:
    """A disk that is too small, until somebody makes room; then the job goes on to the undisturbed result."""
    wrong = []
    with _mounted(folder, "-t", "tmpfs", "-o", "size=1g", "tmpfs"):
        expected = undisturbed(victim, folder / "job").contents
    with _mounted(folder, "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs"):
        job = folder / "job"
        job.mkdir()
        code, said = run_for(victim.call(job), _GIVE_UP_S)
        if code == 0:
            return differences(expected, victim.contents(job))
        wrong += _not_a_sentence(code, said)
        _mount("-o", "remount,size=1g", str(folder))
        code, said = run_for(victim.call(job), _GIVE_UP_S)
        wrong += [f"exit {code} with room: {said[-500:]}"] if code else differences(expected, victim.contents(job))
    return wrong


def read_only(victim: Victim, folder: Path) -> list[str]:
    """A folder that nobody may write to, root included."""
    folder.mkdir(parents=True, exist_ok=True)
    with _mounted(folder, "--bind", str(folder)):
        _mount("-o", "remount,bind,ro", str(folder))
        code, said = run_for(victim.call(folder), _GIVE_UP_S)
    return _not_a_sentence(code, said)


def vanishing(world: World, folder: Path, when: float, cut: bool) -> list[str]:
    """A raster that is removed, or cut short, while it is being mapped: a whole map, or one sentence and none."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    raster = folder / "optical.tif"
    shutil.copy(world.folder / "optical.tif", raster)
    call = _slow_job(world, raster, folder / "map.tif")
    started = time.monotonic()
    code, said = run_for(call, _GIVE_UP_S, slow_s=_SLOW_S)
    if code:
        return [said[-500:]]
    seconds, whole = time.monotonic() - started, content(folder / "map.tif")
    for path in folder.glob("map*"):
        path.unlink()

    def strike(process: int) -> None:
        if cut:
            os.truncate(raster, 1000)
        else:
            raster.unlink()

    code, said = run_for(call, _GIVE_UP_S, slow_s=_SLOW_S, strike=(when * seconds, strike))
    if code == 0:
        return [] if content(folder / "map.tif") == whole else ["another map"]
    left = [path.name for path in folder.glob("map*") if path.name != "map.tif.work"]
    return _not_a_sentence(code, said) + [f"stray {name}" for name in left]


def slow_reads(world: World, folder: Path) -> list[str]:
    """Every read takes long: the map is the same, and who cancels does not wait for the rest."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    call = _slow_job(world, world.folder / "optical.tif", folder / "map.tif")
    contents = []
    for slow_s in (0.0, _SLOW_S):
        started = time.monotonic()
        code, said = run_for(call, _GIVE_UP_S, slow_s=slow_s)
        seconds = time.monotonic() - started
        if code:
            return [said[-500:]]
        contents.append(map_contents(folder))
        for path in folder.glob("map*"):
            path.unlink()
    wrong = differences(*contents)
    asked: list[float] = []

    def cancel(process: int) -> None:
        asked.append(time.monotonic())
        os.kill(process, signal.SIGINT)

    code, said = run_for(call, _GIVE_UP_S, slow_s=_SLOW_S, strike=(seconds / 2, cancel))
    waited = time.monotonic() - asked[0]
    wrong += [f"exit {code} after Ctrl-C, expected 3: {said[-500:]}"] if code != CANCELLED else []
    return wrong + ([f"{waited:.1f} s from Ctrl-C to the end"] if waited > _PATIENCE_S else [])


def _slow_job(world: World, raster: Path, out: Path) -> list[str]:
    layers = ["--layer", f"optical={raster}", "--layer", f"height={world.folder / 'height.tif'}"]
    return arguments("engine.predict", world.model, *layers, "--out", out)


@contextmanager
def _mounted(folder: Path, *options: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    _mount(*options, str(folder))
    try:
        yield
    finally:
        subprocess.run([_tool("umount"), str(folder)], check=True)


def _mount(*options: str) -> None:
    subprocess.run([_tool("mount"), *options], check=True)


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is not there: faults of disks need Linux, and the right to mount")
    return found


def _not_a_sentence(code: int, said: str) -> list[str]:
    """What is wrong with how a command refused."""
    wrong = [] if code == 2 else [f"exit {code}, expected 2: {said[-500:]}"]
    wrong += ["a traceback"] if "Traceback" in said else []
    return wrong + ([] if _SENTENCE in said else ["no sentence"])
