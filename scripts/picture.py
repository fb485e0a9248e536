"""Draw what `make demo` made: the scene, the truth, three maps, and which sensors each pixel of the cut one had.

    python scripts/picture.py demo docs/demo.png

Needs matplotlib (`pip install -e ".[all]"`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np
import rasterio
from matplotlib.patches import Patch
from rasterio.warp import Resampling, reproject

matplotlib.use("Agg")
from make_sample_data import CLASSES
from matplotlib import pyplot

SAMPLE = Path(__file__).resolve().parents[1] / "sample_data"
MAPS = (
    ("all_sensors", "All sensors"),
    ("without_cube", "Without the cube"),
    ("cut_cube", "Cube cut: LiDAR and SAR go on"),
)
SENSOR_COLOURS = ("#3b6fb6", "#d98a3d", "#6aa56e", "#a05fa8", "#8c8c8c", "#c9b037", "#4fb0b8")


def main() -> None:
    """Parse the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, help="folder that `make demo` wrote")
    parser.add_argument("out", type=Path, help="picture to write")
    arguments = parser.parse_args()
    figure = draw(arguments.demo)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.out, dpi=110)


def draw(demo: Path) -> pyplot.Figure:
    """Six panels on the cube's grid."""
    with rasterio.open(SAMPLE / "truth.tif") as file:
        truth, grid = file.read(1), {"transform": file.transform, "crs": file.crs, "shape": file.shape}
        truth_colours = file.colormap(1)
    names = dict(enumerate(CLASSES, start=1))
    figure, axes = pyplot.subplots(2, 3, figsize=(13, 8.6), layout="constrained")
    panels = iter(axes.ravel())
    _show(next(panels), false_colour(SAMPLE / "hsi_cut.tif"), "Cube with its footprint cut (false colour)")
    _show(next(panels), painted(truth, truth_colours), "Truth (simulated)")
    for name, title in MAPS:
        values, colours = on_grid(demo / f"{name}.tif", grid)
        _show(next(panels), painted(values, colours), title)
    used, _ = on_grid(demo / "cut_cube_used.tif", grid)
    _show_sensors(next(panels), used, demo / "cut_cube_used.tif")
    patches = [
        Patch(color=[part / 255 for part in truth_colours[value][:3]], label=name) for value, name in names.items()
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False)
    return figure


def on_grid(path: Path, grid: dict) -> tuple[np.ndarray, dict]:
    """A map's values on the cube's grid by nearest neighbour, and its colours."""
    values = np.zeros(grid["shape"], np.uint8)
    with rasterio.open(path) as file:
        reproject(
            rasterio.band(file, 1), values,
            dst_transform=grid["transform"], dst_crs=grid["crs"], resampling=Resampling.nearest,
        )  # fmt: skip
        try:
            return values, file.colormap(1)
        except ValueError:
            return values, {}


def painted(values: np.ndarray, colours: dict) -> np.ndarray:
    """Values (rows, cols) as RGB (rows, cols, 3), white where there is no class."""
    table = np.full((256, 3), 255, np.uint8)
    for value, colour in colours.items():
        if value:
            table[value] = colour[:3]
    return table[values]


def false_colour(path: Path) -> np.ndarray:
    """Near infrared, red and green of a cube as RGB, stretched, white where there is no data."""
    with rasterio.open(path) as file:
        wavelengths = np.array([float(file.tags(band)["wavelength"]) for band in file.indexes])
        bands = [int(np.abs(wavelengths - nm).argmin()) + 1 for nm in (850, 660, 560)]
        image, valid = file.read(bands).astype(float), file.dataset_mask() > 0
    low, high = np.percentile(image[:, valid], (2, 98), axis=1)
    stretched = np.clip((image - low[:, None, None]) / (high - low)[:, None, None], 0, 1)
    return np.where(valid, stretched, 1).transpose(1, 2, 0)


def _show(axis: pyplot.Axes, image: np.ndarray, title: str) -> None:
    axis.imshow(image, interpolation="nearest")
    axis.set_title(title)
    axis.set_axis_off()


def _show_sensors(axis: pyplot.Axes, used: np.ndarray, path: Path) -> None:
    with rasterio.open(path) as file:
        modalities = json.loads(file.tags()["MAMOL_MODALITIES"])
    patterns = [value for value in np.unique(used) if value]
    colours = {
        value: matplotlib.colors.to_rgb(SENSOR_COLOURS[i % len(SENSOR_COLOURS)]) for i, value in enumerate(patterns)
    }
    table = {value: tuple(round(255 * part) for part in colour) for value, colour in colours.items()}
    _show(axis, painted(used, table), "Sensors each pixel was mapped with")
    handles = [
        Patch(color=colours[value], label="+".join(name for bit, name in enumerate(modalities) if value >> bit & 1))
        for value in patterns
    ]
    axis.legend(handles=handles, loc="lower right", fontsize=8)


if __name__ == "__main__":
    main()
