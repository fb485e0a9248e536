"""Measure the method beside what users have without it: the same splits, seeds and test pixels.

    python -m engine.benchmark floors   --data DATA --out OUT     forests and boosting
    python -m engine.benchmark real     --data DATA --out OUT     our training beside the floors
    python -m engine.benchmark readouts --data DATA --out OUT     dense beside centre: accuracy and pixels per second
    python -m engine.benchmark compare  --data DATA --out OUT --method default --method "wide" model.width=192
    python -m engine.benchmark real     --config job.toml --out OUT --seeds 3     on your own scene
    python -m engine.benchmark speed    --out OUT     rates beside the device's peak and what people use instead

Writes tables.md, pairs.csv, runs.csv and runs.jsonl; the same command goes on where it was stopped. `speed` writes
speed.md, speed.json and speed.png.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from engine.commandline import at_least, command_parser, run
from engine.errors import ConfigError, OutputError
from engine.progress import Progress

SUITES = ("floors", "real", "readouts", "compare", "speed")


def make_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = command_parser("benchmark", __doc__, seed=0)
    parser.add_argument("suite", choices=SUITES, metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for runs and tables")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the real scenes")
    parser.add_argument("--cases", metavar="A,B", help="of the real scenes (default: all)")
    parser.add_argument(
        "--config", type=Path, action="append", default=[], metavar="F", help="a training job of your own"
    )
    parser.add_argument(
        "--seeds", type=at_least(1), default=5, metavar="N", help="number of seeds (default %(default)s)"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of all jobs")
    parser.add_argument(
        "--method", nargs="+", action="append", default=[], metavar=("NAME", "KEY=VALUE"),
        help="of compare: a name and what differs from the job; give it for each method, that to compare with first",
    )  # fmt: skip
    return parser


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Run a suite and write its tables."""
    if arguments.suite == "speed":
        _speed(arguments, progress, cancelled)
        return

    from engine.benchmarks.cases import Case, real_cases
    from engine.benchmarks.suites import READOUTS, SHIPPED, Bench, run_floors, run_methods, run_speed
    from engine.benchmarks.tables import write_tables

    if arguments.data is None and not arguments.config:
        raise ConfigError(
            "nothing to measure on; name the folder of the real scenes with --data, or a job with --config"
        )
    _make_folder(arguments.out)
    cases = [
        Case(path.resolve().parent.name if path.stem == "config" else path.stem, path) for path in arguments.config
    ]
    if arguments.data is not None:
        cases += real_cases(arguments.data, arguments.out, arguments.cases)
    bench = Bench(
        out=arguments.out,
        cases=cases,
        seeds=range(arguments.seed, arguments.seed + arguments.seeds),
        overrides=arguments.set,
        device=arguments.device,
        precision=arguments.precision,
        threads=arguments.threads,
        progress=progress,
        cancelled=cancelled,
    )
    if arguments.suite in ("floors", "real"):
        run_floors(bench)
    if arguments.suite != "floors":
        methods = {"real": SHIPPED, "readouts": READOUTS}.get(arguments.suite) or _given(arguments.method)
        run_methods(bench, methods)
        if arguments.suite == "readouts":
            run_speed(bench, methods)
    tables = write_tables(bench.runs(), arguments.out)
    progress.log(tables.read_text(encoding="utf-8"))
    progress.result({"tables": str(tables)})


def _speed(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """The suite that needs no data."""
    from engine.benchmarks.speed.suite import SpeedSuite

    _make_folder(arguments.out)
    suite = SpeedSuite(
        arguments.out, arguments.device, arguments.precision, arguments.threads, progress, cancelled
    )  # fmt: skip
    page = suite.run()
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
