"""Tell what this machine has, and test in a few seconds that the engine works on it."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine import __version__
from engine.commandline import command_parser, run
from engine.errors import EngineError
from engine.progress import Progress

PACKAGES = ("numpy", "scipy", "torch", "torchvision", "open_clip_torch", "timm", "rasterio", "geopandas", "safetensors")


def make_parser() -> argparse.ArgumentParser:
    """The options of this command: the common ones."""
    return command_parser("diagnose", __doc__)


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Report versions, device, memory and disk, then run the self test."""
    facts: dict[str, str] = {
        "engine": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        **{name: _version(name) for name in PACKAGES},
        "memory": _memory(),
        "disk": f"{shutil.disk_usage(tempfile.gettempdir()).free / 2**30:.1f} GiB free in {tempfile.gettempdir()}",
    }
    start = time.monotonic()
    facts |= _test_raster()
    facts |= _test_network(arguments)
    progress.result({**facts, "self test": f"passed in {time.monotonic() - start:.1f} s"})


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _memory() -> str:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total, free = (page * os.sysconf(name) / 2**30 for name in ("SC_PHYS_PAGES", "SC_AVPHYS_PAGES"))
    except (AttributeError, ValueError):  # Windows has no sysconf, macOS no count of free pages
        return "unknown"
    return f"{total:.1f} GiB, {free:.1f} GiB of it free"


def _test_raster() -> dict[str, str]:
    """Write a small compressed GeoTIFF and read it back."""
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    values = np.arange(64 * 48, dtype=np.float32).reshape(1, 64, 48)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test.tif"
        with rasterio.open(
            path, "w", driver="GTiff", count=1, height=64, width=48, dtype="float32",
            crs="EPSG:32633", transform=from_origin(500_000, 5_800_000, 10, 10), compress="deflate",
        ) as file:  # fmt: skip
            file.write(values)
        with rasterio.open(path) as file:
            if not (file.read() == values).all() or file.crs.to_epsg() != 32633:
                raise EngineError("self test: a GeoTIFF read back differs from what was written; reinstall rasterio")
    return {"gdal": rasterio.__gdal_version__}


def _test_network(arguments: argparse.Namespace) -> dict[str, str]:
    """One step forward and backward on the chosen device."""
    import torch

    from engine.device import autocast, choose_device, choose_precision, describe_device, set_threads

    set_threads(arguments.threads)
    device = choose_device(arguments.device)
    precision = choose_precision(device, arguments.precision)
    torch.manual_seed(arguments.seed or 0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(4, 32, 3, padding=1), torch.nn.GELU(), torch.nn.Flatten(2), torch.nn.Linear(14 * 14, 5)
    ).to(device)
    with autocast(device, precision):
        loss = network(torch.randn(8, 4, 14, 14, device=device)).float().square().mean()
    loss.backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    if not all(gradient is not None and bool(torch.isfinite(gradient).all()) for gradient in gradients):
        raise EngineError(f"self test: a training step on {device} gave no finite gradient; try --device cpu")
    return {"device": describe_device(device), "precision": precision}


if __name__ == "__main__":
    sys.exit(run(make_parser(), main))
