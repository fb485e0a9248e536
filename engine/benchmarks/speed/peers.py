"""What people would run instead, on the same files: rates in pixels per second.

- a plain loop of the common kind: whole scene in memory, a DataLoader over windows, one window after the other;
- one window for each pixel, as the papers do it, with the same weights;
- a random forest on the pixels' values, and on those of their neighbourhood.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import rasterio
import torch
from torch.utils.data import DataLoader, Dataset

from engine.benchmarks.features import with_context
from engine.bundle import LoadedModel
from engine.device import autocast, wait_for

_BATCH = 32
_FOREST_LABELS, _FOREST_PIXELS = 600, 200_000


class _Windows(Dataset[tuple[list[torch.Tensor], torch.Tensor, int, int]]):
    """Every window of a scene that is held in memory, standardised and padded."""

    def __init__(
        self, values: list[np.ndarray], valid: np.ndarray, shape: tuple[int, int], window: int, core: int
    ) -> None:
        self.values, self.valid, self.window, self.core = values, valid, window, core
        self.rows, self.cols = (-(-side // core) for side in shape)

    def __len__(self) -> int:
        return int(self.rows * self.cols)

    def __getitem__(self, number: int) -> tuple[list[torch.Tensor], torch.Tensor, int, int]:
        row, col = number // self.cols * self.core, number % self.cols * self.core
        cut = np.s_[:, row : row + self.window, col : col + self.window]
        return [torch.from_numpy(part[cut]) for part in self.values], torch.from_numpy(self.valid[cut]), row, col


def plain_loop(loaded: LoadedModel, layers: Mapping[str, Path], out: Path, device: torch.device, precision: str) -> int:
    """Map a scene the common way, files to files; return the number of pixels."""
    network = loaded.network
    values, valid, profile = _whole_scene(loaded, layers)
    height, width = profile["height"], profile["width"]
    classes = np.zeros((height + network.core, width + network.core), np.uint8)
    with torch.inference_mode():
        for batch, batch_valid, rows, cols in DataLoader(
            _Windows(values, valid, (height, width), network.window, network.core), batch_size=_BATCH
        ):
            with autocast(device, precision):
                logits = network([part.to(device) for part in batch], batch_valid.to(device))
            for answer, row, col in zip(logits.argmax(1).cpu().numpy(), rows.tolist(), cols.tolist(), strict=True):
                classes[row : row + network.core, col : col + network.core] = answer + 1
    profile |= {"count": 1, "dtype": "uint8", "nodata": 0, "driver": "GTiff"}
    with rasterio.open(out, "w", **profile) as file:
        file.write(classes[None, :height, :width])
    return int(height * width)


def window_per_pixel(
    loaded: LoadedModel, layers: Mapping[str, Path], device: torch.device, precision: str, pixels: int
) -> Callable[[], int]:
    """Work that gives `pixels` pixels in the middle of the scene a window each; the last block computes the core only.

    Reading is not part of it.
    """
    network = loaded.network
    values, valid, profile = _whole_scene(loaded, layers)
    side = int(np.ceil(np.sqrt(pixels)))
    first = (profile["height"] - side) // 2, (profile["width"] - side) // 2
    middle = network.core // 2

    def work() -> int:
        with torch.inference_mode():
            for start in range(0, pixels, _BATCH * 4):
                numbers = np.arange(start, min(start + _BATCH * 4, pixels))
                places = [(first[0] + n // side - middle, first[1] + n % side - middle) for n in numbers.tolist()]
                cuts = [np.s_[:, r : r + network.window, c : c + network.window] for r, c in places]
                batch = [torch.from_numpy(np.stack([part[cut] for cut in cuts])).to(device) for part in values]
                batch_valid = torch.from_numpy(np.stack([valid[cut] for cut in cuts])).to(device)
                at = (
                    torch.arange(len(numbers), device=device),
                    *(torch.full((len(numbers),), middle, device=device) for _ in range(2)),
                )
                with autocast(device, precision):
                    network(batch, batch_valid, at=(at[0], at[1], at[2]))
            wait_for(device)
        return pixels

    return work


def forest_rate(layers: Mapping[str, Path], labels: Path, context_px: int, threads: int) -> float:
    """Pixels per second of a forest of 300 trees: reading, describing and classifying; fitting is not counted."""
    from sklearn.ensemble import RandomForestClassifier

    with rasterio.open(labels) as file:
        classes = file.read(1)
    started = time.perf_counter()
    parts = []
    for path in layers.values():
        with rasterio.open(path) as file:
            values = file.read().astype(np.float32)
        everywhere = np.ones(values.shape[1:], bool)
        parts.append(values if context_px == 1 else with_context(values, everywhere, context_px))
    features = np.concatenate(parts).reshape(sum(map(len, parts)), -1).T
    described = time.perf_counter() - started
    chosen = np.random.default_rng(0).choice(classes.size, _FOREST_LABELS, replace=False)
    forest = RandomForestClassifier(300, min_samples_leaf=2, n_jobs=threads, random_state=0)
    forest.fit(features[chosen], classes.ravel()[chosen])
    started = time.perf_counter()
    forest.predict(features[:_FOREST_PIXELS])
    count: int = min(len(features), _FOREST_PIXELS)
    return float(1 / (described / classes.size + (time.perf_counter() - started) / count))


def _whole_scene(loaded: LoadedModel, layers: Mapping[str, Path]) -> tuple[list[np.ndarray], np.ndarray, dict]:
    """Standardised values (C, H, W) and validity (M, H, W) of a scene with half a window of nothing around; profile."""
    network = loaded.network
    before, after = network.core_offset, network.window
    values, valid = [], []
    for modality in loaded.info.modalities:
        with rasterio.open(layers[modality.name]) as file:
            raw, mask, profile = file.read().astype(np.float32), file.dataset_mask() > 0, dict(file.profile)
        standard = loaded.info.stats[modality.name].apply(raw).astype(np.float32)
        values.append(np.pad(standard, ((0, 0), (before, after), (before, after))))
        valid.append(np.pad(mask, ((before, after), (before, after))))
    return values, np.stack(valid), profile
