"""What a network says at stored pixels under every pattern, with the windows that mapping would use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.assessment.confusion import Confusion
from engine.data.scene import Scene
from engine.data.window_cache import SceneCache
from engine.device import autocast, run_with_backoff
from engine.errors import Cancelled
from engine.modality import pattern_name
from engine.model.network import MaMOLNetwork
from engine.raster.normalise import BandStats
from engine.raster.windows import Window, groups_by_square
from engine.training.distributed import ALONE, Team

Pattern = tuple[bool, ...]
_BATCH = 128  # windows
_SQUARE_PX = 128  # windows whose cores start in one square of this side are read together

# (rows, cols, side) of windows -> values [(B, C, H, W)], validity (B, M, H, W)
ReadWindows = Callable[[np.ndarray, np.ndarray, int], tuple[list[np.ndarray], np.ndarray]]


@dataclass(frozen=True)
class Answers:
    """A network's answers at N pixels under P patterns.

    Attributes:
        patterns: the patterns, P of them.
        logits: (P, N, Y) float32.
        natural: modalities that are really there at each pixel (N, M).
        reference: class index of each pixel (N,).
    """

    patterns: list[Pattern]
    logits: np.ndarray
    natural: np.ndarray
    reference: np.ndarray

    def counted(self, pattern: int) -> np.ndarray:
        """Pixels (N,) that have every modality of a pattern, so that the answer is really of that pattern."""
        lacking = np.array(self.patterns[pattern]) & ~self.natural
        return np.asarray(~lacking.any(axis=1))

    def confusions(self, names: Sequence[str]) -> dict[str, Confusion]:
        """Confusion matrix of each pattern, by name."""
        classes = self.logits.shape[2]
        confusions = {}
        for number, pattern in enumerate(self.patterns):
            pixels = self.counted(number)
            predicted = self.logits[number, pixels].argmax(axis=1)
            confusions[pattern_name(names, pattern)] = Confusion.of(self.reference[pixels], predicted, classes)
        return confusions


def from_cache(cache: SceneCache) -> ReadWindows:
    """Read windows from a training cache."""

    def read(rows: np.ndarray, cols: np.ndarray, side: int) -> tuple[list[np.ndarray], np.ndarray]:
        windows = cache.read(rows, cols, side)
        return windows.values, windows.valid

    return read


def from_scene(scene: Scene, stats: dict[str, BandStats]) -> ReadWindows:
    """Read windows from the rasters themselves, a common rectangle of them at once."""

    def read(rows: np.ndarray, cols: np.ndarray, side: int) -> tuple[list[np.ndarray], np.ndarray]:
        row, col = int(rows.min()), int(cols.min())
        around = Window(row, col, int(rows.max()) + side - row, int(cols.max()) + side - col)
        values, valid = scene.read(around)
        cuts = [
            (slice(r - row, r - row + side), slice(c - col, c - col + side))
            for r, c in zip(rows.tolist(), cols.tolist(), strict=True)
        ]
        standard = [
            np.where(valid_m, stats[modality.name].apply(values_m), np.float32(0))
            for modality, values_m, valid_m in zip(scene.modalities, values, valid, strict=True)
        ]
        cut_valid = np.stack([valid[:, *cut] for cut in cuts])
        return [np.stack([array[:, *cut] for cut in cuts]) for array in standard], cut_valid

    return read


def ask(
    network: MaMOLNetwork,
    read: ReadWindows,
    rows: np.ndarray,
    cols: np.ndarray,
    reference: np.ndarray,
    patterns: Sequence[Pattern],
    classes: int,
    *,
    device: torch.device,
    precision: str,
    cancelled: Callable[[], bool] = lambda: False,
    team: Team = ALONE,
) -> Answers:
    """Predict the pixels (N,) of one scene under each pattern, each process of a team a share; all get all answers.

    Raises:
        Cancelled: `cancelled()` said so.
    """
    answers = Answers(
        patterns=list(patterns),
        logits=np.zeros((len(patterns), len(rows), classes), np.float32),
        natural=np.zeros((len(rows), len(network.stems)), bool),
        reference=reference,
    )
    with team.together():
        for members, part in ask_in_parts(
            network, read, rows, cols, reference, patterns,
            device=device, precision=precision, cancelled=cancelled, team=team,
        ):  # fmt: skip
            answers.logits[:, members] = part.logits
            answers.natural[members] = part.natural
    team.fill(answers.logits, answers.natural)
    return answers


def ask_in_parts(
    network: MaMOLNetwork,
    read: ReadWindows,
    rows: np.ndarray,
    cols: np.ndarray,
    reference: np.ndarray,
    patterns: Sequence[Pattern],
    *,
    device: torch.device,
    precision: str,
    cancelled: Callable[[], bool] = lambda: False,
    team: Team = ALONE,
) -> Iterator[tuple[np.ndarray, Answers]]:
    """Predict the pixels (N,) of one scene under each pattern, some at a time: memory does not grow with N.

    Cores lie at multiples of their side from the grid's origin, as in mapping, so accuracy is that of the map.

    Yields:
        Positions of some of the pixels (n,), and the answers there.

    Raises:
        Cancelled: `cancelled()` said so.
    """
    core, offset = network.core, network.core_offset
    for members in team.mine(_windows_read_together(rows // core, cols // core, max(_SQUARE_PX // core, 1))):
        cores, window = np.unique(
            np.stack([rows[members] // core, cols[members] // core], axis=1), axis=0, return_inverse=True
        )
        window = window.ravel()
        values, valid = read(cores[:, 0] * core - offset, cores[:, 1] * core - offset, network.window)
        at_row, at_col = rows[members] % core, cols[members] % core
        logits = []
        for pattern in patterns:
            if cancelled():
                raise Cancelled("stopped while evaluating")
            kept = valid & np.array(pattern)[:, None, None]
            logits.append(_forward(network, values, kept, device, precision)[window, :, at_row, at_col])
        natural = valid[window, :, at_row + offset, at_col + offset]
        yield members, Answers(list(patterns), np.stack(logits), natural, reference[members])


def join(parts: Sequence[Answers]) -> Answers:
    """Answers of several scenes as one."""
    return Answers(
        patterns=parts[0].patterns,
        logits=np.concatenate([part.logits for part in parts], axis=1),
        natural=np.concatenate([part.natural for part in parts]),
        reference=np.concatenate([part.reference for part in parts]),
    )


def few_cores(rows: np.ndarray, cols: np.ndarray, core: int, limit: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of the pixels that lie in at most `limit` cores drawn at random: cheap to ask for, again and again."""
    groups = groups_by_square(rows, cols, core)
    chosen = rng.permutation(len(groups))[:limit]
    return np.sort(np.concatenate([groups[number] for number in chosen])) if len(groups) else np.empty(0, np.int64)


def _windows_read_together(core_rows: np.ndarray, core_cols: np.ndarray, side: int) -> Iterator[np.ndarray]:
    """Positions of pixels whose windows are read at once, no more windows than a batch."""
    for members in groups_by_square(core_rows, core_cols, side):
        _, window = np.unique(np.stack([core_rows[members], core_cols[members]], axis=1), axis=0, return_inverse=True)
        for first in range(0, int(window.max()) + 1, _BATCH):
            yield members[(window.ravel() >= first) & (window.ravel() < first + _BATCH)]


@torch.inference_mode()
def _forward(
    network: MaMOLNetwork, values: list[np.ndarray], valid: np.ndarray, device: torch.device, precision: str
) -> np.ndarray:
    """Logits (B, Y, K, K) float32 of windows, in smaller batches where memory runs out."""

    def run(start: int, stop: int) -> np.ndarray:
        inputs = [torch.from_numpy(array[start:stop]).to(device) for array in values]
        with autocast(device, precision):
            logits = network(inputs, torch.from_numpy(valid[start:stop]).to(device))
        return _as_core(logits).float().cpu().numpy()

    results, _ = run_with_backoff(run, len(valid), _BATCH)
    return np.concatenate(results)


def _as_core(logits: torch.Tensor) -> torch.Tensor:
    """(B, Y) of a centre read-out as (B, Y, 1, 1)."""
    return logits[:, :, None, None] if logits.ndim == 2 else logits
