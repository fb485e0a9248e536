"""Compare a land-cover map with reference labels."""

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingOutputHtml,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
)

from .. import settings
from ..bridge import engine_python, run_engine
from ..labels import add_labels, check_labels, export_labels
from ..layers import check_class_values
from ..translation import tr
from .base import MamolAlgorithm, plainly


class EvaluateAlgorithm(MamolAlgorithm):
    """How accurate a map is at places where the class is known."""

    NAME = "evaluate"
    MAP, REFERENCE, FIELD, SENSORS_USED = "MAP", "REFERENCE", "FIELD", "SENSORS_USED"
    OUTPUT, REPORT = "OUTPUT", "REPORT"

    def displayName(self) -> str:  # noqa: N802 - QGIS's names, here and below
        """Name in the toolbox."""
        return tr("Evaluate a land-cover map")

    def shortDescription(self) -> str:  # noqa: N802
        """Tooltip in the toolbox."""
        return tr("Compares a land-cover map with reference labels")

    def tags(self) -> list[str]:
        """Words by which the toolbox finds it."""
        return tr("accuracy,assessment,validation,confusion matrix,kappa,reference").split(",")

    def shortHelpString(self) -> str:  # noqa: N802
        """What it does."""
        return tr(
            "Compares a land-cover map with places where the class is known: overall accuracy, mean accuracy of the "
            "classes, kappa, accuracy of each class, and the confusion matrix; with the raster of sensors used also "
            "for each combination of sensors.\n\n"
            "Classes are matched by name where map and reference have names, else by value. The figures describe the "
            "reference pixels. They describe the area only if these are a random sample of it."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """Declare parameters and outputs."""
        self.add(
            QgsProcessingParameterRasterLayer(self.MAP, tr("Land-cover map")),
            tr("One band of class values, 0 where there is no class."),
        )
        add_labels(
            self, self.REFERENCE, tr("Reference"), self.FIELD,
            tr("Polygons or points with a class field, or a raster of class values. Any CRS."),
        )  # fmt: skip
        self.add(
            QgsProcessingParameterRasterLayer(self.SENSORS_USED, tr("Sensors used"), optional=True),
            tr("The raster that was written beside the map: gives the accuracy of each combination of sensors."),
        )
        self.add(
            QgsProcessingParameterFolderDestination(self.OUTPUT, tr("Folder for the figures")),
            tr("Gets report.html, accuracy.json, accuracy.csv and confusion.csv."),
        )
        self.addOutput(QgsProcessingOutputHtml(self.REPORT, tr("Report")))
        self.addOutput(QgsProcessingOutputFile("ACCURACY", tr("Figures (JSON)")))
        self.addOutput(QgsProcessingOutputNumber("OVERALL_ACCURACY", tr("Overall accuracy, a fraction")))
        self.addOutput(QgsProcessingOutputNumber("MEAN_ACCURACY", tr("Mean accuracy of the classes, a fraction")))
        self.addOutput(QgsProcessingOutputNumber("KAPPA", tr("Kappa")))
        self.addOutput(QgsProcessingOutputNumber("PIXELS", tr("Reference pixels compared")))

    def verify(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """See `MamolAlgorithm.verify`."""
        engine_python()
        self._inputs(parameters, context)

    @plainly
    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Turn layers into files."""
        self._job = self._inputs(parameters, context)
        folder = Path(QgsProcessingUtils.generateTempFilename("reference"))
        labels = export_labels(self, parameters, self.REFERENCE, self.FIELD, context, folder)
        self._job.update(reference=str(labels.path), field=labels.field)
        return True

    @plainly
    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Let the engine compare."""
        folder = self.parameterAsString(parameters, self.OUTPUT, context)
        facts = run_engine("evaluate", {**self._job, "out": folder, "memory": settings.memory_mb()}, feedback)
        texts = {"oa": tr("Overall accuracy"), "aa": tr("Mean accuracy of the classes"), "kappa": tr("Kappa")}
        for key, text in texts.items():
            feedback.pushInfo(f"{text}: {facts[key]:.3f}" if facts[key] is not None else f"{text}: -")
        return {
            self.OUTPUT: folder,
            self.REPORT: str(Path(folder) / "report.html"),
            "ACCURACY": str(Path(folder) / "accuracy.json"),
            "OVERALL_ACCURACY": facts["oa"],
            "MEAN_ACCURACY": facts["aa"],
            "KAPPA": facts["kappa"],
            "PIXELS": facts["n"],
        }

    def _inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """The rasters of the job.

        Raises:
            LayerError: a layer cannot be used.
        """
        job = {}
        for key, name in {"map": self.MAP, "sensors_used": self.SENSORS_USED}.items():
            raster = self.raster(parameters, name, context)
            if raster is not None:
                check_class_values(raster)
                job[key] = str(raster.path)
        check_labels(self, parameters, self.REFERENCE, self.FIELD, context)
        return job
