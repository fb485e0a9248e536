"""The story of a map: look, read block by block, predict, write, assemble.

    layers --reader thread--> blocks --model--> probabilities --writer thread--> work folder --> checked GeoTIFFs

Memory is bounded by the size of a block, whatever the size of the scene. An interrupted job leaves its work folder and
nothing else; with `resume` the next one goes on from there. `shards.py` tells the same story in several processes.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.device import crew
from engine.errors import Cancelled, ModelFileError, NodataError
from engine.mapping.infer import BlockModel, Predictor
from engine.mapping.job import MapJob
from engine.mapping.output import write_maps
from engine.mapping.pipeline import Stopwatch, WriteBehind, read_ahead
from engine.mapping.plan import InputBlock, Plan, read_block
from engine.mapping.products import encode_block
from engine.mapping.report import map_facts
from engine.mapping.room import check_room
from engine.mapping.setup import Setup, prepared
from engine.mapping.store import BlockStore, Journal, clear, sole_user, work_folder
from engine.mapping.summary import Totals
from engine.mapping.survey import describe_grid, describe_patterns, describe_values, incomplete_layers, take_survey
from engine.progress import Progress, SilentProgress
from engine.raster.area import row_area_m2
from engine.raster.windows import Window, blocks

_ABSURD = 1e4  # standard deviations; a value so far out is no measurement


def predict_map(
    job: MapJob,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    predictor: Predictor | None = None,
) -> dict[str, Any]:
    """Make the maps of a job.

    Args:
        job: what to do.
        progress: told what happens; default: silent but for warnings.
        cancelled: asked before every batch and every few rows of output.
        predictor: a loaded model, on the job's device, instead of the one to be loaded from `job.model`.

    Returns:
        Facts of the map, JSON-able; see `report.map_facts`. `stages` are the seconds that reading, predicting, writing
        and assembling took in this sitting; the first three run side by side.

    Raises:
        EngineError: the user has to change something.
        Cancelled: `cancelled` said so; the work folder stays for `resume`.
    """
    with prepared(job, predictor) as setup:
        return map_whole(setup, progress or SilentProgress(), cancelled)


def map_whole(setup: Setup, progress: Progress, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Make the maps of a prepared job in one piece; see `predict_map`."""
    job, plan, stopwatch = setup.job, setup.plan, Stopwatch()
    look(plan, progress, cancelled)
    folder = work_folder(job.out)
    work = blocks_mapped(setup, plan.area, folder, setup.identity, stopwatch, progress, cancelled)
    with sole_user(folder):
        check_room(setup, folder, progress)
        with work as (store, totals):
            if not totals.mapped:
                raise nothing_to_map(plan)
            facts = map_facts(job, plan, totals, **setup.run)
            with stopwatch("assembling"):
                write_maps(job, plan, totals, store.read_rows, facts, progress, cancelled)
            shutil.rmtree(folder, ignore_errors=True)
    return facts | {"stages": {stage: round(seconds, 3) for stage, seconds in stopwatch.seconds.items()}}


def look(plan: Plan, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Say what to expect, before the work begins.

    Raises:
        NodataError: there is nothing to map.
        Cancelled: `cancelled` said so.
    """
    survey = take_survey(plan.stack, plan.info.names, plan.area, plan.inside, cancelled)
    if survey.complete and survey.pixels == survey.patterns[0]:
        raise nothing_to_map(plan)
    sentence, warnings = describe_patterns(survey, plan.info)
    progress.log(sentence)
    warnings += describe_values(survey, plan.info) + describe_grid(plan.grid, plan.info)
    warnings += plan.stack.doubts(incomplete_layers(survey, plan.info.names))
    for warning in warnings:
        progress.warning(warning)


@contextmanager
def blocks_mapped(
    setup: Setup,
    area: Window,
    folder: Path,
    identity: Mapping[str, Any],
    stopwatch: Stopwatch,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> Iterator[tuple[BlockStore, Totals]]:
    """Map all blocks of `area` and hand out their pixels; whatever happens, finished blocks stay in `folder`.

    Args:
        setup: the job.
        area: the part of the reference grid to map.
        folder: the work folder, held by nobody else (`sole_user`).
        identity: what an interrupted job must share with this one to be gone on with.
        stopwatch: counts what reading, predicting and writing take.
        progress: told what happens.
        cancelled: asked before every batch.

    Raises:
        EngineError: the user has to change something.
        Cancelled: `cancelled` said so.
    """
    plan, workers = setup.plan, crew(setup.device)
    model = BlockModel(
        setup.load(), plan.tiling, setup.device, setup.precision, setup.job.batch_size, cancelled, workers
    )
    at_once = f"{workers} times {model.batch}" if workers > 1 else model.batch
    progress.log(f"mapping on {setup.run['device']} in {setup.precision}, {at_once} windows at once")
    journal = _journal(setup, folder, identity, progress)
    with closing(model), _kept_if_unfinished(journal, progress):
        journal.save()
        windows = list(blocks(plan.stack.grid.height, plan.stack.grid.width, journal.block_px, area))
        with closing(BlockStore(folder, plan.layouts, area, windows, journal.finished)) as store:
            yield store, _map(plan, model, journal, store, stopwatch, progress, cancelled)


def _journal(setup: Setup, folder: Path, identity: Mapping[str, Any], progress: Progress) -> Journal:
    """The journal to go on with: that of an interrupted job, or a new one."""
    old = Journal.load(folder, identity) if setup.job.resume else None
    if old is not None:
        progress.log(f"resuming after {old.finished} finished blocks")
        return old
    if setup.job.resume:
        progress.log("nothing to resume, starting afresh")
    elif Journal.exists(folder):
        progress.log("discarding the unfinished map of an earlier job (--resume would have gone on with it)")
    clear(folder)
    return Journal(folder, dict(identity), setup.plan.block_px)


@contextmanager
def _kept_if_unfinished(journal: Journal, progress: Progress) -> Iterator[None]:
    """Keep the work folder of a job that does not finish, if there is work in it."""
    try:
        yield
    except BaseException:
        if journal.finished:
            progress.log(
                f"{journal.finished} finished blocks are kept in {journal.folder}; --resume goes on from there"
            )
        else:
            shutil.rmtree(journal.folder, ignore_errors=True)
        raise


def _map(
    plan: Plan,
    model: BlockModel,
    journal: Journal,
    store: BlockStore,
    stopwatch: Stopwatch,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> Totals:
    """Map the blocks that are not finished yet."""
    totals = Totals.from_json(journal.totals)
    done, total = totals.pixels, store.area.height * store.area.width
    before, started = totals.seconds, time.monotonic()

    def read(area: Window) -> InputBlock:
        with stopwatch("reading"):
            return read_block(plan, area)

    def write(mapped: tuple[InputBlock, np.ndarray]) -> None:
        with stopwatch("writing"):
            keep(*mapped)

    def keep(block: InputBlock, probabilities: np.ndarray) -> None:
        arrays = encode_block(probabilities, block.sensors, plan.info.legend)
        store.append(arrays)
        rows = row_area_m2(plan.stack.grid, block.area)
        totals.add(arrays["classes"][0], arrays["confidence"][0], block.sensors, rows)
        totals.seconds = before + time.monotonic() - started
        journal.finished += 1
        journal.totals = totals.to_json()
        journal.save()

    def poll() -> None:
        if cancelled():
            raise Cancelled

    progress.step("mapping", done, total, "px")
    with WriteBehind(write) as writer:
        waiting = store.blocks[journal.finished :]
        for block in read_ahead(waiting, read, poll=poll):
            batch = model.batch
            with stopwatch("predicting"):
                probabilities = model.probabilities(block)
            _check_numbers(probabilities, block, plan)
            writer.put((block, probabilities))
            if model.batch < batch:
                progress.warning(f"memory ran out with {batch} windows at once; going on with {model.batch}")
            done += block.area.height * block.area.width
            progress.step("mapping", done, total, "px")
    return totals


def _check_numbers(probabilities: np.ndarray, block: InputBlock, plan: Plan) -> None:
    """Refuse to write a class where the network's arithmetic has overflowed.

    Raises:
        NodataError: it has, and a layer holds values that no sensor measures.
        ModelFileError: it has, with values as they should be.
    """
    if np.isfinite(probabilities).all():
        return
    sizes = {
        name: float(np.abs(values).max())
        for name, values in zip(plan.info.names, block.values, strict=True)
        if values is not None
    }
    name = max(sizes, key=lambda key: np.nan_to_num(sizes[key], nan=np.inf))
    if sizes[name] < _ABSURD:
        raise ModelFileError(
            f"the model's arithmetic overflows near row {block.area.row}, column {block.area.col}, though the layers' "
            "values are like those of training; the model file may be damaged"
        )
    raise NodataError(
        f"{name}: near row {block.area.row}, column {block.area.col} its values are so far from those of training "
        f"({sizes[name]:.3g} standard deviations) that the model cannot compute with them; declare them as nodata"
    )


def nothing_to_map(plan: Plan) -> NodataError:
    """What to say where no pixel can be mapped."""
    names = ", ".join(modality.name for modality in plan.stack.modalities)
    return NodataError(
        f"no pixel of the area has valid data in any layer ({names}); check nodata values and the extent"
    )
