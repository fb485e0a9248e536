"""Frozen contracts: other people's tools rely on these. A change here is a change of version."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

COMMON = {
    "--help", "--job", "--device", "--precision", "--seed", "--threads", "--memory", "--progress", "--cancel-on-stdin",
}  # fmt: skip
COMMANDS = {
    "train": ({"config"}, {"--out", "--resume", "--init", "--set", "--floors"}),
    "predict": (
        {"model"},
        {
            "--layer", "--out", "--confidence", "--probabilities", "--sensors-used", "--report", "--reference",
            "--extent", "--aoi", "--readout", "--overlap", "--batch-size", "--resume", "--overwrite", "--weights",
        },
    ),
    "inspect": ({"model"}, {"--layer", "--json", "--reference"}),
    "evaluate": (
        {"map", "reference"}, {"--field", "--sensors-used", "--out", "--design", "--strata", "--compare"},
    ),
    "sample": (
        {"map"},
        {
            "--size", "--target-se", "--allocation", "--min-per-class", "--expected-accuracy", "--out", "--overwrite",
        },
    ),
    "benchmark": (
        {"suite", "name"},
        {"--out", "--data", "--cases", "--config", "--seeds", "--set", "--method", "--simulated", "--difficulty",
         "--protocol", "--tables", "--model", "--pixels"},
    ),
    "diagnose": (set(), set()),
}  # fmt: skip


def parser_of(command):
    return importlib.import_module(f"engine.{command}").make_parser()


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_these(command):
    positional, options = COMMANDS[command]
    actions = parser_of(command)._actions
    long = {name for action in actions for name in action.option_strings if name.startswith("--")}
    assert {action.dest for action in actions if not action.option_strings} == positional
    assert long == COMMON | options


@pytest.mark.parametrize("command", COMMANDS)
def test_common_options_have_the_same_meaning_everywhere(command):
    actions = {action.dest: action for action in parser_of(command)._actions}
    assert actions["device"].choices == ("auto", "cpu", "cuda", "mps")
    assert actions["precision"].choices == ("auto", "float32", "bfloat16")
    assert actions["progress"].choices == ("auto", "json", "none")
    assert actions["memory"].default == 256


@pytest.mark.parametrize("command", [*COMMANDS, "__main__"])
def test_help_answers_at_once(command):
    """User time, so that a busy machine does not fail it; and nothing heavy was loaded."""
    arguments = [] if command == "__main__" else ["--help"]
    code = (
        f"import runpy, sys, os, json; sys.argv = ['x', *{arguments!r}]\n"
        f"try: runpy.run_module('engine{'' if command == '__main__' else '.' + command}', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "finally: print(json.dumps([sum(os.times()[:2]), sorted({'torch', 'rasterio', 'numpy'} & set(sys.modules))]))"
    )
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    seconds, heavy = json.loads(output.splitlines()[-1])
    assert seconds < 0.5 and heavy == []


def test_options_of_the_batch_script():
    import runpy

    parser = runpy.run_path(str(ROOT / "scripts" / "generate_maps.py"), run_name="generate_maps")["make_parser"]()
    long = {name for action in parser._actions for name in action.option_strings if name.startswith("--")}
    assert {action.dest for action in parser._actions if not action.option_strings} == {"jobs"}
    assert long == COMMON | {
        "--model", "--out", "--confidence", "--probabilities", "--sensors-used", "--mosaic", "--overwrite", "--workers",
        "--scheduler", "--retries", "--shard-pixels", "--reference", "--overlap", "--batch-size", "--weights",
    }  # fmt: skip


def test_readme_knows_every_key_and_default_of_the_configuration():
    import runpy

    script = runpy.run_path(str(ROOT / "scripts" / "config_reference.py"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert script["updated"](readme) == readme, "run scripts/config_reference.py"


def test_readme_and_overview_name_every_command():
    from engine.__main__ import COMMANDS as LISTED

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(LISTED) == set(COMMANDS)
    assert all(f"python -m engine.{command}" in readme for command in COMMANDS)
