"""What the algorithm that maps is called, and what it asks for."""

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
)

from ..translation import tr
from .sensors import SensorAlgorithm


class PredictParameters(SensorAlgorithm):
    """The face of `PredictAlgorithm`."""

    NAME = "predict"
    MODEL = "MODEL"
    EXTENT, AOI, REFERENCE = "EXTENT", "AOI", "REFERENCE"
    OVERLAP, BATCH_SIZE, WEIGHTS, RESUME = "OVERLAP", "BATCH_SIZE", "WEIGHTS", "RESUME"
    OUTPUT, CONFIDENCE, PROBABILITIES = "OUTPUT", "CONFIDENCE", "PROBABILITIES"
    SENSORS_USED, REPORT = "SENSORS_USED", "REPORT"

    def displayName(self) -> str:  # noqa: N802 - QGIS's names, here and below
        """Name in the toolbox."""
        return tr("Map land cover")

    def shortDescription(self) -> str:  # noqa: N802
        """Tooltip in the toolbox."""
        return tr("Maps land cover with a trained model and whatever sensors cover each pixel")

    def tags(self) -> list[str]:
        """Words by which the toolbox finds it."""
        return tr("predict,classify,classification,land cover,inference,missing,sensors,deep learning").split(",")

    def shortHelpString(self) -> str:  # noqa: N802
        """What it does."""
        return tr(
            "Makes a land-cover map with a trained model.\n\n"
            "Give the layers you have: the model knows every combination of its sensors, and each pixel is mapped with "
            "the sensors that have data there. Where none has, the map has no data. Layers may differ in pixel size, "
            "extent and CRS.\n\n"
            "The log begins with the combinations of sensors that occur and how accurate the model was with each. The "
            "map comes with class names and colours."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """Declare parameters and outputs."""
        self.add(
            QgsProcessingParameterFile(self.MODEL, tr("Model"), extension="safetensors"),
            tr("Model file (.safetensors), written by the algorithm that trains."),
        )
        self.add_sensors(
            tr(
                "The names that the model has for the further layers, separated by commas, in the same order. Empty: "
                "the layers' own names tell."
            )
        )
        self.add(
            QgsProcessingParameterExtent(self.EXTENT, tr("Extent"), optional=True),
            tr("Part to map. Empty: all of the reference layer."),
        )
        self.add(
            QgsProcessingParameterFeatureSource(
                self.AOI, tr("Area of interest"), [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
            ),
            tr("Polygons; pixels outside them get no data. Any CRS."),
        )
        self.add_device()
        self._add_advanced()
        self._add_outputs()

    def _add_advanced(self) -> None:
        integer = QgsProcessingParameterNumber.Type.Integer
        self.add(
            QgsProcessingParameterString(self.REFERENCE, tr("Reference sensor"), optional=True),
            tr(
                "Name of the sensor (as in the model) whose pixels are mapped. Empty: the one whose pixels are nearest "
                "in size to those of the training."
            ),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterNumber(self.OVERLAP, tr("Overlap"), integer, 1, minValue=1),
            tr("Averages N x N shifted windows: smoother borders for N x N times the work. 1 is fast."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterNumber(self.BATCH_SIZE, tr("Windows at once"), integer, None, True, minValue=1),
            tr("How many windows are computed at once. Empty: by model and device; smaller needs less memory."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFile(self.WEIGHTS, tr("Weights of the backbone"), optional=True),
            tr("File of the pretrained backbone's weights, for models that do not hold them and where they cannot be "
               "downloaded."),
            advanced=True,
        )  # fmt: skip
        self.add(
            QgsProcessingParameterBoolean(self.RESUME, tr("Keep unfinished work, and go on with it"), False),
            tr("If the run is cancelled or fails, what is done stays beside the map, and the next run with the same "
               "inputs and outputs goes on from there."),
            advanced=True,
        )  # fmt: skip

    def _add_outputs(self) -> None:
        self.add(
            QgsProcessingParameterRasterDestination(self.OUTPUT, tr("Land-cover map")),
            tr("GeoTIFF of class values, with names, colours and overviews. 0 is no data."),
        )
        optional = {
            self.CONFIDENCE: (tr("Confidence"), tr("How sure the model is of the mapped class, in percent.")),
            self.PROBABILITIES: (tr("Probabilities"), tr("Probability of every class in percent, one band for each.")),
            self.SENSORS_USED: (tr("Sensors used"), tr("Which combination of sensors each pixel was mapped with.")),
        }
        for name, (title, text) in optional.items():
            self.add(QgsProcessingParameterRasterDestination(name, title, optional=True, createByDefault=False), text)
        self.add(
            QgsProcessingParameterFileDestination(
                self.REPORT, tr("Summary"), tr("HTML files (*.html)"), optional=True, createByDefault=False
            ),
            tr("Page with the area of each class, and the accuracy and share of each combination of sensors."),
        )
        self.addOutput(QgsProcessingOutputNumber("PIXELS", tr("Pixels mapped")))
        self.addOutput(QgsProcessingOutputNumber("SECONDS", tr("Seconds")))
        self.addOutput(QgsProcessingOutputNumber("PIXELS_PER_SECOND", tr("Pixels per second")))
        self.addOutput(QgsProcessingOutputString("CLASS_AREAS", tr("Hectares of each class (JSON)")))
        self.addOutput(QgsProcessingOutputString("SENSOR_SHARES", tr("Share of each combination of sensors (JSON)")))
