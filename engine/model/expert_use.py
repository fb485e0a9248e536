"""Which experts serve which pattern: counted while a network answers, not claimed.

Each token's load is 1, shared among the experts that serve it in proportion to their gates: the one expert of top-1
carries all of it. A token counts for its own pattern, the one that its router was told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.model.network import MaMOLNetwork


class ExpertUse:
    """Loads of the experts of every block with a router, by pattern.

    Attributes:
        blocks: numbers of these blocks.
        loads: by pattern bits: sum of the tokens' loads (blocks, E).
    """

    def __init__(self, blocks: list[int], experts: int) -> None:
        self.blocks, self.experts = blocks, experts
        self.loads: dict[int, np.ndarray] = {}

    def shares(self) -> dict[int, np.ndarray]:
        """Share of the load that each expert carries (blocks, E), by pattern bits.

        Rows add up to 1; those of blocks that never saw the pattern are 0 (a last block may compute few tokens).
        """
        return {bits: loads / np.maximum(loads.sum(axis=1, keepdims=True), 1e-9) for bits, loads in self.loads.items()}

    def tokens(self, bits: int) -> int:
        """How many tokens of a pattern the routers have seen in a block."""
        return round(float(self.loads[bits].sum(axis=1).max()))

    def add(self, place: int, gate_NTE: Tensor, present_NTM: Tensor) -> None:
        """Count the tokens that the router of block `blocks[place]` has seen; those without any sensor do not count."""
        bits_M = 2 ** torch.arange(present_NTM.shape[-1], device=present_NTM.device)
        codes, number = torch.unique((present_NTM * bits_M).sum(dim=-1).flatten(), return_inverse=True)
        # Summed on the CPU, exactly: Apple's GPUs have no float64, and a GPU's order of summation is not fixed.
        load = (gate_NTE / gate_NTE.sum(dim=-1, keepdim=True)).flatten(0, 1).cpu().double()
        sums = torch.zeros(len(codes), self.experts, dtype=load.dtype).index_add(0, number.cpu(), load)
        for code, row in zip(codes.tolist(), sums.numpy(), strict=True):
            if code:
                self.loads.setdefault(code, np.zeros((len(self.blocks), self.experts)))[place] += row


@contextmanager
def watched(network: MaMOLNetwork) -> Iterator[ExpertUse]:
    """Count what the routers of a network do inside the block; nothing is counted for methods without routers."""
    routers: list[Any] = [getattr(adapter, "router", None) for adapter in network.adapters]
    found = [(block, router) for block, router in zip(network.placement, routers, strict=False) if router is not None]
    use = ExpertUse([block for block, _ in found], found[0][1].scores.out_features if found else 0)
    hooks = [
        router.register_forward_hook(lambda _, given, gate, place=place: use.add(place, gate, given[1]))
        for place, (_, router) in enumerate(found)
    ]
    try:
        yield use
    finally:
        for hook in hooks:
            hook.remove()
