"""Draw a sample of a map's pixels whose true class someone then tells: the base of figures that hold for the area.

    python -m engine.sample map.tif --size 600 --allocation equal --min-per-class 50 --out points.gpkg
    python -m engine.sample map.tif --target-se 0.01 --expected-accuracy 0.85 --out points.gpkg

Stratified random sampling with the map's classes as strata. Writes a point layer with an empty field `reference`, and a
style that offers the classes by name in QGIS. When it is filled in:

    python -m engine.evaluate map.tif points.gpkg --field reference --out accuracy
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from engine.commandline import at_least, command_parser, run
from engine.errors import ConfigError, OutputError
from engine.progress import Progress

EXPECTED = 0.8  # user's accuracy, where nothing better is known


def make_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = command_parser("sample", __doc__, seed=0)
    parser.add_argument("map", type=Path, metavar="MAP", help="class map; 0 or nodata where there is no class")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--size", type=at_least(1), metavar="N", help="number of points")
    size.add_argument(
        "--target-se", type=float, metavar="S", help="as many as bring the overall accuracy's standard error to S"
    )
    parser.add_argument(
        "--allocation", choices=("equal", "proportional", "neyman"), default="proportional",
        help="how points are shared among classes (default %(default)s; neyman: best for the overall accuracy)",
    )  # fmt: skip
    parser.add_argument(
        "--min-per-class", type=at_least(0), default=50, metavar="K", help="at least (default %(default)s)"
    )
    parser.add_argument(
        "--expected-accuracy", action="append", default=[], metavar="[CLASS=]U",
        help=f"user's accuracy to expect, of all classes or of one (default {EXPECTED})",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="POINTS.gpkg", help="the point layer")
    parser.add_argument("--overwrite", action="store_true", help="replace a point layer that is there already")
    return parser


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Count, allocate, draw, write."""
    if arguments.out.suffix.lower() != ".gpkg":
        raise ConfigError(f"{arguments.out}: expected a name that ends with .gpkg")
    if arguments.out.exists() and not arguments.overwrite:
        raise OutputError(
            f"{arguments.out}: exists already, maybe with reference classes filled in; choose another name, "
            "or give --overwrite"
        )
    if arguments.target_se is not None and not 0 < arguments.target_se < 0.5:
        raise ConfigError(f"--target-se {arguments.target_se:g}: expected a fraction between 0 and 0.5, such as 0.01")
    default, given = _expected(arguments.expected_accuracy)
    from engine.assessment.draw import draw_points

    facts = draw_points(
        arguments.map, arguments.out,
        size=arguments.size, target_se=arguments.target_se, rule=arguments.allocation,
        at_least=arguments.min_per_class, default=default, given=given, seed=arguments.seed, cancelled=cancelled,
    )  # fmt: skip
    for item in facts["classes"]:
        progress.log(f"{item['name']}: {item['points']} of {item['pixels']} pixels")
        if not item["points"]:
            progress.warning(f"{item['name']} gets no point: figures will leave its area out")
    accuracy, error = facts["expected_accuracy"], facts["expected_se"]
    progress.log(f"expected: overall accuracy {accuracy:.3f} with a standard error of {error:.4f}")
    progress.result(facts)


def _expected(texts: list[str]) -> tuple[float, dict[str, float]]:
    """Expected accuracy of all classes, and of single ones by name."""
    default, given = EXPECTED, {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            raise ConfigError(f"--expected-accuracy {text}: expected U or CLASS=U with U a fraction") from None
        if not 0 <= value <= 1:
            raise ConfigError(f"--expected-accuracy {text}: expected a fraction from 0 to 1")
        if name:
            given[name] = value
        else:
            default = value
    return default, given


if __name__ == "__main__":
    sys.exit(run(make_parser(), main))
