"""Job tables of strangers: what leads to other machines, or would run code, is refused, and nobody else suffers."""

import os
import shutil

import pytest

from engine.batch.catalogue import read_scenes
from engine.batch.order import Order, Task
from engine.batch.scene import Scene
from engine.batch.work import perform
from engine.trust import NO_NETWORK
from tests.batch.conftest import read_rows, write_scenes, write_table

PYTHON = (
    '<VRTRasterBand dataType="Float32" band="{band}" subClass="VRTDerivedRasterBand">'
    "<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python</PixelFunctionLanguage>"
    "<PixelFunctionCode>open('owned', 'w')</PixelFunctionCode></VRTRasterBand>"
)
REMOTE = (
    '<VRTRasterBand dataType="Float32" band="{band}"><SimpleSource><SourceFilename>/vsicurl/http://127.0.0.1:9/a.tif'
    "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
)
ELSEWHERE = "is not a file on this machine's disks; copy it here, or set MAMOL_NETWORK=1"
ROWS = {  # name of the scene: (its raster, what the manifest says)
    "url": ("http://127.0.0.1:9/a.tif", ELSEWHERE),
    "cloud": ("/vsis3/bucket/a.tif", ELSEWHERE),
    "share": ("//host/share/a.tif", ELSEWHERE),
    "windows-share": (r"\\host\share\a.tif", ELSEWHERE),
    "service": ("WMTS:http://127.0.0.1:9/", ELSEWHERE),
    "python": ("python.vrt", "Python"),
    "remote": ("remote.vrt", "MAMOL_NETWORK=1"),
    "device": ("/dev/zero", "not a file"),
}


def write_vrt(path, band):
    bands = "".join(band.format(band=number) for number in (1, 2, 3))
    path.write_text(f'<VRTDataset rasterXSize="50" rasterYSize="40">{bands}</VRTDataset>')


def test_one_sentence_for_each_and_the_rest_go_on(generate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_scenes(tmp_path, count=1)
    write_vrt(tmp_path / "python.vrt", PYTHON)
    write_vrt(tmp_path / "remote.vrt", REMOTE)
    bad = [{"id": name, "optical": raster, "height": "height0.tif"} for name, (raster, _) in ROWS.items()]
    good = {"optical": "optical0.tif", "height": "height0.tif"}
    jobs = write_table(tmp_path / "jobs.csv", [{"id": "first"} | good, *bad, {"id": "last"} | good])
    code, _, error = generate(jobs, "--retries=0")
    assert code == 2 and f"{len(ROWS)} of {len(ROWS) + 2} scenes could not be mapped" in error
    assert "Traceback" not in error and not list(tmp_path.rglob("owned"))
    rows = {row["id"]: row for row in read_rows(tmp_path / "maps" / "manifest.csv")}
    assert {name for name, row in rows.items() if row["state"] == "done"} == {"first", "last"}
    for name, (_, words) in ROWS.items():
        assert rows[name]["state"] == "failed" and words in rows[name]["error"], rows[name]
    assert "row 3, column optical: 'http://127.0.0.1:9/a.tif'" in rows["url"]["error"]
    assert {path.parent.name for path in (tmp_path / "maps").rglob("*.tif")} == {"first", "last"}


def test_who_asks_for_the_network_may_name_it(tmp_path, monkeypatch):
    jobs = write_table(tmp_path / "jobs.csv", [{"id": "a", "optical": "/vsis3/bucket/a.tif"}])
    (refused,) = read_scenes(str(jobs), ["optical"])
    assert refused.fault and not refused.layers
    monkeypatch.setenv("MAMOL_NETWORK", "1")
    (allowed,) = read_scenes(str(jobs), ["optical"])
    assert not allowed.fault and str(allowed.layers["optical"]) == "/vsis3/bucket/a.tif"


@pytest.mark.parametrize("asked", [False, True])
def test_workers_that_no_command_started_keep_gdal_local(model, tmp_path, monkeypatch, asked):
    for name in NO_NETWORK:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MAMOL_NETWORK", "1" if asked else "")
    order = Order(model=model, model_sha256="", out=tmp_path, device="cpu")
    outcome = perform(Task(Scene("a", {"optical": tmp_path / "none.tif"})), order, "batch")
    assert outcome.state == "failed"
    assert all(os.environ.get(name) == (None if asked else value) for name, value in NO_NETWORK.items())


def test_too_large_for_the_disk_is_said_before_a_scene_is_cut(generate, tmp_path, monkeypatch):
    """One sentence for its scene, no strip of it is mapped; where there is room, it is."""
    jobs = write_scenes(tmp_path, count=1)
    free = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as small:
        small.setattr("engine.mapping.plan._CORES_PER_SIDE", 2)
        small.setattr(shutil, "disk_usage", lambda folder: free._replace(free=1999))
        code, _, error = generate(jobs, "--shard-pixels=800", "--retries=0")
    assert code == 2 and "still to be mapped need" in error and "3 of 3 scenes" in error
    assert not list((tmp_path / "maps").rglob("*.raw")) and not list((tmp_path / "maps").rglob("*.work"))
    assert generate(jobs)[0] == 0
