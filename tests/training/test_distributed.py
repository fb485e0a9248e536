"""Several processes train what one would train, stop together, and never wait for one that is gone.

Processes are forked from one that has imported torch already, and told what torchrun would tell them; the last test
uses torchrun itself.
"""

import csv
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import engine.train
from engine.commandline import run
from engine.config import parse_config
from engine.errors import Cancelled
from engine.progress import SilentProgress
from engine.training import loop
from engine.training.assemble import assemble
from engine.training.distributed import Team
from engine.training.prepare import prepare
from engine.training.run import run_training
from engine.training.run_folder import to_toml

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ("--device", "cpu", "--precision", "float32", "--threads", "1", "--progress", "json")
NO_CHANCE = {"dropout": 0.0, "head_dropout": 0.0, "token_dropout": 0.0}  # and no noise: each process has its own
CENTRE = {"readout": "centre", "core": None, "window": 6, "token_px": 1}
MIXING = {"enabled": True, "start": 0.0, "every": 2, "confidence": 0.0, "at_least": 5}


def member(rank, count, port, arguments, folder, event):
    """One process: the command as torchrun starts it. `event`: (rank, step, signal) that it then sends to itself."""
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test", "RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / f"{name}{rank}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    rate_of = loop.learning_rate

    def learning_rate(step, *others):
        if event is not None and event[:2] == (rank, step):
            os.kill(os.getpid(), event[2])
        return rate_of(step, *others)

    loop.learning_rate = learning_rate
    sys.argv = ["engine.train", *map(str, arguments)]
    code = run(engine.train.make_parser(), engine.train.main)
    sys.stdout.flush()
    os._exit(code)


class Steps(SilentProgress):
    last = 0

    def step(self, stage, done, total, unit=""):
        self.last = done if stage == "training" else self.last


class Job:
    """A training job that is run by one process or by several, each in a folder of its own."""

    def __init__(self, folder, job):
        self.folder, self.job = folder, job
        self.file = folder / "job.toml"
        self.file.write_text(to_toml(parse_config(job)))

    def alone(self, out, **options):
        return run_training(
            parse_config(self.job), self.folder / out, device="cpu", precision="float32", threads=1, **options
        )

    def alone_until(self, step, out, **options):
        """Train by one process, which is asked to stop after a step; the step of the checkpoint."""
        spy = Steps()
        with pytest.raises(Cancelled):
            self.alone(out, progress=spy, cancelled=lambda: spy.last == step, **options)
        return self.step(out)

    def shared(self, out, *arguments, count=2, event=None, file_of=None):
        """Exit codes of `count` processes; what they have said is in `said`."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, "torch._dynamo", "matplotlib.figure"])  # what takes long
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        processes = []
        for rank in range(count):
            file = self.file if file_of is None else file_of(rank)
            given = [file, "--out", self.folder / out, *OPTIONS, *arguments]
            process = context.Process(target=member, args=(rank, count, port, given, self.folder, event), daemon=True)
            process.start()
            processes.append(process)
        for process in processes:
            process.join(timeout=120)
        return [process.exitcode for process in processes]

    def said(self, rank):
        """JSON lines and stderr of a process."""
        lines = (self.folder / f"out{rank}").read_text().splitlines()
        return [json.loads(line) for line in lines], (self.folder / f"err{rank}").read_text()

    def state(self, out):
        """Tensors of the checkpoint: weights, averaged weights, moments of the gradients."""
        return load_file(next((self.folder / out / "checkpoint").glob("*.safetensors")))

    def step(self, out):
        """Of the checkpoint; 0 where there is none yet."""
        try:
            return json.loads((self.folder / out / "checkpoint" / "state.json").read_text())["step"]
        except FileNotFoundError:
            return 0

    def history(self, out):
        rows = csv.DictReader((self.folder / out / "history.csv").open())
        return [{key: float(value) for key, value in row.items() if key != "seconds"} for row in rows]


@pytest.fixture
def make_shared_job(make_job, tmp_path):
    def make(mixing=None, steps=4, model=None, training=None, **options):
        """Without clipping: it would hide gradients of another size, which Adam does not mind either."""
        training = {"noise": 0.0, "clip": 1e9, "validate_every": 2, "pixels_per_step": 64} | (training or {})
        options["split"] = {"train_per_class": 60, "test_pixels": 100}
        job = make_job(steps=steps, model=NO_CHANCE | (model or {}), training=training, **options)
        return Job(tmp_path, job | {"mixing": mixing or {}})

    return make


def assert_same(job, one, other):
    """Equal but for rounding: weights, averaged weights and moments of gradients, each relative to its size."""
    one_state, other_state = job.state(one), job.state(other)
    assert one_state.keys() == other_state.keys()
    for name, tensor in one_state.items():
        expected, difference = tensor.double(), other_state[name].double() - tensor.double()
        if name.endswith("qkv.bias"):  # a key's bias changes no attention: Adam makes steps of its gradient's rounding
            difference[len(tensor) // 3 : 2 * len(tensor) // 3] = 0
        assert difference.norm() <= 1e-4 * expected.norm(), name
    for row, again in zip(job.history(one), job.history(other), strict=True):
        assert row == pytest.approx(again, rel=1e-4, abs=0.01)
        assert row["loss"] == pytest.approx(again["loss"], rel=1e-5)


def test_chance_is_shared_where_it_must_be_and_own_elsewhere():
    """Dropout and noise differ between processes and follow from the step; `rand` is that of one process, in shares."""
    torch.manual_seed(7)
    whole = torch.rand(5, 3)
    parts, noise = [], []
    for rank in (0, 1, 1):
        team = Team(rank, 2)
        team.seed(7)
        noise.append(torch.rand(100))
        parts.append(team.rand((5, 3)))
    assert torch.equal(parts[0], whole[::2]) and torch.equal(parts[1], whole[1::2])
    assert torch.equal(noise[1], noise[2]) and not torch.isclose(noise[0], noise[1]).any()


@pytest.mark.parametrize(
    ("count", "options"),
    [
        (2, {"training": {"taught_pixels": 6}}),
        (3, {"training": {"batch_size": 7, "balance": "sampling", "accumulate": 2, "taught_pixels": 0}}),
        (2, {"model": CENTRE | {"method": "moe_rep"}, "training": {"balance": "weights"}}),
        (2, {"model": {"method": "mmp"}, "mixing": MIXING, "training": {"taught_pixels": 0, "batch_size": 3}}),
        (2, {"mixing": MIXING | {"kind": "balanced_mixup", "gradient_modulation": 0.5}, "training": {"batch_size": 5}}),
    ],
)
def test_many_train_what_one_would(make_shared_job, count, options):
    job = make_shared_job(**options)
    job.alone("one")
    assert job.shared("many", count=count) == [0] * count
    assert_same(job, "one", "many")
    lines, _ = job.said(0)
    assert [line["type"] for line in lines].count("result") == 1 and "step 4: loss" in str(lines)
    assert all(job.said(rank) == ([], "") for rank in range(1, count))


def test_processes_that_never_see_the_same_sensor(make_shared_job):
    """A window each; in half of the steps one process has sensor a alone and the other one b alone."""
    job = make_shared_job(steps=6, training={"batch_size": 2, "pixels_per_step": 2}, missing={"rate": 1, "cut_rate": 0})
    with closing(prepare(parse_config(job.job))) as data:
        ready = assemble(data, job.folder / "cache", torch.device("cpu"), "float32", SilentProgress())
        seen = np.stack([ready.batches.draw(step).kept.any(axis=(2, 3)) for step in range(6)])  # (steps, windows, M)
    assert (seen.sum(axis=2) == 1).all() and 2 <= (seen[:, 0] != seen[:, 1]).all(axis=1).sum() <= 5
    job.alone("one")
    assert job.shared("two") == [0, 0]
    assert_same(job, "one", "two")


def test_stopped_and_resumed_with_another_number_of_processes(make_shared_job):
    """SIGTERM reaches one process; all end after the same step. Then one goes on, then two again."""
    job = make_shared_job(steps=6)
    job.alone("whole")
    assert job.shared("parts", event=(1, 1, signal.SIGTERM)) == [3, 3]
    lines, errors = job.said(0)
    assert lines[-1]["code"] == 3 and "stopped after step 2 of 6; --resume goes on" in lines[-1]["message"]
    assert errors.count("cancelled:") == 1 and job.said(1) == ([], "")
    assert job.alone_until(4, "parts", resume=True) == 4
    assert job.shared("parts", "--resume") == [0, 0]
    assert_same(job, "whole", "parts")


def test_one_that_is_killed_ends_the_others(make_shared_job):
    job = make_shared_job(training={"checkpoint_seconds": 0})
    started = time.monotonic()
    assert job.shared("run", event=(1, 2, signal.SIGKILL)) == [2, -signal.SIGKILL]
    assert time.monotonic() - started < 60
    lines, errors = job.said(0)
    assert "another process of this training has ended" in lines[-1]["message"] and "Traceback" not in errors
    assert job.step("run") == 2 and not (job.folder / "run" / "model.safetensors").exists()


def test_the_first_process_tells_what_another_finds_wrong(make_shared_job, make_job, tmp_path):
    """A raster that one process cannot see; and more processes than windows."""
    job = make_shared_job()
    other = Job(tmp_path / "scene", make_job())
    other.file.write_text(other.file.read_text().replace("b.tif", "gone.tif"))
    assert job.shared("run", file_of=lambda rank: (job, other)[rank].file) == [2, 2]
    lines, errors = job.said(0)
    assert lines[-1]["message"].startswith("process 1 of 2: ") and "gone.tif" in lines[-1]["message"]
    assert errors.count("\n") == 1 and job.said(1) == ([], "")
    assert job.shared("other", "--set", "training.batch_size=1") == [2, 2]
    assert "training.batch_size = 1 windows cannot be shared by 2 processes" in job.said(0)[1]
    assert not (job.folder / "other").exists()


def test_torchrun_passes_on_a_request_to_stop(make_shared_job, tmp_path):
    """The real thing: two processes, SIGTERM to torchrun, a run that can be resumed."""
    job = make_shared_job(steps=5000, training={"checkpoint_seconds": 0, "validate_every": 5000})
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "engine.train", str(job.file), "--out", str(tmp_path / "run"), *OPTIONS]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (tmp_path / "err").open("w") as errors:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        deadline = time.monotonic() + 120
        while job.step("run") < 3 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    told = [line for line in map(json.loads, output.splitlines()) if line["type"] == "error"]
    assert len(told) == 1 and told[0]["code"] == 3, (tmp_path / "err").read_text()
    step = job.step("run")
    assert 3 <= step < 5000 and f"after step {step} of 5000" in told[0]["message"]
    assert job.alone_until(step + 1, "run", resume=True) == step + 1
