"""Keep the plugin's translations: collect the sentences, compile what translators wrote.

    python scripts/translations.py update              # i18n/mamol_*.ts: new sentences in, vanished ones out
    python scripts/translations.py compile --out DIR   # DIR/mamol_*.qm, with Qt's lrelease

The sentences are the literal first arguments of `tr(...)` in qgis_plugin/. Qt's own lupdate does not see them, because
the context is named inside `tr`. lrelease comes with qttools5-dev-tools (apt), qt6-l10n-tools (apt) or PySide6 (pip).
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET  # nosec B405 - our own files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "qgis_plugin"
CONTEXT = "MaMOL"
LANGUAGES = ("de", "fr")
PLACES = ("/usr/lib/qt5/bin", "/usr/lib/qt6/bin")  # Debian keeps Qt's tools out of PATH


def sentences() -> dict[str, str]:
    """Every translatable sentence with the file it is first found in, in order of appearance."""
    found: dict[str, str] = {}
    for path in sorted(PLUGIN.rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name != "tr" or not call.args:
                continue
            argument = call.args[0]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found.setdefault(argument.value, path.relative_to(PLUGIN).as_posix())
    return found


def translations(language: str) -> dict[str, str]:
    """What i18n/mamol_LANGUAGE.ts says, without empty ones."""
    path = source_of(language)
    if not path.exists():
        return {}
    messages = ET.parse(path).iter("message")  # nosec B314
    pairs = ((message.findtext("source") or "", message.findtext("translation") or "") for message in messages)
    return {source: text for source, text in pairs if text}


def source_of(language: str) -> Path:
    """Path of a language's .ts file."""
    return PLUGIN / "i18n" / f"mamol_{language}.ts"


def write(language: str, found: dict[str, str], known: dict[str, str]) -> int:
    """Write a .ts file with the sentences found; return how many wait for a translation."""
    root = ET.Element("TS", version="2.1", language=language, sourcelanguage="en")
    context = ET.SubElement(root, "context")
    ET.SubElement(context, "name").text = CONTEXT
    for sentence, place in found.items():
        message = ET.SubElement(context, "message")
        ET.SubElement(message, "location", filename=f"../{place}")
        ET.SubElement(message, "source").text = sentence
        translation = ET.SubElement(message, "translation")
        translation.text = known.get(sentence)
        if sentence not in known:
            translation.set("type", "unfinished")
    ET.indent(root, "  ")
    text = ET.tostring(root, encoding="unicode")
    source_of(language).write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{text}\n', encoding="utf-8")
    return len(found.keys() - known.keys())


def lrelease() -> str | None:
    """Qt's compiler of translations, or None."""
    places = os.pathsep.join([os.environ.get("PATH", ""), *PLACES, str(Path(sys.executable).parent)])
    names = ("lrelease", "lrelease-qt5", "lrelease6", "pyside6-lrelease")
    return next((path for name in names if (path := shutil.which(name, path=places))), None)


def compile_all(folder: Path) -> int:
    """Compile every .ts into `folder`; return the exit code."""
    program = lrelease()
    if program is None:
        print("lrelease is not installed: apt-get install qttools5-dev-tools, or pip install pyside6", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        source = source_of(language)
        command = [program, "-silent", "-removeidentical", str(source), "-qm", str(folder / f"{source.stem}.qm")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{source}: {done.stderr.strip() or done.stdout.strip()}", file=sys.stderr)
            return 2
    return 0


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("update", "compile"))
    parser.add_argument("--out", type=Path, default=PLUGIN / "i18n", help="folder of the .qm files")
    arguments = parser.parse_args()
    if arguments.action == "compile":
        return compile_all(arguments.out)
    for language in LANGUAGES:
        waiting = write(language, sentences(), translations(language))
        print(f"{language}: {waiting} sentences wait for a translation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
