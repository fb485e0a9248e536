"""What `--overlap` costs and gains: accuracy on the stored test pixels, rate, and consistency under translation.

A map's windows are anchored at its grid's origin. The same scene with some rows and columns cut off is therefore mapped
by other windows; the share of pixels that keep their class says how much hangs on where a window happens to lie.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
from rasterio.windows import Window as RasterioWindow

from engine.assessment.confusion import Confusion
from engine.benchmarks.bench import Bench, run_on
from engine.benchmarks.runs import CONSISTENCY, SPEED, Run
from engine.benchmarks.scenes.cases import Case
from engine.benchmarks.suites import OURS, SHIPPED, run_methods
from engine.bundle import LoadedModel, load_model
from engine.device import choose_device, choose_precision
from engine.errors import Cancelled, ConfigError
from engine.mapping.job import MapJob
from engine.mapping.map import predict_map

OVERLAPS = (1, 2, 4)
_CUT = (7, 11)  # rows and columns; no multiple of a usual core or token, nor of each other


def run_overlap(bench: Bench) -> None:
    """Train the shipped default where it is not, then map every scene and pattern with every overlap.

    Raises:
        ConfigError: a case has several scenes, or layers on grids of their own: its maps would not be comparable.
    """
    run_methods(bench, SHIPPED)
    for case in bench.cases:
        for seed in bench.seeds:
            ours = next(run for run in bench.runs() if run.key == (case.name, seed, OURS, ""))
            finished = {run.method for run in bench.runs() if (run.case, run.seed) == (case.name, seed)}
            for overlap in OVERLAPS:
                if (method := f"overlap {overlap}") not in finished:
                    bench.store(replace(_mapped(bench, case, seed, overlap), method=method, pixels=ours.pixels))


def _mapped(bench: Bench, case: Case, seed: int, overlap: int) -> Run:
    """Scores of maps with every pattern, pixels per second with all sensors, and consistency."""
    folder = bench.folder(case, seed, OURS)
    config = case.config(seed, bench.overrides)
    if len(config.scene) > 1:
        raise ConfigError(f"{case.name}: overlap is measured on jobs of one scene, this has {len(config.scene)}")
    layers = {name: modality.path for name, modality in config.scene[0].modalities.items()}
    loaded = load_model(folder / "model.safetensors", choose_device(bench.device), config.model.weights)
    with np.load(folder / "test_predictions.npz", allow_pickle=False) as stored:
        row, col, reference = stored["row"], stored["col"], stored["reference"]
        # A map answers with what there is; only pixels that have a whole pattern say what that pattern is worth.
        counted = dict(zip(stored["patterns"].tolist(), stored["predicted"] >= 0, strict=True))
    with TemporaryDirectory(dir=folder) as temporary:
        job = MapJob(
            model=folder / "model.safetensors", layers=layers, out=Path(temporary) / "map.tif", overlap=overlap,
            device=bench.device, precision=bench.precision, threads=bench.threads, overwrite=True,
        )  # fmt: skip
        whole = _classes(loaded, job, bench)  # also warms up
        started = time.perf_counter()
        _classes(loaded, job, bench)
        seconds = time.perf_counter() - started
        cut = _cut(layers, Path(temporary))
        shifted = _classes(loaded, replace(job, layers=cut, out=Path(temporary) / "cut_map.tif"), bench)
        scores = {}
        for name in counted:
            given = {sensor: layers[sensor] for sensor in name.split("+")}
            classes = whole if given.keys() == layers.keys() else _classes(loaded, replace(job, layers=given), bench)
            if classes.shape != whole.shape:
                raise ConfigError(
                    f"{case.name}: its layers lie on several grids; overlap is measured where all share one"
                )
            predicted = classes[row, col]
            seen = (predicted >= 0) & counted[name]
            scores[name] = Confusion.of(reference[seen], predicted[seen], len(loaded.info.legend)).summary()
    margin = loaded.info.window  # windows that saw the cut
    inner = np.s_[margin:-margin, margin:-margin]
    before, after = whole[_CUT[0] :, _CUT[1] :][inner], shifted[inner]
    both = (before >= 0) & (after >= 0)
    same = float((before == after)[both].mean()) if both.any() else float("nan")
    device = choose_device(bench.device)
    facts = run_on(device, choose_precision(device, bench.precision))
    facts |= {SPEED: whole.size / seconds, CONSISTENCY: same}
    return Run(case.name, seed, "", scores, seconds=seconds, facts=facts)


def _classes(loaded: LoadedModel, job: MapJob, bench: Bench) -> np.ndarray:
    """Class index of each pixel of the map, -1 where there is none."""
    if bench.cancelled():
        raise Cancelled(f"{bench.out}: the same command goes on from here")
    predict_map(job, predictor=loaded, cancelled=bench.cancelled)
    with rasterio.open(job.out) as file:
        values = file.read(1)
    return np.where(values > 0, np.searchsorted(loaded.info.legend.values, values), -1)


def _cut(layers: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Copies of the layers without their first rows and columns."""
    paths = {}
    for name, path in layers.items():
        with rasterio.open(path) as file:
            area = RasterioWindow(_CUT[1], _CUT[0], file.width - _CUT[1], file.height - _CUT[0])
            profile = {
                "driver": "GTiff", "count": file.count, "dtype": file.dtypes[0], "nodata": file.nodata, "crs": file.crs,
                "width": area.width, "height": area.height, "transform": file.window_transform(area),
            }  # fmt: skip
            paths[name] = folder / f"cut_{name}.tif"
            with rasterio.open(paths[name], "w", **profile) as copy:
                copy.write(file.read(window=area))
                copy.scales, copy.offsets = file.scales, file.offsets
    return paths
