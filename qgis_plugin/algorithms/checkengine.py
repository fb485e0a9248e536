"""Check the engine: what it is, what it computes on, whether it works; as text for a bug report."""

import platform
from pathlib import Path
from typing import Any, Optional

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputString,
    QgsProcessingParameterFileDestination,
)
from qgis.PyQt.QtCore import QT_VERSION_STR

from .. import settings
from ..bridge import EngineCancelled, run_engine
from ..report_file import check_report, write_report
from ..translation import tr
from .base import MamolAlgorithm, plainly

METADATA = Path(__file__).resolve().parent.parent / "metadata.txt"


class CheckEngineAlgorithm(MamolAlgorithm):
    """Runs the engine's self test."""

    NAME = "checkengine"
    REPORT = "REPORT"
    TEXT = "TEXT"

    def displayName(self) -> str:  # noqa: N802 - QGIS's names, here and below
        """Name in the toolbox."""
        return tr("Check the engine")

    def shortDescription(self) -> str:  # noqa: N802
        """Tooltip in the toolbox."""
        return tr("Tells whether the engine works and what it computes on, as text for a bug report")

    def shortHelpString(self) -> str:  # noqa: N802
        """What it does."""
        return tr(
            "Starts the engine, asks for its versions, the device it really computes on, memory and free disk space, "
            "and tests in a few seconds that it can read and write rasters and train a network.\n\n"
            "Paste the text into your report when something does not work. It says nothing about your data; your home "
            "folder is written as ~."
        )

    def tags(self) -> list[str]:
        """Words by which the toolbox finds it."""
        return tr("engine,diagnose,test,gpu,cuda,version,bug report").split(",")

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """Declare parameters and outputs."""
        self.add_device()
        self.add(
            QgsProcessingParameterFileDestination(
                self.REPORT, tr("Report"), tr("Text files (*.txt)"), optional=True, createByDefault=False
            ),
            tr("The text as a file."),
        )
        self.addOutput(QgsProcessingOutputString(self.TEXT, tr("Text of the report")))

    @plainly
    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Ask, write, and fail where the engine fails."""
        path = self.parameterAsFileOutput(parameters, self.REPORT, context)
        if path:
            check_report(path)
        facts = surroundings()
        problem: Optional[QgsProcessingException] = None
        try:
            facts.update(run_engine("diagnose", self.compute_job(parameters, context), feedback))
        except EngineCancelled:
            raise
        except QgsProcessingException as error:
            problem = error
            facts["self test"] = f"FAILED: {error}"
        text = report(facts)
        feedback.pushInfo(f"\n{text}\n")
        if path:
            write_report(path, f"{text}\n")
        if problem is not None:
            raise problem
        return {self.TEXT: text, **({self.REPORT: path} if path else {})}


def surroundings() -> dict[str, str]:
    """Facts that hold whether the engine works or not."""
    return {
        "plugin": plugin_version(),
        "QGIS": f"{Qgis.QGIS_VERSION}, Qt {QT_VERSION_STR}, Python {platform.python_version()}",
        "locale": QgsApplication.locale(),
        "interpreter": settings.remote_command() or str(settings.python() or "none"),
        "settings": f"device {settings.device()}, threads {settings.threads() or 'all'}, "
        f"memory {settings.memory_mb()} MB",
    }


def report(facts: dict[str, Any]) -> str:
    """Facts as lines, in a block that trackers show as it is; not translated, because developers read it."""
    width = max(map(len, facts))
    lines = (f"{key:<{width}}  {' '.join(str(value).split())}" for key, value in facts.items())
    return "\n".join(["```", *lines, "```"]).replace(str(Path.home()), "~")


def plugin_version() -> str:
    """Version in metadata.txt."""
    for line in METADATA.read_text(encoding="utf-8").splitlines():
        if line.startswith("version="):
            return line.partition("=")[2]
    return "unknown"
