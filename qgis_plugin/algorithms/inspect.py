"""Tell what a model needs and how accurate it is, and whether layers would work with it."""

from pathlib import Path
from typing import Any, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputBoolean,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
)

from .. import settings
from ..binding import bind, name_layers
from ..bridge import EngineError, engine_python, run_engine
from ..findings import as_lines, as_page
from ..layers import LayerError, RasterInput
from ..modelfile import Model, read_model
from ..report_file import check_report, write_report
from ..translation import tr
from .base import plainly
from .sensors import SensorAlgorithm


class InspectAlgorithm(SensorAlgorithm):
    """A look at a model, at layers, or at both together: a dry run."""

    NAME = "inspect"
    MODEL = "MODEL"
    REPORT = "REPORT"
    WORKS = "WORKS"
    PROBLEM = "PROBLEM"

    def displayName(self) -> str:  # noqa: N802 - QGIS's names, here and below
        """Name in the toolbox."""
        return tr("Inspect model and layers")

    def shortDescription(self) -> str:  # noqa: N802
        """Tooltip in the toolbox."""
        return tr("Tells what a model needs, how accurate it is, and whether your layers would work with it")

    def tags(self) -> list[str]:
        """Words by which the toolbox finds it."""
        return tr("inspect,check,dry run,model,accuracy,sensors,info").split(",")

    def shortHelpString(self) -> str:  # noqa: N802
        """What it does."""
        return tr(
            "A dry run: looks without mapping.\n\n"
            "With a model: which sensors it knows, its classes, and how accurate it was in its own test with every "
            "combination of sensors. With layers: their size, CRS, bands and share of valid pixels. With both: whether "
            "they would work together, which combinations of sensors would occur, and what to expect of them.\n\n"
            "Where something does not fit, the report says what, and the output WORKS is false."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """Declare parameters and outputs."""
        self.add(
            QgsProcessingParameterFile(self.MODEL, tr("Model"), extension="safetensors", optional=True),
            tr("Model file (.safetensors). Empty: only the layers are looked at."),
        )
        self.add_sensors(
            tr("Names of the further layers, separated by commas, in the same order. Empty: their own names tell.")
        )
        self.add(
            QgsProcessingParameterFileDestination(self.REPORT, tr("Report"), tr("HTML files (*.html)")),
            tr("Page with everything that was found."),
        )
        self.addOutput(QgsProcessingOutputBoolean(self.WORKS, tr("Model and layers work together")))
        self.addOutput(QgsProcessingOutputString(self.PROBLEM, tr("What does not fit")))

    def verify(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """See `MamolAlgorithm.verify`."""
        engine_python()
        self._inputs(parameters, context)

    @plainly
    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Turn layers into files."""
        self._model, self._rasters = self._inputs(parameters, context)
        return True

    @plainly
    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Ask the engine, and tell."""
        report = self.parameterAsFileOutput(parameters, self.REPORT, context)
        check_report(report)
        found, problem = self._ask(parameters, context, feedback)
        for line in as_lines(found, problem):
            feedback.pushInfo(line)
        write_report(report, as_page(found, problem))
        return {self.REPORT: report, self.WORKS: not problem, self.PROBLEM: problem}

    def _ask(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> tuple[dict[str, Any], str]:
        """What the engine found, and what does not fit (empty where all fits)."""
        job = {
            "model": None if self._model is None else str(self._model.path),
            "layer": {name: str(raster.path) for name, raster in self._rasters.items()} or None,
            "memory": settings.memory_mb(),
        }
        self.warn(self._rasters.values(), feedback)
        try:
            return run_engine("inspect", job, feedback), ""
        except EngineError as error:
            if error.found is None:
                raise
            return error.found, str(error)

    def _inputs(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[Optional[Model], dict[str, RasterInput]]:
        """Model and layers by name.

        Raises:
            LayerError, ModelFileError: nothing is given, or something cannot be read.
        """
        by_role, further = self.sensors(parameters, context)
        if not self.given(parameters, self.MODEL):
            if not by_role and not further:
                raise LayerError(tr("Nothing to inspect: give a model, layers, or both."))
            return None, name_layers(by_role, further)
        model = read_model(Path(self.parameterAsFile(parameters, self.MODEL, context)))
        return model, bind(model, by_role, further) if by_role or further else {}
