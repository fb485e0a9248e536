"""Map many scenes with one model, each with whatever sensors it has.

    python scripts/generate_maps.py jobs.csv --model run/model.safetensors --out maps --workers 4

JOBS is a CSV table (id, and a column of rasters for each modality; cells may be empty), a STAC item collection,
collection or catalog, or a pattern such as "scenes/{id}/{modality}.tif". The same command again does only what is
missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from engine.commandline import at_least, command_parser, run
from engine.progress import Progress


def make_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = command_parser("generate_maps", __doc__)
    parser.prog = "python scripts/generate_maps.py"
    parser.add_argument("jobs", metavar="JOBS", help="table, STAC file, or pattern with {id} and {modality}")
    parser.add_argument("--model", type=Path, required=True, metavar="MODEL", help="model file, written by training")
    outputs = parser.add_argument_group("outputs")
    outputs.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder for each scene; manifest.csv")
    outputs.add_argument("--confidence", action="store_true", help="probability of the mapped class, too")
    outputs.add_argument("--probabilities", action="store_true", help="probability of every class, too")
    outputs.add_argument("--sensors-used", action="store_true", help="which sensors each pixel had, too")
    outputs.add_argument("--mosaic", action="store_true", help="one map of all: mosaic.vrt, mosaic.tif (COG)")
    outputs.add_argument(
        "--overwrite",
        action="store_true",
        help="replace maps that were made from other rasters, with another model or other options",
    )
    where = parser.add_argument_group("where (default: in this process)")
    place = where.add_mutually_exclusive_group()
    place.add_argument("--workers", type=at_least(1), metavar="N", help="N processes on this machine")
    place.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="workers of a running Dask cluster")
    where.add_argument(
        "--retries", type=at_least(0), default=2, metavar="N",
        help="how often to try again what failed in a way that may pass (default %(default)s)",
    )  # fmt: skip
    where.add_argument(
        "--shard-pixels", type=at_least(1), default=2**24, metavar="N",
        help="larger scenes are cut into strips of so many pixels (default %(default)s)",
    )  # fmt: skip
    how = parser.add_argument_group("how")
    how.add_argument(
        "--reference", metavar="NAME", help="modality whose grid is mapped, where a scene has it (default: as predict)"
    )
    how.add_argument("--overlap", type=at_least(1), default=1, metavar="N", help="average N x N shifted windows")
    how.add_argument("--batch-size", type=at_least(1), metavar="N", help="windows at once")
    how.add_argument(
        "--weights", type=Path, metavar="FILE", help="weights of a pretrained backbone, if not in the model"
    )
    return parser


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Map the scenes."""
    from engine.batch.generate import generate_maps
    from engine.batch.order import Order
    from engine.checksum import file_sha256
    from engine.modelfile import read_info

    read_info(arguments.model)  # says what is wrong with it
    # Workers may have another working folder.
    order = Order(
        model=arguments.model.resolve(),
        model_sha256=file_sha256(arguments.model),
        out=arguments.out.resolve(),
        confidence=arguments.confidence,
        probabilities=arguments.probabilities,
        sensors_used=arguments.sensors_used,
        reference=arguments.reference,
        overlap=arguments.overlap,
        batch_size=arguments.batch_size,
        weights=arguments.weights.resolve() if arguments.weights else None,
        device=arguments.device,
        precision=arguments.precision,
        threads=arguments.threads,
        shard_pixels=arguments.shard_pixels,
        overwrite=arguments.overwrite,
    )
    generate_maps(
        arguments.jobs,
        order,
        progress,
        cancelled,
        workers=arguments.workers,
        scheduler=arguments.scheduler,
        retries=arguments.retries,
        mosaic=arguments.mosaic,
    )


if __name__ == "__main__":
    sys.exit(run(make_parser(), main))
