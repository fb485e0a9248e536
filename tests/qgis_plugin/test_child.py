"""A child process: what it says, and that it ends in time, whatever it thinks of that."""

import os
import sys
import time

import pytest

from qgis_plugin.child import Child


@pytest.fixture
def start(tmp_path):
    """Start a Python script as a child."""
    return lambda script, **options: Child([sys.executable, "-c", script], os.environ, tmp_path, **options)


def alive(process: int) -> bool:
    """Whether a process lives; one that nobody has laid to rest counts as dead."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_lines_of_both_streams_arrive(start):
    with start("import sys; print('eins'); print('zwei', file=sys.stderr); print('über'); sys.exit(3)") as child:
        heard = list(child.lines(lambda: False))
    assert sorted(heard) == [("stderr", "zwei"), ("stdout", "eins"), ("stdout", "über")]
    assert child.returncode == 3 and not child.stopped


def test_a_line_on_stdin_asks_first(start, tmp_path):
    script = "import sys; print('ready', flush=True); open('asked', 'w').write(sys.stdin.readline()); sys.exit(7)"
    with start(script) as child:
        for _ in child.lines(lambda: True):
            pass
    assert (tmp_path / "asked").read_text() == "cancel\n"
    assert child.stopped and child.returncode == 7


@pytest.mark.parametrize("hears_terminate", [True, False])
def test_who_does_not_listen_is_ended_within_two_seconds(start, hears_terminate):
    ignore = "" if hears_terminate else "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    with start(f"import signal, time; {ignore} print('ready', flush=True); time.sleep(60)") as child:
        lines = child.lines(lambda: bool(seen))
        seen: list = []
        for line in lines:
            seen.append(line)
            asked = time.monotonic()
        assert time.monotonic() - asked < 2.0
    assert child.stopped and child.returncode == (-15 if hears_terminate else -9)


def test_its_own_children_end_with_it(start):
    script = (
        "import subprocess, sys, time\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True)\n"
        "time.sleep(60)"
    )
    with start(script, grace_s=0) as child:
        seen: list = []
        for _, line in child.lines(lambda: bool(seen)):
            seen.append(int(line))
    time.sleep(0.2)
    assert not alive(seen[0])


def test_a_grandchild_that_holds_the_pipes_does_not_hold_us(start):
    script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(5)'])"
    begin = time.monotonic()
    with start(script) as child:
        assert list(child.lines(lambda: False)) == []
    assert child.returncode == 0 and time.monotonic() - begin < 3


def test_an_error_of_the_reader_stops_the_child(start):
    with pytest.raises(KeyError), start("import time; print('x', flush=True); time.sleep(60)", grace_s=0) as child:
        for _ in child.lines(lambda: False):
            raise KeyError
    assert child.returncode == -15


def test_a_line_without_end_comes_in_pieces(start):
    with start("print('x' * 3_000_000)") as child:
        pieces = [len(line) for _, line in child.lines(lambda: False)]
    assert sum(pieces) == 3_000_000 and max(pieces) <= 1 << 20


def test_what_cannot_be_started_is_an_os_error(tmp_path):
    with pytest.raises(OSError):
        Child([str(tmp_path / "nothing")], os.environ, tmp_path)
