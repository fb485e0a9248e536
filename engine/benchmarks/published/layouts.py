"""Folders of the published data sets: the files that circulate, under their names, become a training job."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ConfigError

# The papers use one LiDAR band of Trento, the height; the second is the return's intensity.
_BANDS = {("trento", "lidar"): (1,)}


@dataclass(frozen=True)
class Layout:
    """Files that belong together.

    Attributes:
        sensors: file of each sensor, the cube first; `FILE.mat:VARIABLE` where the name of the variable is known,
            else the file's only cube or matrix is taken.
        labels: official training and test labels, or one file of all labels.
        last: a file that is written when all others are.
    """

    sensors: dict[str, str]
    labels: tuple[str, ...]
    last: tuple[str, ...] = ()

    @property
    def files(self) -> list[str]:
        """Names of all that has to be there."""
        return [*map(_file, (*self.sensors.values(), *self.labels)), *self.last]


_HALVES = ("TRLabel.mat", "TSLabel.mat")
_AUGSBURG = {"hsi": "data_HS_LR.mat", "sar": "data_SAR_HR.mat"}
_AUGSBURG_HALVES = ("TrainImage.mat:TrainImage", "TestImage.mat:TestImage")
_TRENTO = {"hsi": "Italy_hsi.mat:data", "lidar": "Italy_lidar.mat:data"}
_LAB_CUBE, _LAB_LABELS = "HSI_data.mat:HSI_data", ("All_Label.mat:All_Label",)


def _as_fetched(*sensors: str) -> list[Layout]:
    """What `benchmark fetch` and the simulator write."""
    files = {sensor: f"{sensor}.tif" for sensor in sensors}
    return [Layout(files, labels, ("scene.toml",)) for labels in (("train.tif", "test.tif"), ("train.tif",))]


LAYOUTS: dict[str, list[Layout]] = {
    "houston2013": [
        *_as_fetched("hsi", "lidar"),
        Layout({"hsi": "HSI.mat", "lidar": "LiDAR.mat"}, _HALVES),
        Layout({"hsi": _LAB_CUBE, "lidar": "LiDAR_data.mat:LiDAR_data"}, _LAB_LABELS),
    ],
    "trento": [
        *_as_fetched("hsi", "lidar"),
        Layout(_TRENTO, _HALVES),
        Layout(_TRENTO, ("allgrd.mat:mask_test",)),
        Layout({"hsi": _LAB_CUBE, "lidar": "LiDAR_data.mat:LiDAR_data"}, _LAB_LABELS),
    ],
    "augsburg": [
        *_as_fetched("hsi", "sar"),
        Layout(_AUGSBURG, _AUGSBURG_HALVES),
        Layout({"hsi": _LAB_CUBE, "sar": "SAR_data.mat:SAR_data"}, _LAB_LABELS),
    ],
    "augsburg3": [
        *_as_fetched("hsi", "sar", "dsm"),
        Layout(_AUGSBURG | {"dsm": "data_DSM.mat"}, _AUGSBURG_HALVES),
        Layout(
            {"hsi": _LAB_CUBE, "sar": "SAR_data.mat:SAR_data", "dsm": "LiDAR_data.mat:LiDAR_data"}, _LAB_LABELS
        ),
    ],
}  # fmt: skip


def find_layout(name: str, folder: Path) -> Layout:
    """The first layout of a data set all of whose files lie in `folder`.

    Raises:
        ConfigError: there is none.
    """
    for layout in LAYOUTS[name]:
        if all((folder / file).is_file() for file in layout.files):
            return layout
    known = "; or ".join(", ".join(layout.files) for layout in LAYOUTS[name])
    raise ConfigError(f"{folder}: not all files of {name} are there; expected {known}")


def job_text(name: str, scene: str, folder: Path, layout: Layout, protocol: str) -> str:
    """A training job in TOML.

    Args:
        name: of the data set.
        scene: what the scene is called.
        folder: where the files are.
        layout: which.
        protocol: "paper", or "standard": the official split, spatial blocks where there is none.
    """
    lines = ["[scene]", f"name = {json.dumps(scene)}", "[scene.modalities]"]
    for sensor, entry in layout.sensors.items():
        keys = {"path": _quoted(folder / _file(entry))}
        if variable := _variable(entry):
            keys["variable"] = json.dumps(variable)
        if bands := _BANDS.get((name, sensor)):
            keys["bands"] = str(list(bands))
        lines.append(f"{sensor} = {{ {', '.join(f'{key} = {value}' for key, value in keys.items())} }}")
    first, *rest = (_quoted(folder / _file(entry), _variable(entry)) for entry in layout.labels)
    lines += ["[scene.labels]", f"path = {first}", *(f"test = {other}" for other in rest)]
    kind = "paper" if protocol == "paper" else "files" if rest else "blocks"
    return "\n".join([*lines, "[split]", f'kind = "{kind}"']) + "\n"


def _file(entry: str) -> str:
    return entry.rpartition(":")[0] or entry


def _variable(entry: str) -> str:
    return entry.rpartition(":")[2] if ":" in entry else ""


def _quoted(path: Path, variable: str = "") -> str:
    return json.dumps(f"{path}:{variable}" if variable else str(path), ensure_ascii=False)
