"""Pack the QGIS plugin into one zip: qgis_plugin/, its translations compiled, and the engine's source.

    python scripts/package_plugin.py [--release] [--homepage URL] [--repository URL] [--tracker URL] [--email ADDRESS]

Addresses that are not given come from `[tool.mamol.plugin]` in pyproject.toml. A release build refuses to leave one
empty, as the plugin repository would. Two builds of the same files are equal byte for byte.
"""

from __future__ import annotations

import argparse
import configparser
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLUGIN, ENGINE = ROOT / "qgis_plugin", ROOT / "engine"
FOLDER = "mamol_landcover"  # the one folder in the zip, and the name of the installed plugin
ENGINE_SOURCE = "engine_source"  # see qgis_plugin/environment.py
ADDRESSES = ("homepage", "repository", "tracker", "email")
NEEDED = ("name", "description", "about", "version", "author", "qgisMinimumVersion", "qgisMaximumVersion", "icon")
LIMIT_BYTES = 25 * 10**6
SHIPPED = {".py", ".txt", ".svg", ".qm", ".html", ".qml"}


class PackagingError(Exception):
    """The plugin cannot be packed as it is."""


def metadata(addresses: Mapping[str, str], release: bool) -> str:
    """The text of metadata.txt with addresses filled in; those that are empty are left out.

    Raises:
        PackagingError: a needed key is missing, versions differ, or `release` and an address is empty.
    """
    text = (PLUGIN / "metadata.txt").read_text(encoding="utf-8")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    general = parser["general"]
    missing = [key for key in NEEDED if not general.get(key)]
    if missing:
        raise PackagingError(f"metadata.txt lacks {', '.join(missing)}")
    version = engine_version()
    if general["version"] != version:
        raise PackagingError(f"metadata.txt says version {general['version']}, the engine {version}; make them equal")
    empty = [key for key in ADDRESSES if not addresses.get(key)]
    if release and empty:
        raise PackagingError(
            f"a release needs {', '.join(empty)}: fill [tool.mamol.plugin] in pyproject.toml or give "
            + " ".join(f"--{key}" for key in empty)
        )
    lines = []
    for line in text.splitlines():
        key = line.partition("=")[0]
        if key not in ADDRESSES:
            lines.append(line)
        elif addresses.get(key):
            lines.append(f"{key}={addresses[key]}")
    return "\n".join(lines) + "\n"


def engine_version() -> str:
    """What engine/__init__.py says, read without importing it."""
    for line in (ENGINE / "__init__.py").read_text(encoding="utf-8").splitlines():
        if line.startswith("__version__"):
            return line.partition("=")[2].strip().strip('"')
    raise PackagingError("engine/__init__.py has no __version__")


def contents(translations: Path) -> Iterator[tuple[str, Path]]:
    """Name in the zip (without its folder) and file, for everything but metadata.txt."""
    yield "LICENSE", ROOT / "LICENSE"
    for name in (".flake8", ".bandit"):  # the plugin repository scans uploads, and reads these
        yield name, PLUGIN / name
    for path in sorted(PLUGIN.rglob("*")):
        if path.suffix in SHIPPED and "__pycache__" not in path.parts and path.name != "metadata.txt":
            yield path.relative_to(PLUGIN).as_posix(), path
    for path in sorted(translations.glob("*.qm")):
        yield f"i18n/{path.name}", path
    for name in ("pyproject.toml", "README.md", "LICENSE"):  # so that pip can build it, too
        yield f"{ENGINE_SOURCE}/{name}", ROOT / name
    for path in sorted(ENGINE.rglob("*.py")):
        yield f"{ENGINE_SOURCE}/engine/{path.relative_to(ENGINE).as_posix()}", path


def build(folder: Path, addresses: Mapping[str, str], release: bool) -> Path:
    """Write `folder/mamol_landcover-VERSION.zip` and return its path."""
    about = metadata(addresses, release)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{FOLDER}-{engine_version()}.zip"
    with tempfile.TemporaryDirectory() as temporary:
        compile_translations(Path(temporary))
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            add(archive, "metadata.txt", about.encode())
            for name, path in contents(Path(temporary)):
                add(archive, name, path.read_bytes())
    size = target.stat().st_size
    if size > LIMIT_BYTES:
        raise PackagingError(f"{target}: {size / 1e6:.1f} MB, the plugin repository takes {LIMIT_BYTES / 1e6:.0f} MB")
    return target


def add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add one file with a fixed date and plain permissions, so that equal files make equal zips."""
    entry = zipfile.ZipInfo(f"{FOLDER}/{name}", date_time=(2020, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def compile_translations(folder: Path) -> None:
    """Compile i18n/*.ts into `folder`."""
    command = [sys.executable, str(ROOT / "scripts" / "translations.py"), "compile", "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackagingError(done.stderr.strip() or "the translations could not be compiled")


def main() -> int:
    """Read the command line, build, say where the zip is."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mamol"]["plugin"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the zip (default: dist)")
    parser.add_argument("--release", action="store_true", help="refuse empty addresses")
    for key in ADDRESSES:
        parser.add_argument(f"--{key}", default=settings.get(key, ""))
    arguments = parser.parse_args()
    try:
        target = build(arguments.out, {key: getattr(arguments, key) for key in ADDRESSES}, arguments.release)
    except PackagingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{target} ({target.stat().st_size / 1e6:.2f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
