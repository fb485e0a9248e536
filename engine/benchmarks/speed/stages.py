"""Where a network's time goes: seconds of each kind of part, and floating-point operations counted by torch."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from engine.device import wait_for
from engine.model.backbone import Block
from engine.model.fusion import Fusion
from engine.model.mamol import MaMOLAdapter
from engine.model.network import MaMOLNetwork
from engine.model.pixels import PixelBranch
from engine.model.readout import CentreReadout, DenseReadout, LinearHead, PixelHead
from engine.model.tokens import Stem

_STAGES: dict[type[nn.Module], str] = {
    MaMOLNetwork: "other", Stem: "tokens", Block: "blocks", MaMOLAdapter: "experts", PixelBranch: "pixels",
    CentreReadout: "head", DenseReadout: "head", Fusion: "head", PixelHead: "head", LinearHead: "head",
}  # fmt: skip


class StageClock:
    """While entered, times every forward pass of a network's parts; a part's time leaves out that of parts inside it.

    Attributes:
        seconds: by stage: tokens, blocks, experts, pixels, head, other.
    """

    def __init__(self, network: MaMOLNetwork, device: torch.device) -> None:
        self.network, self.device = network, device
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[list[float]] = []  # start, and seconds of parts inside
        self._handles: list[Any] = []

    def __enter__(self) -> StageClock:
        for module in self.network.modules():
            stage = _STAGES.get(type(module))
            if stage is not None:
                self._handles += [
                    module.register_forward_pre_hook(lambda *_: self._begin()),
                    module.register_forward_hook(lambda *_, stage=stage: self._end(stage)),
                ]
        if self.network.pixels is not None:
            self._time_numbers(self.network.pixels)
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()
        if self.network.pixels is not None:
            del self.network.pixels.numbers  # the method is seen again

    def _time_numbers(self, pixels: PixelBranch) -> None:
        """The numbers of pixels are no forward pass of a module."""
        plain: Callable[..., torch.Tensor] = pixels.numbers

        def timed(*arguments: Any) -> torch.Tensor:
            self._begin()
            numbers = plain(*arguments)
            self._end("pixels")
            return numbers

        pixels.numbers = timed  # type: ignore[method-assign, assignment]

    def _begin(self) -> None:
        wait_for(self.device)
        self._open.append([time.perf_counter(), 0.0])

    def _end(self, stage: str) -> None:
        wait_for(self.device)
        started, inside = self._open.pop()
        seconds = time.perf_counter() - started
        self.seconds[stage] += seconds - inside
        if self._open:
            self._open[-1][1] += seconds


def counted_flops(work: Callable[[], Any]) -> float:
    """Floating-point operations of the matrix products, convolutions and attention in `work()`, backward included."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())
