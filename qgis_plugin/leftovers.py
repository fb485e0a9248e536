"""What an interrupted engine may leave beside its outputs, and taking it away.

The engine writes maps as NAME.part and keeps finished blocks in NAME.work; only complete files get their own names.
"""

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from qgis.core import QgsProcessingUtils


def work_folder(path: Path) -> Path:
    """Where the finished blocks of a map are."""
    return path.with_name(path.name + ".work")


def is_temporary(path: Path) -> bool:
    """Whether it lies among Processing's temporary files, where no other run will ask for it."""
    return Path(QgsProcessingUtils.tempFolder()) in path.parents


def discard_unfinished(outputs: Iterable[Path], blocks: bool = True) -> None:
    """Remove what belongs to unfinished outputs; whatever bears a final name stays.

    Args:
        outputs: final names.
        blocks: whether finished blocks go, too.
    """
    for path in outputs:
        if blocks:
            shutil.rmtree(work_folder(path), ignore_errors=True)
        for beside in (path, path.with_suffix(".qml"), path.with_name(path.name + ".aux.xml")):
            with contextlib.suppress(OSError):
                beside.with_name(beside.name + ".part").unlink()
