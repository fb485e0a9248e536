"""The manifest: a table of what became of each scene, for people, spreadsheets and the next run.

    id,state,seconds,pixels,patterns,error,ticket

`state` is `waiting`, `done` or `failed`; `pixels` are those mapped; `patterns` are pixels by combination of sensors
(`hsi+lidar=812;lidar=40`); `ticket` stands for the rasters, model and options that the map was made from.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from engine.atomic import write_text
from engine.errors import ConfigError
from engine.raster.writer import writing

WAITING, DONE, FAILED = "waiting", "done", "failed"

_ERROR_LENGTH = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins like this is run by spreadsheets
# A million scenes make a large table: it is written at most so often, and for at most a small share of the time.
_INTERVAL_S, _SHARE = 1.0, 0.02


@dataclass(slots=True)
class Row:
    """What is known of one scene; see the head of this file."""

    id: str
    state: str = WAITING
    seconds: float = 0.0
    pixels: int = 0
    patterns: str = ""
    error: str = ""
    ticket: str = ""

    def done(self, facts: dict[str, Any], seconds: float) -> None:
        """The scene is mapped."""
        self.state, self.seconds, self.pixels, self.error = DONE, round(seconds, 2), facts["mapped_pixels"], ""
        self.patterns = ";".join(f"{item['name']}={item['pixels']}" for item in facts["patterns"])
        self.ticket = facts["ticket"]

    def failed(self, error: str, seconds: float) -> None:
        """The scene cannot be mapped."""
        self.state, self.seconds, self.pixels, self.patterns = FAILED, round(seconds, 2), 0, ""
        self.error, self.ticket = " ".join(error.split())[:_ERROR_LENGTH], ""


class Manifest:
    """Rows by scene, kept in a file that is whole at any moment.

    Args:
        path: the file.
        rows: what it holds.
    """

    def __init__(self, path: Path, rows: Iterable[Row] = ()) -> None:
        self.path = path
        self.rows = {row.id: row for row in rows}
        self._written = self._took = 0.0

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """The manifest in a file, an empty one where there is none.

        Raises:
            ConfigError: the file is something else.
        """
        names = [field.name for field in fields(Row)]
        rows = []
        try:
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file, strict=True)
                if reader.fieldnames != names:
                    raise ValueError(f"columns {reader.fieldnames}")
                for cells in reader:
                    if set(cells) != set(names) or None in cells.values():
                        raise ValueError(f"line {reader.line_num} has another number of cells")
                    plain = {name: _unguarded(text) for name, text in cells.items()}
                    seconds, pixels = float(plain.pop("seconds")), int(plain.pop("pixels"))
                    rows.append(Row(**plain, seconds=seconds, pixels=pixels))
        except FileNotFoundError:
            return cls(path)
        except (OSError, ValueError, csv.Error) as error:
            raise ConfigError(
                f"{path}: not a manifest of this program ({error}); move it away, maps that are there are found again"
            ) from error
        return cls(path, rows)

    def row(self, scene_id: str) -> Row:
        """The scene's row, a new one if need be."""
        return self.rows.setdefault(scene_id, Row(scene_id))

    def save(self, now: bool = True) -> None:
        """Write the file in one step: now, or if it is time again.

        Raises:
            OutputError: it cannot be written.
        """
        started = time.monotonic()
        if not now and started - self._written < max(_INTERVAL_S, self._took / _SHARE):
            return
        text = io.StringIO()
        table = csv.writer(text)  # ends lines like RFC 4180, and so quotes both of its characters
        names = [field.name for field in fields(Row)]
        table.writerow(names)
        table.writerows([_guarded(str(getattr(row, name))) for name in names] for row in self.rows.values())
        replace_text(self.path, text.getvalue())
        self._written = time.monotonic()
        self._took = self._written - started


def replace_text(path: Path, text: str) -> None:
    """Write a text file in one step.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)


def _guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
