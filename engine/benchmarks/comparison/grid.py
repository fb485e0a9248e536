"""The suites `methods`, `frozen` and `search`: every method, or every setting of one, on every scene.

All have the same tokens, backbone, head, split, data and budget.

One training with gaps in a share eta of its samples, spread over all incomplete patterns, is tested with every pattern;
so it serves all conditions (strongest sensor missing, weakest missing, all patterns) at once. Two readings: `tokens`,
the transformer alone with our head, fusion and lessons, where all that differs is the method; and `shipped`, the
default model, whose pixels also speak for themselves. The last weights are kept, whatever the number of steps: with few
validations, the luck of which checkpoint is chosen would outweigh the method. Runs are ordered so that a part of the
grid is a small grid: seed by seed, and within a seed what matters most first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.benchmarks.bench import Bench
from engine.benchmarks.comparison.methods import EVERY, MAMOL, MIXED, Methods
from engine.benchmarks.comparison.movement import movement
from engine.benchmarks.comparison.trial import asked, trials
from engine.benchmarks.scenes.cases import Case
from engine.benchmarks.suites import check_floors, run_floors
from engine.errors import ConfigError
from engine.training.prepare import resolve

STEPS = 150
_AT_THE_END = 1_000_000  # the last step is always validated
_ONE_PIXEL_WINDOWS = 256  # windows of a step where a core is one pixel: each then teaches one, not up to 400
_OWN_KEYS = ("missing.rate", "model.pixels")  # by which blocks differ, so that no `--set` may change them
READINGS = {"tokens": ("model.pixels=false",), "shipped": ()}


@dataclass(frozen=True)
class Block:
    """A part of the grid: which methods, with which reading, at which missing rate (percent)."""

    reading: str
    eta: int
    methods: Methods


_FEW: Methods = {name: EVERY[name] for name in (MAMOL, "LoRA", "DCP", "MoE_task")}
_SHIPPED: Methods = {name: EVERY[name] for name in (MAMOL, MIXED, "linear", "LoRA", "DCP", "MoE_task")}
METHODS = (
    Block("tokens", 70, EVERY), Block("tokens", 50, _FEW), Block("tokens", 90, _FEW),
    Block("shipped", 70, _SHIPPED),
)  # fmt: skip
FROZEN = (Block("tokens", 70, EVERY),)


def searched(settings: Methods) -> tuple[Block, ...]:
    """The grid that compares settings."""
    return (Block("tokens", 70, settings),)


def run_beside_floors(bench: Bench, blocks: Sequence[Block]) -> None:
    """Run what is not done yet of the grid, and forests on the same pixels.

    Raises:
        ResumeError: stored forests are of other scenes or pixels; nothing has been trained then.
        Cancelled: the bench was cancelled; the same call goes on from there.
    """
    check_floors(bench)
    run_grid(bench, blocks)
    run_floors(bench, ("forest",))


def run_grid(bench: Bench, blocks: Sequence[Block]) -> None:
    """Run what is not done yet.

    Raises:
        ConfigError: an override changes by what blocks differ, or methods cannot share windows.
        Cancelled: the bench was cancelled; the same call goes on from there.
    """
    for override in bench.overrides:
        if (key := override.partition("=")[0].strip()) in _OWN_KEYS:
            raise ConfigError(f"--set {key}: this suite runs several and says so in its tables; use the suite compare")
    for seed in bench.seeds:
        for block in blocks:
            for case in bench.cases:
                name = f"{case.name}, {block.reading}, {block.eta} %"
                common = (
                    *budget(case, seed, block.reading, bench.overrides),
                    f"missing.rate={block.eta / 100}",
                    *bench.overrides,
                )
                todo = bench.undone(name, seed, asked(case, seed, common, block.methods))
                facts: dict[str, float | str] = {"scene": case.name, "reading": block.reading, "eta": block.eta}
                for trial, run in trials(bench, case, seed, name, common, todo):
                    bench.store(replace(run, facts=run.facts | facts | movement(trial, seed)))


def budget(case: Case, seed: int, reading: str, overrides: Sequence[str] = ()) -> tuple[str, ...]:
    """What all methods of a comparison have in common, as `section.key=value`."""
    one_pixel = resolve(case.config(seed, (*READINGS[reading], *overrides))).model.core == 1
    windows = (f"training.batch_size={_ONE_PIXEL_WINDOWS}",) if one_pixel else ()
    return (*READINGS[reading], f"training.steps={STEPS}", f"training.validate_every={_AT_THE_END}", *windows)
