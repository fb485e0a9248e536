"""What is done with a mutated file: all that the commands would do with it. Runs inside the limited worker."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import torch

from engine.batch.generate import generate_maps
from engine.batch.order import Order
from engine.bundle import LoadedModel, load_model
from engine.checksum import file_sha256
from engine.commandline import _with_job
from engine.config import load_config
from engine.errors import Cancelled
from engine.inspect import describe_model, lines_about
from engine.mapping.job import MapJob
from engine.mapping.map import predict_map
from engine.model.build import build_network
from engine.modelfile import read_info
from engine.predict import make_parser
from engine.progress import SilentProgress
from engine.raster.grid import Grid
from engine.raster.labels import read_labels
from engine.raster.raster_file import RasterFile
from engine.training.prepare import prepare
from scripts.torture.mutations import label_file

CPU = torch.device("cpu")
_PATIENCE_S = 10.0


class Victims:
    """One method for each kind of file; each raises what the command would see.

    Args:
        world: folder of the whole files.
        scratch: folder for mutated files and outputs.
    """

    def __init__(self, world: Path, scratch: Path) -> None:
        self.world, self.scratch = world, scratch
        self.loaded: LoadedModel = load_model(world / "run" / "model.safetensors", CPU)
        model = world / "run" / "model.safetensors"
        self.order = Order(
            model=model, model_sha256=file_sha256(model), out=scratch / "maps", device="cpu", precision="float32",
            threads=1,
        )  # fmt: skip
        with closing(RasterFile(world / "optical.tif")) as raster:
            self.grid: Grid = raster.grid
        self.kinds: dict[str, Callable[[Path], None]] = {
            "model": self.model, "config": self.config, "job": self.job, "table": self.table,
            "raster": self.raster, "labels": self.labels,
        }  # fmt: skip

    def model(self, path: Path) -> None:
        """Look at it, load it, and map with it."""
        lines_about({"model": describe_model(read_info(path))})
        self._map(self._map_job(path, self.world / "optical.tif"), load_model(path, CPU))

    def config(self, path: Path) -> None:
        """Read it, open and split its scenes, build its network."""
        config = load_config(path)
        with closing(prepare(config)) as data:
            build_network(data.config.model, config.missing.absent, data.modalities, len(data.legend))

    def job(self, path: Path) -> None:
        """Parse it as arguments of predict."""
        make_parser().parse_args(_with_job(make_parser(), ["--job", str(path)]))

    def table(self, path: Path) -> None:
        """Map the scenes in it."""
        started = time.monotonic()
        with contextlib.suppress(Cancelled):
            generate_maps(str(path), self.order, SilentProgress(), lambda: time.monotonic() - started > _PATIENCE_S)

    def raster(self, path: Path) -> None:
        """Map it."""
        self._map(self._map_job(self.world / "run" / "model.safetensors", path), self.loaded)

    def labels(self, path: Path) -> None:
        """Read it as labels."""
        labelled = label_file(path)
        read_labels(labelled, grid=self.grid, field=None if labelled.suffix == ".tif" else "class")

    def _map(self, job: MapJob, model: LoadedModel) -> None:
        """Map, but for so many seconds only: a large image is no hang, as long as whoever stops it is heard."""
        started = time.monotonic()
        with contextlib.suppress(Cancelled):
            predict_map(job, cancelled=lambda: time.monotonic() - started > _PATIENCE_S, predictor=model)

    def _map_job(self, model: Path, raster: Path) -> MapJob:
        return MapJob(
            model=model, layers={"optical": raster, "height": self.world / "height.tif"}, out=self.scratch / "map.tif",
            confidence=self.scratch / "confidence.tif", report=self.scratch / "report.html", device="cpu",
            precision="float32", threads=1,
        )  # fmt: skip


def write_job(world: Path) -> None:
    """A job file of predict, to be mutated."""
    job = {
        "model": str(world / "run" / "model.safetensors"), "out": "map.tif", "confidence": "confidence.tif",
        "layer": {"optical": str(world / "optical.tif"), "height": str(world / "height.tif")}, "overlap": 1,
        "extent": "500000,5799500,500500,5800000", "resume": False, "batch-size": 16, "threads": 1,
    }  # fmt: skip
    (world / "job.json").write_text(json.dumps(job), encoding="utf-8")
