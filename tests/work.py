"""Counting work instead of seconds: what a regression of speed cannot hide from, and a busy machine cannot shake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from engine.model.backbone import VisionTransformer
from engine.model.readout import PixelHead
from engine.raster.raster_file import RasterFile


@dataclass
class Work:
    """What was done.

    Attributes:
        tokens: through the transformer.
        pixels: through heads, once for each reading and fusion.
        numbers_read: pixels times bands that left a file.
        kernels: calls of torch's operators.
    """

    tokens: int = 0
    pixels: int = 0
    numbers_read: int = 0
    kernels: int = 0


class _Kernels(TorchDispatchMode):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.work.kernels += 1
        return function(*args, **(kwargs or {}))


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Count what happens inside."""
    work = Work()
    encode, classify, read = VisionTransformer.forward, PixelHead.forward, RasterFile.read

    def encoding(self: VisionTransformer, token_NLD: Tensor, *args: object) -> Tensor:
        work.tokens += token_NLD.shape[0] * (token_NLD.shape[1] + self.prefix)
        return encode(self, token_NLD, *args)

    def classifying(self: PixelHead, feature: Tensor, present_M: Tensor) -> Tensor:
        work.pixels += int(np.prod(present_M.shape[:-1]))
        return classify(self, feature, present_M)

    def reading(self: RasterFile, window, bands):
        inside = window.intersect(self.grid.window)
        work.numbers_read += len(bands) * inside.height * inside.width if inside else 0
        return read(self, window, bands)

    with monkeypatch.context() as patch, _Kernels(work):
        patch.setattr(VisionTransformer, "forward", encoding)
        patch.setattr(PixelHead, "forward", classifying)
        patch.setattr(RasterFile, "read", reading)
        yield work
