"""Arrays in MATLAB files, the form in which benchmark cubes and label maps circulate."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import scipy.io

from engine.errors import RasterOpenError
from engine.memory import memory_bytes

_BYTES_PER_VALUE = 8


def split_variable(path: str | Path) -> tuple[Path, str | None]:
    """Take `scene.mat:cube` apart into file and variable; other paths come back whole."""
    text = str(path)
    head, separator, variable = text.rpartition(":")
    if separator and head.lower().endswith(".mat"):
        return Path(head), variable
    return Path(text), None


def read_mat(path: Path, variable: str | None = None) -> np.ndarray:
    """Read one variable as (band, row, col), in its own number type.

    The file holds (row, col) or (row, col, band), as MATLAB shows it. Without `variable` the file must leave no choice:
    one cube, or else one matrix.

    Raises:
        RasterOpenError: the file cannot be read, has no such variable, or `variable` is needed.
    """
    if not path.is_file():
        raise RasterOpenError(f"{path}: no such file")
    arrays = _read_hdf(path, variable) if _is_hdf(path) else _read_classic(path, variable)
    candidates = {name: array for name, array in arrays.items() if _is_raster(array)}
    if variable is None:
        cubes = [name for name, array in candidates.items() if array.ndim == 3]
        names = cubes or list(candidates)
        if len(names) != 1:
            choice = f"one of {', '.join(names)}" if names else "a numeric matrix or cube: it has none"
            raise RasterOpenError(f"{path}: say which variable to read ({choice}), as {path.name}:NAME")
        variable = names[0]
    if variable not in candidates:
        known = ", ".join(candidates) or "none"
        raise RasterOpenError(f"{path}: no numeric matrix or cube named {variable}; it has: {known}")
    array = candidates[variable]
    return array[None] if array.ndim == 2 else np.moveaxis(array, 2, 0)


def _check_size(path: Path, values: int) -> None:
    """Refuse what memory cannot hold: these arrays are read whole, and a packed file of a kilobyte may promise all."""
    needed, there = values * _BYTES_PER_VALUE / 1e9, memory_bytes() / 1e9
    if needed > there / 2:
        raise RasterOpenError(
            f"{path}: its arrays take {needed:,.1f} GB, this machine has {there:,.1f} GB of memory; convert them to "
            "GeoTIFF, which is read in pieces"
        )


def _is_raster(array: object) -> bool:
    return isinstance(array, np.ndarray) and array.ndim in (2, 3) and array.size > 1 and array.dtype.kind in "biuf"


def _is_hdf(path: Path) -> bool:
    """True for version 7.3 files: HDF5 behind a 512-byte block that says so."""
    try:
        with path.open("rb") as file:
            return file.read(520)[512:] == b"\x89HDF\r\n\x1a\n"
    except OSError as error:
        raise RasterOpenError(f"{path}: cannot be read ({error.strerror})") from error


def _read_classic(path: Path, variable: str | None) -> dict[str, np.ndarray]:
    try:
        # Names first: where the variable is missing, the message can list what there is.
        shapes = {name: shape for name, shape, _ in scipy.io.whosmat(path)}
        wanted = [variable] if variable in shapes else list(shapes)
        _check_size(path, sum(math.prod(shapes[name]) for name in wanted))
        arrays: dict[str, np.ndarray] = scipy.io.loadmat(path, variable_names=wanted)
        return arrays
    except RasterOpenError:
        raise
    except Exception as error:  # scipy raises whatever its parser stumbles over, down to struct.error
        raise RasterOpenError(f"{path}: not a readable .mat file, perhaps truncated ({error})") from error


def _read_hdf(path: Path, variable: str | None) -> dict[str, np.ndarray]:
    try:
        import h5py  # type: ignore[import-not-found]
    except ImportError as error:
        raise RasterOpenError(
            f"{path}: a .mat file of version 7.3 needs the package h5py; install it, or save the file with -v7"
        ) from error
    try:
        with h5py.File(path) as file:
            # Links to other files and arrays kept in them are left alone: a file speaks for itself only.
            own = [name for name in file if isinstance(file.get(name, getlink=True), h5py.HardLink)]
            datasets = {str(name): file[name] for name in own if isinstance(file[name], h5py.Dataset)}
            datasets = {name: item for name, item in datasets.items() if not (item.external or item.is_virtual)}
            wanted = [variable] if variable in datasets else list(datasets)
            _check_size(path, sum(datasets[name].size for name in wanted))
            # HDF5 keeps MATLAB's column-major arrays with the axes reversed.
            return {name: np.asarray(datasets[name]).T for name in wanted}
    except RasterOpenError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, MemoryError) as error:
        raise RasterOpenError(f"{path}: not a readable .mat file, perhaps truncated ({error})") from error
