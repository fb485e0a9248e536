"""Train a model on layers and labels."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback

from .. import settings
from ..binding import check_places, name_layers
from ..bridge import engine_python, remote_engine
from ..findings import percent
from ..labels import check_labels, export_labels
from ..layers import LayerError, RasterInput
from ..reference import reference_of
from ..training_config import config_text, named_shares
from ..training_run import TrainingRun
from ..translation import tr
from .base import plainly
from .train_parameters import TrainParameters


class TrainAlgorithm(TrainParameters):
    """One model for every combination of the sensors given."""

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
        self.warn(rasters.values(), feedback)
        labels = export_labels(self, parameters, self.LABELS, self.FIELD, context, self._run.inputs)
        text = config_text(
            {name: (roles[name], raster.path) for name, raster in rasters.items()},
            labels.path, labels.field, reference, self._sections(parameters, context),
        )  # fmt: skip
        weights = self.parameterAsFile(parameters, self.WEIGHTS, context)
        shares = named_shares({name: raster.path for name, raster in rasters.items()}, labels.path, weights)
        if remote_engine() is not None and settings.remote_folders():
            shares = []  # they are called otherwise there
        self._run.write_inputs(text, self._job(parameters, context, shares))
        return True

    @plainly
    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Let the engine train."""
        detached = self.parameterAsBoolean(parameters, self.DETACHED, context)
        run, compute = self._run, self.compute_job(parameters, context)
        outputs = {self.OUTPUT: str(run.folder), self.MODEL: str(run.model)}
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
            feedback.pushInfo(f"    {name}: {percent(figure)}")
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
        check_places(rasters, reference_of(rasters, wanted))
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

    def _job(self, parameters: dict[str, Any], context: QgsProcessingContext, shares: Sequence[str]) -> dict[str, Any]:
        """Arguments of the engine beside the configuration; see `named_shares`."""
        lines = self.parameterAsString(parameters, self.SETTINGS, context).splitlines()
        return {
            "set": [*shares, *(line.strip() for line in lines if line.strip())] or None,
            "init": self.parameterAsFile(parameters, self.INIT, context) or None,
        }
