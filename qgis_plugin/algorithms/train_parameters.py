"""What the algorithm that trains is called, and what it asks for."""

from typing import Any

from qgis.core import (
    QgsProcessingOutputFile,
    QgsProcessingOutputHtml,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ..labels import add_labels
from ..translation import tr
from .sensors import SensorAlgorithm

_BACKBONES = ["compact", "open_clip:ViT-B-16/openai", "timm:vit_small_patch14_dinov2"]
_READOUTS = ["dense", "centre"]
_SPLITS = ["blocks", "random"]


class TrainParameters(SensorAlgorithm):
    """The face of `TrainAlgorithm`."""

    NAME = "train"
    LABELS, FIELD = "LABELS", "FIELD"
    MISSING_RATE, EPOCHS, BACKBONE = "MISSING_RATE", "EPOCHS", "BACKBONE"
    WEIGHTS, READOUT, WINDOW, SPLIT = "WEIGHTS", "READOUT", "WINDOW", "SPLIT"
    INIT, REFERENCE, SEED, SETTINGS = "INIT", "REFERENCE", "SEED", "SETTINGS"
    DETACHED, RESUME = "DETACHED", "RESUME"
    OUTPUT, MODEL, REPORT = "OUTPUT", "MODEL", "REPORT"

    def displayName(self) -> str:  # noqa: N802 - QGIS's names, here and below
        """Name in the toolbox."""
        return tr("Train a land-cover model")

    def shortDescription(self) -> str:  # noqa: N802
        """Tooltip in the toolbox."""
        return tr("Trains one model for every combination of the sensors you have")

    def tags(self) -> list[str]:
        """Words by which the toolbox finds it."""
        return tr("train,fit,learn,classification,land cover,missing,sensors,deep learning").split(",")

    def shortHelpString(self) -> str:  # noqa: N802
        """What it does."""
        return tr(
            "Trains a model on your layers and labels. In training, sensors are taken away at random, so that one "
            "model knows every combination: later it maps each pixel with whatever sensors cover it.\n\n"
            "Labels are split into spatial blocks with a distance between them, so that the accuracy in the report is "
            "that of places the model has not seen.\n\n"
            "The run folder gets the model file, a report, the figures and the complete settings. A training that was "
            "cancelled, or that a crash ended, goes on from its last checkpoint: run it again with the same folder and "
            '"Go on with the run in the folder".'
        )

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """Declare parameters and outputs."""
        self.add_sensors(
            tr("Names for the further layers, separated by commas, in the same order. Empty: the layers' own names.")
        )
        add_labels(
            self, self.LABELS, tr("Labels"), self.FIELD,
            tr("Places where the class is known: polygons or points with a class field, or a raster of class values. "
               "Names and colours of the classes are taken from the layer's style where it has classes."),
        )  # fmt: skip
        self.add(
            QgsProcessingParameterEnum(
                self.BACKBONE, tr("Backbone"), _BACKBONES, defaultValue=_BACKBONES[0], usesStaticStrings=True
            ),
            tr("compact is small, trained from scratch and quick without a graphics card. The others are large "
               "pretrained networks that are downloaded once, and want a graphics card."),
        )  # fmt: skip
        number = QgsProcessingParameterNumber.Type
        self.add(
            QgsProcessingParameterNumber(self.EPOCHS, tr("Epochs"), number.Integer, None, True, minValue=1),
            tr("Passes over the training data. Empty: as many as usually suffice."),
        )
        self.add(
            QgsProcessingParameterNumber(
                self.MISSING_RATE, tr("Missing rate"), number.Double, 0.85, minValue=0, maxValue=1
            ),
            tr("Share of training samples from which sensors are taken away. High where sensors will often be missing; "
               "0 if never."),
        )  # fmt: skip
        self.add_device()
        self._add_advanced()
        self.add(
            QgsProcessingParameterBoolean(self.DETACHED, tr("Detached: train on when QGIS is closed"), False),
            tr("Returns as soon as training has begun. To see how far it is, and to wait for its end, run again with "
               'the same folder and "Go on with the run in the folder".'),
        )  # fmt: skip
        self.add(
            QgsProcessingParameterBoolean(self.RESUME, tr("Go on with the run in the folder"), False),
            tr("Goes on from the last checkpoint in the run folder, or follows a detached training that still runs. "
               "Layers, labels and settings are those of the run; what is given above does not count."),
        )  # fmt: skip
        self.add(
            QgsProcessingParameterFolderDestination(self.OUTPUT, tr("Run folder")),
            tr("Gets the model file (model.safetensors), report.html, metrics.json and everything to go on with."),
        )
        self.addOutput(QgsProcessingOutputFile(self.MODEL, tr("Model")))
        self.addOutput(QgsProcessingOutputHtml(self.REPORT, tr("Report")))
        self.addOutput(QgsProcessingOutputNumber("SECONDS", tr("Seconds")))
        self.addOutput(QgsProcessingOutputNumber("OVERALL_ACCURACY", tr("Overall accuracy with all sensors")))
        self.addOutput(
            QgsProcessingOutputString("ACCURACIES", tr("Overall accuracy of each combination of sensors (JSON)"))
        )

    def _add_advanced(self) -> None:
        integer = QgsProcessingParameterNumber.Type.Integer
        advanced = {
            QgsProcessingParameterFile(self.WEIGHTS, tr("Weights of the backbone"), optional=True): tr(
                "Local file of the pretrained backbone's weights, instead of a download."
            ),
            QgsProcessingParameterFile(self.INIT, tr("Start from model"), extension="safetensors", optional=True): tr(
                "Model file to start from; sensors and classes are matched by name, new ones are added."
            ),
            QgsProcessingParameterString(self.REFERENCE, tr("Reference sensor"), optional=True): tr(
                "Name of the sensor (hsi, elevation, sar, msi, or that of a further layer) whose pixels are used. "
                "Empty: the one with most bands."
            ),
            QgsProcessingParameterEnum(
                self.READOUT, tr("Read-out"), _READOUTS, defaultValue=_READOUTS[0], usesStaticStrings=True
            ): tr(
                "dense maps whole windows at once; centre spends one on each pixel and takes hundreds of times longer."
            ),
            QgsProcessingParameterNumber(self.WINDOW, tr("Window, pixels"), integer, None, True, minValue=2): tr(
                "Side of the square that the model sees. Empty: by read-out and backbone."
            ),
            QgsProcessingParameterEnum(
                self.SPLIT, tr("Split of the labels"), _SPLITS, defaultValue=_SPLITS[0], usesStaticStrings=True
            ): tr(
                "blocks keeps training and test apart in space. random does not: its accuracy is too good to be true."
            ),
            QgsProcessingParameterNumber(self.SEED, tr("Seed"), integer, 0, minValue=0): tr(
                "The same seed and inputs give the same model."
            ),
            QgsProcessingParameterString(self.SETTINGS, tr("Further settings"), multiLine=True, optional=True): tr(
                "One section.key=value in each line, for instance training.learning_rate=0.001; see the configuration "
                "reference."
            ),
        }
        for parameter, text in advanced.items():
            self.add(parameter, text, advanced=True)
