"""A little of `make torture` in every run of the tests: a few kills of each command, some hundred mutated files, and
schedulers and workers that die.

In a process of its own, because the victims are forked from it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scripts.torture.__main__ import Results
from scripts.torture.page import failures, page, summary

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="victims are forked")


@pytest.fixture(scope="module")
def found():
    """What a small torture found; on a disk in memory, if there is one: half of the time goes to waiting for disks."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as out:
        yield _tortured(Path(out))


def _tortured(out: Path) -> Results:
    parts = [f"--only={part}" for part in ("kills", "cluster", "mutations")]
    call = [sys.executable, "-m", "scripts.torture", *parts, "--kills=3", "--mutations=300", f"--out={out}"]
    done = subprocess.run(
        call, cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "TMPDIR": str(out)},
    )  # fmt: skip
    results = Results(out / "results.jsonl")
    assert done.returncode == bool(failures(results.found)), done.stderr[-3000:]
    return results


def test_killed_commands_end_as_if_nothing_had_happened(found):
    kills = found.of("kills")
    assert failures(kills) == []
    for command in ("training", "mapping", "batch"):
        assert sum(job["kills"] for job in kills if job["command"] == command) >= 3


def test_batches_outlive_workers_and_schedulers(found):
    lost = found.of("cluster")
    assert failures(lost) == [] and len(lost) == 3


def test_mutated_files_are_done_with_or_refused(found):
    mutated = found.of("mutations")
    assert failures(mutated) == []
    assert len(mutated) == 300 and {item["outcome"] for item in mutated} == {"done", "refused"}
    refused = [item["message"] for item in mutated if item["outcome"] == "refused"]
    assert all(text and "Traceback" not in text for text in refused)


def test_what_was_found_is_told(found):
    text = "\n".join(summary(found.found))
    assert "mutations: 300" in text and "mapping: " in text
    assert "| training | " in page(found.found)
