"""The device's own limit: the best rate at which it multiplies matrices, as torch does it."""

from __future__ import annotations

import statistics
import time

import torch

from engine.device import wait_for

# (rows, inner, columns): squares, and what a transformer multiplies: many tokens, few hundred channels.
_SHAPES = ((1024, 1024, 1024), (2048, 2048, 2048), (8192, 768, 3072), (8192, 3072, 768), (16384, 384, 1536))
_SHAPES_GPU = ((8192, 8192, 8192), (16384, 4096, 4096), (65536, 768, 3072))
_ROUNDS, _SECONDS = 5, 0.1


def matmul_peak(device: torch.device, dtype: torch.dtype) -> float:
    """GFLOP/s of the best shape: median over rounds of at least a tenth of a second each."""
    best = 0.0
    for rows, inner, columns in _SHAPES if device.type == "cpu" else _SHAPES_GPU:
        one = torch.randn(rows, inner, device=device).to(dtype)
        other = torch.randn(inner, columns, device=device).to(dtype)
        flops = 2 * rows * inner * columns
        best = max(best, statistics.median(_rate(one, other, device) for _ in range(_ROUNDS)) * flops / 1e9)
    return best


def _rate(one: torch.Tensor, other: torch.Tensor, device: torch.device) -> float:
    """Products per second."""
    torch.mm(one, other)
    wait_for(device)
    count, started = 0, time.perf_counter()
    while True:
        torch.mm(one, other)
        count += 1
        if device.type == "cpu" or count % 8 == 0:
            wait_for(device)
            if (seconds := time.perf_counter() - started) > _SECONDS:
                return count / seconds
