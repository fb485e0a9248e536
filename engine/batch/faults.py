"""Faults of a job list: all are looked for, a handful is told."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigError

_TOLD = 5


class Faults:
    """Collects what is wrong with a job list, so that it can be repaired in one go.

    Args:
        source: the list, for the message.
    """

    def __init__(self, source: Path) -> None:
        self.source, self.found = source, 0
        self._told: list[str] = []

    def add(self, place: str, what: str) -> None:
        """Note that `what` is wrong at `place` (row and column, or an item)."""
        self.found += 1
        if len(self._told) < _TOLD:
            self._told.append(f"{place}: {what}")

    def check(self) -> None:
        """Raise if anything was found.

        Raises:
            ConfigError: one sentence for each of the first faults.
        """
        if self.found:
            more = f"; and {self.found - _TOLD} more" if self.found > _TOLD else ""
            raise ConfigError(f"{self.source}: {'; '.join(self._told)}{more}")
