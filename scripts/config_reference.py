"""Write the README's table of configuration keys from engine/config.py: keys, defaults, and the comments beside them.

    python scripts/config_reference.py

A test compares the two.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from engine import config

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- configuration reference: scripts/config_reference.py -->", "<!-- end of configuration reference -->"
SECTIONS = (
    ("[scene] or [[scene]]", config.SceneConfig),
    ("[scene.modalities] NAME = { ... }", config.ModalityConfig),
    ("[scene.labels]", config.LabelsConfig),
    ("[split]", config.SplitConfig),
    ("[model]", config.ModelConfig),
    ("[training]", config.TrainingConfig),
    ("[missing]", config.MissingConfig),
    ("[mixing]", config.MixingConfig),
)


def reference() -> str:
    """The whole reference as Markdown tables, one for each section."""
    source = (ROOT / "engine" / "config.py").read_text(encoding="utf-8")
    parts = []
    for title, section in SECTIONS:
        body = source.partition(f"class {section.__name__}(")[2].partition("\nclass ")[0]
        lines = [f"`{title}`", "", "| key | default | meaning |", "|---|---|---|"]
        for key, field in section.model_fields.items():
            comment = re.search(rf"^    {key}:.*?  # (.*)$", body, re.MULTILINE)
            meaning = comment[1] if comment else _choices(field.annotation)
            lines.append(f"| `{key}` | {_default(field.default)} | {meaning.replace('|', chr(92) + '|')} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def updated(readme: str) -> str:
    """The README with a fresh reference between its markers."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit("README.md: the markers of the configuration reference are missing")
    return f"{before}{begin}\n\n{reference()}\n\n{end}{after}"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "needed"
    return "" if value is None else f"`{json.dumps(value)}`"


def _choices(annotation: Any) -> str:
    choices = getattr(annotation, "__args__", ())
    return " | ".join(f"`{choice}`" for choice in choices if isinstance(choice, str))


def main() -> None:
    """Rewrite README.md."""
    path = ROOT / "README.md"
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
