"""Exit codes, job files, signals and the environment of commands, with a command made for the purpose."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import commandline
from engine.errors import Cancelled, ConfigError, OutputError

ROOT = Path(__file__).resolve().parents[1]


def make_parser():
    parser = commandline.command_parser("try", "Try things.")
    parser.add_argument("model")
    parser.add_argument("--layer", action="append", type=commandline.named_path)
    parser.add_argument("--extent")
    parser.add_argument("--sensors-used")
    parser.add_argument("--overwrite", action="store_true")
    return parser


@pytest.fixture
def run_main(run_command, monkeypatch):
    """Run a `main` behind the parser above: (exit code, stdout, stderr)."""
    import types

    def call(main, *arguments):
        module = types.SimpleNamespace(make_parser=make_parser, main=main)
        monkeypatch.setitem(sys.modules, "engine.try", module)
        return run_command("try", *arguments)

    return call


@pytest.fixture
def parsed(run_main):
    """Parse arguments as a command does and return the namespace."""

    def call(*arguments) -> argparse.Namespace:
        seen = []
        code, _, err = run_main(lambda args, progress, cancelled: seen.append(args), *arguments)
        assert (code, err) == (0, "")
        return seen[0]

    return call


def raising(error):
    def main(arguments, progress, cancelled):
        raise error

    return main


def test_done_is_0(run_main):
    assert run_main(lambda args, progress, cancelled: None, "m") == (0, "", "")


@pytest.mark.parametrize("error", [ConfigError("a.toml: no such key"), OutputError("out.tif: disk\nfull")])
def test_bad_input_is_2_and_one_line(run_main, error):
    code, out, err = run_main(raising(error), "m")
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1 and "Traceback" not in err


def test_disk_full_is_2_even_where_nobody_expected_it(run_main):
    code, _, err = run_main(raising(OSError(28, "No space left on device", "out.tif")), "m")
    assert (code, err) == (2, "error: out.tif: No space left on device\n")


def test_cancelled_is_3(run_main):
    assert run_main(raising(Cancelled("run/ can be resumed")), "m")[::2] == (3, "cancelled: run/ can be resumed\n")


def test_bug_is_1_with_traceback(run_main):
    code, _, err = run_main(raising(ZeroDivisionError("division by zero")), "m")
    assert code == 1 and "Traceback" in err and "a bug of ours" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "required: model"),
        (["m", "--devise", "cpu"], "unrecognized arguments: --devise"),
        (["m", "--threads", "0"], "whole number >= 1"),
        (["m", "--seed", "x"], "whole number >= 0"),
        (["m", "--layer", "hsi.tif"], "expected NAME=RASTER"),
        (["m", "--job"], "--job"),
        (["m", "--over"], "unrecognized arguments"),
    ],
)
def test_wrong_arguments_are_2_and_one_line(run_main, arguments, words):
    code, _, err = run_main(raising(AssertionError("must not be reached")), *arguments)
    assert code == 2 and words in err and err.count("\n") == 1 and "--help" in err


@pytest.mark.parametrize(("error", "code"), [(ConfigError("wrong"), 2), (Cancelled("stopped"), 3), (KeyError("x"), 1)])
def test_json_progress_ends_with_an_error_line(run_main, error, code):
    got, out, _ = run_main(raising(error), "m", "--progress", "json")
    line = json.loads(out.splitlines()[-1])
    assert got == code and line["type"] == "error" and line["code"] == code and str(error.args[0]) in line["message"]


def test_json_progress_also_for_wrong_arguments(run_main):
    _, out, _ = run_main(raising(AssertionError), "m", "--threads", "none", "--progress=json")
    assert json.loads(out)["type"] == "error"


def test_job_file_gives_arguments(parsed, tmp_path):
    job = tmp_path / "job.json"
    job.write_text(
        json.dumps({
            "model": "m.safetensors", "layer": {"hsi": "a=b.tif", "dem": "c.tif"}, "extent": [-1.5, 0, 2, 3],
            "sensors_used": "s.tif", "overwrite": True, "threads": 3, "seed": None,
        })
    )  # fmt: skip
    args = parsed("--job", job)
    assert args.model == "m.safetensors" and args.overwrite and args.threads == 3 and args.seed is None
    assert args.layer == [("hsi", Path("a=b.tif")), ("dem", Path("c.tif"))]
    assert args.extent == "-1.5,0,2,3" and args.sensors_used == "s.tif"


def test_command_line_wins_over_job_file(parsed, tmp_path):
    job = tmp_path / "job.json"
    job.write_text('{"layer": ["hsi=job.tif"], "threads": 3, "sensors-used": "job.tif"}')
    args = parsed("m", "--layer=hsi=line.tif", "--threads", "1", "--job", job)
    assert args.layer == [("hsi", Path("line.tif"))] and args.threads == 1 and args.sensors_used == "job.tif"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("{", "not valid JSON"),
        ("[]", "expected a JSON object"),
        ('{"sensor": 1}', "unknown argument 'sensor'"),
        ('{"threads": "many"}', "whole number"),
    ],
)
def test_wrong_job_file_is_2(run_main, tmp_path, text, words):
    job = tmp_path / "job.json"
    if text is not None:
        job.write_text(text)
    code, _, err = run_main(raising(AssertionError), "m", "--job", job)
    assert code == 2 and words in err and err.count("\n") == 1


def test_environment_is_set_before_main(run_main):
    seen = {}
    run_main(lambda *_: seen.update(os.environ), "m", "--memory", "100", "--threads", "1")
    assert seen["GDAL_CACHEMAX"] == str(100 * 2**20) and seen["OMP_NUM_THREADS"] == "1"
    run_main(lambda *_: seen.update(os.environ), "m")
    assert seen["GDAL_CACHEMAX"] == str(256 * 2**20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_asks_second_one_stops(run_main, number):
    answers = []

    def main(arguments, progress, cancelled):
        answers.append(cancelled())
        os.kill(os.getpid(), number)
        answers.append(cancelled())
        os.kill(os.getpid(), number)
        answers.append("not reached")

    code, _, err = run_main(main, "m")
    assert code == 3 and answers == [False, True] and "stopping" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_process_does_not_wait_for_libraries(number):
    """What was said is there, and what libraries do at the end of a process is left out."""
    code = (
        "import atexit, sys, time\n"
        "from engine import commandline\n"
        "from engine.errors import Cancelled\n"
        "atexit.register(time.sleep, 60)\n"
        "def main(arguments, progress, cancelled):\n"
        "    print('ready', flush=True)\n"
        "    while not cancelled(): time.sleep(0.01)\n"
        "    print('not flushed')\n"
        "    raise Cancelled('stopped')\n"
        "sys.exit(commandline.run(commandline.command_parser('try', None), main))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(number)
        assert child.wait(30) == 3
        assert child.stdout.read() == "not flushed\n" and child.stderr.read().endswith("cancelled: stopped\n")


def test_names_of_every_script_reach_a_file():
    """Redirected, Python on Windows writes in the code page of one country, which here cannot spell the layer."""
    code = (
        "import sys\n"
        "from engine import commandline\n"
        "main = lambda arguments, progress, cancelled: (print('Фото.tif'), progress.log('\\udce4 地图'))\n"
        "sys.exit(commandline.run(commandline.command_parser('try', None), main))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--progress", "json"],
        cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "cp1252"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Фото.tif" in done.stdout.decode() and "地图" in done.stdout.decode()


@pytest.mark.parametrize("ending", [b"stop\n", None], ids=["line", "end of file"])
def test_stdin_asks_only_where_wanted(ending):
    """The command ends with 3 soon after a line on stdin or its end, and without the option takes no notice."""
    code = (
        "import sys, time\n"
        "from engine import commandline\n"
        "from engine.errors import Cancelled\n"
        "def main(arguments, progress, cancelled):\n"
        "    print('ready', flush=True)\n"
        "    end = time.monotonic() + (30 if arguments.cancel_on_stdin else 1)\n"
        "    while time.monotonic() < end:\n"
        "        if cancelled(): raise Cancelled('stopped')\n"
        "        time.sleep(0.01)\n"
        "sys.exit(commandline.run(commandline.command_parser('try', None), main))\n"
    )
    for options, expected in (["--cancel-on-stdin"], 3), ([], 0):
        with subprocess.Popen(
            [sys.executable, "-c", code, *options], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as child:  # fmt: skip
            assert child.stdout.readline() == b"ready\n"
            start = time.monotonic()
            if ending:
                child.stdin.write(ending)
                child.stdin.flush()
            else:
                child.stdin.close()
            assert child.wait(20) == expected
            assert expected == 0 or time.monotonic() - start < 1
            assert b"Fatal" not in child.stderr.read()


def test_overview_lists_every_command():
    from engine.__main__ import COMMANDS

    output = subprocess.run(
        [sys.executable, "-m", "engine"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    with_parser = {path.stem for path in (ROOT / "engine").glob("*.py") if "def make_parser" in path.read_text()}
    assert with_parser == set(COMMANDS)
    assert all(f"python -m engine.{name}" in output for name in COMMANDS)


def test_a_job_comes_by_stdin_and_what_follows_may_still_cancel(tmp_path):
    """One line is the job; the next one, later, asks to stop."""
    code = (
        "import sys, time\nfrom engine import commandline\nfrom engine.errors import Cancelled\n"
        "parser = commandline.command_parser('try', None)\nparser.add_argument('model')\n"
        "def main(arguments, progress, cancelled):\n"
        "    progress.log(arguments.model)\n"
        "    end = time.monotonic() + 30\n"
        "    while time.monotonic() < end and not cancelled(): time.sleep(0.05)\n"
        "    if cancelled(): raise Cancelled\n"
        "sys.exit(commandline.run(parser, main))"
    )
    command = [sys.executable, "-c", code, "--job", "-", "--progress", "json", "--cancel-on-stdin"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as job:
        job.stdin.write('{"model": "Größe; $(rm)"}\n')
        job.stdin.flush()
        assert json.loads(job.stdout.readline())["message"] == "Größe; $(rm)"
        job.stdin.write("cancel\n")
        job.stdin.flush()
        assert job.wait(20) == 3


@pytest.mark.parametrize("text", ["", "[]\n", "{\n", '{"model": 1, "x": 2}\n'])
def test_a_wrong_job_by_stdin_is_2(text):
    command = [sys.executable, "-m", "engine.inspect", "--job", "-"]
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("lines", [1, 100_000])  # one is printed at the end only, the others before
def test_nobody_left_to_read_is_no_bug(lines):
    """`python -m engine.inspect ... | head`: no traceback, whenever the reader goes."""
    code = (
        "import sys\nfrom engine import commandline\n"
        f"def main(arguments, progress, cancelled): print('line\\n' * {lines})\n"
        "sys.exit(commandline.run(commandline.command_parser('try', None), main))"
    )
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (3, b"")
