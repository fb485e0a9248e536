"""`python -m engine` lists the commands."""

import ast
from pathlib import Path

from engine import __version__

COMMANDS = ("train", "predict", "inspect", "sample", "evaluate", "benchmark", "diagnose")


def summary(command: str) -> str:
    """First line of a command's docstring, read without importing it."""
    source = Path(__file__).with_name(f"{command}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def main() -> None:
    """Print what there is."""
    print(f"MaMOL Land Cover {__version__}: maps from whatever sensors cover each pixel\n")
    for command in COMMANDS:
        print(f"  python -m engine.{command:<10} {summary(command)}")
    print("\n`python -m engine.COMMAND --help` tells more.")


if __name__ == "__main__":
    main()
