"""A tiny real network, and small scenes that lack this sensor or that."""

from __future__ import annotations

import csv
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.conftest import ROOT, write_raster
from tests.mapping.conftest import make_info

SCRIPT = ROOT / "scripts" / "generate_maps.py"
VARIANTS = {"both": ("optical", "height"), "optical": ("optical",), "height": ("height",)}


def write_model(path: Path) -> Path:
    """A model of `optical` (3 bands) and `height` (1 band) with random weights."""
    import torch

    from engine.bundle import save_model
    from engine.config import ModelConfig
    from engine.model.build import build_network, resolve_model_config

    torch.manual_seed(0)
    config = resolve_model_config(ModelConfig(window=16, token_px=4, core=8, width=16, depth=1, heads=2, stem_width=8))
    info = make_info({"optical": 3, "height": 1}, model=config.model_dump(mode="json"))
    save_model(path, build_network(config, "skip", info.modalities, len(info.legend)), info)
    return path


def write_scenes(folder: Path, count: int = 2, rows: int = 40, cols: int = 50) -> Path:
    """`count` places with all sensors, with one and with the other, and a job table of them."""
    rng = np.random.default_rng(0)
    table = []
    for place in range(count):
        corner = rasterio.transform.from_origin(500_000 + 10 * cols * place, 5_800_000, 10, 10)
        files = {}
        for name, bands in {"optical": 3, "height": 1}.items():
            values = rng.standard_normal((bands, rows, cols)).astype(np.float32)
            values[:, : 6 + place, : 8 + 3 * bands] = np.nan
            files[name] = write_raster(folder / f"{name}{place}.tif", values, corner, nodata=float("nan"))
        for variant, names in VARIANTS.items():
            cells = {name: files[name].name if name in names else "" for name in files}
            table.append({"id": f"place{place}-{variant}", "datetime": "2021-06-01T10:00:00Z", **cells})
    return write_table(folder / "jobs.csv", table)


def write_table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture
def jobs(tmp_path) -> Path:
    return write_scenes(tmp_path)


@pytest.fixture
def generate(run_parser, model, tmp_path) -> Callable[..., tuple[int, str, str]]:
    """Run `generate_maps.py JOBS ...` in this process with the tiny model, into tmp_path/maps."""
    script = runpy.run_path(str(SCRIPT), run_name="generate_maps")

    def call(jobs: Path | str, *options: object) -> tuple[int, str, str]:
        common = ["--model", model, "--out", tmp_path / "maps", "--device=cpu", "--precision=float32"]
        return run_parser(script["make_parser"](), script["main"], jobs, *common, *options)

    return call


def command(jobs: Path, model: Path, out: Path, *options: str) -> list[str]:
    """The same as a command line, for a process of its own."""
    common = [f"--model={model}", f"--out={out}", "--device=cpu", "--precision=float32", "--progress=json"]
    return [sys.executable, str(SCRIPT), str(jobs), *common, *options]


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read()
