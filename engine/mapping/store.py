"""The work folder of an unfinished map: raw pixels of finished blocks, and a journal that says how many there are.

Blocks are finished in order, so the journal is one number. It is written only after the pixels have reached the disk:
what it counts is there, whatever killed the job. Raw files are appended to, never mapped into memory: on a full disk an
append fails with an error, a mapped page with a crash.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engine.atomic import write_text
from engine.errors import OutputError, ResumeError
from engine.mapping.products import Product
from engine.raster.windows import Window
from engine.raster.writer import RasterLayout, writing

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_JOURNAL, _LOCK = "journal.json", "lock"


def work_folder(out: Path) -> Path:
    """Where the unfinished map `out` lives."""
    return out.with_name(out.name + ".work")


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Hold a work folder against other processes; it is made if needed, and goes away if nothing is left in it.

    Two that append to the same files would make a wrong map. It happens where a cluster gives up on a worker that is
    merely slow, or where somebody starts a job again that is still running. The lock ends with its process, however
    that ends. Where the file system knows no locks (and on Windows), nobody is held off.

    Raises:
        OutputError: another process holds the folder, or it cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = None if fcntl is None else _lock(folder)  # Windows would not let an open file go
    try:
        yield
    finally:
        with suppress(OSError):
            if all(path.name == _LOCK for path in folder.iterdir()):
                clear(folder, lock=True)
                folder.rmdir()
        if lock is not None:
            os.close(lock)


def _lock(folder: Path) -> int:
    """Descriptor of the locked file in `folder`."""
    path = folder / _LOCK
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        except BlockingIOError:
            os.close(lock)
            raise OutputError(
                f"{folder}: another process is at work there; wait until it is done, or stop it"
            ) from None
        except FileNotFoundError:  # whoever held it has just finished and removed it
            pass
        except OSError:  # no locks here
            return lock
        os.close(lock)


def clear(folder: Path, lock: bool = False) -> None:
    """Remove what is in a work folder; the lock only if told."""
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif lock or path.name != _LOCK:
                path.unlink(missing_ok=True)


@dataclass
class Journal:
    """What is known about an unfinished map.

    Attributes:
        folder: the work folder.
        job: everything that decides the result, JSON-able; a resumed job must have the same.
        block_px: side of a block; a resumed job takes it from here.
        finished: number of blocks that are done.
        totals: what the summary has counted so far, JSON-able.
    """

    folder: Path
    job: dict[str, Any]
    block_px: int
    finished: int = 0
    totals: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether there is a journal in `folder`."""
        return (folder / _JOURNAL).exists()

    @classmethod
    def load(cls, folder: Path, job: Mapping[str, Any]) -> Journal | None:
        """The journal in `folder`, None where there is none.

        Raises:
            ResumeError: it is damaged, or belongs to another job.
        """
        path = folder / _JOURNAL
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            journal = cls(folder, dict(data["job"]), int(data["block_px"]), int(data["finished"]), dict(data["totals"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResumeError(f"{path}: journal cannot be read ({error}); start again without --resume") from error
        job = json.loads(json.dumps(job))
        differing = [key for key in {**job, **journal.job} if job.get(key) != journal.job.get(key)]
        if differing:
            raise ResumeError(
                f"{folder}: belongs to another job (it differs in {', '.join(differing)}); "
                "repeat the first job's arguments, or start again without --resume"
            )
        return journal

    def save(self) -> None:
        """Write the journal in one step.

        Raises:
            OutputError: the folder cannot be written.
        """
        path = self.folder / _JOURNAL
        state = {"job": self.job, "block_px": self.block_px, "finished": self.finished, "totals": self.totals}
        with writing(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps(state))


class BlockStore:
    """Pixels of several rasters of one area, appended block by block, read back row by row.

    Args:
        folder: the work folder; exists.
        layouts: type and bands of each raster by name.
        area: the mapped window of the grid.
        blocks: the windows that make up `area`, in the order in which they are appended.
        finished: how many of them are there already.

    Raises:
        OutputError: the folder cannot be written.
        ResumeError: less is there than `finished` says.
    """

    def __init__(
        self,
        folder: Path,
        layouts: Mapping[Product, RasterLayout],
        area: Window,
        blocks: Sequence[Window],
        finished: int = 0,
    ) -> None:
        self.layouts, self.area, self.blocks = dict(layouts), area, list(blocks)
        self._first = [0, *itertools.accumulate(block.height * block.width for block in self.blocks)]
        self._files: dict[Product, BinaryIO] = {}
        for name, layout in self.layouts.items():
            path = folder / f"{name}.raw"
            size = self._first[finished] * layout.bytes_per_pixel
            if finished and (not path.exists() or path.stat().st_size < size):
                raise ResumeError(f"{path}: shorter than its journal says; start again without --resume")
            with writing(path):
                self._files[name] = path.open("r+b" if finished else "w+b", buffering=0)
                self._files[name].truncate(size)

    def append(self, arrays: Mapping[Product, np.ndarray]) -> None:
        """Write the next block, `(bands, height, width)` of each raster, through to the disk.

        Raises:
            OutputError: the disk is full or fails.
        """
        for name, file in self._files.items():
            with writing(Path(file.name)):
                file.seek(0, os.SEEK_END)
                data = memoryview(np.ascontiguousarray(arrays[name], self.layouts[name].dtype).data).cast("B")
                while data:
                    data = data[file.write(data) :]
                os.fsync(file.fileno())

    def read_rows(self, name: Product, band: int, row: int, count: int) -> np.ndarray:
        """Rows `row` to `row + count` of the area, one band (from 0): `(count, width)`."""
        layout, file = self.layouts[name], self._files[name]
        itemsize = np.dtype(layout.dtype).itemsize
        rows = np.empty((count, self.area.width), layout.dtype)
        wanted = Window(self.area.row + row, self.area.col, count, self.area.width)
        # Blocks come row by row, so those that are touched stand side by side; a large map has tens of thousands.
        start = bisect_right(self.blocks, wanted.row, key=lambda block: block.bottom)
        stop = bisect_left(self.blocks, wanted.bottom, key=lambda block: block.row)
        for block, first in zip(self.blocks[start:stop], self._first[start:stop], strict=True):
            part = block.intersect(wanted)
            if part is None:
                continue
            pixel = (band * block.height + part.row - block.row) * block.width
            file.seek(first * layout.bytes_per_pixel + pixel * itemsize)
            values = np.frombuffer(file.read(part.height * block.width * itemsize), layout.dtype)
            rows[part.relative_to(wanted).slices] = values.reshape(part.height, block.width)
        return rows

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
