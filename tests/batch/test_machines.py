"""Workers on other machines: two network namespaces, each with a worker; one worker dies and does not come back."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest

from engine.batch.generate import generate_maps
from engine.batch.order import Order
from engine.checksum import file_sha256
from engine.errors import BatchError
from tests.batch.conftest import pixels, read_rows, write_scenes
from tests.conftest import ROOT
from tests.mapping.conftest import Listener


def ip(*arguments):
    return subprocess.run(["ip", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def machines():
    """Two network namespaces: (name, address of the host as seen from there)."""
    made = []
    if shutil.which("ip") is None or ip("netns", "add", f"mamol{os.getpid()}-0").returncode:
        pytest.skip("this user may not make network namespaces")
    try:
        for index in (0, 1):
            name = f"mamol{os.getpid()}-{index}"
            network, port = f"10.213.{os.getpid() % 120 * 2 + index}", f"m{os.getpid()}{index}"
            made.append((name, f"{network}.1"))
            if index:
                assert not ip("netns", "add", name).returncode
            for command in (
                f"link add {port}h type veth peer name {port}n netns {name}",
                f"addr add {network}.1/24 dev {port}h",
                f"link set {port}h up",
                f"-n {name} addr add {network}.2/24 dev {port}n",
                f"-n {name} link set {port}n up",
                f"-n {name} link set lo up",
            ):
                done = ip(*command.split())
                assert not done.returncode, f"{command}: {done.stderr}"
        yield made
    finally:
        for name, _ in made:
            ip("netns", "del", name)


def dask(*arguments, namespace=None):
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [*prefix, sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *map(str, arguments[1:])]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_order(model: Path, out: Path) -> Order:
    return Order(model=model, model_sha256=file_sha256(model), out=out, device="cpu", precision="float32")


class Killer(Listener):
    """Kills a process when the first scene is done."""

    def __init__(self, victim):
        super().__init__()
        self.victim, self.facts = victim, {}

    def step(self, stage, done, total, unit=""):
        super().step(stage, done, total, unit)
        if stage == "mapping" and 1 <= done < total:
            self.victim.kill()

    def result(self, values):
        self.facts = values


def test_a_machine_goes_away_in_the_middle(machines, model, tmp_path):
    jobs, file = write_scenes(tmp_path, count=4), tmp_path / "scheduler.json"
    started = [dask("scheduler", "--host", "0.0.0.0", "--port", 0, "--no-dashboard", "--scheduler-file", file)]
    try:
        deadline = time.monotonic() + 60
        while not file.exists() or not file.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        port = json.loads(file.read_text())["address"].rpartition(":")[2]
        for name, host in machines:
            started.append(
                dask("worker", f"tcp://{host}:{port}", "--nthreads", 1, "--no-nanny", "--no-dashboard",
                     "--local-directory", tmp_path / name, namespace=name)
            )  # fmt: skip
        wait_for_workers(f"tcp://127.0.0.1:{port}", 2)
        listener = Killer(started[1])
        order = make_order(model, tmp_path / "far")
        generate_maps(str(jobs), order, listener, lambda: False, scheduler=f"tcp://127.0.0.1:{port}")
        assert started[1].wait(10) == -9 and started[2].poll() is None
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
    assert listener.facts["done"] == 12
    generate_maps(str(jobs), make_order(model, tmp_path / "near"), Listener(), lambda: False)
    for path in (tmp_path / "near").glob("*/*.tif"):
        np.testing.assert_array_equal(pixels(tmp_path / "far" / path.relative_to(tmp_path / "near")), pixels(path))
    assert {row["state"] for row in read_rows(tmp_path / "far" / "manifest.csv")} == {"done"}


def wait_for_workers(address, count):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.mark.parametrize("error", [ConnectionResetError("by peer"), CancelledError("lost")])
def test_an_outcome_that_goes_away_with_its_scheduler_is_lost(error):
    from engine.batch import cluster

    class Done:
        status = "finished"

        def result(self):
            raise error

    assert cluster._outcome(Done()).state == "lost"


def test_no_scheduler_answers(model, tmp_path, monkeypatch):
    from engine.batch import cluster

    monkeypatch.setattr(cluster, "_CONNECT_S", 0.5)
    jobs, order = write_scenes(tmp_path, count=1), make_order(model, tmp_path / "maps")
    with pytest.raises(BatchError, match="no Dask scheduler answers there"):
        generate_maps(str(jobs), order, Listener(), lambda: False, scheduler="tcp://127.0.0.1:9")
    with pytest.raises(BatchError, match="no Dask scheduler answers there"):
        generate_maps(str(jobs), order, Listener(), lambda: False, scheduler="nonsense://")
