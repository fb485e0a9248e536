"""A little of `make torture` in every run of the tests: a few kills of each command, some hundred mutated files.

In a process of its own, because the victims are forked from it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.torture.__main__ import Results
from scripts.torture.page import failures, page, summary

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="victims are forked")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a small torture found."""
    out = tmp_path_factory.mktemp("torture")
    call = [sys.executable, "-m", "scripts.torture", "--only", "kills", "--kills", "3", "--only", "mutations"]
    done = subprocess.run(
        [*call, "--mutations", "300", "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    results = Results(out / "results.jsonl")
    assert done.returncode == bool(failures(results.found)), done.stderr[-3000:]
    return results


def test_killed_commands_end_as_if_nothing_had_happened(found):
    kills = found.of("kills")
    assert failures(kills) == []
    for command in ("training", "mapping"):
        assert sum(job["kills"] for job in kills if job["command"] == command) >= 3


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
