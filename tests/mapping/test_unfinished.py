"""Interrupted, refused, out of room: a map is whole or not there, and what was there before is kept."""

import itertools
import os
import shutil
from dataclasses import replace

import geopandas
import numpy as np
import pytest
import rasterio
import shapely

from engine.commandline import users_trouble
from engine.errors import Cancelled, ConfigError, NodataError, OutputError, RasterOpenError, ResumeError
from engine.mapping import plan as plan_module
from engine.mapping import setup as ready_module
from engine.mapping.map import predict_map
from engine.mapping.store import work_folder
from tests.mapping.conftest import BANDS, Listener, everything, read


def cancel_after(blocks, listener):
    """Says stop once `blocks` blocks have been reported (the first report is that nothing is done yet)."""
    return lambda: sum(stage == "mapping" for stage, _, _ in listener.steps) > blocks


def test_interrupted_map_resumes_to_the_same_result(make_job, predictor, tmp_path, small_blocks):
    whole = make_job("whole.tif", **everything(tmp_path, "whole_"), report=tmp_path / "whole.json")
    expected = predict_map(whole, predictor=predictor)
    job = make_job(**everything(tmp_path), report=tmp_path / "report.json", resume=True)
    for blocks in (2, 3):
        listener = Listener()
        with pytest.raises(Cancelled):
            predict_map(job, listener, cancel_after(blocks, listener), predictor)
        assert not any(path.exists() for path in [*job.rasters.values(), job.report])
        assert not list(tmp_path.glob("*.part"))
        assert work_folder(job.out).is_dir()
    facts = predict_map(job, listener := Listener(), predictor=predictor)
    assert any("resuming after" in text for text in listener.logs)
    assert not work_folder(job.out).exists()
    for one, other in zip(whole.rasters.values(), job.rasters.values(), strict=True):
        np.testing.assert_array_equal(read(one), read(other))
    assert facts["classes"] == expected["classes"]
    assert facts["patterns"] == expected["patterns"]


def test_cancelling_while_writing_leaves_nothing_but_the_work(make_job, predictor, tmp_path):
    job = make_job(**everything(tmp_path))
    listener = Listener()
    with pytest.raises(Cancelled):
        predict_map(job, listener, lambda: ("writing", 2, 4) in listener.steps, predictor)
    assert not any(path.exists() for path in job.rasters.values())
    assert not list(tmp_path.glob("*.part")) and not list(tmp_path.glob("*.qml"))
    predict_map(make_job(**everything(tmp_path), resume=True), predictor=predictor)
    assert job.out.exists()


def test_without_resume_unfinished_work_is_discarded(make_job, predictor, small_blocks):
    listener = Listener()
    with pytest.raises(Cancelled):
        predict_map(make_job(), listener, cancel_after(1, listener), predictor)
    predict_map(make_job(), listener := Listener(), predictor=predictor)
    assert any("discarding the unfinished map" in text for text in listener.logs)


def test_an_area_of_interest_is_known_by_its_polygons(make_job, predictor, small_blocks, tmp_path):
    """Whatever its file is called, and however old it is: QGIS makes a new copy for every run."""
    boxes = [shapely.box(500_000, 5_799_690, 500_150, 5_799_990), shapely.box(500_300, 5_799_670, 500_520, 5_799_990)]

    def area(name, shapes):
        geopandas.GeoSeries(shapes, crs=32633).to_file(tmp_path / name)
        return tmp_path / name

    def interrupted(aoi):
        listener = Listener()
        with pytest.raises(Cancelled):
            predict_map(make_job(aoi=aoi, overwrite=True), listener, cancel_after(2, listener), predictor)

    whole = make_job("whole.tif", aoi=area("first.gpkg", boxes))
    predict_map(whole, predictor=predictor)
    interrupted(area("first.gpkg", boxes))
    listener = Listener()
    resumed = make_job(aoi=area("again.gpkg", boxes[::-1]), resume=True)
    predict_map(resumed, listener, predictor=predictor)
    assert any("resuming after" in text for text in listener.logs)
    np.testing.assert_array_equal(read(resumed.out), read(whole.out))

    interrupted(area("first.gpkg", boxes))
    other = [boxes[0], boxes[1] - boxes[1].centroid.buffer(15)]  # of the same extent
    with pytest.raises(ResumeError, match="differs in aoi"):
        predict_map(make_job(aoi=area("first.gpkg", other), resume=True, overwrite=True), predictor=predictor)


def test_resuming_another_job_is_refused(make_job, predictor, small_blocks, two_layers):
    listener = Listener()
    with pytest.raises(Cancelled):
        predict_map(make_job(), listener, cancel_after(1, listener), predictor)
    with pytest.raises(ResumeError, match="differs in overlap"):
        predict_map(make_job(resume=True, overlap=2), predictor=predictor)
    os.utime(two_layers["height"], (1, 1))
    with pytest.raises(ResumeError, match="differs in layers"):
        predict_map(make_job(resume=True), predictor=predictor)


def test_nothing_to_map_leaves_nothing(make_job, predictor, make_raster, tmp_path):
    empty = make_raster("empty.tif", np.full((3, 20, 20), np.nan, np.float32))
    with pytest.raises(NodataError, match="no pixel of the area has valid data"):
        predict_map(make_job(layers={"optical": empty}), predictor=predictor)
    assert {path.name for path in tmp_path.iterdir()} <= {"empty.tif", "optical.tif", "height.tif", "model.safetensors"}


def test_truncated_raster_in_the_middle_of_the_work(
    make_job, predictor, make_raster, two_layers, monkeypatch, tmp_path
):
    from engine.raster.stack import RasterStack

    original, calls = RasterStack.read, itertools.count()

    def read_some(self, window):
        if next(calls) > 4:
            raise RasterOpenError("height.tif: truncated")
        return original(self, window)

    monkeypatch.setattr(RasterStack, "read", read_some)
    monkeypatch.setattr(plan_module, "_CORES_PER_SIDE", 1)
    with pytest.raises(RasterOpenError, match="truncated"):
        predict_map(make_job(), predictor=predictor)
    assert not (tmp_path / "map.tif").exists()


def test_existing_output_is_kept_unless_told(make_job, predictor, tmp_path):
    out = tmp_path / "map.tif"
    out.write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists already"):
        predict_map(make_job(), predictor=predictor)
    assert out.read_bytes() == b"precious"
    predict_map(make_job(overwrite=True), predictor=predictor)
    assert read(out).any()


def test_statistics_of_a_replaced_map_go_away(make_job, predictor, tmp_path):
    (tmp_path / "confidence.tif.aux.xml").write_text("statistics that QGIS wrote for the old map")
    predict_map(make_job(confidence=tmp_path / "confidence.tif"), predictor=predictor)
    assert not (tmp_path / "confidence.tif.aux.xml").exists()
    assert (tmp_path / "map.tif.aux.xml").exists()


@pytest.mark.parametrize("when", ["before", "while mapping"])
def test_a_map_that_is_open_elsewhere_is_told_and_kept(make_job, predictor, tmp_path, monkeypatch, when):
    """Windows does not replace a file that QGIS shows: said before hours of work, or after them, with all kept."""
    out = tmp_path / "map.tif"
    predict_map(make_job(), predictor=predictor)
    before = {path: path.read_bytes() for path in tmp_path.glob("map*") if path.is_file()}
    held, replace_file = [when == "before"], type(out).replace

    def as_on_windows(path, target):
        if held[0] and target == out:
            raise PermissionError(13, "Permission denied")
        return replace_file(path, target)

    monkeypatch.setattr(type(out), "replace", as_on_windows)
    listener = Listener()
    listener.step = lambda stage, *_: held.__setitem__(0, held[0] or stage == "writing")
    with pytest.raises(OutputError, match="close it in the program that has it open"):
        predict_map(make_job(overwrite=True), predictor=predictor, progress=listener)
    assert {path: path.read_bytes() for path in before} == before
    assert work_folder(out).exists() == (when == "while mapping")
    held[0], listener.step = False, lambda *_: None
    predict_map(make_job(overwrite=True, resume=True), predictor=predictor)
    assert not work_folder(out).exists()


def test_the_style_of_a_vector_layer_is_kept(make_job, predictor, tmp_path):
    """map.qml beside map.gpkg is the user's; beside map.tif QGIS would want it to be the map's."""
    style = tmp_path / "map.qml"
    style.write_text('<qgis><renderer-v2 type="categorizedSymbol"/></qgis>')
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"map\.qml: is the style of a vector layer"):
            predict_map(make_job(overwrite=overwrite), predictor=predictor)
    assert "renderer-v2" in style.read_text() and not (tmp_path / "map.tif").exists()
    style.write_text("<qgis><pipe><rasterrenderer/></pipe></qgis>")  # left over from an older map
    predict_map(make_job(), predictor=predictor)
    assert "paletted" in style.read_text()


def test_outputs_that_cannot_be(make_job, predictor, tmp_path, two_layers):
    folder = tmp_path / "folder.tif"
    folder.mkdir()
    for changes, error, message in [
        ({"out": two_layers["height"], "overwrite": True}, ConfigError, "is an input"),
        ({"out": tmp_path / "map.png"}, ConfigError, "ending in .tif"),
        ({"report": tmp_path / "report.txt"}, ConfigError, "ending in .html or .json"),
        ({"confidence": tmp_path / "map.tif"}, ConfigError, "two outputs"),
        ({"out": two_layers["height"] / "map.tif"}, OutputError, "cannot be written"),
        ({"out": folder, "overwrite": True}, OutputError, "is a folder; choose another name"),
    ]:
        with pytest.raises(error, match=message):
            predict_map(make_job(**changes), predictor=predictor)


def test_full_disk_is_one_sentence_and_leaves_no_map(make_predictor, make_job, make_raster, small_disk, monkeypatch):
    import shutil

    free = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free(folder)._replace(free=10**12))
    noise = np.random.default_rng(0).standard_normal((1, 900, 900)).astype(np.float32)
    layers = {"height": make_raster("noise.tif", noise)}
    job = make_job(layers=layers, out=small_disk / "map.tif", probabilities=small_disk / "p.tif")
    with pytest.raises(OutputError, match="no space left"):
        predict_map(job, predictor=make_predictor(BANDS, window=16, core=16))
    assert not list(small_disk.glob("*.tif"))


def test_too_little_room_is_said_before_the_work(make_job, predictor, tmp_path, monkeypatch):
    """Refused where the pixels do not fit, warned of where the finished maps might not; nothing is left."""
    job = make_job(**everything(tmp_path))
    raw = 37 * 53 * (1 + 1 + len(predictor.info.legend) + 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9, raw - 1))
    with pytest.raises(OutputError, match=r"still to be mapped need 0\.0 MB, 0\.0 MB are free"):
        predict_map(job, predictor=predictor)
    assert not work_folder(job.out).exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9, 2 * raw))
    predict_map(job, listener := Listener(), predictor=predictor)
    assert any("--resume" in text and "may be needed" in text for text in listener.warnings)


def test_a_layer_that_overflows_gives_a_sentence_not_a_class(make_job, make_predictor, make_raster, two_layers):
    """No map is better than a wrong one."""
    with rasterio.open(two_layers["optical"]) as file:
        optical = file.read()
    optical[:, 30, 40] = -9e17  # larger ones are nodata, whatever the file says
    layers = two_layers | {"optical": make_raster("flooded.tif", optical, nodata=float("nan"))}
    stats = make_predictor(BANDS).info.stats
    stats = {name: replace(found, std=found.std * 1e-25) for name, found in stats.items()}
    with pytest.raises(NodataError, match=r"optical: near row .* declare them as nodata"):
        predict_map(make_job(layers=layers), predictor=make_predictor(BANDS, stats=stats))


def test_a_layer_that_vanishes_is_one_sentence(make_job, predictor, two_layers, monkeypatch):
    """Between two looks at it."""
    job, make = make_job(), plan_module.make_plan

    def make_plan(*given, **more):
        two_layers["height"].unlink()
        return make(*given, **more)

    monkeypatch.setattr(ready_module, "make_plan", make_plan)
    with pytest.raises(OSError, match="No such file") as caught:
        predict_map(job, predictor=predictor)
    assert "height.tif" in str(users_trouble(caught.value))
