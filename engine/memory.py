"""How much memory there is, and whether it ran out: some files are read whole, and must not promise more."""

from __future__ import annotations

import os
import sys

_UNKNOWN = 8 * 2**30  # where the system does not tell


def memory_bytes() -> int:
    """Memory of this machine, or the limit set for this process where that is less."""
    size = _physical()
    if sys.platform != "win32":
        import resource

        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            limit = resource.getrlimit(kind)[0]
            if limit != resource.RLIM_INFINITY:
                size = min(size, limit)
    return size


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that a device (or the machine) has no memory left."""
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    # MPS and the CPU's allocator raise plain RuntimeErrors; the text is all there is to tell them by.
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def _physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return _UNKNOWN
