"""What an interrupted engine may leave beside its outputs, and taking it away.

The engine writes maps as NAME.part and keeps finished blocks in NAME.work; only complete files get their own names.
"""

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path


def discard_unfinished(outputs: Iterable[Path]) -> None:
    """Remove what belongs to unfinished outputs; whatever bears a final name stays."""
    for path in outputs:
        shutil.rmtree(path.with_name(path.name + ".work"), ignore_errors=True)
        for beside in (path, path.with_suffix(".qml"), path.with_name(path.name + ".aux.xml")):
            with contextlib.suppress(OSError):
                beside.with_name(beside.name + ".part").unlink()
