"""The provider: what it is called and which algorithms it has."""

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms.base import ICONS
from .algorithms.checkengine import CheckEngineAlgorithm
from .algorithms.evaluate import EvaluateAlgorithm
from .algorithms.inspect import InspectAlgorithm
from .algorithms.predict import PredictAlgorithm
from .algorithms.samplepoints import SamplePointsAlgorithm
from .algorithms.setupengine import SetupEngineAlgorithm
from .algorithms.train import TrainAlgorithm
from .bridge import EngineError, engine_python

PROVIDER_ID = "mamol"


class MamolProvider(QgsProcessingProvider):
    """Land-cover mapping with whatever sensors cover each pixel."""

    def id(self) -> str:
        """Part of every algorithm's name: public."""
        return PROVIDER_ID

    def name(self) -> str:
        """Name in the toolbox."""
        return "MaMOL Land Cover"

    def icon(self) -> QIcon:
        """Icon in the toolbox."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:  # noqa: N802 - QGIS's name
        """Icon as a file."""
        return str(ICONS / "mamol.svg")

    def supportedOutputRasterLayerExtensions(self) -> list[str]:  # noqa: N802
        """What the engine writes."""
        return ["tif"]

    def supportsNonFileBasedOutput(self) -> bool:  # noqa: N802
        """Outputs are files."""
        return False

    def supportedOutputVectorLayerExtensions(self) -> list[str]:  # noqa: N802
        """What vector outputs may be."""
        return ["gpkg"]

    def warningMessage(self) -> str:  # noqa: N802
        """Text in the toolbox as long as there is no engine."""
        try:
            engine_python()
        except EngineError as error:
            return str(error)
        return ""

    def loadAlgorithms(self) -> None:  # noqa: N802
        """Add the algorithms."""
        for algorithm in (
            PredictAlgorithm, TrainAlgorithm, InspectAlgorithm, SamplePointsAlgorithm, EvaluateAlgorithm,
            CheckEngineAlgorithm, SetupEngineAlgorithm,
        ):  # fmt: skip
            self.addAlgorithm(algorithm())
