"""A transformer's bare blocks: the rate that mapping and training with a frozen backbone are held against."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from engine.device import autocast, wait_for
from engine.model.backbone import VisionTransformer, VitShape
from engine.model.mamol import MaMOLAdapter

VIT_S = VitShape(width=384, depth=12, heads=6, mlp_width=1536, grid=8, layer_scale=True)
VIT_B = VitShape(width=768, depth=12, heads=12, mlp_width=3072, grid=8, activation="quick_gelu", norm_pre=True)
_MODALITIES = 3


def block_seconds(
    shape: VitShape, windows: int, device: torch.device, precision: str, rounds: int, train: bool
) -> dict[str, float]:
    """Seconds of one block over `windows` windows, `bare` and with an `adapter`, medians of rounds taken in turns.

    Args:
        shape: of the backbone; its weights are random and frozen.
        windows: each of a class token and `shape.grid` squared tokens.
        device: where to compute.
        precision: "float32" or "bfloat16".
        rounds: how often each is timed.
        train: forward and backward, to the tokens and the adapter's weights; else forward alone.
    """
    one = VitShape(**(shape.to_json() | {"depth": 1, "output": None}))
    backbone = VisionTransformer(one).to(device).requires_grad_(False)
    adapter = MaMOLAdapter(
        width=shape.width, modalities=_MODALITIES, rank=8, dynamic_experts=2, top_k=1, shared=True, specific=True,
        norm=False, projection=False,
    ).to(device)  # fmt: skip
    block = backbone.blocks[0]
    sample = torch.randn(windows, 1 + shape.grid**2, shape.width, device=device)
    present = torch.rand(*sample.shape[:2], _MODALITIES, device=device) < 0.7

    def work(chosen: MaMOLAdapter | None) -> None:
        with torch.set_grad_enabled(train), autocast(device, precision):
            tokens = sample.detach().requires_grad_(train)
            out = block(tokens, chosen, present)
        if train:
            out.backward(torch.ones_like(out))

    return in_turns({"bare": lambda: work(None), "adapter": lambda: work(adapter)}, device, rounds)


def bare_step(shape: VitShape, learning: int, looking: int, device: torch.device, precision: str) -> Callable[[], None]:
    """What a training step asks of frozen blocks, without all the rest: random weights, no adapters.

    Args:
        shape: of the backbone.
        learning: windows of one sensor that go forward, and backward to their tokens.
        looking: windows that go forward alone.
        device: where to compute.
        precision: "float32" or "bfloat16".
    """
    backbone = VisionTransformer(shape).to(device).requires_grad_(False)
    sample = torch.randn(max(learning, looking), shape.grid**2, shape.width, device=device)

    def work() -> None:
        tokens = sample[:learning].detach().requires_grad_()
        with autocast(device, precision):
            out = backbone(tokens)
            if looking:
                with torch.no_grad():
                    backbone(sample[:looking])
        out.backward(torch.ones_like(out))

    return work


@torch.inference_mode()
def backbone_rate(shape: VitShape, windows: int, device: torch.device, precision: str, rounds: int) -> float:
    """Tokens per second through all bare blocks."""
    backbone = VisionTransformer(shape).to(device)
    sample = torch.randn(windows, shape.grid**2, shape.width, device=device)

    def work() -> None:
        with autocast(device, precision):
            backbone(sample)

    return windows * (1 + shape.grid**2) / in_turns({"blocks": work}, device, rounds)["blocks"]


def in_turns(works: dict[str, Callable[[], object]], device: torch.device, rounds: int) -> dict[str, float]:
    """Median seconds of each work; they take turns, so that a busy moment of the machine hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):  # the first warms up
        for name, work in works.items():
            wait_for(device)
            started = time.perf_counter()
            work()
            wait_for(device)
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}
