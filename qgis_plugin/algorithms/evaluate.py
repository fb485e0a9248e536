"""Compare a land-cover map with reference labels."""

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingOutputHtml,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterRasterLayer,
)

from .. import settings
from ..bridge import engine_python, run_engine
from ..labels import add_labels, check_labels, export_labels
from ..layers import LayerError, check_class_values
from ..translation import tr
from ..vectors import Copies
from .base import MamolAlgorithm, plainly

_DESIGNS = ["auto", "random", "stratified"]


class EvaluateAlgorithm(MamolAlgorithm):
    """How accurate a map is at places where the class is known."""

    NAME = "evaluate"
    MAP, REFERENCE, FIELD, SENSORS_USED = "MAP", "REFERENCE", "FIELD", "SENSORS_USED"
    DESIGN, STRATA, COMPARE = "DESIGN", "STRATA", "COMPARE"
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
            "Classes are matched by name where map and reference have names, else by value.\n\n"
            "With points of the algorithm that draws them, or another random sample whose design you name, accuracies "
            "and class areas hold for the whole map and come with 95 % intervals (Olofsson et al. 2014, Stehman 2014). "
            "Without a design the figures describe the reference pixels only."
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
            QgsProcessingParameterEnum(
                self.DESIGN, tr("Sampling design of the reference"), _DESIGNS, defaultValue=_DESIGNS[0],
                usesStaticStrings=True,
            ),
            tr(
                "auto: as sample points know it themselves; other references are counted as they come. random: a "
                "simple random sample of the map. stratified: a random sample of each stratum."
            ),
            advanced=True,
        )  # fmt: skip
        self.add(
            QgsProcessingParameterRasterLayer(self.STRATA, tr("Strata"), optional=True),
            tr("Of the design stratified, on the map's grid. Empty: the map's classes."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterRasterLayer(self.COMPARE, tr("Map to compare with"), optional=True),
            tr("Another map on the same grid: which of the two is more accurate? McNemar's test."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFolderDestination(self.OUTPUT, tr("Folder for the figures")),
            tr("Gets report.html, accuracy.json, accuracy.csv and confusion.csv."),
        )
        self.addOutput(QgsProcessingOutputHtml(self.REPORT, tr("Report")))
        self.addOutput(QgsProcessingOutputFile("ACCURACY", tr("Figures (JSON)")))
        self.addOutput(QgsProcessingOutputNumber("OVERALL_ACCURACY", tr("Overall accuracy, a fraction")))
        self.addOutput(
            QgsProcessingOutputNumber("OVERALL_ACCURACY_SE", tr("Standard error of the overall accuracy, where known"))
        )
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
        self._copies = Copies(self.parameterAsString(parameters, self.OUTPUT, context))
        try:
            labels = export_labels(self, parameters, self.REFERENCE, self.FIELD, context, self._copies.folder)
        except LayerError:
            self._copies.discard()
            raise
        self._job.update(reference=str(labels.path), field=labels.field)
        return True

    @plainly
    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Let the engine compare."""
        folder = self.parameterAsString(parameters, self.OUTPUT, context)
        try:
            facts = run_engine("evaluate", {**self._job, "out": folder, "memory": settings.memory_mb()}, feedback)
        finally:
            self._copies.discard()
        texts = {"oa": tr("Overall accuracy"), "aa": tr("Mean accuracy of the classes"), "kappa": tr("Kappa")}
        for key, text in texts.items():
            low, high = facts.get(f"{key}_low"), facts.get(f"{key}_high")
            known = "-" if facts[key] is None else f"{facts[key]:.3f}"
            feedback.pushInfo(f"{text}: {known}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]"))
        return {
            self.OUTPUT: folder,
            self.REPORT: str(Path(folder) / "report.html"),
            "ACCURACY": str(Path(folder) / "accuracy.json"),
            "OVERALL_ACCURACY": facts["oa"],
            "OVERALL_ACCURACY_SE": facts.get("oa_se"),
            "MEAN_ACCURACY": facts["aa"],
            "KAPPA": facts["kappa"],
            "PIXELS": facts["n"],
        }

    def _inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """The rasters of the job.

        Raises:
            LayerError: a layer cannot be used.
        """
        design = self.parameterAsEnumString(parameters, self.DESIGN, context)
        job = {} if design in ("", _DESIGNS[0]) else {"design": design}
        rasters = {
            "map": self.MAP, "sensors_used": self.SENSORS_USED, "strata": self.STRATA, "compare": self.COMPARE
        }  # fmt: skip
        for key, name in rasters.items():
            raster = self.raster(parameters, name, context)
            if raster is not None:
                check_class_values(raster)
                job[key] = str(raster.path)
        check_labels(self, parameters, self.REFERENCE, self.FIELD, context)
        return job
