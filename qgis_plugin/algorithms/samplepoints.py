"""Draw points where the true class of a map is to be told."""

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
    QgsVectorLayer,
)

from .. import settings
from ..bridge import engine_python, run_engine
from ..layers import LayerError, check_class_values
from ..results import dress
from ..sources import is_file
from ..translation import tr
from .base import MamolAlgorithm, plainly

_ALLOCATIONS = ["proportional", "equal", "neyman"]
_FIELD = "reference"  # to be filled in


class SamplePointsAlgorithm(MamolAlgorithm):
    """A stratified random sample of a map, as points with an empty class."""

    NAME = "samplepoints"
    MAP, SIZE, TARGET_SE, ALLOCATION = "MAP", "SIZE", "TARGET_SE", "ALLOCATION"
    MIN_PER_CLASS, EXPECTED, SEED, OUTPUT = "MIN_PER_CLASS", "EXPECTED_ACCURACY", "SEED", "OUTPUT"

    def displayName(self) -> str:  # noqa: N802 - QGIS's names, here and below
        """Name in the toolbox."""
        return tr("Draw sample points for reference labels")

    def shortDescription(self) -> str:  # noqa: N802
        """Tooltip in the toolbox."""
        return tr("Draws a stratified random sample of a land-cover map, to be labelled and evaluated")

    def tags(self) -> list[str]:
        """Words by which the toolbox finds it."""
        return tr("sample,points,stratified,random,reference,validation,accuracy,area").split(",")

    def shortHelpString(self) -> str:  # noqa: N802
        """What it does."""
        return tr(
            "Draws a stratified random sample of a land-cover map, with the map's classes as strata.\n\n"
            "The points have an empty field reference. Look at each place in images that are better than the map, and "
            "choose the class that is really there from the list that the form offers; what the map says is hidden. "
            "Points come in random order: who stops early still has a random sample.\n\n"
            "Then evaluate the map with these points and the field reference. Accuracies and areas of the classes hold "
            "for the whole map, and come with 95 % intervals (Olofsson et al. 2014)."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """Declare parameters and outputs."""
        number = QgsProcessingParameterNumber
        self.add(
            QgsProcessingParameterRasterLayer(self.MAP, tr("Land-cover map")),
            tr("One band of class values, 0 where there is no class."),
        )
        self.add(
            number(self.SIZE, tr("Number of points"), number.Type.Integer, None, optional=True, minValue=1),
            tr("Empty: as many as the standard error below needs."),
        )
        self.add(
            number(
                self.TARGET_SE, tr("Standard error of the overall accuracy"), number.Type.Double, 0.015,
                optional=True, minValue=0.0001, maxValue=0.4999,
            ),
            tr("A fraction; 0.015 means an interval of 3 percent to both sides. Not used where a number is given."),
        )  # fmt: skip
        self.add(
            QgsProcessingParameterEnum(
                self.ALLOCATION, tr("Share among classes"), _ALLOCATIONS, defaultValue=_ALLOCATIONS[0],
                usesStaticStrings=True,
            ),
            tr(
                "proportional to their size; equal, best for the accuracy of each class; neyman, best for the overall "
                "accuracy."
            ),
        )  # fmt: skip
        self.add(
            number(self.MIN_PER_CLASS, tr("Points per class at least"), number.Type.Integer, 50, minValue=0),
            tr("So that rare classes have enough for an interval."),
        )
        self.add(
            QgsProcessingParameterString(self.EXPECTED, tr("Expected user's accuracy"), "0.8"),
            tr("A fraction; of single classes as NAME=FRACTION, separated by semicolons: 0.8; water=0.95."),
            advanced=True,
        )
        self.add(
            number(self.SEED, tr("Seed"), number.Type.Integer, 0, minValue=0),
            tr("The same seed draws the same points."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterVectorDestination(
                self.OUTPUT, tr("Sample points"), QgsProcessing.SourceType.TypeVectorPoint
            ),
            tr("A GeoPackage."),
        )
        self.addOutput(QgsProcessingOutputNumber("POINTS", tr("Number of points")))

    def verify(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """See `MamolAlgorithm.verify`."""
        engine_python()
        self._map(parameters, context)
        if not self.given(parameters, self.SIZE) and parameters.get(self.TARGET_SE, 0) in (None, ""):
            raise LayerError(tr("Give a number of points, or the standard error that they should reach."))
        _check_nothing_is_labelled(self.chosen_output(parameters, self.OUTPUT))

    @plainly
    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Turn layers into files."""
        self._source = self._map(parameters, context)
        return True

    @plainly
    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Let the engine draw."""
        out = self.parameterAsOutputLayer(parameters, self.OUTPUT, context)
        _check_nothing_is_labelled(out)  # again: a model of the Designer comes here without `verify`
        size = self.optional_int(parameters, self.SIZE, context)
        expected = self.parameterAsString(parameters, self.EXPECTED, context).split(";")
        job = {
            "map": self._source,
            "size": size,
            "target_se": self.parameterAsDouble(parameters, self.TARGET_SE, context) if size is None else None,
            "allocation": self.parameterAsEnumString(parameters, self.ALLOCATION, context),
            "min_per_class": self.parameterAsInt(parameters, self.MIN_PER_CLASS, context),
            "expected_accuracy": [text.strip() for text in expected if text.strip()] or None,
            "seed": self.parameterAsInt(parameters, self.SEED, context),
            "out": out,
            "overwrite": True,  # QGIS has asked, and nothing is labelled
            "memory": settings.memory_mb(),
        }
        facts = run_engine("sample", job, feedback)
        dress(context, out, tr("Sample points"), tr("Land cover"), on_top=True)
        return {self.OUTPUT: out, "POINTS": facts["size"]}

    def _map(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """File of the map.

        Raises:
            LayerError: it cannot be used.
        """
        raster = self.raster(parameters, self.MAP, context)
        if raster is None:
            raise LayerError(self.invalidRasterError(parameters, self.MAP))
        check_class_values(raster)
        return str(raster.path)


def _check_nothing_is_labelled(path: str) -> None:
    """Check that a file that is to be replaced holds no points with a class: hours of work that nobody means to lose.

    Raises:
        LayerError: it does.
    """
    if not is_file(path):
        return
    layer = QgsVectorLayer(path, "points", "ogr")
    if not layer.isValid() or layer.fields().lookupField(_FIELD) < 0:
        return
    layer.setSubsetString(f'"{_FIELD}" IS NOT NULL')
    answered = int(layer.featureCount())
    if answered:
        message = tr("{path} holds {count} points that are labelled already. Choose another name.")
        raise LayerError(message.format(path=path, count=answered))
