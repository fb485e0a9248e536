"""Make a land-cover map: every pixel with whatever sensors cover it.

    python -m engine.predict model.safetensors --layer hsi=hsi.tif --layer lidar=lidar.tif --out map.tif

Layers may differ in CRS, resolution and extent; sensors that are missing, everywhere or somewhere, are no error.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path

from engine.commandline import command_parser, named_path, run
from engine.errors import ModalityError
from engine.progress import Progress


def make_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = command_parser("predict", __doc__)
    # argparse takes "-70.5,..." for an option: let whatever begins like a negative number be a value.
    parser._negative_number_matcher = re.compile(r"-[\d.]")
    parser.add_argument("model", type=Path, metavar="MODEL", help="model file, written by training")
    parser.add_argument(
        "--layer", type=named_path, action="append", default=[], metavar="NAME=RASTER",
        help="raster of one of the model's modalities; cube.mat:VARIABLE names a variable",
    )  # fmt: skip
    outputs = parser.add_argument_group("outputs (GeoTIFF)")
    outputs.add_argument("--out", type=Path, required=True, metavar="MAP.tif", help="class map; 0 is nodata")
    outputs.add_argument("--confidence", type=Path, metavar="F", help="probability of the mapped class, percent")
    outputs.add_argument(
        "--probabilities", type=Path, metavar="F", help="probability of every class, percent; one band each"
    )
    outputs.add_argument(
        "--sensors-used", type=Path, metavar="F", help="which sensors each pixel had: bit m is modality m"
    )
    outputs.add_argument("--report", type=Path, metavar="F", help="summary: .html or .json")
    outputs.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    outputs.add_argument("--resume", action="store_true", help="go on where an interrupted job stopped")
    where = parser.add_argument_group("where")
    where.add_argument(
        "--reference",
        metavar="NAME",
        help="modality whose grid is mapped (default: the one whose pixels are nearest in size to those of training)",
    )
    where.add_argument(
        "--extent", type=_extent, metavar="xmin,ymin,xmax,ymax", help="part of the grid, in the reference layer's CRS"
    )
    where.add_argument("--aoi", type=Path, metavar="VECTOR", help="polygons in any CRS; the rest becomes nodata")
    how = parser.add_argument_group("how")
    how.add_argument("--readout", metavar="NAME", help="dense or centre; must be the model's (default)")
    how.add_argument(
        "--overlap",
        type=int,
        default=1,
        metavar="N",
        help="average N x N shifted windows: smoother, N x N times the work",
    )
    how.add_argument("--batch-size", type=int, metavar="N", help="windows at once (default: by model and device)")
    how.add_argument(
        "--weights", type=Path, metavar="FILE", help="weights of a pretrained backbone, if not in the model file"
    )
    return parser


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Make the map."""
    layers = dict(arguments.layer)
    if len(layers) < len(arguments.layer):
        names = [name for name, _ in arguments.layer]
        twice = next(name for name in names if names.count(name) > 1)
        raise ModalityError(f"--layer {twice}: given twice; mosaic the rasters first, for instance into a VRT")

    from engine.mapping.job import MapJob
    from engine.mapping.map import predict_map

    job = MapJob(
        model=arguments.model,
        layers=layers,
        out=arguments.out,
        confidence=arguments.confidence,
        probabilities=arguments.probabilities,
        sensors_used=arguments.sensors_used,
        report=arguments.report,
        reference=arguments.reference,
        extent=arguments.extent,
        aoi=arguments.aoi,
        readout=arguments.readout,
        overlap=arguments.overlap,
        batch_size=arguments.batch_size,
        weights=arguments.weights,
        device=arguments.device,
        precision=arguments.precision,
        threads=arguments.threads,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
    )
    progress.result(predict_map(job, progress, cancelled))


def _extent(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise argparse.ArgumentTypeError(f"expected xmin,ymin,xmax,ymax, got {text!r}")
    return numbers


if __name__ == "__main__":
    sys.exit(run(make_parser(), main))
