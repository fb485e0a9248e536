"""Train a model on layers and labels."""

import json
from pathlib import Path
from typing import Any, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
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

from ..binding import check_places, name_layers, reference_of
from ..bridge import engine_python
from ..labels import add_labels, check_labels, export_labels
from ..layers import LayerError, RasterInput
from ..training_config import config_text
from ..training_run import TrainingRun
from ..translation import tr
from .base import plainly
from .sensors import SensorAlgorithm

_BACKBONES = ["compact", "open_clip:ViT-B-16/openai", "timm:vit_small_patch14_dinov2"]
_READOUTS = ["dense", "centre"]
_SPLITS = ["blocks", "random"]


class TrainAlgorithm(SensorAlgorithm):
    """One model for every combination of the sensors given."""

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

    def verify(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """See `MamolAlgorithm.verify`."""
        engine_python()
        folder = parameters.get(self.OUTPUT)
        resume = self.parameterAsBoolean(parameters, self.RESUME, context)
        if isinstance(folder, str) and Path(folder).is_absolute():  # else a temporary one, which is empty
            TrainingRun(Path(folder)).check(resume)
        if not resume:
            self._inputs(parameters, context)
            check_labels(self, parameters, self.LABELS, self.FIELD, context)

    @plainly
    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Write down the inputs, in the run folder: they belong to the run."""
        folder = Path(self.parameterAsString(parameters, self.OUTPUT, context))
        self._run = TrainingRun(folder)
        self._resume = self.parameterAsBoolean(parameters, self.RESUME, context)
        self._run.check(self._resume)
        if self._resume:
            return True
        rasters, roles, reference = self._inputs(parameters, context)
        for raster in rasters.values():
            for warning in raster.warnings:
                feedback.pushWarning(warning)
        labels = export_labels(self, parameters, self.LABELS, self.FIELD, context, self._run.inputs)
        text = config_text(
            {name: (roles[name], raster.path) for name, raster in rasters.items()},
            labels.path, labels.field, reference, self._sections(parameters, context),
        )  # fmt: skip
        self._run.write_inputs(text, self._job(parameters, context))
        return True

    @plainly
    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Let the engine train."""
        detached = self.parameterAsBoolean(parameters, self.DETACHED, context)
        run, compute = self._run, self.compute_job(parameters, context)
        outputs = {self.OUTPUT: str(run.folder), self.MODEL: str(run.model)}
        facts: Optional[dict[str, Any]]
        if self._resume and run.detached.is_running():
            feedback.pushInfo(tr("A detached training runs in this folder; following it."))
            facts = run.follow(feedback)
        elif detached:
            run.start_detached(self._resume, compute, feedback)
            return outputs
        else:
            facts = run.train(self._resume, compute, feedback)
        accuracies = {name: figures["oa"] for name, figures in facts["patterns"].items()}
        feedback.pushInfo(tr("Overall accuracy on test places, by the sensors a pixel has:"))
        for name, figure in accuracies.items():
            feedback.pushInfo(f"    {name}: " + (tr("unknown") if figure is None else f"{100 * figure:.1f} %"))
        return {
            **outputs,
            self.REPORT: str(run.report),
            "SECONDS": facts["seconds"],
            "OVERALL_ACCURACY": next(iter(accuracies.values()), None),
            "ACCURACIES": json.dumps(accuracies),
        }

    def _inputs(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[dict[str, RasterInput], dict[str, str], str]:
        """Layers and their roles by name, and the name of the reference, empty for the engine's choice.

        Raises:
            LayerError: something does not fit.
        """
        by_role, further = self.sensors(parameters, context)
        rasters = name_layers(by_role, further)
        if not rasters:
            raise LayerError(tr("No layer is given; give at least one raster to learn from."))
        roles = dict(zip(rasters, [*by_role, *["other"] * len(further)]))
        wanted = self.parameterAsString(parameters, self.REFERENCE, context).strip()
        likely = reference_of(rasters, {name: raster.bands for name, raster in rasters.items()}, wanted)
        check_places(rasters, likely)
        return rasters, roles, wanted

    def _sections(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, dict[str, Any]]:
        """Sections of the configuration."""
        return {
            "split": {"kind": self.parameterAsEnumString(parameters, self.SPLIT, context)},
            "model": {
                "backbone": self.parameterAsEnumString(parameters, self.BACKBONE, context),
                "weights": self.parameterAsFile(parameters, self.WEIGHTS, context) or None,
                "readout": self.parameterAsEnumString(parameters, self.READOUT, context),
                "window": self.optional_int(parameters, self.WINDOW, context),
            },
            "training": {
                "epochs": self.optional_int(parameters, self.EPOCHS, context),
                "seed": self.parameterAsInt(parameters, self.SEED, context),
            },
            "missing": {"rate": self.parameterAsDouble(parameters, self.MISSING_RATE, context)},
        }

    def _job(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """Arguments of the engine beside the configuration."""
        lines = self.parameterAsString(parameters, self.SETTINGS, context).splitlines()
        return {
            "set": [line.strip() for line in lines if line.strip()] or None,
            "init": self.parameterAsFile(parameters, self.INIT, context) or None,
        }
