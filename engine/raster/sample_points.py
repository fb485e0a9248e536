"""Sample points for reference labels: a GeoPackage to be filled in, which carries its sampling design with it.

Each point lies at the centre of a sampled pixel and knows its stratum and the size of that, as plain fields: they
survive editing, copies and exports. The class goes into `reference`, empty at first; a style beside the file (`.qml`)
offers the classes by name and hides the design, so that nobody is led by what the map says.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pyogrio  # type: ignore[import-untyped]
import shapely

from engine.atomic import flush, rename, write_text
from engine.errors import LabelError, OutputError
from engine.legend import Legend
from engine.raster.grid import Grid, apply_affine
from engine.raster.labels import read_labels
from engine.raster.style_files import check_style
from engine.raster.symbology import points_qml
from engine.raster.vector_file import list_layers
from engine.raster.writer import writing

REFERENCE = "reference"
STRATUM, NAME, PIXELS, HECTARES = "stratum", "stratum_name", "stratum_pixels", "stratum_ha"


@dataclass(frozen=True, slots=True, eq=False)
class SampleDesign:
    """How points were drawn.

    Attributes:
        names: of the strata, H of them.
        values: of the strata in the map that they come from (H,).
        pixels: population of each (H,).
        area_m2: of each (H,); None where the grid's unit is unknown.
        rows: row of each point's pixel (N,).
        cols: its column (N,).
        stratum: index of its stratum (N,).
    """

    names: tuple[str, ...]
    values: np.ndarray
    pixels: np.ndarray
    area_m2: np.ndarray | None
    rows: np.ndarray
    cols: np.ndarray
    stratum: np.ndarray


def write_sample_points(path: Path, grid: Grid, legend: Legend, design: SampleDesign) -> list[Path]:
    """Write the points and their style; return both paths.

    Args:
        path: the GeoPackage.
        grid: the map's.
        legend: of the map: what may be filled in.
        design: points and strata.

    Raises:
        OutputError: the files cannot be written, or the style would replace a raster's.
    """
    check_style(path, "vector")
    x, y = apply_affine(grid.transform, design.cols + 0.5, design.rows + 0.5)
    hectares = None if design.area_m2 is None else (design.area_m2 / 1e4)[design.stratum]
    frame = geopandas.GeoDataFrame(
        {
            "point": np.arange(1, len(x) + 1, dtype=np.int32),
            REFERENCE: np.full(len(x), None, "object"),
            STRATUM: design.values.astype(np.int32)[design.stratum],
            NAME: np.asarray(design.names)[design.stratum],
            PIXELS: design.pixels[design.stratum].astype(np.int64),
            HECTARES: np.nan if hectares is None else hectares,
        },
        geometry=shapely.points(x, y),
        crs=None if grid.crs is None else grid.crs.to_wkt(),
    ).astype({REFERENCE: "Int32"})
    style = path.with_suffix(".qml")
    with writing(path), _folder_beside(path) as folder:
        # SQLite writes journals beside its file: all of them go with the folder.
        part = folder / path.name
        try:
            # QGIS 3.22 says of newer versions that it may not understand them.
            pyogrio.write_dataframe(frame, part, driver="GPKG", layer=path.stem, dataset_options={"VERSION": "1.3"})
        except pyogrio.errors.DataSourceError as error:
            raise OutputError(f"{path}: cannot be written ({error})") from error
        flush(part)
        write_text(style, points_qml(legend, REFERENCE, (STRATUM, NAME, PIXELS, HECTARES)))
        rename(part, path)
    return [path, style]


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """A folder for unfinished files; one that a killed process has left is emptied first."""
    folder = path.with_name(f".{path.name}.work")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_sample_design(path: Path, grid: Grid) -> SampleDesign | None:
    """The design that a point layer carries, None where it carries none.

    Args:
        path: a vector file with the fields of `write_sample_points`.
        grid: on which the points are looked for.

    Raises:
        LabelError: the fields contradict each other, or no point lies on the grid.
    """
    table = _design_fields(path)
    if table is None:
        return None
    strata = table.dropna(subset=[STRATUM]).drop_duplicates()
    if strata[STRATUM].duplicated().any():
        doubled = strata[STRATUM][strata[STRATUM].duplicated()].iloc[0]
        raise LabelError(
            f"{path}: points of stratum {doubled} disagree about its size ({PIXELS}, {HECTARES}); "
            "give the points of one draw, as engine.sample wrote them"
        )
    strata = strata.set_index(STRATUM).sort_index()
    labels = read_labels(path, field=STRATUM, grid=grid)
    index = {int(value): position for position, value in enumerate(strata.index)}
    stratum = np.array([index[value] for value in labels.legend.values])[labels.classes]
    hectares = strata[HECTARES].to_numpy(float)
    return SampleDesign(
        names=tuple(str(name) for name in strata[NAME]),
        values=strata.index.to_numpy(np.int64),
        pixels=strata[PIXELS].to_numpy(np.int64),
        area_m2=None if np.isnan(hectares).any() else hectares * 1e4,
        rows=labels.rows,
        cols=labels.cols,
        stratum=stratum,
    )


def _design_fields(path: Path) -> pandas.DataFrame | None:
    fields: Sequence[str] = (STRATUM, NAME, PIXELS, HECTARES)
    try:
        layers = list_layers(path)
        if len(layers) != 1 or not set(fields) <= set(pyogrio.read_info(path, layer=layers[0])["fields"]):
            return None
        return pyogrio.read_dataframe(path, layer=layers[0], columns=list(fields), read_geometry=False)
    except (LabelError, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        return None
