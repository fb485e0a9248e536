"""Everything around a batch: what is read before it, and what is written after it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.batch.catalogue import read_scenes
from engine.batch.items import write_collection
from engine.batch.manifest import DONE, FAILED, Manifest
from engine.batch.model_item import write_model_item
from engine.batch.order import Order
from engine.batch.pool import InProcess, Pool
from engine.batch.run import Batch
from engine.batch.scene import Scene
from engine.device import count_gpus
from engine.errors import BatchError, ConfigError, ModalityError
from engine.mapping.store import sole_user
from engine.modelfile import ModelInfo, read_info
from engine.progress import Progress
from engine.raster.mosaic import write_mosaic
from engine.raster.writer import writing

_TOLD = 3  # failed scenes that are named at the end; the manifest has all


def generate_maps(
    source: str,
    order: Order,
    progress: Progress,
    cancelled: Callable[[], bool],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    retries: int = 2,
    mosaic: bool = False,
) -> dict[str, Any]:
    """Map all scenes of a job list that have no map yet.

    Args:
        source: job table, STAC file, or pattern; see `catalogue.read_scenes`.
        order: how to map them.
        progress: told what happens.
        cancelled: asked at every safe point.
        workers: processes of a Dask cluster that is started here; None maps in this process.
        scheduler: address of a running Dask scheduler, instead.
        retries: how many times a task is tried again that failed in a way that may pass.
        mosaic: make one map of all, too.

    Returns:
        Facts of the batch, JSON-able.

    Raises:
        BatchError: some scenes could not be mapped; all others are.
        EngineError: nothing can be mapped before the user changes something.
        Cancelled: `cancelled` said so; the next run goes on.
    """
    info = read_info(order.model)
    # Workers may have another working folder.
    scenes = [
        replace(scene, layers={name: path.absolute() for name, path in scene.layers.items()})
        for scene in read_scenes(source, info.names)
    ]
    _check(order, info, scenes)
    with writing(order.out):
        order.out.mkdir(parents=True, exist_ok=True)
    manifest_path = order.out / "manifest.csv"
    started = time.monotonic()
    with sole_user(manifest_path.with_suffix(".work")):
        manifest = Manifest.load(manifest_path)
        batch = _run(scenes, order, manifest, progress, cancelled, workers, scheduler, retries)
        rows = [manifest.row(scene.id) for scene in scenes]
        done, failed = [row for row in rows if row.state == DONE], [row for row in rows if row.state == FAILED]
        write_model_item(order.out / "model.json", info, order.model, order.model_sha256)
        there = [row.id for row in manifest.rows.values() if row.state == DONE]
        write_collection(order.out, [order.item_path(name) for name in there])
        facts: dict[str, Any] = {
            "manifest": str(manifest_path),
            "scenes": len(scenes),
            "done": len(done),
            "failed": len(failed),
            "mapped_pixels": sum(row.pixels for row in done),
            "seconds": round(time.monotonic() - started, 2),
        }
        if mosaic and done:
            facts |= _mosaic(order, info, [order.map_path(row.id) for row in done], progress)
    progress.result(facts)
    if batch.bugs:
        raise RuntimeError(f"in {len(batch.bugs)} scenes; the first: {batch.bugs[0]}")
    if failed:
        told = "; ".join(f"{row.id}: {row.error}" for row in failed[:_TOLD])
        more = f"; and {len(failed) - _TOLD} more" if len(failed) > _TOLD else ""
        raise BatchError(
            f"{len(failed)} of {len(scenes)} scenes could not be mapped ({told}{more}); all are in {manifest_path}, "
            "and the same command tries them again"
        )
    return facts


def _run(
    scenes: Sequence[Scene],
    order: Order,
    manifest: Manifest,
    progress: Progress,
    cancelled: Callable[[], bool],
    workers: int | None,
    scheduler: str | None,
    retries: int,
) -> Batch:
    """Run the batch where it was asked to."""
    name = uuid.uuid4().hex[:12]
    batch = Batch(scenes, order, manifest, progress, retries)
    if not batch.waiting:
        return batch
    pool = _pool(order, name, progress, cancelled, workers, scheduler)
    try:
        batch.run(pool, cancelled)
    finally:
        pool.close()
    return batch


def _pool(
    order: Order,
    name: str,
    progress: Progress,
    cancelled: Callable[[], bool],
    workers: int | None,
    scheduler: str | None,
) -> Pool:
    if workers is None and scheduler is None:
        return InProcess(order, name, cancelled)
    try:
        from engine.batch.cluster import DaskPool
    except ImportError as error:
        raise ConfigError(
            f'--workers and --scheduler need Dask ({error}); install it with: pip install "mamol-landcover[cluster]"'
        ) from error
    gpus = count_gpus() if scheduler is None and order.device in ("auto", "cuda") else 0
    return DaskPool(order, name, progress, scheduler, workers or 0, gpus)


def _check(order: Order, info: ModelInfo, scenes: Sequence[Scene]) -> None:
    """Refuse at once what would fail every scene."""
    if order.reference is not None and order.reference not in info.names:
        raise ModalityError(
            f"--reference {order.reference}: not a modality of the model; it knows {', '.join(info.names)}"
        )
    order.job(scenes[0]).check_options(info)


def _mosaic(order: Order, info: ModelInfo, maps: Sequence[Path], progress: Progress) -> dict[str, Any]:
    progress.log(f"putting {len(maps)} maps together")
    vrt, cog = order.out / "mosaic.vrt", order.out / "mosaic.tif"
    write_mosaic(maps, vrt, cog, info.legend)
    return {"mosaic": str(cog), "virtual_mosaic": str(vrt)}
