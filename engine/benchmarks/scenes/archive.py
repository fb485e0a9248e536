"""The published archives as scenes: with their official splits, if they come with one, and a corner of our own.

The PyPI package `rs-fusion-datasets` downloads them, checks their hashes, and hands over arrays: training and test
labels of Houston and Augsburg, one map of all labels of Trento and of MUUFL, which has no official split; these two are
cut into spatial blocks. It hands over no georeferencing. Here they get the pixel size and zone of the publication;
where the corner lies is not known, so it is a round number near the place, and the rasters say so.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape  # nosec B406 - only writes

import numpy as np
import rasterio
from rasterio.transform import from_origin

from engine.atomic import write_text
from engine.errors import ConfigError, RasterOpenError


@dataclass(frozen=True)
class Archive:
    """What is known of one data set.

    Attributes:
        fetcher: function of the package that gives cube, other sensor, one to three label maps, and facts.
        sensor: name of the other sensor.
        pixel_m: side of a pixel.
        epsg: UTM zone.
        corner: a round easting and northing near the place.
        classes: the published names, which count where labels go from 1 to their number; else those of the package.
    """

    fetcher: str
    sensor: str
    pixel_m: float
    epsg: int
    corner: tuple[float, float]
    classes: tuple[str, ...] = ()


ARCHIVES = {
    "houston2013": Archive("fetch_houston2013", "lidar", 2.5, 32615, (272_000.0, 3_290_000.0)),
    "trento": Archive("fetch_trento", "lidar", 1.0, 25832, (664_000.0, 5_103_000.0)),
    "augsburg": Archive(
        "fetch_augsburg_ouc", "sar", 30.0, 32632, (635_000.0, 5_362_000.0),
        # The package has the eight names of Berlin's classes, one of which (soil) Augsburg has not.
        ("Forest", "Residential area", "Industrial area", "Low plants", "Allotment", "Commercial area", "Water"),
    ),
    "muufl": Archive("fetch_muufl", "lidar", 1.0, 32616, (292_000.0, 3_356_000.0)),
}  # fmt: skip


def fetch(name: str, folder: Path) -> Path:
    """Download a data set and write it as a scene; return the path of its scene.toml.

    Args:
        name: one of `ARCHIVES`.
        folder: where to; made if needed.

    Raises:
        ConfigError: the name is unknown, or the package is not installed.
        RasterOpenError: the download failed, or is not what the publication describes.
    """
    if name not in ARCHIVES:
        raise ConfigError(f"fetch {name}: unknown data set (known: {', '.join(ARCHIVES)})")
    try:
        package = importlib.import_module("rs_fusion_datasets")
    except ImportError as error:
        raise ConfigError("fetching needs the package rs-fusion-datasets; pip install rs-fusion-datasets") from error
    fetcher: Callable[[], Sequence[Any]] = getattr(package, ARCHIVES[name].fetcher)
    try:
        found = fetcher()
    except (OSError, ValueError, KeyError) as error:
        raise RasterOpenError(
            f"{name}: cannot be downloaded or read ({error}); check the network, try again"
        ) from error
    return write_archive(name, found, folder)


def write_archive(name: str, found: Sequence[Any], folder: Path) -> Path:
    """Write hsi.tif, the other sensor, train.tif, perhaps test.tif, and last scene.toml, whose path is returned.

    Args:
        name: one of `ARCHIVES`.
        found: cube (C, H, W), other sensor (C, H, W), label maps (H, W) (sparse; training and test, or one), facts.
        folder: where to; made if needed.
    """
    archive = ARCHIVES[name]
    cube, other, *maps, facts = found
    cube, other = np.asarray(cube), np.asarray(other)
    labels = [np.asarray(each.toarray() if hasattr(each, "toarray") else each) for each in maps[:2]]
    shapes = {"cube": cube.shape[1:], archive.sensor: other.shape[1:]} | {
        f"labels {i}": m.shape for i, m in enumerate(labels)
    }
    if cube.ndim != 3 or other.ndim != 3 or not labels or len(set(shapes.values())) != 1:
        sizes = ", ".join(f"{what} {' x '.join(map(str, size))}" for what, size in shapes.items())
        raise RasterOpenError(f"{name}: the archive's parts do not fit each other ({sizes}); download it again")
    names = [str(facts["label_name"][value]) for value in sorted(facts["label_name"])]
    if archive.classes and set(np.unique(np.stack(labels))) == set(range(len(archive.classes) + 1)):
        names = list(archive.classes)
    folder.mkdir(parents=True, exist_ok=True)
    job = folder / "scene.toml"
    job.unlink(missing_ok=True)  # it is the sign that all is there
    profile = {
        "driver": "GTiff", "height": cube.shape[1], "width": cube.shape[2], "crs": f"EPSG:{archive.epsg}",
        "transform": from_origin(*archive.corner, archive.pixel_m, archive.pixel_m), "tiled": True,
        "compress": "deflate", "zlevel": 1, "interleave": "band",
    }  # fmt: skip
    wavelengths = np.asarray(facts["wavelength"]).ravel()
    for sensor, values in (("hsi", cube), (archive.sensor, other)):
        kind = {"count": len(values), "dtype": values.dtype.name}
        with rasterio.open(folder / f"{sensor}.tif", "w", **(profile | kind)) as file:
            file.write(values)
            file.update_tags(georeferencing="pixel size and zone as published, corner arbitrary")
            if sensor == "hsi" and len(wavelengths) == len(values):
                for band, nm in enumerate(wavelengths, start=1):
                    file.update_tags(band, wavelength=f"{nm:.2f}", wavelength_units="nanometers")
    for side, values in zip(("train", "test"), labels, strict=False):
        write_labels(folder / f"{side}.tif", values, names, profile)
    write_text(job, scene_job(str(facts["full_name"]), ["hsi", archive.sensor], len(labels) == 2))
    return job


def write_labels(path: Path, labels: np.ndarray, names: Sequence[str], profile: dict[str, Any]) -> None:
    """Write class values (H, W), 0 where there is no label, with the names of classes 1, 2, ..."""
    with rasterio.open(path, "w", **(profile | {"count": 1, "dtype": "uint8", "nodata": 0})) as file:
        file.write(labels.astype(np.uint8), 1)
    # GDAL keeps category names in a sidecar, and rasterio has no function for them.
    listed = "".join(f"<Category>{escape(name)}</Category>" for name in ("nodata", *names))
    path.with_name(path.name + ".aux.xml").write_text(
        f'<PAMDataset><PAMRasterBand band="1"><CategoryNames>{listed}</CategoryNames></PAMRasterBand></PAMDataset>\n',
        encoding="utf-8",
    )


def scene_job(name: str, sensors: Sequence[str], tested: bool) -> str:
    """A training job: the official split if there is one (`tested`), else spatial blocks."""
    layers = [f'{sensor} = "{sensor}.tif"' for sensor in sensors]
    lines = ["[scene]", f"name = {json.dumps(name, ensure_ascii=False)}", "[scene.modalities]", *layers]
    lines += ["[scene.labels]", 'path = "train.tif"']
    if tested:
        lines += ['test = "test.tif"', "[split]", 'kind = "files"']
    return "\n".join(lines) + "\n"
