"""Try the packed plugin on a real QGIS, from the zip to the accuracy of its maps.

    python3 scripts/check_plugin.py PLUGIN.zip --engine PYTHON
    python3 scripts/check_plugin.py PLUGIN.zip --wheels FOLDER [--python PYTHON]

Installs the zip into a fresh profile, enables it, and lets qgis_process check the engine, train on sample_data,
inspect, map with all sensors and with each single one missing, and evaluate. Exit codes and outputs are checked. The
engine is an interpreter that has its packages, or is set up from a folder of wheels by the plugin itself. Needs
Python 3.9 and a QGIS from 3.22 on, nothing else; runs as well inside a chroot.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree  # nosec B405 - reads what the plugin has just written
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = "mamol_landcover"
ALGORITHMS = ("checkengine", "evaluate", "inspect", "predict", "samplepoints", "setupengine", "train")
SENSORS = {"HYPERSPECTRAL": "hsi.tif", "ELEVATION": "lidar.tif", "SAR": "sar.tif"}
NAMES = {"HYPERSPECTRAL": "hsi", "ELEVATION": "elevation", "SAR": "sar"}  # that training gives to the roles
WATER = "#2b6db3"  # in sample_data/labels.qml: 43, 109, 179
SHORTFALL = 0.1  # by which a map, borders of fields included, may be less accurate than the model was in its own test


class Trouble(Exception):
    """Something is not as it should be."""


class Qgis:
    """qgis_process with a profile of its own.

    Args:
        program: path of qgis_process.
        folder: where the profile, the home folder and all files go.
        engine: the engine's interpreter; None where the plugin sets up its own.
    """

    def __init__(self, program: str, folder: Path, engine: Path | None) -> None:
        self.program, self.folder = program, folder
        self.config, self.home = folder / "config", folder / "home"
        for made in (self.config, self.home):
            made.mkdir(parents=True)
        self.environment = {
            **os.environ,
            "PATH": path_of_qgis(os.environ.get("PATH", "")),
            "HOME": str(self.home),
            "QGIS_CUSTOM_CONFIG_PATH": str(self.config),
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_RUNTIME_DIR": str(self.home),
        }
        if engine is not None:
            self.environment["MAMOL_ENGINE_PYTHON"] = str(engine)

    def call(self, *arguments: str, code: int = 0) -> str:
        """Run qgis_process; return what it wrote on stdout.

        Raises:
            Trouble: it ended with another exit code than `code`.
        """
        done = subprocess.run(
            [self.program, *arguments], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
        if done.returncode != code:
            raise Trouble(
                f"qgis_process {' '.join(arguments)}: exit code {done.returncode} instead of {code}\n"
                f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done.stdout

    def run(self, algorithm: str, **parameters: Any) -> dict[str, Any]:
        """Run an algorithm of ours; return its results."""
        start = time.monotonic()
        texts = [f"{name}={value}" for name, value in parameters.items()]
        output = self.call("--json", "run", f"mamol:{algorithm}", "--", *texts)
        say(f"{algorithm}: {time.monotonic() - start:.1f} s")
        results: dict[str, Any] = json.loads(output[output.index("{") :])["results"]
        return results


def path_of_qgis(path: str) -> str:
    """PATH without virtual environments.

    QGIS's Python takes its home from the first `python3` that it finds; with that of an active virtual environment QGIS
    finds no module of its own and crashes.
    """
    folders = [folder for folder in path.split(os.pathsep) if not (Path(folder).parent / "pyvenv.cfg").is_file()]
    return os.pathsep.join(folders)


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def expect(condition: bool, what: str) -> None:
    """Complain unless `condition`."""
    if not condition:
        raise Trouble(what)


def install(qgis: Qgis, package: Path) -> None:
    """Unpack the zip where QGIS looks for plugins, and switch it on."""
    plugins = qgis.config / "profiles" / "default" / "python" / "plugins"
    plugins.mkdir(parents=True)
    with zipfile.ZipFile(package) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        expect(tops == {PLUGIN}, f"{package}: expected one folder {PLUGIN}, got {sorted(tops)}")
        archive.extractall(plugins)
    qgis.call("plugins", "enable", PLUGIN)
    listed = qgis.call("list")
    for name in ALGORITHMS:
        expect(f"mamol:{name}" in listed, f"mamol:{name} is not among the algorithms")
        expect("OUTPUTS" in qgis.call("help", f"mamol:{name}").upper(), f"mamol:{name} has no help")
    say(f"installed: {', '.join(ALGORITHMS)}")


def check_map(path: Path) -> None:
    """A map is a TIFF with a style, and nothing unfinished lies beside it."""
    expect(path.is_file(), f"{path} was not written")
    expect(path.read_bytes()[:4] in (b"II*\0", b"II+\0"), f"{path} is no TIFF")
    expect(path.with_suffix(".qml").is_file(), f"{path} has no style beside it")
    unfinished = list(path.parent.glob("*.work"))
    expect(not unfinished, f"unfinished work was left: {unfinished}")


def check_all(qgis: Qgis, samples: Path) -> None:
    """Train, inspect, map and evaluate."""
    work = qgis.folder
    text = qgis.run("checkengine")["TEXT"]
    expect("self test" in text and "passed" in text, f"the engine's self test:\n{text}")
    say(text)
    layers = {name: str(samples / file) for name, file in SENSORS.items()}
    labels = {"LABELS": str(samples / "labels.gpkg"), "FIELD": "class"}
    trained = qgis.run("train", **layers, **labels, SETTINGS="training.steps=150", OUTPUT=str(work / "run"))
    model = Path(trained["MODEL"])
    expect(model.is_file() and Path(trained["REPORT"]).is_file(), f"training left no model or report: {trained}")
    known = json.loads(trained["ACCURACIES"])
    say(f"accuracy by sensors: {known}")
    inspected = qgis.run("inspect", MODEL=str(model), **layers, REPORT=str(work / "inspect.html"))
    expect(bool(inspected["WORKS"]), f"inspect says that model and layers do not fit: {inspected}")
    for missing in ("", *SENSORS):
        given = {name: path for name, path in layers.items() if name != missing}
        name = f"without_{missing.lower()}" if missing else "all"
        used = work / name / "used.tif"
        used.parent.mkdir()
        result = qgis.run(
            "predict", MODEL=str(model), **given, OUTPUT=str(work / name / "map.tif"),
            CONFIDENCE=str(work / name / "confidence.tif"), SENSORS_USED=str(used),
            REPORT=str(work / name / "summary.html"),
        )  # fmt: skip
        for file in ("map.tif", "confidence.tif", "used.tif"):
            check_map(work / name / file)
        style = (work / name / "map.qml").read_text(encoding="utf-8")
        expect(WATER in style, f"{name}: water has not got its colour from the style of the labels")
        expect(result["PIXELS"] > 0 and (work / name / "summary.html").is_file(), f"{name}: {result}")
        truth = str(samples / "truth.tif")
        accuracy = qgis.run(
            "evaluate",
            MAP=result["OUTPUT"],
            REFERENCE=truth,
            SENSORS_USED=str(used),
            OUTPUT=str(work / name / "figures"),
        )
        expect(Path(accuracy["REPORT"]).is_file(), f"{name}: no report was written")
        points = Path(qgis.run("samplepoints", MAP=result["OUTPUT"], SIZE=100, MIN_PER_CLASS=5,
                               OUTPUT=str(work / name / "points.gpkg"))["OUTPUT"])  # fmt: skip
        style = points.with_suffix(".qml")
        expect(points.is_file() and "ValueMap" in style.read_text(encoding="utf-8"), f"{name}: no sample points")
        if not missing:
            close_the_loop(qgis, result["OUTPUT"], points, truth, accuracy["OVERALL_ACCURACY"])
        promised = known["+".join(NAMES[sensor] for sensor in given)]
        figure = accuracy["OVERALL_ACCURACY"]
        say(f"{name}: overall accuracy {figure:.3f} at {accuracy['PIXELS']} pixels, promised {promised:.3f}")
        expect(figure >= promised - SHORTFALL, f"{name}: the map is much worse than the model said")
    qgis.call("run", "mamol:predict", "--", "MODEL=no_such_file.safetensors", f"OUTPUT={work / 'none.tif'}", code=1)
    expect(not (work / "none.tif").exists(), "a map without a model")
    say("a missing model is refused with exit code 1")


def close_the_loop(qgis: Qgis, land_cover: str, points: Path, truth: str, known: float) -> None:
    """From a map's sample points, filled from the truth by QGIS, to estimates for its whole area.

    Args:
        qgis: where to run.
        land_cover: the map.
        points: its sample points, not filled in.
        truth: raster that numbers the same classes otherwise.
        known: overall accuracy of the map at all of its pixels.
    """
    sampled, filled = points.with_name("sampled.gpkg"), points.with_name("filled.gpkg")
    qgis.call("run", "native:rastersampling", "--", f"INPUT={points}", f"RASTERCOPY={truth}", "COLUMN_PREFIX=truth",
              f"OUTPUT={sampled}")  # fmt: skip
    numbers = [str(categories(land_cover).index(name)) for name in categories(truth)]
    qgis.call("run", "native:fieldcalculator", "--", f"INPUT={sampled}", "FIELD_NAME=reference", "FIELD_TYPE=1",
              f"FORMULA=array_get(array({','.join(numbers)}), \"truth1\")", f"OUTPUT={filled}")  # fmt: skip
    folder = points.with_name("sample figures")
    result = qgis.run("evaluate", MAP=land_cover, REFERENCE=str(filled), FIELD="reference", OUTPUT=str(folder))
    error = result["OVERALL_ACCURACY_SE"]
    expect(0 < error < 0.1, f"standard error of a sample of 100 points: {result}")
    expect(abs(result["OVERALL_ACCURACY"] - known) < 5 * error, f"the sample is far from the whole, {known}: {result}")
    figures = json.loads((folder / "accuracy.json").read_text(encoding="utf-8"))
    expect(figures["design"] is not None and "area_ha_se" in figures["classes"][0], "no areas were estimated")
    page = (folder / "report.html").read_text(encoding="utf-8")
    expect("hold for the mapped area" in page, f"{folder}: the report does not tell what the figures hold for")
    say(f"a sample of the map: overall accuracy {result['OVERALL_ACCURACY']:.3f} +- {error:.3f}")


def categories(raster: str) -> list[str]:
    """Names of the classes of a raster, by value from 0 on."""
    tree = ElementTree.parse(f"{raster}.aux.xml")  # nosec B314 - the plugin has just written it
    return [item.text or "" for item in tree.iter("Category")]


def main() -> int:
    """Read the command line, try everything, say what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the zip")
    parser.add_argument("--engine", type=Path, help="interpreter that has the engine's packages")
    parser.add_argument("--wheels", type=Path, help="set the engine up from this folder instead")
    parser.add_argument("--python", default="", help="interpreter to set it up with")
    parser.add_argument("--qgis-process", help="default: qgis_process.bin or qgis_process in PATH")
    parser.add_argument("--work", type=Path, help="folder to work in, made anew (default: a temporary one)")
    arguments = parser.parse_args()
    # Debian's wrapper hands on options that qgis_process does not know.
    program = arguments.qgis_process or shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None or bool(arguments.engine) == bool(arguments.wheels):
        print("error: " + ("qgis_process is not installed" if program is None else "give --engine or --wheels"))
        return 2
    work = arguments.work or Path(tempfile.mkdtemp(prefix="check plugin ü "))
    start = time.monotonic()
    try:
        work.mkdir(parents=True, exist_ok=True)
        samples = work / "sample data"
        shutil.copytree(ROOT / "sample_data", samples)  # QGIS leaves statistics beside rasters
        qgis = Qgis(program, work, arguments.engine and arguments.engine.absolute())
        say(qgis.call("--version").splitlines()[0])
        install(qgis, arguments.package)
        if arguments.wheels:
            made = qgis.run(
                "setupengine", WHEELS=str(arguments.wheels.resolve()), PYTHON=arguments.python, COMPUTE="cpu"
            )
            expect(Path(made["ENGINE_PYTHON"]).is_file(), f"no engine was made: {made}")
        check_all(qgis, samples)
    except Trouble as trouble:
        print(f"FAILED: {trouble}\nfiles: {work}", file=sys.stderr)
        return 1
    say(f"passed in {time.monotonic() - start:.0f} s")
    if not arguments.work:
        shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
