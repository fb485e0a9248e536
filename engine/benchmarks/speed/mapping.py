"""Mapping from files to files: rate, what it waits for, and where the network's time goes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.benchmarks.speed.stages import StageClock, counted_flops
from engine.bundle import LoadedModel
from engine.device import set_threads
from engine.mapping.job import MapJob
from engine.mapping.map import predict_map


@dataclass(frozen=True, slots=True)
class MappingSpeed:
    """One model on one scene, medians over rounds.

    Attributes:
        pixels: mapped in a round.
        seconds: wall clock, files to files, with the model in memory.
        cpu_seconds: of the process, all threads.
        stages: seconds of reading, predicting, writing (side by side) and assembling.
        shares: of the network's time, by part.
        flops: floating-point operations of products, convolutions and attention for one pixel.
    """

    pixels: int
    seconds: float
    cpu_seconds: float
    stages: dict[str, float]
    shares: dict[str, float]
    flops: float

    @property
    def rate(self) -> float:
        """Pixels per second."""
        return self.pixels / self.seconds

    @property
    def waiting(self) -> float:
        """Share of the wall clock in which the model was not at work: input and output that nothing hides."""
        return 1 - self.stages["predicting"] / self.seconds

    @property
    def gflops(self) -> float:
        """GFLOP/s while the model was at work."""
        return self.flops * self.pixels / self.stages["predicting"] / 1e9


def measure_mapping(
    loaded: LoadedModel,
    model: Path,
    layers: Mapping[str, Path],
    out: Path,
    precision: str,
    device: str,
    rounds: int,
    extent: tuple[float, float, float, float] | None = None,
) -> MappingSpeed:
    """Map the layers several times, once more under the clock of the network's parts, and once counting operations.

    Args:
        loaded: the model of the file `model`, on `device`.
        model: its file, named in the map.
        layers: raster by modality name.
        out: the map, overwritten again and again.
        precision: see the common options.
        device: see the common options.
        rounds: how many times to map.
        extent: part of the scene, in its CRS.
    """
    job = MapJob(
        model=model, layers=layers, out=out, device=device, precision=precision, extent=extent, overwrite=True
    )  # fmt: skip
    predict_map(job, predictor=loaded)  # warm up
    runs = []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        facts = predict_map(job, predictor=loaded)
        runs.append((time.perf_counter() - wall, time.process_time() - cpu, facts["stages"], facts["mapped_pixels"]))
    threads = set_threads(None)
    set_threads(1)  # clock and counter see one thread's work
    with StageClock(loaded.network, next(loaded.network.parameters()).device) as clock:
        predict_map(job, predictor=loaded)
    total = sum(clock.seconds.values())
    with torch.inference_mode():
        flops = counted_flops(lambda: predict_map(job, predictor=loaded))
    set_threads(threads)
    return MappingSpeed(
        pixels=runs[0][3],
        seconds=statistics.median(run[0] for run in runs),
        cpu_seconds=statistics.median(run[1] for run in runs),
        stages={stage: statistics.median(run[2][stage] for run in runs) for stage in runs[0][2]},
        shares={stage: seconds / total for stage, seconds in clock.seconds.items()},
        flops=flops / runs[0][3],
    )
