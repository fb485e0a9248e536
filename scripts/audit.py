"""Look for known weaknesses: bandit in our code, pip-audit among the packages that are installed here.

    python scripts/audit.py

Exit code 1 where one is found. pip-audit asks the package index; packages that it knows nothing of are counted, and
where it does not answer at all that is said, and is no failure: nothing was found, and nothing was looked for.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run both; print what they find."""
    weak = [_bandit("engine"), _bandit("scripts", "--skip=B101,B404,B603")]  # scripts are there to start processes
    found, said = packages()
    for line in found:
        print(line)
    print(said)
    return 1 if any(weak) or found else 0


def _bandit(folder: str, *options: str) -> bool:
    """Whether bandit finds something in a folder, which is printed."""
    call = [sys.executable, "-m", "bandit", "--quiet", "--configfile=pyproject.toml", "--recursive", folder, *options]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n")
    return bool(done.returncode)


def packages() -> tuple[list[str], str]:
    """A line for each known weakness of an installed package, and a sentence on how many packages were looked up."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner=off", "--format=json"],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        listed = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return [], f"packages: not audited, the index could not be asked ({reason[:200]})"
    known = [item for item in listed if "skip_reason" not in item]
    found = [
        f"{item['name']} {item['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version'}"
        for item in known
        for flaw in item["vulns"]
    ]
    unknown = f", the index knows nothing of {len(listed) - len(known)}" if len(known) < len(listed) else ""
    return found, f"packages: {len(known)} audited, {len(found)} weaknesses{unknown}"


if __name__ == "__main__":
    sys.exit(main())
