"""What the benchmarks run on: one scene under one protocol each, as a training job in TOML.

Protocol `standard`: spatial blocks with a buffer of half a window, or the official split. The real scenes lie in a
folder that describes itself and is no part of this project. Any other job file is a case, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.atomic import write_text
from engine.benchmarks.floors import CONTEXTS_PX
from engine.benchmarks.scenes.houston import spread_pixels
from engine.benchmarks.scenes.simulator.shapes import SHAPES
from engine.benchmarks.scenes.simulator.write import write_scene
from engine.config import Config, load_config
from engine.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Case:
    """One scene under one protocol.

    Attributes:
        name: of the row in the tables.
        job: its CONFIG.toml.
        contexts_px: neighbourhoods that floors may use.
    """

    name: str
    job: Path
    contexts_px: tuple[int, ...] = CONTEXTS_PX

    def config(self, seed: int, overrides: Sequence[str] = ()) -> Config:
        """The job with a seed for split and training.

        Raises:
            ConfigError: see `load_config`; or it leaves no test side, so that there is nothing to compare by.
        """
        config = load_config(self.job, (*overrides, f"training.seed={seed}"))
        if config.split.kind in ("blocks", "random") and not config.split.test_fraction:
            raise ConfigError(f"{self.job}: split.test_fraction = 0 leaves no test pixels to compare methods by")
        return config


def _three_sensors(folder: Path, work: Path) -> str:
    return f"""
[scene]
name = {_text(folder.name)}
[scene.modalities]
msi = {_text(folder / "msi.tif")}
sar = {{ path = {_text(folder / "sar.tif")}, unit = "db" }}
dem = {_text(folder / "dem.tif")}
[scene.labels]
path = {_text(folder / "landcover.tif")}
[split]
train_per_class = 100
"""


def _enmap(folder: Path, work: Path) -> str:
    """Tiles of 32 px with gaps between: a window of 16 px, so that half a window of buffer leaves every class room."""
    return f"""
[scene]
name = {_text(folder.name)}
[scene.modalities]
vnir = {_text(folder / "vnir.tif")}
swir = {_text(folder / "swir.tif")}
[scene.labels]
path = {_text(folder / "landcover.tif")}
[model]
window = 16
core = 12
"""


def _houston_official(folder: Path, work: Path) -> str:
    """Trained with both sensors on the official training pixels, tested on the official ones, where only LiDAR is."""
    spread = spread_pixels(folder, work / "houston2013_spread")
    test = f"test = {_text(spread / 'test.gpkg')}\n"
    return _houston_scene(spread) + test + _LABELLED_PIXEL_ONLY.format(kind="files")


def _houston_regions(folder: Path, work: Path) -> str:
    """The official training regions split among themselves: both sensors are at every pixel."""
    spread = spread_pixels(folder, work / "houston2013_spread")
    return _houston_scene(spread) + _LABELLED_PIXEL_ONLY.format(kind="blocks")


# The cube is valid at labelled pixels alone, so the shape of its validity betrays the class: a model must see the
# labelled pixel only. Blocks of 15 original pixels: all but three of the 185 training regions fit into one, uncut.
_LABELLED_PIXEL_ONLY = """
[split]
kind = "{kind}"
block_px = 45
[model]
window = 3
core = 1
token_px = 1
"""


def _houston_scene(spread: Path) -> str:
    return f"""
[scene]
name = "houston2013_partial"
[scene.modalities]
hsi = {_text(spread / "hsi.tif")}
lidar = {_text(spread / "lidar.tif")}
[scene.labels]
path = {_text(spread / "train.gpkg")}
field = "class"
"""


# name: (folder, job, neighbourhoods)
REAL: dict[str, tuple[str, Callable[[Path, Path], str], tuple[int, ...]]] = {
    "scene_a": ("scene_a", _three_sensors, CONTEXTS_PX),
    "scene_b": ("scene_b", _three_sensors, CONTEXTS_PX),
    "enmap_potsdam": ("enmap_potsdam", _enmap, CONTEXTS_PX),
    "houston2013_no_cube": ("houston2013_partial", _houston_official, (1,)),
    "houston2013_regions": ("houston2013_partial", _houston_regions, (1,)),
}


def real_cases(data: Path, out: Path, names: str | None = None) -> list[Case]:
    """Cases on the real scenes; their jobs are written to `out`/jobs.

    Args:
        data: folder of the scenes.
        out: folder of the benchmark.
        names: comma-separated, None for all.

    Raises:
        ConfigError: a name is unknown, or a scene is not there.
    """
    cases = []
    for name in REAL if names is None else names.split(","):
        if name not in REAL:
            raise ConfigError(f"--cases {name}: unknown case (known: {', '.join(REAL)})")
        folder, job, contexts_px = REAL[name]
        if not (data / folder).is_dir():
            raise ConfigError(f"{data / folder}: no such folder; --data names the folder of the real scenes")
        path = out / "jobs" / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, job((data / folder).resolve(), out.resolve()).lstrip())
        cases.append(Case(name, path, contexts_px))
    return cases


def simulated_cases(out: Path, names: str | None, difficulty: float) -> list[Case]:
    """Cases on simulated scenes, written to `out`/simulated where they are not there yet.

    Args:
        out: folder of the benchmark.
        names: comma-separated, of `simulator.shapes.SHAPES`; None for all.
        difficulty: 0 easy, 1 as in real scenes.

    Raises:
        ConfigError: a name is unknown, or the difficulty is out of range.
    """
    cases = []
    for name in SHAPES if names is None else names.split(","):
        if name not in SHAPES:
            raise ConfigError(f"--simulated {name}: unknown shape (known: {', '.join(SHAPES)})")
        called = f"simulated_{name}_{difficulty:g}"
        cases.append(Case(called, write_scene(out / "simulated" / called, SHAPES[name], difficulty, seed=0)))
    return cases


def _text(value: str | Path) -> str:
    """A TOML string: JSON's escapes are TOML's."""
    return json.dumps(str(value), ensure_ascii=False)
