"""The zip: one folder, everything inside, nothing too much, refused when it could not be uploaded."""

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
tomllib = pytest.importorskip("tomllib", reason="packing needs Python 3.11; plugins run on 3.9")


def pack(folder, *options):
    script = str(ROOT / "scripts" / "package_plugin.py")
    return subprocess.run(
        [sys.executable, script, "--out", str(folder), *options], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    done = pack(folder)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.zip"))


def read(package, name):
    with zipfile.ZipFile(package) as archive:
        return archive.read(f"mamol_landcover/{name}").decode()


def test_one_folder_with_what_the_repository_asks_for(package):
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names} == {"mamol_landcover"}
    inside = {name.partition("/")[2] for name in names}
    assert {
        "__init__.py",
        "metadata.txt",
        "LICENSE",
        "icons/mamol.svg",
        "i18n/mamol_de.qm",
        "i18n/mamol_fr.qm",
    } <= inside
    assert {"engine_source/pyproject.toml", "engine_source/engine/predict.py"} <= inside
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".ts", ".so"))]
    assert package.stat().st_size < 25 * 10**6


def test_every_file_of_plugin_and_engine_is_there(package):
    with zipfile.ZipFile(package) as archive:
        inside = {name.partition("/")[2] for name in archive.namelist()}
    plugin = {path.relative_to(ROOT / "qgis_plugin").as_posix() for path in (ROOT / "qgis_plugin").rglob("*.py")}
    engine = {f"engine_source/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "engine").rglob("*.py")}
    assert plugin <= inside
    assert engine <= inside


def test_metadata_is_complete(package):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(read(package, "metadata.txt"))
    general = parser["general"]
    assert (general["qgisMinimumVersion"], general["qgisMaximumVersion"]) == ("3.22", "4.99")
    assert general["hasProcessingProvider"] == "yes"
    assert "plugin" not in general["name"].lower()
    assert (ROOT / "qgis_plugin" / general["icon"]).is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert general["version"] == project["version"]
    assert "3.11" in general["about"], "what the engine needs is told before anybody installs"


def test_a_release_refuses_empty_addresses(tmp_path):
    given = ["--homepage", "https://example.org", "--repository", "https://example.org/code"]
    done = pack(tmp_path, "--release", *given, "--tracker", "https://example.org/issues", "--email", "")
    assert done.returncode == 2
    assert "a release needs email" in done.stderr
    assert not list(tmp_path.glob("*.zip"))
    done = pack(tmp_path, "--release", *given, "--tracker", "https://example.org/issues", "--email", "a@example.org")
    assert done.returncode == 0, done.stderr
    text = read(next(tmp_path.glob("*.zip")), "metadata.txt")
    assert "\nemail=a@example.org\n" in text
    assert "\nhomepage=https://example.org\n" in text


def test_two_builds_are_equal(package, tmp_path):
    assert pack(tmp_path).returncode == 0
    assert next(tmp_path.glob("*.zip")).read_bytes() == package.read_bytes()


def test_the_source_inside_is_the_one_that_is_imported(package, tmp_path):
    """The plugin of the zip runs the engine of the zip."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path)
    code = "from mamol_landcover.environment import engine_source; print(engine_source())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == tmp_path / "mamol_landcover" / "engine_source"
