"""Which of several processes this one is: torchrun says so in environment variables. Without torchrun: the only one."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Launch:
    """One process among `count`, over all machines; `local_rank` of `local_count` on its own machine. From 0."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    local_count: int = 1


def launch() -> Launch:
    """This process. Other launchers' variables are not looked at: they may be there for other reasons."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return Launch()
    return Launch(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")))
