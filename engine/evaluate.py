"""Compare a class map with reference labels: accuracy overall, per class, and by the sensors that were used.

    python -m engine.evaluate map.tif reference.gpkg --field class --out accuracy
    python -m engine.evaluate map.tif truth.tif --sensors-used sensors.tif --out accuracy

Classes are matched by name where both sides have names, else by value. Writes accuracy.json, accuracy.csv,
confusion.csv and report.html. Reference pixels are counted as they come: the figures describe them, not the area,
unless they are a random sample of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from engine.commandline import command_parser, run
from engine.progress import Progress


def make_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = command_parser("evaluate", __doc__)
    parser.add_argument("map", type=Path, metavar="MAP", help="class map")
    parser.add_argument("reference", type=Path, metavar="REFERENCE", help="raster of class values, or vector")
    parser.add_argument("--field", metavar="NAME", help="attribute of a vector reference that holds the class")
    parser.add_argument("--sensors-used", type=Path, metavar="F", help="raster that was written beside the map")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the figures")
    return parser


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Compare, write, tell."""
    from engine.assessment.map_check import check_map
    from engine.assessment.map_report import write_report

    accuracy = check_map(arguments.map, arguments.reference, arguments.field, arguments.sensors_used)
    if not accuracy.by_name:
        progress.warning("map or reference has no class names: classes are matched by value; check that values agree")
    title = f"{arguments.map.name} against {arguments.reference.name}"
    progress.result(accuracy.to_json()["overall"] | {"files": write_report(accuracy, title, arguments.out)})


if __name__ == "__main__":
    sys.exit(run(make_parser(), main))
