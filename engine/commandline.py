"""What every command shares: common options, job files, signals, exit codes.

A command file holds `make_parser()` and `main(arguments, progress, cancelled)` and ends with

    if __name__ == "__main__":
        sys.exit(run(make_parser(), main))

`main` imports what it needs when it is called, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from engine.cancel import Cancellation, read_line
from engine.errors import Cancelled, ConfigError, EngineError
from engine.launch import launch
from engine.memory import is_out_of_memory
from engine.progress import JsonProgress, Progress, make_progress
from engine.trust import keep_gdal_local

DONE, BUG, USER_ERROR, CANCELLED = 0, 1, 2, 3  # exit codes
GDAL_CACHE_MB = 256  # GDAL's own default, a share of all memory, is no promise to anyone

Main = Callable[[argparse.Namespace, Progress, Callable[[], bool]], None]

# Trouble with the user's disk that no room foresaw: still the user's to change, not a bug. Disks get full, are
# unplugged or served by other machines, files are removed while they are read, and names may be any.
_DISK_TROUBLE = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.EIO, errno.ESTALE,
    errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG,
}  # fmt: skip


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose complaints are ConfigErrors, so that they leave by the same door as all others."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing usage and exiting; in one of several processes the first one alone."""
        if launch().rank:
            raise SystemExit(USER_ERROR)
        raise ConfigError(f"{message}; see {self.prog} --help")


def command_parser(name: str, description: str | None, seed: int | None = None) -> CommandParser:
    """Parser of `python -m engine.<name>` with the common options.

    Args:
        name: the command.
        description: what `--help` says, usually the module's docstring.
        seed: default of `--seed`; None where something else (a configuration) has it.
    """
    parser = CommandParser(
        prog=f"python -m engine.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    common = parser.add_argument_group("common options")
    common.add_argument(
        "--job",
        metavar="FILE.json",
        help="take arguments from a JSON object; the command line wins; - reads it as one line from standard input",
    )
    common.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")
    common.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="number format")
    common.add_argument("--seed", type=at_least(0), default=seed, metavar="N", help="seed of everything random")
    common.add_argument("--threads", type=at_least(1), metavar="N", help="CPU threads (default: all)")
    common.add_argument(
        "--memory",
        type=at_least(1),
        default=GDAL_CACHE_MB,
        metavar="MB",
        help="GDAL's raster cache (default %(default)s)",
    )
    common.add_argument("--progress", choices=("auto", "json", "none"), default="auto", help="how to report")
    common.add_argument(
        "--cancel-on-stdin",
        action="store_true",
        help="a line on standard input, or its end, cancels: for programs that start this one",
    )
    return parser


def run(parser: argparse.ArgumentParser, main: Main, argv: Sequence[str] | None = None) -> int:
    """Parse, call `main`, and turn whatever happens into an exit code.

    0 done; 2 the user must change something (one line on stderr); 3 cancelled (SIGINT, SIGTERM,
    `--cancel-on-stdin`, nobody left to read what is printed); 1 a bug of ours.

    Args:
        parser: see `command_parser`.
        main: the command.
        argv: arguments; default: those of the process, which then ends here when it is cancelled.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # redirected on Windows it would know the letters of one country only
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    whole_process = argv is None
    argv = list(sys.argv[1:] if argv is None else argv)
    # Before parsing, so that complaints about the arguments are reported in the caller's way, too.
    progress = make_progress("json" if _peek(argv, "--progress") == "json" else "auto")
    cancelled = Cancellation(progress)
    cancelled.on_signals()
    try:
        arguments = parser.parse_args(_with_job(parser, argv))
        progress = make_progress(arguments.progress)
        if arguments.cancel_on_stdin:
            cancelled.on_stdin()
        _prepare_environment(arguments)
        main(arguments, progress, cancelled)
        sys.stdout.flush()
    except EngineError as error:
        return _fail(progress, str(error), USER_ERROR)
    except (Cancelled, KeyboardInterrupt) as stop:
        code = _fail(progress, str(stop) or "stopped before it was done", CANCELLED)
        if whole_process:
            with suppress(OSError):  # whoever listened may be gone
                sys.stdout.flush()
            os._exit(code)  # everything is closed and said; only libraries are left, and torch takes seconds to leave
        return code
    except BrokenPipeError:  # whoever read what is printed has gone, as `| head` does
        if whole_process:
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # for the interpreter, which flushes at its end
        return CANCELLED
    except Exception as error:
        sentence = users_trouble(error)
        return _bug(progress, error) if sentence is None else _fail(progress, sentence, USER_ERROR)
    return DONE


def users_trouble(error: Exception) -> str | None:
    """A sentence for trouble of the user's machine that no room foresaw; None for bugs of ours."""
    if isinstance(error, OSError) and error.errno in _DISK_TROUBLE:
        return f"{error.filename or 'output'}: {error.strerror}"
    if is_out_of_memory(error):
        what = str(error).partition("\n")[0]
        return f"memory ran out ({what}); choose smaller numbers, or a larger machine"
    return None


def named_path(text: str) -> tuple[str, Path]:
    """Argument type of `--layer NAME=RASTER`."""
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"expected NAME=RASTER, got {text!r}")
    return name, Path(path)


def at_least(minimum: int) -> Callable[[str], int]:
    """Argument type of whole numbers from `minimum` on."""

    def whole_number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise argparse.ArgumentTypeError(f"expected a whole number >= {minimum}, got {text!r}")
        return value

    return whole_number


def _peek(argv: list[str], option: str) -> str | None:
    """Value of `option` in arguments that may not parse; the last one counts, as in argparse."""
    sketch = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    sketch.add_argument(option, dest="value", nargs="?")
    value: str | None = sketch.parse_known_args(argv)[0].value
    return value


def _with_job(parser: argparse.ArgumentParser, argv: list[str]) -> list[str]:
    """Arguments of the `--job` file in command-line form, then those of the command line.

    Keys are option names (`sensors-used` or `sensors_used`) or names of positional arguments; paths are relative to the
    working folder, as on the command line. An object gives `NAME=VALUE` pairs, `true` sets a flag, null counts as
    not given.
    """
    file = _peek(argv, "--job")
    if file is None:
        return argv
    job = _read_job(Path(file))
    actions = {action.dest: action for action in parser._actions if action.dest not in ("help", "job")}
    given = {token.partition("=")[0] for token in argv if token.startswith("--")}
    options: list[str] = []
    positionals: dict[str, list[str]] = {}
    for key, value in job.items():
        action = actions.get(key.replace("-", "_"))
        if action is None:
            raise ConfigError(f"{_source(Path(file))}: unknown argument {key!r} (known: {', '.join(sorted(actions))})")
        if value is None or value is False or given & set(action.option_strings):
            continue
        if not action.option_strings:
            positionals[action.dest] = _texts(value)
        elif action.nargs == 0:
            options.append(action.option_strings[0])
        else:
            many = isinstance(action, argparse._AppendAction)
            texts = _texts(value) if many else [",".join(_texts(value))]
            options += [f"{action.option_strings[0]}={text}" for text in texts]
    in_order = [text for dest in actions for text in positionals.get(dest, [])]
    return [*options, *argv, *in_order]


def _read_job(file: Path) -> dict[str, Any]:
    try:
        job = json.loads(read_line() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: job file cannot be read ({error.strerror}); check the path") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{_source(file)}: not valid JSON: {error}") from error
    if not isinstance(job, dict):
        raise ConfigError(f"{_source(file)}: expected a JSON object of arguments, got {type(job).__name__}")
    return job


def _source(file: Path) -> str:
    return "job on standard input" if str(file) == "-" else str(file)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{name}={item if isinstance(item, str) else json.dumps(item)}" for name, item in value.items()]
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else json.dumps(item) for item in items]


def _prepare_environment(arguments: argparse.Namespace) -> None:
    """Set what GDAL and the thread pools read once, when they are first loaded."""
    keep_gdal_local()
    os.environ["GDAL_CACHEMAX"] = str(arguments.memory * 2**20)
    # Threads that wait for each other spin for long by default, and take the cores from those they wait for: beside two
    # other busy processes on two cores, a training step took 1.2 s instead of 0.6 s.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    if arguments.threads:
        for pool in ("OMP", "OPENBLAS", "MKL"):
            os.environ[f"{pool}_NUM_THREADS"] = str(arguments.threads)


def _fail(progress: Progress, message: str, code: int) -> int:
    if isinstance(progress, JsonProgress):
        progress.write(type="error", message=message, code=code)
    print("cancelled:" if code == CANCELLED else "error:", " ".join(message.split()), file=sys.stderr, flush=True)
    return code


def _bug(progress: Progress, error: Exception) -> int:
    traceback.print_exception(error)
    return _fail(progress, f"a bug of ours, please report it: {type(error).__name__}: {error}", BUG)
