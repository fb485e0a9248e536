"""Pixels per second of trained models, measured side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from engine.bundle import load_model
from engine.device import choose_device, choose_precision, crew, set_threads
from engine.mapping.infer import BlockModel
from engine.mapping.job import MapJob
from engine.mapping.layers import open_stack
from engine.mapping.plan import make_plan, read_block
from engine.raster.windows import Window

_ROUNDS = 3  # one model after the other, so that a busy moment of the machine hits both
_SECONDS = 3.0  # at least so long for one model in one round


def mapping_speeds(
    models: Mapping[str, Path],
    weights: Mapping[str, Path | None],
    layers: Mapping[str, Path],
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> dict[str, float]:
    """Mapped pixels per second of each model: median over rounds in which the models take turns.

    Only the model's own work counts, from standardised values to probabilities; reading and writing are alike.

    Args:
        models: model file by name.
        weights: local files of their pretrained backbones, which a model file leaves outside.
        layers: raster by modality name; all that a model lacks is ignored.
        device: as in the common options.
        precision: as in the common options.
        threads: as in the common options.
    """
    set_threads(threads)
    place = choose_device(device)
    timers = {}
    with ExitStack() as open_models:
        for name, path in models.items():
            loaded = load_model(path, place, weights[name])
            job = MapJob(model=path, layers=layers, out=path.with_suffix(".tif"))
            with closing(open_stack(loaded.info, layers)) as stack:
                plan = make_plan(job, loaded.info, stack)
                # 32 x 32 windows: minutes for none, seconds for a model that spends a whole window on one pixel.
                side = min(32 * plan.tiling.core, plan.block_px, stack.grid.height, stack.grid.width)
                row, col = (stack.grid.height - side) // 2, (stack.grid.width - side) // 2
                block = read_block(plan, Window(row, col, side, side))
            model = BlockModel(loaded, plan.tiling, place, choose_precision(place, precision), workers=crew(place))
            open_models.enter_context(closing(model))
            timers[name] = (model, block)
            model.probabilities(block)  # warm up
        rates: dict[str, list[float]] = {name: [] for name in models}
        for _ in range(_ROUNDS):
            for name, (model, block) in timers.items():
                pixels, start = 0, time.perf_counter()
                while (seconds := time.perf_counter() - start) < _SECONDS:
                    model.probabilities(block)
                    pixels += block.area.height * block.area.width
                rates[name].append(pixels / seconds)
    return {name: statistics.median(values) for name, values in rates.items()}
