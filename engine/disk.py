"""Is there room? Asked before the work begins, not found out at its end."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from engine.errors import OutputError


def require(folder: Path, size: int, what: str) -> None:
    """Refuse work whose files do not fit.

    Args:
        folder: where they go; exists.
        size: bytes.
        what: the files, for the message.

    Raises:
        OutputError: the disk of `folder` has less free.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OutputError(
            f"{folder}: {what} need {_text(size)}, {_text(free)} are free on this disk; "
            "free some space or choose another folder"
        )


def shortage(needs: Iterable[tuple[Path, int]]) -> str | None:
    """Say so where a disk may run full: folders that exist with the bytes that go there, summed by disk."""
    by_disk: dict[int, tuple[Path, int]] = {}
    for folder, size in needs:
        disk = folder.stat().st_dev
        first, sum_ = by_disk.get(disk, (folder, 0))
        by_disk[disk] = first, sum_ + size
    for folder, size in by_disk.values():
        free = shutil.disk_usage(folder).free
        if size > free:
            return f"{folder}: {_text(size)} may be needed, {_text(free)} are free on this disk"
    return None


def _text(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
