"""The story of a map: look, read block by block, predict, write, assemble.

    layers --reader thread--> blocks --model--> probabilities --writer thread--> work folder --> checked GeoTIFFs

Memory is bounded by the size of a block, whatever the size of the scene. An interrupted job leaves its work folder and
nothing else; with `resume` the next one goes on from there.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np

from engine import disk
from engine.bundle import load_model
from engine.checksum import file_sha256
from engine.device import choose_device, choose_precision, crew, describe_device, set_threads
from engine.errors import Cancelled, ModelFileError, NodataError
from engine.mapping.infer import BlockModel, Predictor
from engine.mapping.job import MapJob
from engine.mapping.layers import open_stack
from engine.mapping.output import write_maps
from engine.mapping.pipeline import Stopwatch, WriteBehind, read_ahead
from engine.mapping.plan import InputBlock, Plan, make_plan, read_block
from engine.mapping.products import encode_block
from engine.mapping.report import map_facts
from engine.mapping.store import BlockStore, Journal, work_folder
from engine.mapping.summary import Totals
from engine.mapping.survey import describe_grid, describe_patterns, describe_values, take_survey
from engine.modelfile import read_info
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
    progress, stopwatch = progress or SilentProgress(), Stopwatch()
    info = read_info(job.model) if predictor is None else predictor.info
    job.check(info)
    set_threads(job.threads)
    device = choose_device(job.device)
    precision = choose_precision(device, job.precision)
    with closing(open_stack(info, job.layers, job.reference)) as stack:
        plan = make_plan(job, info, stack, on_gpu=device.type != "cpu")
        _look(plan, progress, cancelled)
        run = {"device": describe_device(device), "precision": precision, "model_sha256": file_sha256(job.model)}
        loaded = predictor or load_model(job.model, device, job.weights)
        workers = crew(device)
        model = BlockModel(loaded, plan.tiling, device, precision, job.batch_size, cancelled, workers)
        at_once = f"{workers} times {model.batch}" if workers > 1 else model.batch
        progress.log(f"mapping on {run['device']} in {precision}, {at_once} windows at once")
        journal = _journal(job, plan, job.identity(run["model_sha256"], plan.area, precision), progress)
        with closing(model), _kept_if_unfinished(journal, progress):
            journal.save()
            _check_room(job, plan, journal, progress)
            windows = list(blocks(stack.grid.height, stack.grid.width, journal.block_px, plan.area))
            with closing(BlockStore(journal.folder, plan.layouts, plan.area, windows, journal.finished)) as store:
                totals = _map(plan, model, journal, store, stopwatch, progress, cancelled)
                facts = map_facts(job, plan, totals, **run)
                with stopwatch("assembling"):
                    write_maps(job, plan, totals, store, facts, progress, cancelled)
    shutil.rmtree(journal.folder, ignore_errors=True)
    return facts | {"stages": {stage: round(seconds, 3) for stage, seconds in stopwatch.seconds.items()}}


def _look(plan: Plan, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Say what to expect, before the work begins."""
    survey = take_survey(plan.stack, plan.info.names, plan.area, plan.inside, cancelled)
    if survey.complete and survey.pixels == survey.patterns[0]:
        raise _nothing_to_map(plan)
    sentence, warnings = describe_patterns(survey, plan.info)
    progress.log(sentence)
    for warning in [*warnings, *describe_values(survey, plan.info), *describe_grid(plan.grid, plan.info)]:
        progress.warning(warning)


def _journal(job: MapJob, plan: Plan, identity: dict[str, Any], progress: Progress) -> Journal:
    """The journal to go on with: that of an interrupted job, or a new one."""
    folder = work_folder(job.out)
    old = Journal.load(folder, identity) if job.resume else None
    if old is not None:
        progress.log(f"resuming after {old.finished} finished blocks")
        return old
    if job.resume:
        progress.log("nothing to resume, starting afresh")
    elif folder.exists():
        progress.log("discarding the unfinished map of an earlier job (--resume would have gone on with it)")
    shutil.rmtree(folder, ignore_errors=True)
    return Journal(folder, identity, plan.block_px)


def _check_room(job: MapJob, plan: Plan, journal: Journal, progress: Progress) -> None:
    """Refuse what cannot fit on the disks, and warn of what might not: finished maps are packed, nobody knows how well.

    Raises:
        OutputError: there is no room for the pixels that are still to be mapped.
    """
    left = plan.area.height * plan.area.width - Totals.from_json(journal.totals).pixels
    raw = sum(layout.bytes_per_pixel for layout in plan.layouts.values()) * left
    disk.require(journal.folder, raw, "the pixels that are still to be mapped")
    maps = [
        (path.parent, plan.area.height * plan.area.width * plan.layouts[product].bytes_per_pixel * 4 // 3)
        for product, path in job.rasters.items()
    ]
    if warning := disk.shortage([(journal.folder, raw), *maps]):
        progress.warning(f"{warning}; if it runs full, free some space and go on with --resume")


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
    done, total = totals.pixels, plan.area.height * plan.area.width
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
    if not totals.mapped:
        raise _nothing_to_map(plan)
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


def _nothing_to_map(plan: Plan) -> NodataError:
    names = ", ".join(modality.name for modality in plan.stack.modalities)
    return NodataError(
        f"no pixel of the area has valid data in any layer ({names}); check nodata values and the extent"
    )
