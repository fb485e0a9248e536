"""Scan the packed plugin as its repository scans uploads: bandit, detect-secrets and flake8, on what is in the zip.

    python scripts/lint_plugin.py [PLUGIN.zip]      # packs one where none is given

The settings are those inside the zip (.bandit, .flake8), as there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def findings(folder: Path) -> list[str]:
    """What the three tools find in an unpacked plugin."""
    return [*_bandit(folder), *_secrets(folder), *_flake8(folder)]


def _run(folder: Path, module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{module} did not run: {done.stderr.strip()}")
    return done.stdout


def _bandit(folder: Path) -> list[str]:
    report = json.loads(_run(folder, "bandit", "--quiet", "--ini", ".bandit", "--recursive", ".", "--format", "json"))
    return [
        f"{item['filename'].removeprefix('./')}:{item['line_number']}: {item['test_id']} {item['issue_text']}"
        for item in report["results"]
    ]


def _secrets(folder: Path) -> list[str]:
    report = json.loads(_run(folder, "detect_secrets", "scan", "--all-files", "."))
    return [
        f"{file}:{item['line_number']}: {item['type']}" for file, items in report["results"].items() for item in items
    ]


def _flake8(folder: Path) -> list[str]:
    return _run(folder, "flake8", ".").splitlines()


def main() -> int:
    """Pack if needed, scan, print."""
    with tempfile.TemporaryDirectory() as temporary:
        packed = Path(temporary) / "packed"
        if len(sys.argv) > 1:
            package = Path(sys.argv[1])
        else:
            command = [sys.executable, str(ROOT / "scripts" / "package_plugin.py"), "--out", str(packed)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            package = next(packed.glob("*.zip"))
        with zipfile.ZipFile(package) as archive:
            archive.extractall(temporary)
        found = findings(Path(temporary) / "mamol_landcover")
    for line in found:
        print(line)
    print(f"{package.name}: {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
