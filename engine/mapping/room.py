"""Is there room for a map? Asked before it is begun, whether in one piece or in strips."""

from __future__ import annotations

from pathlib import Path

from engine import disk
from engine.mapping.setup import Setup
from engine.progress import Progress


def check_room(setup: Setup, folder: Path, progress: Progress) -> None:
    """Refuse what cannot fit on the disks, and warn of what might not: finished maps are packed, nobody knows how well.

    Args:
        setup: the job.
        folder: its work folder; exists. Pixels of an earlier run in there are kept or overwritten: they need no more
            room.
        progress: told of what may run short.

    Raises:
        OutputError: there is no room for the pixels that are still to be mapped.
    """
    plan = setup.plan
    pixels = plan.area.height * plan.area.width
    there = sum(path.stat().st_size for path in folder.rglob("*.raw"))
    raw = max(0, pixels * sum(layout.bytes_per_pixel for layout in plan.layouts.values()) - there)
    disk.require(folder, raw, "the pixels that are still to be mapped")
    maps = [
        (path.parent, pixels * plan.layouts[product].bytes_per_pixel * 4 // 3)  # a third for overviews
        for product, path in setup.job.rasters.items()
    ]
    if warning := disk.shortage([(folder, raw), *maps]):
        progress.warning(f"{warning}; if it runs full, free some space and go on with --resume")
