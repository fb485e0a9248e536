"""A batch that is stopped, killed, or loses a worker ends like one that was left in peace."""

import json
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine.batch.generate import generate_maps
from engine.batch.order import Order
from engine.checksum import file_sha256
from tests.batch.conftest import command, pixels, read_rows, write_scenes
from tests.mapping.conftest import Listener


def start(jobs, model, out, *options):
    return subprocess.Popen(
        command(jobs, model, out, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_scenes(process, count):
    """Read what the batch says until so many scenes are finished."""
    for line in process.stdout:
        if json.loads(line).get("done", 0) >= count:
            return
    pytest.fail(process.stderr.read())


def finish(jobs, model, out):
    """Do what is missing, in this process."""
    order = Order(model=model, model_sha256=file_sha256(model), out=out, device="cpu", precision="float32")
    generate_maps(str(jobs), order, Listener(), lambda: False)


def check_equal(out, peace):
    """The same maps, the same manifest but for seconds, and no stray file."""
    names = {str(path.relative_to(peace)) for path in peace.rglob("*") if path.is_file()}
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == names
    for path in peace.glob("*/*.tif"):
        np.testing.assert_array_equal(pixels(out / path.relative_to(peace)), pixels(path))
    one, other = ([{**row, "seconds": ""} for row in read_rows(folder / "manifest.csv")] for folder in (out, peace))
    assert one == other


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes"), count=4)


@pytest.fixture(scope="module")
def peace(many, model, tmp_path_factory) -> Path:
    """The batch that nobody disturbed."""
    out = tmp_path_factory.mktemp("peace") / "maps"
    finish(many, model, out)
    return out


def test_killed_again_and_again(many, model, peace, tmp_path):
    out = tmp_path / "killed"
    for count in (1, 6):
        with start(many, model, out) as process:
            wait_for_scenes(process, count)
            process.kill()
        states = [row["state"] for row in read_rows(out / "manifest.csv")]
        assert len(states) == 12 and set(states) <= {"done", "waiting"}
    finish(many, model, out)
    check_equal(out, peace)


def test_interrupted_in_good_order(many, model, peace, tmp_path):
    out = tmp_path / "stopped"
    with start(many, model, out) as process:
        wait_for_scenes(process, 3)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 3
        assert "scenes finished; the same command goes on from there" in process.stderr.read()
    done = {row["id"] for row in read_rows(out / "manifest.csv") if row["state"] == "done"}
    assert 3 <= len(done) < 12 and {path.parent.name for path in out.glob("*/*.tif")} == done
    finish(many, model, out)
    check_equal(out, peace)


def test_a_worker_is_killed(many, model, peace, tmp_path):
    """Two worker processes of a local cluster; one dies at work, another takes its place."""
    import psutil

    out = tmp_path / "cluster"
    with start(many, model, out, "--workers=2") as process:
        wait_for_scenes(process, 1)
        workers = [
            child
            for child in psutil.Process(process.pid).children(recursive=True)
            if "spawn_main" in str(child.cmdline())
        ]
        assert len(workers) == 2
        for part in [psutil.Process(process.pid), *workers]:
            heard = {socket.laddr.ip for socket in part.net_connections() if socket.status == psutil.CONN_LISTEN}
            assert heard == {"127.0.0.1"}
        os.kill(workers[0].pid, signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0 and not errors, errors
    check_equal(out, peace)
