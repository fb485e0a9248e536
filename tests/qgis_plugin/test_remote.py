"""A remote engine, by a local stand-in: a program that hands its words to a shell, as ssh does; other names there."""

import json
import stat
import sys
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsFeature, QgsProcessingContext, QgsProcessingException, QgsVectorLayer

from qgis_plugin import settings
from qgis_plugin.bridge import EngineError, engine_python, run_engine
from qgis_plugin.remote import (
    RemoteError,
    command_words,
    config_there,
    job_line,
    parse_folders,
    split_command,
    there,
)
from qgis_plugin.training_config import config_text
from tests.qgis_plugin.conftest import write_raster

FOLDERS = [("/home/ann/data", "/mnt/data/"), ("/home/ann", "/users/a")]


def test_files_have_their_names_there():
    job = {"layer": {"dem": "/home/ann/data/a b/dem.tif"}, "out": "/home/ann/./x/../map.tif", "extent": [1.5, 2],
           "reference": "dem", "overlap": 1, "resume": False}  # fmt: skip
    assert there(job, FOLDERS) == job | {"layer": {"dem": "/mnt/data/a b/dem.tif"}, "out": "/users/a/map.tif"}
    assert there(job, []) == job
    for outside in ("/tmp/map.tif", "/home/annabel/map.tif", "/home/ann/../bob/map.tif"):
        with pytest.raises(RemoteError, match="lies in no folder that the remote engine sees"):
            there({"out": outside}, FOLDERS)


def test_folders_as_the_user_writes_them():
    text = "/home/ann = /users/a; /home/ann/data=/mnt/data/ ;"
    assert parse_folders(text) == FOLDERS and parse_folders(" ") == []
    for wrong in ("/home/ann", "/home/ann =", "data = /mnt", "= /mnt"):
        with pytest.raises(RemoteError, match="HERE = THERE"):
            parse_folders(wrong)


def test_commands_as_the_user_writes_them(tmp_path):
    program = tmp_path / "my ssh"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert split_command(f"'{program}' -p 22 host 'a b'") == [str(program), "-p", "22", "host", "a b"]
    for wrong, words in (("ssh 'host", "quote is left open"), ("no_such_program host", "a program that is not there")):
        with pytest.raises(RemoteError, match=words):
            split_command(wrong)


def test_commands_as_users_of_windows_write_them():
    quoted = r'"C:\Program Files\OpenSSH\ssh.exe" -o "BatchMode=yes" -oProxyCommand="a b"'
    text = quoted + r" -i C:\Users\O'Brien\key gpu python"
    assert command_words(text, windows=True) == [
        r"C:\Program Files\OpenSSH\ssh.exe", "-o", "BatchMode=yes", "-oProxyCommand=a b", "-i", r"C:\Users\O'Brien\key",
        "gpu", "python",
    ]  # fmt: skip
    assert command_words(r"ssh 'a b' c\ d #1", windows=False) == ["ssh", "a b", "c d", "#1"]
    with pytest.raises(ValueError):
        command_words('"C:\\ssh.exe', windows=True)


def test_a_training_s_configuration_there():
    sensors = {"dem": ("elevation", Path("/home/ann/data/dem.tif"))}
    text = config_text(sensors, Path("/home/ann/l.gpkg"), "class", "", {"training": {"steps": 3}})
    expected = config_text({"dem": ("elevation", Path("/mnt/data/dem.tif"))}, Path("/users/a/l.gpkg"), "class", "",
                           {"training": {"steps": 3}})  # fmt: skip
    assert config_there(text, FOLDERS) == expected


def test_a_job_is_one_line_whatever_is_in_it():
    line = job_line({"out": "/a\nb'\"$(x).tif", "aoi": None}, [])
    assert line.count("\n") == 1 and json.loads(line) == {"out": "/a\nb'\"$(x).tif"}


@pytest.fixture
def far(tmp_path, monkeypatch, plugin):
    """Makes a remote engine of an interpreter; the folder `here` is called `there` on its side."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").symlink_to(tmp_path / "here")
    shell = tmp_path / "fake_ssh"
    shell.write_text('#!/bin/sh\nshift\nexec sh -c "$*"\n')  # drops the host, and lets a shell see the rest
    shell.chmod(shell.stat().st_mode | stat.S_IXUSR)
    monkeypatch.delenv("MAMOL_ENGINE_PYTHON", raising=False)

    def make(python: object) -> Path:
        settings.save(
            {
                settings.REMOTE_COMMAND: f"'{shell}' gpu-server {python}",
                settings.REMOTE_FOLDERS: f"{tmp_path / 'here'} = {tmp_path / 'there'}",
            }
        )
        return tmp_path / "here"

    return make


_FAKE = """
import json, sys
job = json.loads(sys.stdin.readline())
print(json.dumps({"type": "result", "job": job, "arguments": sys.argv[1:]}), flush=True)
"""


def test_what_arrives_there(far, tmp_path, feedback):
    (tmp_path / "fake.py").write_text(_FAKE)
    here = far(f"{sys.executable} {tmp_path / 'fake.py'}")
    result = run_engine("predict", {"out": str(here / "a; b.tif"), "device": "cuda", "aoi": None}, feedback)
    assert result["job"] == {"out": str(tmp_path / "there" / "a; b.tif"), "device": "cuda"}
    assert result["arguments"] == ["-m", "engine.predict", "--job", "-", "--progress", "json", "--cancel-on-stdin"]
    with pytest.raises(EngineError, match="lies in no folder"):
        run_engine("predict", {"out": str(tmp_path / "elsewhere.tif")}, feedback)


def test_copies_of_features_lie_where_a_remote_engine_sees_them_and_go_with_the_run(
    far, tmp_path, feedback, make_model, make_layer
):
    """The stand-in fails where it does not see them; it says what it found, and how it ends is up to the file `end`."""
    told, ending = tmp_path / "told.json", tmp_path / "end"
    (tmp_path / "fake.py").write_text(
        f"""
import json, sys
job = json.loads(sys.stdin.readline())
copy = job.get("aoi") or job["reference"]
json.dump([copy, open(copy, "rb").read(6).decode()], open({str(told)!r}, "w"))
facts = dict(mapped_pixels=1, seconds=1, pixels_per_second=1, classes=[], patterns=[], oa=1, aa=1, kappa=1, n=1)
failed = open({str(ending)!r}).read() == "error"
print(json.dumps(dict(type="error", message="no") if failed else dict(type="result", **facts)), flush=True)
sys.exit(2 * failed)
"""
    )
    here = far(f"{sys.executable} {tmp_path / 'fake.py'}")
    area = QgsVectorLayer("Polygon?crs=EPSG:32633&field=class:integer", "area", "memory")
    area.dataProvider().addFeature(QgsFeature(area.fields()))
    dem = make_layer("here/dem.tif").source()
    model = str(make_model("here/m.safetensors", {"dem": ("elevation", 1)}))
    new = here / "new"
    for name, parameters in (
        ("predict", {"MODEL": model, "ELEVATION": dem, "AOI": area, "OUTPUT": str(new / "map.tif")}),
        ("evaluate", {"MAP": dem, "REFERENCE": area, "FIELD": "class", "OUTPUT": str(new)}),
    ):
        for end in ("result", "error"):
            ending.write_text(end)
            algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"mamol:{name}")
            if end == "error":
                with pytest.raises(QgsProcessingException, match="no"):
                    algorithm.run(parameters, QgsProcessingContext(), feedback, {}, False)
            else:
                algorithm.run(parameters, QgsProcessingContext(), feedback, {}, False)
            copy, beginning = json.loads(told.read_text())
            assert beginning == "SQLite" and Path(copy).parent.parent == tmp_path / "there" / "new"
            assert list(new.iterdir()) == []


def test_the_real_engine_through_a_shell(far, real_engine, feedback, tmp_path):
    here = far(real_engine)
    write_raster(here / "my dem.tif")
    found = run_engine("inspect", {"layer": {"dem": str(here / "my dem.tif")}}, feedback)
    assert str(tmp_path / "there" / "my dem.tif") in json.dumps(found)
    with pytest.raises(EngineError, match=r"gone\.tif"):
        run_engine("inspect", {"layer": {"dem": str(here / "gone.tif")}}, feedback)


def test_settings_that_will_not_do_are_told_before_anything_starts(far):
    far("python")
    settings.save({settings.REMOTE_FOLDERS: "nonsense"})
    with pytest.raises(EngineError, match="HERE = THERE"):
        engine_python()
    settings.save({settings.REMOTE_COMMAND: "no_such_program host", settings.REMOTE_FOLDERS: ""})
    with pytest.raises(EngineError, match="a program that is not there"):
        engine_python()


def test_an_interpreter_named_for_the_session_wins(far, monkeypatch):
    far("python")
    monkeypatch.setenv("MAMOL_ENGINE_PYTHON", sys.executable)
    assert engine_python() == Path(sys.executable)
