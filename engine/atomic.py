"""Files that are the old one, the new one or not there, whenever the process dies or the power fails.

Content goes to a part file beside the final name, reaches the disk, and takes the name in one step. The part's name
follows from the final name alone: what a killed process has left is overwritten by the next one, and never stays.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; what stands there at the end takes the name `path`, after an error nothing does.

    The part keeps the suffix of `path`, by which libraries choose a format.
    """
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield part
        flush(part)
        rename(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file, UTF-8, line ends as they are.

    Raises:
        OSError: it cannot be written; an older file is still there.
    """
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def rename(part: Path, path: Path) -> None:
    """Give a file whose content is on the disk its name, and let the name reach the disk, too."""
    part.replace(path)
    if sys.platform != "win32":  # where a folder cannot be opened
        flush(path.parent)


def try_replacing(path: Path) -> None:
    """See that a file that is there can be replaced: Windows locks what programs have open.

    Raises:
        OSError: it cannot.
    """
    if path.exists():
        path.replace(path)


def flush(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    is_folder = path.is_dir()
    descriptor = os.open(path, os.O_RDONLY if is_folder or sys.platform != "win32" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
