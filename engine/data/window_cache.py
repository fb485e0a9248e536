"""What training reads: a sparse, standardised copy of the scenes on disk.

The grid is cut into small tiles; those that windows around training and validation pixels can touch are copied once,
standardised, as float16, into memory-mapped files. Every pixel is stored once, however many windows overlap it, and a
window may lie anywhere among the tiles. Memory stays small whatever the scenes' size: pages are given back after
reading.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from engine import disk
from engine.atomic import flush, write_text
from engine.data.scene import Scene
from engine.data.splits import Split
from engine.errors import Cancelled, OutputError
from engine.progress import Progress
from engine.raster.normalise import BandStats
from engine.raster.windows import Window, groups_by_square

TILE_PX = 32
UNLABELLED, CLOSED = -1, -2  # in the class map: free for training without a label; not to be trained on
_FLOAT16_LIMIT = 6e4
_RESIDENT_BYTES = 256 * 2**20  # read this much, then give the pages back


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows cut from the cache.

    Attributes:
        values: standardised values (B, C, H, W) float32 of each modality, 0 where invalid.
        valid: (B, M, H, W) bool.
        classes: class index of training pixels, else UNLABELLED or CLOSED, (B, H, W) int16.
    """

    values: list[np.ndarray]
    valid: np.ndarray
    classes: np.ndarray


class SceneCache:
    """The tiles of one scene."""

    def __init__(self, folder: Path, bands: Sequence[int], new: bool = False) -> None:
        """Open the tiles in `folder`, or make room for `new` ones; the table of tile numbers is there already."""
        self.numbers = np.load(folder / "tiles.npy", allow_pickle=False)
        count = max(int(self.numbers.max()) + 1, 1)
        square = (TILE_PX, TILE_PX)

        def mapped(name: str, dtype: type, *shape: int) -> np.memmap:
            if new:
                _allocate(folder / name, int(np.prod(shape)) * np.dtype(dtype).itemsize)
            return np.memmap(folder / name, dtype, "r+" if new else "r", shape=shape)

        self.files = [mapped(f"values{m}.f16", np.float16, count, c, *square) for m, c in enumerate(bands)]
        self.files.append(mapped("valid.u1", np.bool_, count, len(bands), *square))
        self.files.append(mapped("classes.i2", np.int16, count, *square))
        # Plain views: numpy makes a new memmap of every piece cut from one; that was two thirds of the time to read.
        *self.values, self.valid, self.classes = map(np.asarray, self.files)
        self._read_bytes = 0

    def read(self, rows: np.ndarray, cols: np.ndarray, side: int) -> Windows:
        """Windows of side `side` whose upper left pixels are given (B,); what is in no tile is invalid and CLOSED."""
        count = len(rows)
        values = [np.zeros((count, stored.shape[1], side, side), np.float32) for stored in self.values]
        valid = np.zeros((count, len(self.values), side, side), bool)
        classes = np.full((count, side, side), CLOSED, np.int16)
        for window, (row, col) in enumerate(zip(rows.tolist(), cols.tolist(), strict=True)):
            for number, tile, part in self._pieces(row, col, side):
                for out, stored in zip(values, self.values, strict=True):
                    out[window][:, *part] = stored[number][:, *tile]
                valid[window][:, *part] = self.valid[number][:, *tile]
                classes[window][part] = self.classes[number][tile]
        self._give_back(sum(out.nbytes for out in values) // 2)
        return Windows(values, valid, classes)

    def valid_at(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """What single pixels (N,) of the grid have, (N, M) bool."""
        numbers = self.numbers[rows // TILE_PX, cols // TILE_PX]
        return np.asarray(self.valid[numbers, :, rows % TILE_PX, cols % TILE_PX] & (numbers >= 0)[:, None])

    def _pieces(self, row: int, col: int, side: int) -> list[tuple[int, tuple[slice, slice], tuple[slice, slice]]]:
        """(tile number, slices in the tile, slices in the window) for every stored tile that the window touches."""
        pieces = []
        for tile_row, tile_rows, part_rows in _overlaps(row, side, self.numbers.shape[0]):
            for tile_col, tile_cols, part_cols in _overlaps(col, side, self.numbers.shape[1]):
                number = int(self.numbers[tile_row, tile_col])
                if number >= 0:
                    pieces.append((number, (tile_rows, tile_cols), (part_rows, part_cols)))
        return pieces

    def _give_back(self, read_bytes: int) -> None:
        """Pages of a mapped file count as ours until they are given back."""
        self._read_bytes += read_bytes
        if self._read_bytes > _RESIDENT_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            for stored in self.files:
                stored._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
            self._read_bytes = 0


def build_caches(
    folder: Path,
    scenes: Sequence[Scene],
    splits: Sequence[Split],
    stats: dict[str, BandStats],
    *,
    reach_px: int,
    unlabelled_tiles: int,
    seed: int,
    progress: Progress,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[SceneCache]:
    """Copy what training can touch, or open what an earlier run has copied of the very same.

    What was copied from other files, for another split or with other statistics is built anew: its class map might hold
    what are now labels of the test side.

    Args:
        folder: where the files go; made if needed.
        scenes: places.
        splits: their sides.
        stats: standardisation of each modality.
        reach_px: how far a window may reach from a pixel it is drawn for.
        unlabelled_tiles: at most so many further tiles of the training side, for learning without labels, per scene.
        seed: for choosing those.
        progress: told how far it is.
        cancelled: asked at every tile.

    Raises:
        Cancelled: `cancelled()` said so; what is there is built anew next time.
        OutputError: the disk has no room for it.
    """
    parts = [folder / str(place) for place in range(len(scenes))]
    contents = [
        _content(scene, split, stats, [place, reach_px, unlabelled_tiles, seed])
        for place, (scene, split) in enumerate(zip(scenes, splits, strict=True))
    ]
    missing, size = {}, 0
    for place, (scene, split, part) in enumerate(zip(scenes, splits, parts, strict=True)):
        if _complete_content(part) != contents[place]:
            rng = np.random.default_rng([seed, place, 3])
            missing[place] = _choose_tiles(scene, split, reach_px, unlabelled_tiles, rng)
            size += int((missing[place] >= 0).sum()) * _tile_bytes(_bands(scene))
    folder.mkdir(parents=True, exist_ok=True)
    if missing:  # of all scenes, before the first is read
        disk.require(folder, size, "copies of what training reads")
    for place, numbers in missing.items():
        parts[place].mkdir(exist_ok=True)
        (parts[place] / "complete.json").unlink(missing_ok=True)  # it speaks of what is overwritten now
        np.save(parts[place] / "tiles.npy", numbers, allow_pickle=False)
        _fill(parts[place], scenes[place], splits[place], stats, progress, cancelled)
        complete = {"tiles": int((numbers >= 0).sum()), "content": contents[place]}
        write_text(parts[place] / "complete.json", json.dumps(complete))
    return [SceneCache(part, _bands(scene)) for scene, part in zip(scenes, parts, strict=True)]


def _tile_bytes(bands: Sequence[int]) -> int:
    """Of one tile: values in float16, a byte of validity for each modality, classes in int16."""
    return TILE_PX**2 * (2 * sum(bands) + len(bands) + 2)


def open_caches(folder: Path, scenes: Sequence[Scene]) -> list[SceneCache]:
    """Open what another process has copied.

    Raises:
        OutputError: it is not there.
    """
    for place in range(len(scenes)):
        if not (folder / str(place) / "complete.json").exists():
            raise OutputError(
                f"{folder}: what the first process has written there is not to be seen; processes on several machines "
                "need an --out that all of them share"
            )
    return [SceneCache(folder / str(place), _bands(scene)) for place, scene in enumerate(scenes)]


def _bands(scene: Scene) -> list[int]:
    return [modality.bands for modality in scene.modalities]


def _content(scene: Scene, split: Split, stats: dict[str, BandStats], choice: list[int]) -> str:
    """Digest of all that the files of a scene follow from; `choice` has the numbers by which tiles are chosen."""
    facts = {
        "tile_px": TILE_PX,
        "layers": scene.stack.stamp(),
        "modalities": [asdict(modality) for modality in scene.modalities],
        "stats": {modality.name: stats[modality.name].to_json() for modality in scene.modalities},
        "blocks": None if split.blocks is None else asdict(split.blocks),
        "buffer_px": split.buffer_px,
        "choice": choice,
    }
    digest = hashlib.sha256(json.dumps(facts).encode())
    places = (
        scene.rows[split.train], scene.cols[split.train], scene.classes[split.train],
        scene.rows[split.validation], scene.cols[split.validation],
        split.held_blocks, split.held_rows, split.held_cols,
    )  # fmt: skip
    for numbers in places:
        digest.update(f" {len(numbers)} ".encode() + np.ascontiguousarray(numbers, np.int64).tobytes())
    return digest.hexdigest()


def _complete_content(folder: Path) -> str | None:
    """What a complete copy in `folder` was made of, None where there is none."""
    try:
        content = json.loads((folder / "complete.json").read_text(encoding="utf-8"))["content"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(content)


def _choose_tiles(
    scene: Scene, split: Split, reach_px: int, unlabelled_tiles: int, rng: np.random.Generator
) -> np.ndarray:
    """Number of each tile that is stored, in row order, -1 elsewhere: (tile rows, tile cols) int32."""
    grid = scene.stack.grid
    shape = (-(-grid.height // TILE_PX), -(-grid.width // TILE_PX))
    chosen = np.zeros(shape, bool)
    pixels = np.concatenate([split.train, split.validation])
    steps = [*range(-reach_px, reach_px, TILE_PX), reach_px]  # no tile lies between two steps
    for down in steps:
        for right in steps:
            rows = np.clip(scene.rows[pixels] + down, 0, grid.height - 1) // TILE_PX
            cols = np.clip(scene.cols[pixels] + right, 0, grid.width - 1) // TILE_PX
            chosen[rows, cols] = True
    rest = np.flatnonzero(~chosen)
    centres = np.stack(np.divmod(rest, shape[1]), axis=1) * TILE_PX + TILE_PX // 2
    rest = rest[split.open_to_training(centres[:, 0], centres[:, 1])]
    chosen.ravel()[rng.permutation(rest)[:unlabelled_tiles]] = True
    numbers = np.full(shape, -1, np.int32)
    numbers[chosen] = np.arange(chosen.sum())
    return numbers


def _fill(
    folder: Path,
    scene: Scene,
    split: Split,
    stats: dict[str, BandStats],
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    cache = SceneCache(folder, _bands(scene), new=True)
    grid = scene.stack.grid
    train_rows, train_cols, train_classes = (a[split.train] for a in (scene.rows, scene.cols, scene.classes))
    trained = {
        int(cache.numbers[train_rows[members[0]] // TILE_PX, train_cols[members[0]] // TILE_PX]): members
        for members in groups_by_square(train_rows, train_cols, TILE_PX)
    }
    offsets = np.divmod(np.arange(TILE_PX * TILE_PX), TILE_PX)
    places = np.argwhere(cache.numbers >= 0)
    for number, (tile_row, tile_col) in enumerate(places.tolist()):
        if cancelled():
            raise Cancelled("stopped while reading the scenes")
        row, col = tile_row * TILE_PX, tile_col * TILE_PX
        values, valid = scene.read(Window(row, col, TILE_PX, TILE_PX))
        for modality, stored, values_m, valid_m in zip(scene.modalities, cache.values, values, valid, strict=True):
            standard = np.clip(stats[modality.name].apply(values_m), -_FLOAT16_LIMIT, _FLOAT16_LIMIT)
            stored[number] = np.where(valid_m, standard, 0)
        cache.valid[number] = valid
        rows, cols = row + offsets[0], col + offsets[1]
        is_open = split.open_to_training(rows, cols) & (rows < grid.height) & (cols < grid.width)
        classes = np.where(is_open, UNLABELLED, CLOSED).astype(np.int16).reshape(TILE_PX, TILE_PX)
        if number in trained:
            here = trained[number]
            classes[train_rows[here] - row, train_cols[here] - col] = train_classes[here]
        cache.classes[number] = classes
        cache._give_back(sum(array.nbytes for array in values) // 2)
        progress.step("reading scenes", number + 1, len(places), "tiles")
    for stored in cache.files:
        stored.flush()
    for file in folder.iterdir():
        flush(file)


def _allocate(path: Path, size: int) -> None:
    """Make a file of `size` bytes whose blocks exist: a mapped write to a full disk would kill the process."""
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                for start in range(0, size, 2**20):
                    file.write(bytes(min(2**20, size - start)))
    except OSError as error:
        raise OutputError(
            f"{path}: no room for the {size / 2**20:.0f} MB that training reads ({error.strerror}); "
            "choose another --out"
        ) from error


def _overlaps(first: int, side: int, tiles: int) -> list[tuple[int, slice, slice]]:
    """Along one axis: (tile, its slice, the window's slice) for tiles that [first, first + side) touches."""
    overlaps = []
    for tile in range(max(first // TILE_PX, 0), min((first + side - 1) // TILE_PX + 1, tiles)):
        start, stop = max(first, tile * TILE_PX), min(first + side, (tile + 1) * TILE_PX)
        in_tile = slice(start - tile * TILE_PX, stop - tile * TILE_PX)
        overlaps.append((tile, in_tile, slice(start - first, stop - first)))
    return overlaps
