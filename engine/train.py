"""Train a model: one that maps every pixel with whatever sensors cover it.

    python -m engine.train config.toml --out run/
    torchrun --nproc-per-node 4 -m engine.train config.toml --out run/    (4 processes; with CUDA, one for each device)

RUN/ then holds model.safetensors, metrics.json, report.html (with .json and .csv), history.csv, config.toml and
test_predictions.npz. A run that was stopped (Ctrl-C, kill, power) goes on with --resume from its last checkpoint.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.commandline import command_parser, run
from engine.progress import Progress

if TYPE_CHECKING:
    from engine.assessment.report import Floors
    from engine.training.prepare import Prepared


def make_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = command_parser("train", __doc__)
    parser.add_argument("config", type=Path, metavar="CONFIG.toml", help="scenes, labels, split, model, training")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder for everything that comes out")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was stopped")
    parser.add_argument(
        "--init",
        type=Path,
        metavar="MODEL",
        help="start from a trained model; modalities and classes are matched by name",
    )
    parser.add_argument(
        "--floors", action="store_true", help="also train forests and boosting on the same pixels, for the report"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a key, for instance training.steps=500",
    )
    return parser


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Run the command."""
    from engine.config import load_config
    from engine.training.distributed import join_team

    overrides = list(arguments.set)
    if arguments.seed is not None:
        overrides.append(f"training.seed={arguments.seed}")
    with join_team() as team:
        with team.together():
            config = load_config(arguments.config, tuple(overrides))
        from engine.training.run import run_training

        def floors(data: Prepared) -> Floors:
            from engine.benchmarks.floors import chosen_floors

            progress.log("training forests and boosting to compare with")
            return chosen_floors(data, arguments.threads)

        result = run_training(
            config,
            arguments.out,
            resume=arguments.resume,
            init=arguments.init,
            device=arguments.device,
            precision=arguments.precision,
            threads=arguments.threads,
            progress=progress,
            cancelled=cancelled,
            floors=floors if arguments.floors else None,
            team=team,
        )
    progress.result({"model": str(result.model), "seconds": round(result.seconds, 1), "patterns": result.patterns})


if __name__ == "__main__":
    sys.exit(run(make_parser(), main))
