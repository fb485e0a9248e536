"""What all rooms' tests share: factories for small rasters and scenes, commands run in this process, real data.

Environment:
    MAMOL_DATA     folder of the real scenes (default: `shared/data` beside the checkout)
    MAMOL_WEIGHTS  folder of pretrained weights (default: `shared/weights` beside the checkout)
    MAMOL_NO_SKIPS a skipped test fails (continuous integration)
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
UTM33 = "EPSG:32633"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests marked `gpu` out on machines without a CUDA device: not skipped, not there."""
    gpu = [item for item in items if item.get_closest_marker("gpu")]
    if not gpu:
        return
    import torch

    if not torch.cuda.is_available():
        config.hook.pytest_deselected(items=gpu)
        items[:] = [item for item in items if item not in gpu]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Undo what commands and workers in this process set in the environment: no network for GDAL, for instance.

    No fixture could: those of modules and sessions are made before it, and what they set would pass for given.
    """
    before = dict(os.environ)
    try:
        return (yield)
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Turn skips into failures where MAMOL_NO_SKIPS is set."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("MAMOL_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped here: {report.longrepr}"
    return report


def write_raster(
    path: Path, array, transform=None, crs=UTM33, nodata=None, descriptions=None, tags=None, **profile
) -> Path:
    """Write an array (bands, rows, cols) or (rows, cols) to a GeoTIFF.

    Defaults: 10 m pixels north-up in UTM 33N with the corner at (500000, 5800000), no nodata. Further keywords go to
    rasterio (`tiled`, `compress`, ...).
    """
    import rasterio
    from rasterio.transform import from_origin

    array = np.asarray(array)
    array = array[None] if array.ndim == 2 else array
    path.parent.mkdir(parents=True, exist_ok=True)
    profile |= {"count": array.shape[0], "height": array.shape[1], "width": array.shape[2], "dtype": array.dtype}
    profile |= {"transform": transform or from_origin(500_000, 5_800_000, 10, 10), "crs": crs, "nodata": nodata}
    with rasterio.open(path, "w", driver="GTiff", **profile) as file:
        file.write(array)
        for band, text in enumerate(descriptions or (), start=1):
            file.set_band_description(band, text)
        for band, band_tags in enumerate(tags or (), start=1):
            file.update_tags(band, **band_tags)
    return path


def write_scene(folder: Path, extra: str = "", rows: int = 48, cols: int = 60, seed: int = 0) -> Path:
    """Write a small scene that a network learns in a few steps; return the path of its config.toml.

    Three classes in vertical stripes. `optical` (4 bands) tells class 1 from the others, `height` (1 band) tells class
    2: each alone is not enough. Files lie beside the configuration: optical.tif, height.tif, labels.tif. `extra` is
    TOML text appended to the configuration.
    """
    rng = np.random.default_rng(seed)
    classes = (np.arange(cols) // 5 % 3 + 1)[None].repeat(rows, 0).astype(np.uint8)
    optical = 0.3 * (classes == 1) + 0.05 * rng.standard_normal((4, rows, cols)) + 0.2
    height = 8.0 * (classes == 2) + rng.standard_normal((rows, cols))
    write_raster(folder / "optical.tif", optical.astype(np.float32))
    write_raster(folder / "height.tif", height.astype(np.float32))
    write_raster(folder / "labels.tif", classes, nodata=0)
    path = folder / "config.toml"
    path.write_text(
        "[scene]\n[scene.modalities]\noptical = 'optical.tif'\nheight = 'height.tif'\n"
        f"[scene.labels]\npath = 'labels.tif'\n{extra}"
    )
    return path


@pytest.fixture
def make_raster(tmp_path: Path) -> Callable[..., Path]:
    """`write_raster` into tmp_path, by file name."""
    return lambda name, array, **keywords: write_raster(tmp_path / name, array, **keywords)


@pytest.fixture
def make_scene(tmp_path: Path) -> Callable[..., Path]:
    """`write_scene` into tmp_path."""
    return partial(write_scene, tmp_path)


@pytest.fixture
def run_parser(capsys) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run a parser's command in this process, as a command line would: (exit code, stdout, stderr)."""
    from engine.commandline import run

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(parser: object, main: object, *arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(parser, main, [str(argument) for argument in arguments])
        output = capsys.readouterr()
        return code, output.out, output.err

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def run_command(run_parser) -> Callable[..., tuple[int, str, str]]:
    """Run `python -m engine.NAME ARGUMENTS` in this process: (exit code, stdout, stderr)."""

    def call(name: str, *arguments: object) -> tuple[int, str, str]:
        command = importlib.import_module(f"engine.{name}")
        return run_parser(command.make_parser(), command.main, *arguments)

    return call


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 1 MB; needs the right to mount."""
    import subprocess

    folder = tmp_path / "small_disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real scenes."""
    return _beside("MAMOL_DATA", "data", "real scenes")


@pytest.fixture(scope="session")
def pretrained_weights() -> Path:
    """Folder of pretrained backbone weights."""
    return _beside("MAMOL_WEIGHTS", "weights", "pretrained weights")


def _beside(variable: str, name: str, what: str) -> Path:
    folder = Path(os.environ.get(variable) or ROOT.parent / "shared" / name)
    if not folder.is_dir():
        pytest.skip(f"{what} are not at hand: {variable} is not set and {folder} does not exist")
    return folder
