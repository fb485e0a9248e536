"""How the scenes of a batch are to be mapped: plain values that travel to the workers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine import __version__
from engine.batch.scene import Scene
from engine.mapping.job import MapJob, stamp
from engine.mapping.shards import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What all scenes of a batch share; the rest is as in `MapJob`.

    Attributes:
        model: the model file.
        model_sha256: its checksum.
        out: the batch's folder.
        confidence, probabilities, sensors_used: whether to write these rasters, too.
        reference: modality whose grid is mapped, where a scene has it.
        shard_pixels: larger scenes are cut into strips of so many pixels.
        overwrite: replace maps that were made otherwise.
        version: of the engine that gave the order; workers must have the same.
    """

    model: Path
    model_sha256: str
    out: Path
    confidence: bool = False
    probabilities: bool = False
    sensors_used: bool = False
    reference: str | None = None
    overlap: int = 1
    batch_size: int | None = None
    weights: Path | None = None
    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    shard_pixels: int = 2**24
    overwrite: bool = False
    version: str = __version__

    def ticket(self, scene: Scene) -> str:
        """What decides a scene's maps, as one short text: a map with the same ticket need not be made again.

        Device, precision and batch size are left out: they are how, not what.
        """
        decisive = asdict(self)
        for key in (
            "model", "out", "batch_size", "weights", "device", "precision", "threads", "shard_pixels", "overwrite",
        ):  # fmt: skip
            del decisive[key]
        decisive["layers"] = {name: _stamp(path) for name, path in sorted(scene.layers.items())}
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]

    def folder(self, scene_id: str) -> Path:
        """Where a scene's files lie."""
        return self.out / scene_id

    def map_path(self, scene_id: str) -> Path:
        """A scene's class map."""
        return self.folder(scene_id) / f"{scene_id}.tif"

    def item_path(self, scene_id: str) -> Path:
        """The STAC item of a scene's map."""
        return self.folder(scene_id) / f"{scene_id}.json"

    def job(self, scene: Scene) -> MapJob:
        """The scene as a job of the mapping room."""
        stem = self.folder(scene.id) / scene.id
        out = self.map_path(scene.id)
        return MapJob(
            model=self.model,
            layers=scene.layers,
            out=out,
            confidence=Path(f"{stem}_confidence.tif") if self.confidence else None,
            probabilities=Path(f"{stem}_probabilities.tif") if self.probabilities else None,
            sensors_used=Path(f"{stem}_sensors.tif") if self.sensors_used else None,
            report=Path(f"{stem}_report.json"),
            reference=self.reference if self.reference in scene.layers else None,
            overlap=self.overlap,
            batch_size=self.batch_size,
            weights=self.weights,
            device=self.device,
            precision=self.precision,
            threads=self.threads,
            resume=True,
            # Without its class map, whatever else is there was left by a process that died while naming its files.
            overwrite=self.overwrite or not out.exists(),
            ticket=self.ticket(scene),
        )


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work.

    Attributes:
        scene: of which scene.
        rows: the strip to map, for a shard.
        strips: all strips, for putting a map together.
        attempt: how many times it failed before.
        lost: how many times its cluster went away under it.
    """

    scene: Scene
    rows: Rows | None = None
    strips: tuple[Rows, ...] = ()
    attempt: int = 0
    lost: int = 0


def _stamp(path: Path) -> list[Any] | None:
    """See `stamp`; None where the file is missing, which is for its worker to say."""
    try:
        return stamp(path)
    except OSError:
        return None
