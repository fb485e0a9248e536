"""A large map in several processes: each maps some block rows, one puts the map together.

A shard is a strip of whole block rows, cut at the block edges that the undivided map has. It is mapped by the same code
into a work folder of its own inside the map's, so its blocks are those of the undivided map, and so are their pixels. A
finished shard stays in its folder until all are merged.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import ResumeError
from engine.mapping.infer import Predictor
from engine.mapping.job import MapJob
from engine.mapping.map import blocks_mapped, look, map_whole, nothing_to_map
from engine.mapping.output import write_maps
from engine.mapping.pipeline import Stopwatch
from engine.mapping.plan import Plan
from engine.mapping.products import Product
from engine.mapping.report import map_facts
from engine.mapping.room import check_room
from engine.mapping.setup import Setup, prepared
from engine.mapping.store import BlockStore, Journal, sole_user, work_folder
from engine.mapping.summary import Totals
from engine.progress import Progress
from engine.raster.windows import Window, blocks

Rows = tuple[int, int]  # first row of the reference grid, and the row after the last one


def map_or_cut(
    job: MapJob, pixels: int, progress: Progress, cancelled: Callable[[], bool], predictor: Predictor
) -> dict[str, Any] | list[Rows]:
    """Make a map of at most `pixels` pixels, or look at a larger one and say how to cut it into strips.

    Returns:
        Facts of the map, as of `predict_map`; or strips of at most `pixels` pixels (of one block row, where that is
        more), to be mapped with `map_shard` and put together with `merge_shards`.

    Raises:
        EngineError: the user has to change something.
        Cancelled: `cancelled` said so.
    """
    with prepared(job, predictor) as setup:
        strips = cut_rows(setup.plan.area, setup.plan.block_px, pixels)
        if len(strips) == 1:
            return map_whole(setup, progress, cancelled)
        look(setup.plan, progress, cancelled)
        folder = work_folder(job.out)
        with sole_user(folder):
            check_room(setup, folder, progress)
        return strips


def cut_rows(area: Window, block_px: int, pixels: int) -> list[Rows]:
    """Strips of about the same height that make up `area`, cut at multiples of `block_px`."""
    first, last = area.row // block_px, (area.bottom - 1) // block_px + 1  # block rows
    at_most = max(1, pixels // (area.width * block_px))
    count = -(-(last - first) // at_most)
    edges = [(first + index * (last - first) // count) * block_px for index in range(1, count)]
    return list(zip([area.row, *edges], [*edges, area.bottom], strict=True))


def map_shard(job: MapJob, rows: Rows, progress: Progress, cancelled: Callable[[], bool], predictor: Predictor) -> int:
    """Map one strip, going on with what an interrupted one left; return its number of pixels.

    Raises:
        EngineError: the user has to change something.
        Cancelled: `cancelled` said so; finished blocks stay.
    """
    with prepared(job, predictor) as setup:
        area, folder = _area(setup.plan, rows), _folder(job, rows)
        work = blocks_mapped(setup, area, folder, _identity(setup, rows), Stopwatch(), progress, cancelled)
        with sole_user(folder), work:
            return area.height * area.width


def merge_shards(
    job: MapJob, strips: Sequence[Rows], progress: Progress, cancelled: Callable[[], bool], predictor: Predictor
) -> dict[str, Any]:
    """Put the finished strips of a map together and write it; facts as of `predict_map`, seconds over all strips.

    Raises:
        ResumeError: a strip is not finished, or belongs to another job.
        EngineError: the user has to change something.
        Cancelled: `cancelled` said so; the strips stay.
    """
    folder = work_folder(job.out)
    with prepared(job, predictor) as setup, sole_user(folder):
        with ExitStack() as files:
            totals, stores = Totals(), []
            for rows in strips:
                store, counted = _finished(setup, rows)
                stores.append(files.enter_context(closing(store)))
                totals.merge(counted)
            if not totals.mapped:
                raise nothing_to_map(setup.plan)
            facts = map_facts(job, setup.plan, totals, **setup.run)
            write_maps(job, setup.plan, totals, _Strips(setup.plan.area, stores), facts, progress, cancelled)
        shutil.rmtree(folder, ignore_errors=True)
    return facts


class _Strips:
    """Rows of a map whose pixels lie in several stores, from top to bottom."""

    def __init__(self, area: Window, stores: Sequence[BlockStore]) -> None:
        self.area, self.stores = area, stores

    def __call__(self, product: Product, band: int, row: int, count: int) -> np.ndarray:
        """Like `BlockStore.read_rows`."""
        wanted = Window(self.area.row + row, self.area.col, count, self.area.width)
        parts = []
        for store in self.stores:
            part = store.area.intersect(wanted)
            if part is not None:
                parts.append(store.read_rows(product, band, part.row - store.area.row, part.height))
        return np.concatenate(parts)


def _finished(setup: Setup, rows: Rows) -> tuple[BlockStore, Totals]:
    """Pixels and counts of a finished strip."""
    folder, area, grid = _folder(setup.job, rows), _area(setup.plan, rows), setup.plan.stack.grid
    journal = Journal.load(folder, _identity(setup, rows))
    windows = list(blocks(grid.height, grid.width, journal.block_px, area)) if journal else []
    if journal is None or journal.finished < len(windows):
        raise ResumeError(f"{folder}: the shard is not finished; map it again")
    return BlockStore(folder, setup.plan.layouts, area, windows, len(windows)), Totals.from_json(journal.totals)


def _area(plan: Plan, rows: Rows) -> Window:
    return Window(rows[0], plan.area.col, rows[1] - rows[0], plan.area.width)


def _folder(job: MapJob, rows: Rows) -> Path:
    return work_folder(job.out) / f"rows-{rows[0]}-{rows[1]}"


def _identity(setup: Setup, rows: Rows) -> dict[str, Any]:
    return setup.identity | {"rows": list(rows)}
