"""From a block's standardised values to class probabilities of its pixels.

Windows are cut out of the block on the device, batch by batch. Those with the same modalities somewhere in them form a
group, in which an absent modality is not even handed to the network. Windows whose core has no pixel to map are left
out. Each pixel's scores are corrected with the temperature and bias of its own pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.device import autocast, run_with_backoff, set_threads
from engine.errors import Cancelled
from engine.mapping.calibration import Calibration
from engine.mapping.geometry import Tiling
from engine.mapping.plan import InputBlock
from engine.modelfile import ModelInfo

# What a batch holds by default: tokens of all modalities, and predicted pixels. On a CPU a layer's output then takes a
# few MB and the pixels' descriptions, some 5 kB each, less than a hundred; a GPU needs more to be busy.
_TOKENS, _PIXELS = 8192, 16384
_GPU_FACTOR = 32


class Predictor(Protocol):
    """What mapping needs of a loaded model."""

    @property
    def info(self) -> ModelInfo:
        """What the model file says."""
        ...

    @property
    def network(self) -> Callable[..., Tensor]:
        """Scores (B, Y, K, K) or (B, Y) of `network(values, valid, compute)`; see `MaMOLNetwork.forward`."""
        ...


class BlockModel:
    """Maps blocks with one model.

    Args:
        predictor: the loaded model.
        tiling: geometry of its windows.
        device: where its network is.
        precision: "float32" or "bfloat16".
        batch: windows at once; shrinks by itself where memory runs out.
        cancelled: asked before every batch.
        workers: batches side by side, each with its share of torch's threads and of `batch`.
    """

    def __init__(
        self,
        predictor: Predictor,
        tiling: Tiling,
        device: torch.device,
        precision: str = "float32",
        batch: int | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        workers: int = 1,
    ) -> None:
        info = predictor.info
        self.network, self.tiling, self.device, self.precision = predictor.network, tiling, device, precision
        self.batch = max(1, (batch or default_batch(info, device)) // workers)
        self.threads = set_threads(None)
        self.workers, self.pool = workers, None
        if workers > 1:
            self.pool = ThreadPoolExecutor(workers, "mapping", set_threads, (self.threads // workers,))
        self.cancelled = cancelled
        self.calibration = Calibration(info, device)
        self.modalities, self.classes = len(info.modalities), len(info.legend)

    def close(self) -> None:
        """Let the workers go, and torch have its threads again."""
        if self.pool is not None:
            self.pool.shutdown()
            set_threads(self.threads)

    @torch.inference_mode()
    def probabilities(self, block: InputBlock) -> np.ndarray:
        """Class probabilities `(Y, height, width)` float32 of the block's area; 0 where nothing is to be mapped.

        Raises:
            Cancelled: `cancelled` said so.
        """
        valid = torch.from_numpy(block.valid).to(self.device)
        values = [None if part is None else torch.from_numpy(part).to(self.device) for part in block.values]
        wanted = torch.from_numpy(block.sensors > 0).to(self.device)
        mean = torch.zeros(self.classes, block.area.height, block.area.width, device=self.device)
        shifts = self.tiling.shifts
        for shift in shifts:
            cores = self.tiling.cores(block.area, shift)
            rows, cols = self.tiling.inputs(cores).relative_to(block.window).slices
            here = block.area.relative_to(cores)
            around = (here.col, cores.width - here.right, here.row, cores.height - here.bottom)
            tiled = self._tiling(
                [None if part is None else part[:, rows, cols] for part in values],
                valid[:, rows, cols],
                functional.pad(wanted, around),
            )
            mean += tiled[:, here.slices[0], here.slices[1]] / len(shifts)
        return mean.cpu().numpy()

    def _tiling(self, values: Sequence[Tensor | None], valid: Tensor, wanted: Tensor) -> Tensor:
        """Probabilities `(Y, height, width)` of whole cores.

        Args:
            values: of all windows' pixels.
            valid: the same, `(M, ...)`.
            wanted: which pixels of the cores are to be mapped.
        """
        side, core = self.tiling.window, self.tiling.core
        rows, cols = wanted.shape[0] // core, wanted.shape[1] // core
        has_window = _any_in_windows(valid, side, core).flatten(1)
        selected = wanted.reshape(rows, core, cols, core).any(dim=3).any(dim=1).flatten()
        codes = _bits(has_window)
        valid_windows = _windows(valid, side, core)
        value_windows = [None if part is None else _windows(part, side, core) for part in values]
        result = torch.zeros(rows * cols, self.classes, core, core, device=self.device)
        for code in torch.unique(codes[selected]).tolist():
            members = (selected & (codes == code)).nonzero()[:, 0]
            compute = [bool(code >> modality & 1) for modality in range(self.modalities)]
            self._group(members, cols, compute, value_windows, valid_windows, result)
        return result.reshape(rows, cols, self.classes, core, core).permute(2, 0, 3, 1, 4).flatten(3).flatten(1, 2)

    def _group(
        self,
        members: Tensor,
        cols: int,
        compute: list[bool],
        values: Sequence[Tensor | None],
        valid: Tensor,
        result: Tensor,
    ) -> None:
        """Fill in the windows `members`, which have the modalities `compute` and no others."""
        core, first = self.tiling.core, self.tiling.offset
        inner = slice(first, first + core)

        @torch.inference_mode()  # each thread says so for itself
        def run(start: int, stop: int) -> None:
            if self.cancelled():
                raise Cancelled
            chosen = members[start:stop]
            row, col = chosen // cols, chosen % cols
            valid_batch = valid[row, col]
            batch = [
                part[row, col] if part is not None and there else None
                for part, there in zip(values, compute, strict=True)
            ]
            with autocast(self.device, self.precision):
                logits = self.network(batch, valid_batch, compute)
            logits = logits.float().reshape(len(chosen), self.classes, core, core)
            result[chosen] = self.calibration(logits, _bits(valid_batch[:, :, inner, inner].movedim(1, 0)))

        _, self.batch = run_with_backoff(run, len(members), self.batch, self.pool, self.workers)


def default_batch(info: ModelInfo, device: torch.device) -> int:
    """Windows in a batch where the user does not say."""
    tokens = len(info.modalities) * ((info.window // int(info.model["token_px"])) ** 2 + 1)
    factor = 1 if device.type == "cpu" else _GPU_FACTOR
    return max(1, factor * min(_TOKENS // tokens, _PIXELS // info.core**2))


def _windows(image: Tensor, side: int, step: int) -> Tensor:
    """View of `(C, H, W)` as windows: `(rows, cols, C, side, side)`."""
    return image.unfold(1, side, step).unfold(2, side, step).permute(1, 2, 0, 3, 4)


def _any_in_windows(valid: Tensor, side: int, step: int) -> Tensor:
    """Whether any pixel of each window is valid: `(M, rows, cols)`; along one axis after the other."""
    return valid.unfold(1, side, step).any(dim=3).unfold(2, side, step).any(dim=3)


def _bits(present: Tensor) -> Tensor:
    """Pattern bits (...) of bools (M, ...)."""
    weights = torch.tensor([1 << modality for modality in range(len(present))], device=present.device)
    return (present * weights.reshape(-1, *[1] * (present.ndim - 1))).sum(dim=0)
