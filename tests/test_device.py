"""Devices, precision, and what happens when memory runs out."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import device, memory
from engine.errors import ConfigError


def test_importing_is_free():
    """The module costs nothing until it is used."""
    code = "import sys, engine.device; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_choose_device(monkeypatch):
    """auto prefers CUDA, then MPS, then the CPU; what is not there is one sentence."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.choose_device("auto").type == "cpu"
    assert device.choose_device("cpu").type == "cpu"
    for name in ("cuda", "cuda:1", "mps", "tpu"):
        with pytest.raises(ConfigError, match=name):
            device.choose_device(name)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device.choose_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.choose_device("auto").type == "cuda"
    assert device.choose_device("cuda:1") == torch.device("cuda:1")


def test_each_of_several_processes_has_its_own_cuda_device(monkeypatch):
    """As torchrun numbers them on one machine; the CPU is shared, MPS is not for several."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    taken = []
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    told = {"TORCHELASTIC_RUN_ID": "x", "RANK": "6", "WORLD_SIZE": "8", "LOCAL_RANK": "2", "LOCAL_WORLD_SIZE": "4"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert device.choose_device("auto") == device.choose_device("cuda") == torch.device("cuda:2")
    assert taken == [2, 2] and device.choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    with pytest.raises(ConfigError, match="4 processes on a machine with 3 CUDA"):
        device.choose_device("auto")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device.choose_device("auto") == torch.device("cpu") and device.communication() == "gloo"


def test_choose_precision(monkeypatch):
    """bfloat16 only where it is faster, unless asked for."""
    cpu = torch.device("cpu")
    for vendor, flags, expected in (
        ("GenuineIntel", "fma avx512f", "float32"),
        ("GenuineIntel", "avx512f avx512_bf16", "float32"),
        ("GenuineIntel", "avx512_bf16 amx_bf16", "bfloat16"),
        ("AuthenticAMD", "avx512f avx512_bf16", "bfloat16"),
        ("", "asimd bf16", "bfloat16"),
        ("", "", "float32"),
    ):
        monkeypatch.setattr(device, "_cpu_info", lambda keys, v=vendor, f=flags: v if "vendor_id" in keys else f)
        assert device.choose_precision(cpu) == expected
        assert device.choose_precision(cpu, "float32") == "float32"
        assert device.choose_precision(cpu, "bfloat16") == "bfloat16"
    for capability, expected in (((7, 5), "float32"), ((9, 0), "bfloat16")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, c=capability: c)
        assert device.choose_precision(torch.device("cuda")) == expected
    assert device.choose_precision(torch.device("mps")) == "float32"
    with pytest.raises(ConfigError, match="float16"):
        device.choose_precision(cpu, "float16")


def test_autocast():
    """Matrix products change their type only at bfloat16."""
    product = torch.ones(2, 2)
    with device.autocast(torch.device("cpu"), "bfloat16"):
        assert (product @ product).dtype == torch.bfloat16
    with device.autocast(torch.device("cpu"), "float32"):
        assert (product @ product).dtype == torch.float32


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_is_out_of_memory(error, expected):
    """Every allocator's way to say it, and nothing else."""
    assert memory.is_out_of_memory(error) is expected


def test_backoff_halves_until_it_fits():
    """Items come once each and in order, however often the batch had to shrink."""
    calls = []

    def run(start: int, stop: int) -> list[int]:
        calls.append(stop - start)
        if stop - start > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return list(range(start, stop))

    results, batch = device.run_with_backoff(run, 23, 32)
    assert [item for part in results for item in part] == list(range(23))
    assert batch == 5
    assert calls == [23, 11, 5, 5, 5, 5, 3]


def test_backoff_side_by_side():
    """Only what failed is done again; results are in order."""
    calls = []

    def run(start: int, stop: int) -> list[int]:
        calls.append((start, stop))
        if stop - start > 3:
            raise MemoryError
        return list(range(start, stop))

    with ThreadPoolExecutor(3) as pool:
        results, batch = device.run_with_backoff(run, 22, 4, pool)
    assert [item for part in results for item in part] == list(range(22))
    assert batch == 2
    assert calls.count((20, 22)) == 1  # the last piece fitted at once


@given(st.integers(0, 300), st.integers(1, 64), st.integers(2, 8))
def test_workers_end_together(count, batch, workers):
    """Every item once, no batch too large, as many batches for every worker (if items suffice), of even size."""
    calls = []
    with ThreadPoolExecutor(workers) as pool:
        _, kept = device.run_with_backoff(lambda *piece: calls.append(piece), count, batch, pool, workers)
    sizes = [stop - start for start, stop in calls]
    assert sorted(item for piece in calls for item in range(*piece)) == list(range(count))
    assert kept == batch
    assert len(sizes) % workers == 0 or max(sizes) == 1
    assert not sizes or (max(sizes) <= batch and max(sizes) - min(sizes) <= 1)


def test_a_crew_is_no_larger_than_the_machine():
    before = torch.get_num_threads()
    try:
        for threads, expected in ((1, 1), (2, 2), (64, 8)):
            torch.set_num_threads(threads)
            assert device.crew(torch.device("cpu")) == expected
        assert device.crew(torch.device("cuda")) == 1
    finally:
        torch.set_num_threads(before)


def test_backoff_gives_up_honestly():
    """A batch of one that does not fit, and errors that are not about memory, come through."""

    def always_full(start: int, stop: int) -> None:
        raise RuntimeError("out of memory")

    def broken(start: int, stop: int) -> None:
        raise RuntimeError("shapes")

    with pytest.raises(RuntimeError, match="out of memory"):
        device.run_with_backoff(always_full, 4, 4)
    with pytest.raises(RuntimeError, match="shapes"):
        device.run_with_backoff(broken, 4, 4)
    assert device.run_with_backoff(broken, 0, 4) == ([], 4)


def test_backoff_frees_the_failed_attempt():
    """What the failed call had allocated is gone before the next one: else a smaller batch would fail, too."""

    class Tensor:
        pass

    held: list[weakref.ref] = []

    def run(start: int, stop: int) -> None:
        if held:
            gc.collect()
            assert held[0]() is None
            return
        big = Tensor()
        held.append(weakref.ref(big))
        raise RuntimeError("out of memory")

    device.run_with_backoff(run, 2, 2)


def test_facts():
    """Descriptions and peaks are there to be written into reports."""
    cpu = torch.device("cpu")
    assert f"{torch.get_num_threads()} threads" in device.describe_device(cpu)
    assert device.peak_memory(cpu)["process"] > 10 * 2**20
    before = torch.get_num_threads()
    assert device.set_threads(None) == before
    try:
        assert device.set_threads(1) == 1
    finally:
        device.set_threads(before)
