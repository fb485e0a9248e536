"""Torture the engine; results are stored one by one, and what is done is not done again.

    python -m scripts.torture                            everything: half an hour
    python -m scripts.torture --only kills --kills 3     a part, or less of it

Exit code 1 where something was wrong. `--page` writes what was seen as Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.torture.child import preload
from scripts.torture.page import failures, page, summary
from scripts.torture.world import make_world

PARTS = ("kills", "cluster", "faults", "mutations", "commands")


def main() -> int:
    """Do what is not done yet; say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/torture"), help="folder for results and work")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part (default: all)")
    parser.add_argument("--kills", type=int, default=50, help="of each command, at least")
    parser.add_argument("--mutations", type=int, default=10_000, help="files given to the worker")
    parser.add_argument("--commands", type=int, default=100, help="files given to the real command line")
    parser.add_argument("--page", type=Path, help="write the figures to this Markdown file")
    arguments = parser.parse_args()
    out: Path = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    results = Results(out / "results.jsonl")
    preload()
    for part in arguments.only or PARTS:
        for found in _do(part, arguments, out, results):
            results.add({"part": part} | found)
            if found.get("wrong") or found.get("outcome") in ("bug", "hang", "crash"):
                print(json.dumps(found, indent=1), file=sys.stderr, flush=True)
    print("\n".join(summary(results.found)))
    if arguments.page:
        arguments.page.write_text(page(results.found), encoding="utf-8")
    return 1 if failures(results.found) else 0


class Results:
    """What was found so far: a line of JSON for each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.found: list[dict[str, Any]] = [json.loads(line) for line in lines if line.endswith("}")]

    def add(self, found: dict[str, Any]) -> None:
        """Store one finding."""
        self.found.append(found)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")

    def of(self, part: str) -> list[dict[str, Any]]:
        """Findings of one part."""
        return [found for found in self.found if found["part"] == part]


def _do(part: str, arguments: argparse.Namespace, out: Path, results: Results) -> Iterator[dict[str, Any]]:
    """Findings of one part that are not there yet."""
    parts = {"kills": _kills, "cluster": _cluster, "faults": _faults, "mutations": _mutations, "commands": _commands}
    yield from parts[part](arguments, out, results)


def _kills(arguments: argparse.Namespace, out: Path, results: Results) -> Iterator[dict[str, Any]]:
    from scripts.torture.kills import VICTIMS, torment, undisturbed

    world = make_world(out / "world")
    for name, make in VICTIMS.items():
        before = [found for found in results.of("kills") if found["command"] == name]
        kills, seed = sum(found["kills"] for found in before), len(before)
        expected = None
        while kills < arguments.kills:
            expected = expected or undisturbed(make(world), out / "job")
            started = time.monotonic()
            finding = torment(make(world), out / "job", expected, seed)
            kills, seed = kills + finding.kills, seed + 1
            seconds = round(time.monotonic() - started, 1)
            yield {"command": name, "kills": finding.kills, "wrong": finding.wrong, "seconds": seconds}


def _cluster(arguments: argparse.Namespace, out: Path, results: Results) -> Iterator[dict[str, Any]]:
    from scripts.torture.cluster import all_losses

    yield from _untried(all_losses(make_world(out / "world"), out / "cluster"), results.of("cluster"))


def _faults(arguments: argparse.Namespace, out: Path, results: Results) -> Iterator[dict[str, Any]]:
    from scripts.torture.faults import all_faults

    yield from _untried(all_faults(make_world(out / "world"), out / "disk"), results.of("faults"))


def _untried(
    faults: Mapping[str, Callable[[], list[str]]], found: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    done = {item["fault"] for item in found}
    for name, fault in faults.items():
        if name not in done:
            yield {"fault": name, "wrong": fault()}


def _mutations(arguments: argparse.Namespace, out: Path, results: Results) -> Iterator[dict[str, Any]]:
    from scripts.torture.fuzz import planned, try_all
    from scripts.torture.victims import write_job

    world = make_world(out / "world")
    write_job(world.folder)
    done = {(found["kind"], found["number"]) for found in results.of("mutations")}
    yield from try_all(world, [item for item in planned(arguments.mutations) if item not in done])


def _commands(arguments: argparse.Namespace, out: Path, results: Results) -> Iterator[dict[str, Any]]:
    from scripts.torture.fuzz import planned, through_the_command_line
    from scripts.torture.victims import write_job

    world = make_world(out / "world")
    write_job(world.folder)
    done = {(found["kind"], found["number"]) for found in results.of("commands")}
    for kind, number in planned(arguments.commands):
        if (kind, number) not in done:
            yield through_the_command_line(world, kind, number, out / "command")


if __name__ == "__main__":
    sys.exit(main())
