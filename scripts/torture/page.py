"""What torture found, as lines and as the page docs/torture.md."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import rasterio

from engine import __version__
from engine.device import describe_device

Found = Sequence[dict[str, Any]]
_BAD = ("bug", "hang", "crash")
_PACKAGES = ("torch", "safetensors", "rasterio", "pyogrio", "geopandas", "numpy", "scipy", "pydantic")


def failures(found: Found) -> list[dict[str, Any]]:
    """Findings that something is wrong."""
    return [item for item in found if item.get("wrong") or item.get("outcome") in _BAD]


def summary(found: Found) -> list[str]:
    """A line for each part that was done."""
    lines = []
    for command in dict.fromkeys(item["command"] for item in found if item["part"] == "kills"):
        jobs = [item for item in found if item["part"] == "kills" and item["command"] == command]
        kills, bad = sum(job["kills"] for job in jobs), len(failures(jobs))
        lines.append(f"{command}: {kills} kills in {len(jobs)} jobs, {bad} of them wrong")
    for part in ("cluster", "faults"):
        if faults := [item for item in found if item["part"] == part]:
            lines.append(f"{part}: {len(faults)} tried, {len(failures(faults))} of them wrong")
    for part in ("mutations", "commands"):
        outcomes = Counter(item["outcome"] for item in found if item["part"] == part)
        if outcomes:
            lines.append(f"{part}: {outcomes.total()}: " + ", ".join(f"{n} {what}" for what, n in outcomes.items()))
    return lines


def page(found: Found) -> str:
    """The page."""
    import torch

    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    lines = [
        "# Torture",
        "",
        "`make torture` writes this page. It kills commands at random moments, and workers and schedulers; it fills "
        "disks, takes files away, and gives mutated files to a worker with 2 GB of memory and an alarm. "
        "`scripts/torture/` says how.",
        "",
        f"Engine {__version__}; {describe_device(torch.device('cpu'))}; {platform.system()}; Python "
        f"{platform.python_version()}; GDAL {rasterio.__gdal_version__} (rasters); {versions}.",
        "",
        *_kills([item for item in found if item["part"] == "kills"]),
        *_faults("Workers and schedulers that die", _LOST, [item for item in found if item["part"] == "cluster"]),
        *_faults("Disks and files", _REFUSED, [item for item in found if item["part"] == "faults"]),
        *_mutations(found),
    ]
    return "\n".join(lines)


def _kills(jobs: Found) -> list[str]:
    if not jobs:
        return []
    lines = [
        "## Kills",
        "",
        "`kill -9`, half at random times, half in front of a random touch of the output folder (a file opened for "
        "writing, renamed or removed); then the same command again. Right: it ends by itself with exactly the files of "
        "an undisturbed run, pixel for pixel and weight for weight, and no other file.",
        "",
        "| command | jobs | kills | jobs that ended right |",
        "|---|---|---|---|",
    ]
    for command in dict.fromkeys(job["command"] for job in jobs):
        mine = [job for job in jobs if job["command"] == command]
        right = sum(not job["wrong"] for job in mine)
        lines.append(f"| {command} | {len(mine)} | {sum(job['kills'] for job in mine)} | {right} |")
    return [*lines, ""]


_LOST = (
    "A batch on a Dask cluster of this machine, whose processes get `kill -9` when the first map is there. Right: the "
    "batch ends by itself with exactly the files of an undisturbed one, and no map that was there was made again."
)
_REFUSED = (
    "Right: exit code 2 and one sentence, nothing under a final name, and, once there is room, the undisturbed result; "
    "or the whole result at once."
)


def _faults(title: str, right: str, faults: Found) -> list[str]:
    if not faults:
        return []
    rows = [f"| {item['fault']} | {'; '.join(item['wrong']) or 'right'} |" for item in faults]
    return [
        f"## {title}",
        "",
        right,
        "",
        "| fault | seen |",
        "|---|---|",
        *rows,
        "",
    ]


def _mutations(found: Found) -> list[str]:
    parts = {"mutations": "worker", "commands": "command line"}
    items = [item for item in found if item["part"] in parts]
    if not items:
        return []
    lines = [
        "## Mutated files",
        "",
        "Cut, bits flipped, pieces left out, lying headers, huge numbers, NaN, empty, foreign; number n of a kind is "
        "always the same. Done: the file was still good enough. Refused: exit code 2 and one sentence.",
        "",
        "| through | files | number | done | refused | bug | hang or crash | slowest, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for part, name in parts.items():
        for kind in dict.fromkeys(item["kind"] for item in items if item["part"] == part):
            mine = [item for item in items if (item["part"], item["kind"]) == (part, kind)]
            seen = Counter(item["outcome"] for item in mine)
            slowest = f"{max(item.get('seconds', 0.0) for item in mine):.1f}" if part == "mutations" else ""
            lines.append(
                f"| {name} | {kind} | {len(mine):,} | {seen['done']:,} | {seen['refused']:,} | {seen['bug']} | "
                f"{seen['hang'] + seen['crash']} | {slowest} |"
            )
    return [*lines, ""]
