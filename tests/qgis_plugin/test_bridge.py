"""The engine as the plugin sees it, with a fake one: what it says, how it fails, how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qgis_plugin.bridge import EngineCancelled, EngineError, run_engine

ROOT = Path(__file__).resolve().parents[2]


def alive(process: int) -> bool:
    """Whether a process lives; one that nobody has laid to rest counts as dead."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def failure(feedback, **options) -> str:
    """What the user reads."""
    with pytest.raises(EngineError) as error:
        run_engine("predict", {}, feedback, **options)
    return str(error.value)


def test_a_job_goes_in_and_a_result_comes_out(fake_engine, feedback):
    fake_engine("say(type='result', command=command, job=job, listens='--cancel-on-stdin' in arguments)")
    facts = run_engine("predict", {"out": "Äcker und Wälder.tif", "extent": [1.5, 2], "aoi": None}, feedback)
    assert facts["command"] == "engine.predict" and facts["listens"]
    assert facts["job"] == {"out": "Äcker und Wälder.tif", "extent": [1.5, 2]}


def test_progress_logs_and_warnings_are_passed_on(fake_engine, feedback):
    fake_engine(
        "for pct in 0, 50, 40, 100: say(type='progress', stage='mapping', pct=pct, rate=1234, unit='px', eta_s=61)\n"
        "say(type='progress', stage='unknown', pct=50)\n"
        "say(type='log', message='a'); say(type='warning', message='b'); say(type='result')"
    )
    assert run_engine("predict", {}, feedback, {"mapping": (10.0, 90.0)}) == {}
    assert feedback.percents == [10.0, 50.0, 90.0]  # never backwards
    assert (feedback.infos, feedback.warnings) == (["a"], ["b"])
    assert feedback.texts[1:] == ["Mapping: 0 %, 1,234 px/s, 1:01 left", "unknown: 50 %"]  # not one for every line


def test_garbage_on_stdout_is_no_harm(fake_engine, feedback):
    fake_engine(
        "print('Downloading...'); print('[1, 2'); print('{\"type\": 7}'); print('null'); print('[' * 100000)\n"
        "sys.stdout.buffer.write(b'\\xff\\xfe\\n'); sys.stdout.flush(); say(type='result', done=1)"
    )
    assert run_engine("predict", {}, feedback) == {"done": 1}
    assert "Downloading..." in feedback.others and max(map(len, feedback.others)) <= 500


def test_the_engine_s_own_sentence_is_the_error(fake_engine, feedback):
    fake_engine("print('noise', file=sys.stderr); fail('map.tif: no space left', 2)")
    assert failure(feedback) == "map.tif: no space left"


def test_what_was_found_before_an_error_is_not_lost(fake_engine, feedback):
    fake_engine("say(type='result', works=False); fail('does not fit', 2)")
    with pytest.raises(EngineError) as error:
        run_engine("inspect", {}, feedback)
    assert error.value.found == {"works": False}


def test_a_bug_brings_its_traceback_along(fake_engine, feedback):
    fake_engine("print('Traceback: line 7', file=sys.stderr); fail('a bug of ours, please report it', 1)")
    assert failure(feedback) == "a bug of ours, please report it"
    assert "Traceback: line 7" in feedback.others


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", ["crashed (code -11)", "Check the engine"]),
        ("print('abort: heap', file=sys.stderr, flush=True); os.abort()", ["crashed (code -6)", "abort: heap"]),
        ("os.kill(os.getpid(), signal.SIGKILL)", ["memory ran out", "batch size"]),
        ("sys.exit(137)", ["memory ran out"]),
        ("import no_such_package", ['lacks the package "no_such_package"', "Set up the engine"]),
        ("fail('a bug of ours: No module named torch', 1)", ['lacks the package "torch"']),
        ("print('SyntaxError: invalid syntax', file=sys.stderr); sys.exit(1)", ["3.11 or newer", "SyntaxError"]),
        ("print('hello')", ["without a result"]),
    ],
)
def test_silent_ends_are_explained(fake_engine, feedback, script, words):
    fake_engine(script)
    message = failure(feedback)
    assert all(word in message for word in words), message


def test_a_missing_interpreter_is_explained(monkeypatch, tmp_path, feedback, qgis_app):
    monkeypatch.setenv("MAMOL_ENGINE_PYTHON", str(tmp_path / "gone"))
    assert "gone does not exist" in failure(feedback)
    monkeypatch.delenv("MAMOL_ENGINE_PYTHON")
    assert "not set up yet" in failure(feedback)
    file = tmp_path / "no program"
    file.write_text("x")
    monkeypatch.setenv("MAMOL_ENGINE_PYTHON", str(file))
    assert "cannot be started" in failure(feedback) and "Options" in failure(feedback)


@pytest.mark.parametrize("listens", [True, False])
def test_cancel_ends_it_within_two_seconds(fake_engine, feedback, tmp_path, listens):
    """Whether it listens or not; and its job file is gone, too."""
    wait = "wait_for_request()" if listens else "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    fake_engine(f"open(os.path.join({str(tmp_path)!r}, 'pid'), 'w').write(f'{{os.getpid()}} {{os.getcwd()}}'); {wait}")
    asked: list = []

    def cancelled_after_a_second() -> bool:
        if time.monotonic() - begin > 1 and not asked:
            asked.append(time.monotonic())
        return bool(asked)

    begin = time.monotonic()
    feedback.isCanceled = cancelled_after_a_second
    with pytest.raises(EngineCancelled):
        run_engine("predict", {}, feedback)
    taken = time.monotonic() - asked[0]
    process, folder = (tmp_path / "pid").read_text().split(" ", 1)
    assert taken < (0.5 if listens else 2.0)
    assert not alive(int(process)) and not Path(folder).exists()


def test_a_crash_of_qgis_cancels_the_engine(fake_engine, tmp_path):
    """The plugin's process is killed; the engine sees the end of its stdin and leaves by itself."""
    python = fake_engine(
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); wait_for_request()\n"
        f"open({str(tmp_path / 'heard')!r}, 'w').close()"
    )
    code = (
        "from qgis.core import QgsProcessingFeedback\n"
        "from qgis_plugin.bridge import run_engine\n"
        "run_engine('predict', {}, QgsProcessingFeedback())"
    )
    environment = {**os.environ, "MAMOL_ENGINE_PYTHON": str(python)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment) as qgis:
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        qgis.send_signal(signal.SIGKILL)
    wait_until((tmp_path / "heard").exists)
    wait_until(lambda: not alive(int((tmp_path / "pid").read_text())))


def wait_until(happened, seconds: float = 20) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
