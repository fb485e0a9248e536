"""A small world to be tortured: a scene of two sensors, its labels in several formats, a trained model."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import rasterio
import scipy.io
import shapely
from rasterio.transform import from_origin

from scripts.torture.child import run_for

ROOT = Path(__file__).resolve().parents[2]
SIDE, FIELD, CORNER = 48, 8, 20
STEPS = 6
_GIVE_UP_S = 600
_CORNER = from_origin(500_000, 5_800_000, 10, 10)
_CONFIG = f"""
[scene]
[scene.modalities]
optical = "optical.tif"
height = "height.tif"
[scene.labels]
path = "labels.tif"
[split]
block_px = 16
test_pixels = 100
[model]
window = 8
token_px = 2
core = 4
width = 16
depth = 1
heads = 2
stem_width = 8
adapter_blocks = 1
rank = 2
boxes = [3, 5]
[training]
steps = {STEPS}
batch_size = 8
validate_every = 3
checkpoint_seconds = 0
"""
_JOBS = """
id,datetime,optical,height
both,2021-06-01T10:00:00Z,optical.tif,height.tif
seen,2021-06-02T10:00:00Z,optical_corner.tif,
high,2021-06-03T10:00:00Z,,height_corner.tif
"""


@dataclass(frozen=True)
class World:
    """Files that are never changed: `folder` holds config.toml, rasters, labels, and run/ with the trained model."""

    folder: Path

    @property
    def config(self) -> Path:
        """The training job."""
        return self.folder / "config.toml"

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.folder / "run" / "model.safetensors"

    @property
    def jobs(self) -> Path:
        """A job table: the scene with both sensors, and a corner of it with each."""
        return self.folder / "jobs.csv"

    def layers(self, folder: Path | None = None) -> list[str]:
        """`--layer` options of both sensors."""
        place = folder or self.folder
        return ["--layer", f"optical={place / 'optical.tif'}", "--layer", f"height={place / 'height.tif'}"]


def make_world(folder: Path) -> World:
    """Write scene and labels, and train the model, once."""
    world = World(folder)
    if world.model.exists():
        return world
    folder.mkdir(parents=True, exist_ok=True)
    write_scene(folder)
    code, said = run_for(arguments("engine.train", world.config, "--out", folder / "run"), _GIVE_UP_S)
    if code:
        raise RuntimeError(said)
    return world


def write_scene(folder: Path, side: int = SIDE, seed: int = 0) -> None:
    """Write optical.tif, height.tif with a hole, labels in several formats, and other guises of the sensors."""
    rng = np.random.default_rng(seed)
    classes = np.kron(rng.integers(1, 4, (side // FIELD, side // FIELD)), np.ones((FIELD, FIELD), int))
    optical = (rng.normal(0, 1, (4, 3)).T[:, classes] + rng.normal(0, 0.5, (3, side, side))) * 100 + 1000
    height = 3.0 * (classes == 2) + rng.normal(0, 0.5, (1, side, side))
    height[:, : side // 4, : side // 4] = -9999
    write_tif(folder / "optical.tif", optical.astype(np.float32), tiled=True, blockxsize=32, blockysize=32)
    write_tif(folder / "packed.tif", optical.astype(np.uint16), compress="deflate", predictor=2, interleave="pixel")
    write_tif(folder / "height.tif", height.astype(np.float32), nodata=-9999)
    write_tif(folder / "labels.tif", classes[None].astype(np.uint8), nodata=0)
    (folder / "labels.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><CategoryNames><Category>none</Category><Category>water</Category>'
        "<Category>wood</Category><Category>town</Category></CategoryNames></PAMRasterBand></PAMDataset>",
        encoding="utf-8",
    )
    with rasterio.open(
        folder / "cube.bsq", "w", driver="ENVI", width=side, height=side, count=3, dtype="float32", crs="EPSG:32633",
        transform=_CORNER,
    ) as file:  # fmt: skip
        file.write(optical.astype(np.float32))
    scipy.io.savemat(folder / "cube.mat", {"cube": np.moveaxis(optical, 0, 2).astype(np.float32)}, do_compression=True)
    (folder / "mosaic.vrt").write_text(_vrt("optical.tif", side, 3), encoding="utf-8")
    rows, cols = (index[:: FIELD // 2, :: FIELD // 2].ravel() for index in np.indices((side, side)))
    points = geopandas.GeoDataFrame(
        {"class": [("water", "wood", "town")[value - 1] for value in classes[rows, cols]]},
        geometry=shapely.points(500_000 + cols * 10 + 5, 5_800_000 - rows * 10 - 5), crs="EPSG:32633",
    )  # fmt: skip
    points.to_file(folder / "points.gpkg", driver="GPKG")
    points.to_file(folder / "points.geojson", driver="GeoJSON")
    points.to_file(folder / "points.shp", driver="ESRI Shapefile")
    (folder / "config.toml").write_text(_CONFIG.lstrip(), encoding="utf-8")
    write_tif(folder / "optical_corner.tif", optical[:, -CORNER:, -CORNER:].astype(np.float32))
    write_tif(folder / "height_corner.tif", height[:, -CORNER:, -CORNER:].astype(np.float32), nodata=-9999)
    (folder / "jobs.csv").write_text(_JOBS.lstrip(), encoding="utf-8")


def write_tif(path: Path, values: np.ndarray, **profile: object) -> None:
    """Write (bands, rows, cols) of 10 m pixels."""
    with rasterio.open(
        path, "w", driver="GTiff", count=len(values), height=values.shape[1], width=values.shape[2],
        dtype=values.dtype, crs="EPSG:32633", transform=_CORNER, **profile,
    ) as file:  # fmt: skip
        file.write(values)


def arguments(module: str, *given: object) -> list[str]:
    """A command's module and its arguments, on one thread, which gives the same bits every time."""
    fixed = ["--threads", "1", "--device", "cpu", "--precision", "float32"]
    return [module, *map(str, given), *fixed]


def environment() -> dict[str, str]:
    """Of processes that are not forked: this checkout's engine, one thread."""
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def _vrt(source: str, side: int, bands: int) -> str:
    listed = "".join(
        f'<VRTRasterBand dataType="Float32" band="{band}"><SimpleSource><SourceFilename relativeToVRT="1">{source}'
        f"</SourceFilename><SourceBand>{band}</SourceBand></SimpleSource></VRTRasterBand>"
        for band in range(1, bands + 1)
    )
    return (
        f'<VRTDataset rasterXSize="{side}" rasterYSize="{side}"><SRS>EPSG:32633</SRS>'
        f"<GeoTransform>500000, 10, 0, 5800000, 0, -10</GeoTransform>{listed}</VRTDataset>\n"
    )
