"""Compare a class map with reference labels: accuracy overall, per class, and by the sensors that were used.

    python -m engine.evaluate map.tif points.gpkg --out accuracy          points of engine.sample, filled in
    python -m engine.evaluate map.tif reference.gpkg --field class --design random --out accuracy
    python -m engine.evaluate map.tif truth.tif --sensors-used sensors.tif --compare other.tif --out accuracy

Classes are matched by name where both sides have names, else by value. Writes accuracy.json, accuracy.csv,
confusion.csv and report.html. With a probability sample, accuracies and class areas hold for the whole map and have
95 % intervals (Olofsson et al. 2014; Stehman 2014 where the strata are others). Without one, reference pixels
are counted as they come: the figures describe them, not the area.
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
    parser.add_argument(
        "--design", choices=("random", "stratified"),
        help="how the reference was drawn (default: as its points say; else pixels are counted as they come)",
    )  # fmt: skip
    parser.add_argument(
        "--strata", type=Path, metavar="RASTER", help="strata of the design (default: the map's classes)"
    )
    parser.add_argument(
        "--compare", type=Path, metavar="MAP2", help="another map of the scene: which is more accurate?"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the figures")
    return parser


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Compare, write, tell."""
    from engine.assessment.facts import accuracy_facts
    from engine.assessment.map_check import check_map
    from engine.assessment.map_pictures import pictures
    from engine.assessment.map_report import write_report
    from engine.assessment.provenance import provenance

    accuracy = check_map(
        arguments.map, arguments.reference, arguments.field, arguments.sensors_used,
        design=arguments.design, strata=arguments.strata, other=arguments.compare, cancelled=cancelled,
    )  # fmt: skip
    for note in accuracy.notes:
        progress.warning(note)
    rasters = {"map": arguments.map, "compared with": arguments.compare, "sensors used": arguments.sensors_used}
    files = write_report(
        accuracy,
        f"{arguments.map.name} against {arguments.reference.name}",
        arguments.out,
        pictures(rasters, accuracy.places),
        provenance(
            rasters | {"reference": arguments.reference, "strata": arguments.strata},
            {"field": arguments.field, "design": arguments.design},
        ),
    )
    overall = accuracy_facts(accuracy)["overall"]
    progress.result(overall | {"report": str(arguments.out / "report.html"), "files": files})


if __name__ == "__main__":
    sys.exit(run(make_parser(), main))
