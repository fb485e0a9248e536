"""Where the network runs: the one module with device code.

torch is imported inside functions, so importing this is free.
"""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.errors import ConfigError
from engine.launch import launch
from engine.memory import is_out_of_memory

if TYPE_CHECKING:
    import torch

Result = TypeVar("Result")
DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")


def choose_device(name: str = "auto") -> torch.device:
    """The device asked for; `auto` takes CUDA, then Apple's MPS, then the CPU.

    Of several processes on one machine, each gets a CUDA device of its own; all share the CPU.

    Raises:
        ConfigError: the device is unknown, or not there.
    """
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if launch().count > 1:
        available["mps"] = False  # one device, and no way for its processes to talk
    if name == "auto":
        name = next(kind for kind, there in available.items() if there)
    kind = name.partition(":")[0]
    if kind not in available:
        raise ConfigError(f"--device {name}: expected one of {', '.join(DEVICES)}")
    if not available[kind]:
        raise ConfigError(f"--device {name}: this machine has none that torch can use; take --device auto")
    return _own_device() if launch().count > 1 and name == "cuda" else torch.device(name)


def _own_device() -> torch.device:
    """The CUDA device of this one of several processes."""
    import torch

    here, devices = launch(), torch.cuda.device_count()
    if here.local_count > devices:
        raise ConfigError(
            f"{here.local_count} processes on a machine with {devices} CUDA device(s): give torchrun "
            f"--nproc-per-node {devices}, or take --device cpu"
        )
    torch.cuda.set_device(here.local_rank)  # what NCCL and allocations without a device go by
    return torch.device("cuda", here.local_rank)


def communication() -> str:
    """How several processes talk, for torch: NCCL about what is on CUDA devices where torch has it, gloo otherwise."""
    import torch

    nccl = torch.cuda.is_available() and torch.distributed.is_nccl_available()
    return "cpu:gloo,cuda:nccl" if nccl else "gloo"


def count_gpus() -> int:
    """How many CUDA devices this process may use."""
    import torch

    return torch.cuda.device_count()


def choose_precision(device: torch.device, name: str = "auto") -> str:
    """`float32` or `bfloat16`; `auto` takes bfloat16 where the device multiplies it faster.

    Raises:
        ConfigError: the precision is unknown.
    """
    if name not in PRECISIONS:
        raise ConfigError(f"--precision {name}: expected one of {', '.join(PRECISIONS)}")
    if name != "auto":
        return name
    import torch

    fast = device.type == "cpu" and _cpu_has_fast_bfloat16()
    fast = fast or (device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0))
    return "bfloat16" if fast else "float32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager:
    """Context in which matrix products run at `precision`; weights and sums that need it stay float32."""
    import torch

    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def run_with_backoff(
    run: Callable[[int, int], Result], count: int, batch: int, pool: Executor | None = None, workers: int = 1
) -> tuple[list[Result], int]:
    """Call `run(start, stop)` over items 0 to `count` in batches, halving the batch whenever memory runs out.

    Args:
        run: does items `start` to `stop`; must be repeatable after it failed.
        count: number of items.
        batch: items per call to begin with.
        pool: runs batches side by side; None does one after the other.
        workers: how many of them the pool runs at a time. Batches are then as even as they can be, so that all workers
            end together.

    Returns:
        The results in order, and the batch size that worked, to begin with next time.

    Raises:
        Exception: whatever `run` raises that is not about memory, or is about memory at a batch of 1.
    """

    def attempt(piece: tuple[int, int]) -> list[Result]:
        """One result, or none where it did not fit; the exception, whose traceback holds tensors, ends here."""
        try:
            return [run(*piece)]
        except (RuntimeError, MemoryError) as error:
            if piece[1] - piece[0] == 1 or not is_out_of_memory(error):
                raise
            return []

    results: dict[int, Result] = {}
    todo = [(0, count)]
    while todo:
        pieces = [piece for start, stop in todo for piece in _pieces(start, stop, batch, workers)]
        todo = []
        for piece, done in zip(pieces, (pool.map if pool else map)(attempt, pieces), strict=False):
            if done:
                results[piece[0]] = done[0]
                continue
            batch = max(1, (piece[1] - piece[0]) // 2)
            if pool is None:  # what follows would fail, too
                todo = [(piece[0], count)]
                break
            todo.append(piece)
        if todo:
            release_memory()
    return [results[start] for start in sorted(results)], batch


def _pieces(start: int, stop: int, batch: int, workers: int) -> list[tuple[int, int]]:
    """Cut a range into pieces of at most `batch`; for several workers into even ones, as many for each of them."""
    if workers == 1:
        return [(first, min(first + batch, stop)) for first in range(start, stop, batch)]
    count = stop - start
    number = min(count, math.ceil(count / (batch * workers)) * workers)
    edges = [start + count * index // number for index in range(number)] + [stop]
    return list(pairwise(edges))


def crew(device: torch.device) -> int:
    """How many batches of a small network to run side by side: on a CPU one for each thread, up to eight.

    Small products leave most of several threads idle, so each batch gets one; more than eight would take much memory.
    """
    import torch

    return min(torch.get_num_threads(), 8) if device.type == "cpu" else 1


def release_memory() -> None:
    """Give cached device memory back after an allocation failed."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def wait_for(device: torch.device) -> None:
    """Wait until the device has done all that it was told to; a CPU always has."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def set_threads(count: int | None) -> int:
    """Let torch use `count` CPU threads (None: leave it); return how many it uses."""
    import torch

    if count is not None:
        torch.set_num_threads(max(1, count))
    return torch.get_num_threads()


def describe_device(device: torch.device) -> str:
    """The device in words, for reports: its name, and the number of threads for a CPU."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = _cpu_name()
    return f"{name}, MPS" if device.type == "mps" else f"{name}, {torch.get_num_threads()} threads"


def peak_memory(device: torch.device) -> dict[str, int]:
    """Peak memory so far in bytes: `process` (resident; 0 where unknown) and, on a GPU, `device`."""
    peak = {"process": _peak_resident()}
    if device.type == "cuda":
        import torch

        peak["device"] = torch.cuda.max_memory_allocated(device)
    return peak


def _peak_resident() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _cpu_info(keys: Sequence[str]) -> str:
    """First value of one of `keys` in Linux's /proc/cpuinfo, empty elsewhere."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() in keys:
                    return value.strip()
    except OSError:
        pass
    return ""


def _cpu_has_fast_bfloat16() -> bool:
    """Whether products in bfloat16 are faster than in float32, by what the CPU says of itself, so always the same.

    With avx512_bf16 alone they are on AMD's cores (measured: 2.2 times as fast), not on Intel's (half as fast).
    """
    flags = _cpu_info(("flags", "Features")).split()
    if "amx_bf16" in flags or "bf16" in flags:  # Intel's tiles; ARM
        return True
    return "avx512_bf16" in flags and _cpu_info(("vendor_id",)) == "AuthenticAMD"


def _cpu_name() -> str:
    return _cpu_info(("model name",)) or platform.processor() or platform.machine() or f"CPU ({os.name})"
