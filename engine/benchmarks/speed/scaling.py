"""Does a scene of twice the size cost twice the time and no more memory? Whole `engine.predict` processes tell."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess  # nosec B404 - our own commands
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape  # nosec B406 - only writes

import rasterio

from engine.atomic import write_text
from engine.benchmarks.speed.child import printed_by
from engine.benchmarks.speed.jobs import barely_trained, default_job
from engine.benchmarks.speed.scene import TimingScene, write_timing_scene
from engine.device import choose_device, choose_precision, describe_device, set_threads
from engine.errors import ConfigError, EngineError
from engine.progress import Progress

_TILE_PX = 724  # half a million pixels
_SIZES = ((1, 3), (2, 3), (4, 3), (8, 1))  # tiles along a side, rounds
_START_PX = 20  # side of a map that is all start and no mapping
# A process counts the memory of the one that started it as its own peak, so that one has to be small.
_ACCOUNTANT = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


@dataclass(frozen=True, slots=True)
class SizeCost:
    """One size of scene; the processor time that a program's start takes is left out.

    Attributes:
        pixels: mapped.
        cpu_seconds: of all threads, median over rounds.
        memory: peak, resident bytes, the largest of all rounds.
    """

    pixels: int
    cpu_seconds: float
    memory: int

    @property
    def per_million(self) -> float:
        """Processor seconds for a million pixels."""
        return self.cpu_seconds / self.pixels * 1e6


def run_scaling(
    out: Path, device: str, precision: str, threads: int | None, progress: Progress, cancelled: Callable[[], bool]
) -> Path:
    """Map scenes of half a million to 33 million pixels, virtual mosaics of one tile; return the page's path.

    Raises:
        ConfigError: the system does not tell what a process used.
        Cancelled: `cancelled` said so.
    """
    if not hasattr(os, "killpg"):
        raise ConfigError("scaling needs a system that tells what a process used (Linux, macOS); run it there")
    set_threads(threads)
    tile = write_timing_scene(out / "tile", _TILE_PX)
    model = barely_trained(default_job(tile), out / "run", device, precision, progress, cancelled)
    options = [f"--device={device}", f"--precision={precision}", *([] if threads is None else [f"--threads={threads}"])]
    command = [sys.executable, "-m", "engine.predict", str(model), "--overwrite", "--progress=none", *options]

    def cost(layers: Mapping[str, Path], rounds: int, side_px: int) -> SizeCost:
        """Of the upper left `side_px` x `side_px` pixels, start included."""
        extent = ",".join(map(str, tile.extent(side_px)))
        given = [f"--layer={name}={path}" for name, path in layers.items()]
        runs = [
            _run([*command, f"--out={out / 'map.tif'}", f"--extent={extent}", *given], cancelled) for _ in range(rounds)
        ]
        return SizeCost(side_px**2, statistics.median(run[0] for run in runs), max(run[1] for run in runs))

    start = cost(tile.layers, _SIZES[0][1], _START_PX)
    sizes = []
    for tiles, rounds in _SIZES:
        progress.log(f"mapping {(tiles * _TILE_PX) ** 2 / 1e6:.1f} million pixels, {rounds} times")
        layers = _mosaics(tile, tiles, out / f"{tiles}x{tiles}")
        whole = cost(layers, rounds, tiles * _TILE_PX)
        sizes.append(SizeCost(whole.pixels, whole.cpu_seconds - start.cpu_seconds, whole.memory))
    place = choose_device(device)
    facts = {
        "device": describe_device(place), "precision": choose_precision(place, precision),
        "start": asdict(start), "sizes": [asdict(size) for size in sizes],
    }  # fmt: skip
    write_text(out / "scaling.json", json.dumps(facts, indent=2) + "\n")
    return _write_page(facts, start, sizes, out)


def _mosaics(tile: TimingScene, tiles: int, folder: Path) -> dict[str, Path]:
    """The tile repeated `tiles` times along both axes, as one VRT for each layer."""
    folder.mkdir(parents=True, exist_ok=True)
    mosaics = {}
    for name, path in tile.layers.items():
        with rasterio.open(path) as file:
            transform, crs, nodata, side = file.transform, file.crs, file.nodata, file.width
            kinds = {"uint16": "UInt16", "float32": "Float32"}
            bands = [(band, kinds[kind]) for band, kind in enumerate(file.dtypes, 1)]
        rows = [(row * side, col * side) for row in range(tiles) for col in range(tiles)]
        text = "".join(
            f'<VRTRasterBand dataType="{kind}" band="{band}"><NoDataValue>{nodata}</NoDataValue>'
            + "".join(
                f'<SimpleSource><SourceFilename relativeToVRT="0">{escape(str(path.resolve()))}</SourceFilename>'
                f'<SourceBand>{band}</SourceBand><SrcRect xOff="0" yOff="0" xSize="{side}" ySize="{side}"/>'
                f'<DstRect xOff="{left}" yOff="{top}" xSize="{side}" ySize="{side}"/></SimpleSource>'
                for top, left in rows
            )
            + "</VRTRasterBand>"
            for band, kind in bands
        )
        corners = ", ".join(map(str, transform.to_gdal()))
        mosaics[name] = folder / f"{name}.vrt"
        mosaics[name].write_text(
            f'<VRTDataset rasterXSize="{tiles * side}" rasterYSize="{tiles * side}"><SRS>{escape(crs.to_wkt())}</SRS>'
            f"<GeoTransform>{corners}</GeoTransform>{text}</VRTDataset>",
            encoding="utf-8",
        )
    return mosaics


def _run(command: list[str], cancelled: Callable[[], bool]) -> tuple[float, int]:
    """Processor seconds and peak resident bytes of a process."""
    accountant = subprocess.Popen(  # nosec B603 - a list of arguments, no shell
        [sys.executable, "-c", _ACCOUNTANT, *command], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    printed = printed_by(accountant, partial(os.killpg, accountant.pid, signal.SIGTERM), cancelled)
    code, seconds, resident = printed.split()
    if int(code):
        raise EngineError(f"{' '.join(command)} ended with {code}; its message is above")
    return float(seconds), int(resident) * (1 if sys.platform == "darwin" else 1024)


def _write_page(facts: Mapping[str, object], start: SizeCost, sizes: list[SizeCost], out: Path) -> Path:
    rates = [size.per_million for size in sizes]
    middle = statistics.mean((min(rates), max(rates)))
    rounds = dict(zip(sizes, (rounds for _, rounds in _SIZES), strict=True))
    lines = [
        "# Cost and size",
        "",
        f"{facts['device']}, {facts['precision']}; the default model, three sensors, virtual mosaics of one tile; "
        f"whole processes. Starting takes {start.cpu_seconds:.1f} s of processor time and {start.memory / 1e9:.2f} GB; "
        "the time is left out below.",
        "",
        "| million pixels | rounds | processor seconds | for a million pixels | peak memory, GB |",
        "|---|---|---|---|---|",
        *(
            f"| {size.pixels / 1e6:.1f} | {rounds[size]} | {size.cpu_seconds:,.1f} | {size.per_million:.2f} "
            f"| {size.memory / 1e9:.2f} |"
            for size in sizes
        ),
        "",
        f"Cost is linear in size within ±{(max(rates) - middle) / middle:.0%} of the middle.",
        "",
    ]
    path = out / "scaling.md"
    write_text(path, "\n".join(lines))
    return path
