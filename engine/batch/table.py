"""The job table: a CSV file with a row for each scene.

    id,datetime,hsi,lidar,sar
    tile-01,2021-06-01T10:00:00Z,cubes/01.tif,dsm/01.tif,
    tile-02,,,dsm/02.tif,s1/02.tif

`id` is needed, `datetime` may be left out, every other column is a modality of the model; any cell of those may be
empty, not all of a row. Paths are relative to the table. Comma, semicolon or tab; UTF-8. A raster of another machine is
the trouble of its scene alone.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from engine.batch.faults import Faults
from engine.batch.scene import MAX_SCENES, Scene, id_fault
from engine.errors import ConfigError
from engine.trust import leads_elsewhere, network_is_allowed

_ID, _DATETIME = "id", "datetime"
_SEPARATORS = ",;\t"


def read_table(path: Path, modalities: Sequence[str]) -> list[Scene]:
    """Scenes of a job table.

    Args:
        path: the table.
        modalities: names that the model knows.

    Raises:
        ConfigError: the table cannot be read, or is not as described above; with row and column of each fault.
    """
    faults = Faults(path)
    scenes: list[Scene] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _rows(file, path)
            columns = _columns(next(rows, (1, []))[1], modalities, faults)
            seen: dict[str, int] = {}
            for number, cells in rows:
                if len(scenes) >= MAX_SCENES:
                    raise ConfigError(f"{path}: more than {MAX_SCENES:,} scenes; split the table")
                scene = _scene(number, cells, columns, path.parent, faults)
                before = seen.setdefault(scene.id.casefold(), number)
                if before != number:
                    faults.add(f"row {number}, column {_ID}", f"{scene.id!r} stands in row {before}, too")
                scenes.append(scene)
    except OSError as error:
        raise ConfigError(f"{path}: job table cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start}); save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise ConfigError(f"{path}: not a CSV table ({error})") from error
    faults.check()
    if not scenes:
        raise ConfigError(f"{path}: no scene in the table; add a row for each")
    return scenes


def _rows(file: Iterator[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number of its line, cells without surrounding space) of each row that is not blank, the header first."""
    header = next(file, "")
    if not header.strip():
        raise ConfigError(f"{path}: the table is empty; its first row names the columns: id, and modalities")
    separator = max(_SEPARATORS, key=header.count)
    yield 1, [cell.strip() for cell in next(csv.reader([header], delimiter=separator, strict=True))]
    reader = csv.reader(file, delimiter=separator, strict=True)
    for cells in reader:
        cells = [cell.strip() for cell in cells]
        if any(cells):
            yield reader.line_num + 1, cells


def _columns(names: list[str], modalities: Sequence[str], faults: Faults) -> list[str]:
    """The columns; faults of theirs end the matter, because every row would repeat them."""
    known = [_ID, _DATETIME, *modalities]
    for number, name in enumerate(names, start=1):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            faults.add(f"row 1, column {number}", f"unknown column {name[:40]!r}; {hint}")
        elif names.index(name) < number - 1:
            faults.add(f"row 1, column {number}", f"{name!r} is there twice")
    if _ID not in names:
        faults.add("row 1", f"no column {_ID!r}")
    elif not set(names) & set(modalities):
        faults.add("row 1", f"no column of a modality ({', '.join(modalities)})")
    faults.check()
    return names


def _scene(number: int, cells: list[str], columns: list[str], folder: Path, faults: Faults) -> Scene:
    """The scene of one row, as far as it can be understood."""
    place = f"row {number}"
    if len(cells) != len(columns):
        faults.add(place, f"{len(cells)} cells, expected {len(columns)} ({', '.join(columns)})")
        return Scene(f"row {number}", {})
    named = dict(zip(columns, cells, strict=True))
    if fault := id_fault(named[_ID]):
        faults.add(f"{place}, column {_ID}", fault)
    when = named.get(_DATETIME) or None
    if when is not None and not is_datetime(when):
        faults.add(f"{place}, column {_DATETIME}", f"{when[:40]!r}: expected a time like 2021-06-01T10:00:00Z")
    layers, elsewhere = {}, ""
    for name, cell in named.items():
        if name in (_ID, _DATETIME) or not cell:
            continue
        if "\0" in cell:
            faults.add(f"{place}, column {name}", "not the name of a file")
        if leads_elsewhere(cell) and not network_is_allowed():
            elsewhere = elsewhere or (
                f"{place}, column {name}: {cell[:100]!r} is not a file on this machine's disks; copy it here, or set "
                "MAMOL_NETWORK=1 if you trust the table"
            )
        else:
            layers[name] = folder / cell
    if not layers and not elsewhere:
        faults.add(place, "no raster; give one of at least one modality")
    return Scene(named[_ID], layers, when, elsewhere)


def is_datetime(text: str) -> bool:
    """Whether a text is a moment with a time zone, as STAC wants it."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
