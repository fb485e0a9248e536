"""One training batch as a pure function of seed and step: a resumed run sees the same data without stored state.

Where several processes share a batch, chance is drawn for all of its windows in each of them, and only the own windows
are read. So what is in a batch does not depend on how many share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.config import MissingConfig, TrainingConfig
from engine.data.missing import chosen_patterns, cut_lines, draw_lines, draw_patterns, fixed_table
from engine.data.sampling import Sampler
from engine.data.scene import Scene
from engine.data.splits import Split
from engine.data.window_cache import CLOSED, TILE_PX, SceneCache


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows for one step.

    Attributes:
        values: standardised values (B, C, H, W) float32 of each modality.
        valid: what the windows really have, (B, M, H, W) bool.
        kept: `valid` with gaps made on purpose, (B, M, H, W) bool.
        classes: of the core: class index of training pixels, UNLABELLED or CLOSED elsewhere, (B, K, K) int64.
    """

    values: list[np.ndarray]
    valid: np.ndarray
    kept: np.ndarray
    classes: np.ndarray


class Batches:
    """Draws windows around training pixels, and around any pixel of the training side."""

    def __init__(
        self,
        scenes: Sequence[Scene],
        splits: Sequence[Split],
        caches: Sequence[SceneCache],
        *,
        training: TrainingConfig,
        missing: MissingConfig,
        window: int,
        core: int,
        core_offset: int,
        share: slice = slice(None),
    ) -> None:
        """Take what to draw from and the geometry of a window: its side, its core's side and first row, in pixels.

        Of each batch the windows `share` are cut.
        """
        self.caches, self.training, self.missing, self.share = caches, training, missing, share
        self.window, self.core, self.core_offset = window, core, core_offset
        self.scene = np.repeat(np.arange(len(splits)), [len(split.train) for split in splits])
        self.rows = np.concatenate([scene.rows[split.train] for scene, split in zip(scenes, splits, strict=True)])
        self.cols = np.concatenate([scene.cols[split.train] for scene, split in zip(scenes, splits, strict=True)])
        self.classes = np.concatenate([scene.classes[split.train] for scene, split in zip(scenes, splits, strict=True)])
        self.sampler = Sampler(self.classes, training.balance, training.seed)
        names = [modality.name for modality in scenes[0].modalities]
        self.only = chosen_patterns(missing.patterns, names)
        self.table: np.ndarray | None = None
        if missing.protocol == "paper":
            rng = np.random.default_rng([training.seed, 4])
            self.table = fixed_table(rng, len(self.classes), len(names), missing.rate, self.only)
        # Pixels of the training side that have data, labelled or not: (scene, tile row, tile col) of each tile that has
        # some, and how many there are up to and including it.
        tiles = [
            (place, int(row), int(col), int(_open(cache, cache.numbers[row, col]).sum()))
            for place, cache in enumerate(caches)
            for row, col in np.argwhere(cache.numbers >= 0)
        ]
        table = np.array([tile for tile in tiles if tile[3]], np.int64).reshape(-1, 4)
        self._open_tiles, self._open_pixels = table[:, :3], np.cumsum(table[:, 3])

    def draw(self, step: int, unlabelled: float = 0.0) -> Batch:
        """The windows of step number `step`, those of the own share.

        Args:
            step: its number.
            unlabelled: share of the windows drawn for any pixel of the training side; the others are drawn for training
                pixels, the first of the step's draw: which ones does not depend on this share, but those left over are
                not made up for. The pixel lies anywhere in the window's core.
        """
        anywhere = int(unlabelled * self.training.batch_size) if len(self._open_tiles) else 0
        picks = self.sampler.draw(step, self.training.batch_size)[: self.training.batch_size - anywhere]
        rng = np.random.default_rng([self.training.seed, step, 5])
        place, rows, cols = self.open_places(rng, anywhere)
        patterns = np.ones((len(picks) + anywhere, len(self.caches[0].values)), bool)
        if self.table is not None:
            patterns[: len(picks)] = self.table[picks]
        return self._cut(
            rng,
            np.concatenate([self.scene[picks], place]),
            np.concatenate([self.rows[picks], rows]),
            np.concatenate([self.cols[picks], cols]),
            patterns,
        )

    def around(
        self, rng: np.random.Generator, place: np.ndarray, rows: np.ndarray, cols: np.ndarray
    ) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Windows without gaps that have given pixels (N,) at random places in their cores.

        Returns:
            Standardised values (N, C, H, W) of each modality, validity (N, M, H, W), and row and column of each pixel
            in its core (2, N).
        """
        within = self.within(rng, len(rows))
        corner = self.core_offset + within
        values, valid, _ = self.read(place, rows - corner[0], cols - corner[1], self.window)
        return values, valid, within

    def within(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Random rows and columns in a core (2, count): the chance of `around`."""
        return rng.integers(self.core, size=(2, count))

    def open_places(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Scene, row and column (3, count) of random pixels of the training side; none where no tile is stored."""
        count = count if len(self._open_tiles) else 0
        places = np.empty((3, count), np.int64)
        if not count:
            return places
        picks = rng.integers(self._open_pixels[-1], size=count)
        tiles = np.searchsorted(self._open_pixels, picks, side="right")
        for number, (place, row, col) in enumerate(self._open_tiles[tiles].tolist()):
            cache = self.caches[place]
            within = np.flatnonzero(_open(cache, cache.numbers[row, col]))
            down, right = divmod(int(within[self._open_pixels[tiles[number]] - 1 - picks[number]]), TILE_PX)
            places[:, number] = place, row * TILE_PX + down, col * TILE_PX + right
        return places

    def _cut(
        self, rng: np.random.Generator, place: np.ndarray, rows: np.ndarray, cols: np.ndarray, patterns: np.ndarray
    ) -> Batch:
        """Windows with the given pixels at random places in their cores, turned, with gaps (those given, if fixed)."""
        within = self.core_offset + rng.integers(self.core, size=(len(rows), 2))
        present = self._present(place, rows, cols)
        present |= ~present.any(axis=1, keepdims=True)  # nothing there, so nothing to keep
        if self.table is None:
            patterns = draw_patterns(rng, present, self.missing.rate, self.only)
        patterns = np.where((patterns & present).any(axis=1, keepdims=True), patterns, True)
        lines = draw_lines(rng, len(rows))
        turns = rng.integers(8, size=len(rows)) if self.training.augment else None
        place, rows, cols, within = place[self.share], rows[self.share], cols[self.share], within[self.share]
        # As much on both sides of the core; a window whose margins differ by one pixel is cut from this after turning.
        side = 2 * self.core_offset + self.core
        values, valid, classes = self.read(place, rows - within[:, 0], cols - within[:, 1], side)
        patterned = valid & patterns[self.share, :, None, None]
        kept = cut_lines(lines[self.share], patterned, within, self.missing.cut_rate)
        core = slice(self.core_offset, self.core_offset + self.core)
        arrays = [*values, valid, kept, classes[:, core, core].astype(np.int64)]
        if turns is not None:
            arrays = [turned(array, turns[self.share]) for array in arrays]
        *values, valid, kept, classes = arrays
        shown = slice(self.window)
        return Batch([v[..., shown, shown] for v in values], valid[..., shown, shown], kept[..., shown, shown], classes)

    def _present(self, place: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Modalities that pixels of all scenes have, (N, M) bool."""
        present = np.empty((len(place), len(self.caches[0].values)), bool)
        for i in np.unique(place):
            present[place == i] = self.caches[i].valid_at(rows[place == i], cols[place == i])
        return present

    def read(
        self, place: np.ndarray, rows: np.ndarray, cols: np.ndarray, side: int
    ) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Squares by their upper left pixels, from all scenes' caches, in the order asked for."""
        places = np.unique(place).tolist() or [0]  # also no squares have the shape of squares
        parts = [self.caches[i].read(rows[place == i], cols[place == i], side) for i in places]
        back = np.argsort(np.concatenate([np.flatnonzero(place == i) for i in places]))
        values = [np.concatenate(arrays)[back] for arrays in zip(*(part.values for part in parts), strict=True)]
        valid = np.concatenate([part.valid for part in parts])[back]
        return values, valid, np.concatenate([part.classes for part in parts])[back]


def _open(cache: SceneCache, tile: int) -> np.ndarray:
    """Pixels of a tile that training may learn from: on its side, and with data; bool (TILE_PX, TILE_PX)."""
    mask: np.ndarray = (cache.classes[tile] != CLOSED) & cache.valid[tile].any(axis=0)
    return mask


def turned(array: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Each window (first axis) turned by 0 to 3 quarters, those with a number above 3 flipped first."""
    out = np.empty_like(array)
    for window, turn in enumerate(turns.tolist()):
        image = array[window, ..., ::-1] if turn > 3 else array[window]
        out[window] = np.rot90(image, turn % 4, axes=(-2, -1))
    return out
