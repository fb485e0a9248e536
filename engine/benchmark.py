"""Measure the method beside what users have without it: the same splits, seeds and test pixels.

    python -m engine.benchmark floors   --data DATA --out OUT     forests and boosting
    python -m engine.benchmark real     --data DATA --out OUT     our training beside the floors
    python -m engine.benchmark simulated --out OUT     the same on simulated scenes; --simulated trento picks some
    python -m engine.benchmark readouts --data DATA --out OUT     dense beside centre: accuracy and pixels per second
    python -m engine.benchmark frontier --data DATA --out OUT     both beside all the roads between them that were tried
    python -m engine.benchmark compare  --data DATA --out OUT --method default --method "wide" model.width=192
    python -m engine.benchmark methods  --data DATA --simulated trento --out OUT     every method on every scene
    python -m engine.benchmark frozen   --data DATA --out OUT --set model.backbone=timm:vit_small_patch14_dinov2
    python -m engine.benchmark search   --data DATA --out OUT     MaMOL's settings, one changed at a time
    python -m engine.benchmark robustness --data DATA --out OUT     fusions with and without mixing, sensors disturbed
    python -m engine.benchmark trento   --data DIR --out OUT     the MaMOL paper's tables; without --data simulated
    python -m engine.benchmark overlap  --data DATA --out OUT     what --overlap costs and gains
    python -m engine.benchmark real     --config job.toml --out OUT --seeds 3     on your own scene
    python -m engine.benchmark methods  --simulated trento,augsburg --out OUT     on simulated scenes of these shapes
    python -m engine.benchmark value --model M --config job.toml --out OUT     which sensor is worth buying?
    python -m engine.benchmark fetch trento --out DIR     a published data set as a scene, split officially or by blocks
    python -m engine.benchmark speed    --out OUT     rates beside the device's peak and what people use instead
    python -m engine.benchmark scaling  --out OUT     cost and memory of scenes of half a million to 33 million pixels
    python -m engine.benchmark batch    --out OUT     600 small maps: one process, one thread, two workers

Writes tables (.md, some also as .html with pictures), runs (.csv, a row for each, _scores.csv, a row for each set of
sensors, and .jsonl), of trainings calibration.md; the same command goes on where it was stopped. `speed` writes
speed.md, speed.json and speed.png, `scaling` scaling.md and scaling.json, `batch` batch.md and batch.json.

`value` trains nothing: a finished model predicts the labelled pixels of the job's scenes under every combination of
their sensors, as its map would. value.json, value.md and value.html say how accurate it is with each combination, and
what each sensor adds, alone, to all others, and on average over all orders in which they could be bought (Shapley's
value). The job names layers as the model does; those it lacks are left out.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.commandline import at_least, command_parser, run
from engine.errors import Cancelled, ConfigError, OutputError
from engine.progress import Progress

if TYPE_CHECKING:
    from engine.benchmarks.bench import Bench
    from engine.benchmarks.runs import Run
    from engine.benchmarks.scenes.cases import Case

COMPARISONS = ("methods", "frozen", "search", "robustness")
PUBLISHED = ("houston2013", "trento", "augsburg", "augsburg3")
OWN_SCENE = ("speed", "scaling", "batch")  # suites that make what they run on
SUITES = (
    "floors",
    "real",
    "simulated",
    "readouts",
    "frontier",
    "compare",
    "methods",
    "frozen",
    "search",
    "robustness",
    *PUBLISHED,
    "overlap",
    *OWN_SCENE,
    "value",
    "fetch",
)
# Filled in after options that a suite ignores are refused: until then None says that one was not given.
_DEFAULTS = {"seeds": 5, "difficulty": 1.0, "protocol": "paper", "pixels": "auto"}


def make_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = command_parser("benchmark", __doc__, seed=0)
    parser.add_argument("suite", choices=SUITES, metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("name", nargs="?", metavar="NAME", help="of fetch: houston2013, trento, augsburg or muufl")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for runs and tables")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the real scenes")
    parser.add_argument(
        "--simulated",
        metavar="A,B",
        help="scenes to simulate: houston2013, trento, augsburg, augsburg3 (default of simulated: all)",
    )
    parser.add_argument(
        "--difficulty", type=float, metavar="X",
        help="of simulated scenes: 0 easy, 1 as real ones (default 1)",
    )  # fmt: skip
    parser.add_argument(
        "--protocol", choices=("paper", "standard"),
        help="of the published data sets: the paper's random pixels, which leak (default), or the official split",
    )  # fmt: skip
    parser.add_argument("--tables", metavar="1,4,5", help="of the paper (default: those it has of the data set)")
    parser.add_argument("--cases", metavar="A,B", help="of the real scenes (default: all)")
    parser.add_argument(
        "--config", type=Path, action="append", default=[], metavar="F", help="a training job of your own"
    )
    parser.add_argument(
        "--seeds", type=at_least(1), metavar="N", help=f"number of seeds (default {_DEFAULTS['seeds']})"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of all jobs")
    parser.add_argument(
        "--method", nargs="+", action="append", default=[], metavar=("NAME", "KEY=VALUE"),
        help="of compare and search: a name and what differs from the job, once for each; first what to compare with",
    )  # fmt: skip
    parser.add_argument("--model", type=Path, metavar="MODEL", help="of value: the finished model file")
    parser.add_argument(
        "--pixels", choices=("auto", "test", "all"),
        help="of value: test pixels of the model's training, all labelled pixels, or (default) the first where the job "
        "has the labels and the [split] of the training, else the second",
    )  # fmt: skip
    return parser


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Run a suite and write its tables."""
    _refuse_ignored(arguments)
    for option, value in _DEFAULTS.items():
        if getattr(arguments, option) is None:
            setattr(arguments, option, value)
    if arguments.suite in OWN_SCENE:
        _without_data(arguments, progress, cancelled)
        return
    if arguments.suite == "fetch":
        _fetch(arguments, progress)
        return
    if arguments.suite == "value":
        _value(arguments, progress, cancelled)
        return

    from engine.benchmarks.bench import Bench
    from engine.benchmarks.calibration import write_calibration

    published = arguments.suite in PUBLISHED
    given = arguments.data or arguments.config or arguments.simulated
    if not (published or given or arguments.suite == "simulated"):
        raise ConfigError(
            "nothing to measure on; name the folder of the real scenes with --data, a job with --config, or shapes to "
            "simulate with --simulated"
        )
    _make_folder(arguments.out)
    bench = Bench(
        suite=arguments.suite,
        out=arguments.out,
        cases=[] if published else _cases(arguments),
        seeds=range(arguments.seed, arguments.seed + arguments.seeds),
        overrides=arguments.set,
        device=arguments.device,
        precision=arguments.precision,
        threads=arguments.threads,
        progress=progress,
        cancelled=cancelled,
    )
    tables = _published(arguments, bench) if published else _measured(arguments, bench)
    progress.log(tables.read_text(encoding="utf-8"))
    calibration = write_calibration(arguments.out)
    progress.result({"tables": str(tables), "calibration": None if calibration is None else str(calibration)})


def _refuse_ignored(arguments: argparse.Namespace) -> None:
    """Options that a suite does not look at are mistakes: its tables would not be of what was asked for."""
    suite = arguments.suite
    trains = suite not in (*OWN_SCENE, "value", "fetch")
    any_scene = trains and suite not in PUBLISHED
    simulates = arguments.simulated is not None or suite == "simulated" or (suite in PUBLISHED and not arguments.data)
    takes = {
        "name": suite == "fetch",
        "data": trains and suite != "simulated",
        "config": (any_scene and suite != "simulated") or suite == "value",
        "cases": any_scene and arguments.data is not None,
        "simulated": any_scene,
        "difficulty": trains and simulates,
        "protocol": suite in PUBLISHED,
        "tables": suite in PUBLISHED,
        "method": suite in ("compare", "search"),
        "set": trains or suite == "value",
        "seeds": trains,
        "model": suite == "value",
        "pixels": suite == "value",
    }
    reasons = {"cases": "needs --data"} if any_scene else {}
    if trains:
        reasons["difficulty"] = "is of simulated scenes"
    if suite == "simulated":
        reasons |= dict.fromkeys(("data", "config"), "real --simulated A,B measures on both")
    for option, taken in takes.items():
        if getattr(arguments, option) not in (None, []) and not taken:
            called = "NAME" if option == "name" else f"--{option}"
            reason = reasons.get(option, f"{suite} does not take it")
            raise ConfigError(f"{called}: {reason}; leave it out, or see --help")


def _cases(arguments: argparse.Namespace) -> list[Case]:
    """What to measure on, from the command line."""
    from engine.benchmarks.scenes.cases import Case, real_cases, simulated_cases

    cases = [
        Case(path.resolve().parent.name if path.stem == "config" else path.stem, path) for path in arguments.config
    ]
    if arguments.data is not None:
        cases += real_cases(arguments.data, arguments.out, arguments.cases)
    if arguments.simulated is not None or arguments.suite == "simulated":
        cases += simulated_cases(arguments.out, arguments.simulated, arguments.difficulty)
    for name, count in Counter(case.name for case in cases).items():
        if count > 1:
            raise ConfigError(f"{count} scenes are called {name}; rename job files, for tables call scenes by them")
    return cases


def _measured(arguments: argparse.Namespace, bench: Bench) -> Path:
    """Run a suite of our own; the path of its tables."""
    from engine.benchmarks.readouts.overlap import run_overlap
    from engine.benchmarks.readouts.roads import ROADS
    from engine.benchmarks.readouts.sparse_centre import run_sparse
    from engine.benchmarks.suites import READOUTS, SHIPPED, run_floors, run_methods, run_speed
    from engine.benchmarks.tables import write_tables

    suite = arguments.suite
    if suite in COMPARISONS:
        return _compared(suite, bench, arguments.method)
    if suite in ("floors", "real", "simulated"):
        run_floors(bench)
    if suite == "overlap":
        run_overlap(bench)
    elif suite != "floors":
        if suite == "frontier" and not arguments.cases:
            # Other windows and tokens than one pixel would let a model see more than it may there.
            wide = [case for case in bench.cases if case.config(0, bench.overrides).model.core != 1]
            bench = replace(bench, cases=wide)
        own = {"real": SHIPPED, "simulated": SHIPPED, "readouts": READOUTS, "frontier": ROADS}
        methods = own.get(suite) or _given(arguments.method)
        run_methods(bench, methods)
        if suite not in ("real", "simulated"):
            run_speed(bench, methods)
        if suite == "frontier":
            run_sparse(bench)
    return write_tables(bench.runs(), bench.out, suite)


def _compared(suite: str, bench: Bench, methods: list[list[str]]) -> Path:
    """Compare methods, or mixing with and without; tables are left of what is done, also where it is stopped."""
    from engine.benchmarks.comparison.grid import FROZEN, METHODS, run_beside_floors, run_grid, searched
    from engine.benchmarks.comparison.grid_tables import write_grid
    from engine.benchmarks.comparison.methods import SEARCH
    from engine.benchmarks.comparison.robustness import run_robustness
    from engine.benchmarks.comparison.robustness_tables import write_robustness
    from engine.benchmarks.comparison.search_tables import write_search

    if suite == "frozen" and bench.cases[0].config(0, bench.overrides).model.backbone == "compact":
        raise ConfigError(
            "frozen needs a pretrained backbone, as in --set model.backbone=timm:vit_small_patch14_dinov2"
        )
    suites: dict[str, tuple[Callable[[Bench], None], Callable[[list[Run], Path], Path]]] = {
        "methods": (partial(run_beside_floors, blocks=METHODS), partial(write_grid, name=suite)),
        "frozen": (partial(run_beside_floors, blocks=FROZEN), partial(write_grid, name=suite)),
        "search": (partial(run_grid, blocks=searched(_given(methods) if methods else SEARCH)), write_search),
        "robustness": (run_robustness, write_robustness),
    }
    run, write = suites[suite]
    try:
        run(bench)
    except Cancelled:
        if runs := bench.runs():
            write(runs, bench.out)
        raise
    return write(bench.runs(), bench.out)


def _published(arguments: argparse.Namespace, bench: Bench) -> Path:
    """Run the paper's tables of a data set; the path of ours."""
    from engine.benchmarks.published.suite import run_published

    tables = None if arguments.tables is None else arguments.tables.split(",")
    return run_published(bench, arguments.suite, arguments.protocol, tables, arguments.data, arguments.difficulty)


def _fetch(arguments: argparse.Namespace, progress: Progress) -> None:
    """Download a data set and write it as a scene."""
    from engine.benchmarks.scenes.archive import ARCHIVES, fetch

    if arguments.name is None:
        raise ConfigError(f"fetch what? give a name: {', '.join(ARCHIVES)}")
    _make_folder(arguments.out)
    progress.result({"scene": str(fetch(arguments.name, arguments.out))})


def _value(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Accuracy of a finished model with every combination of sensors, and what each sensor is worth."""
    if arguments.model is None or len(arguments.config) != 1:
        raise ConfigError("value needs a model file, --model MODEL.safetensors, and one job, --config JOB.toml")

    from engine.benchmarks.value.measure import run_value
    from engine.config import load_config

    config = load_config(arguments.config[0], tuple(arguments.set))
    _make_folder(arguments.out)
    facts = run_value(
        arguments.model, config, arguments.out, arguments.pixels,
        device=arguments.device, precision=arguments.precision, threads=arguments.threads,
        progress=progress, cancelled=cancelled,
    )  # fmt: skip
    told = {key: facts[key] for key in ("patterns", "sensors", "absent", "pixels", "warnings")}
    progress.result(told | {"page": str(arguments.out / "value.md")})


def _without_data(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """The suites that make their own scene."""
    from engine.benchmarks.speed.batch import run_batch
    from engine.benchmarks.speed.scaling import run_scaling
    from engine.benchmarks.speed.suite import SpeedSuite

    _make_folder(arguments.out)
    settings = arguments.out, arguments.device, arguments.precision, arguments.threads, progress, cancelled
    if arguments.suite == "speed":
        page = SpeedSuite(*settings).run()
    else:
        page = run_scaling(*settings) if arguments.suite == "scaling" else run_batch(*settings)
    progress.log(page.read_text(encoding="utf-8"))
    progress.result({"page": str(page)})


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error


def _given(methods: list[list[str]]) -> dict[str, tuple[str, ...]]:
    """Settings by name, from the command line."""
    named = {name: tuple(settings) for name, *settings in methods}
    if not named or len(named) < len(methods):
        raise ConfigError("compare needs --method NAME KEY=VALUE ... for each method, all with names of their own")
    return named


if __name__ == "__main__":
    sys.exit(run(make_parser(), main))
