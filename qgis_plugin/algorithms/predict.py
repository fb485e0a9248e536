"""Map land cover with a trained model."""

import json
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeatureRequest,
    QgsProcessingContext,
    QgsProcessingFeedback,
)

from ..binding import bind, check_fit
from ..bridge import EngineError, engine_python, run_engine
from ..findings import percent
from ..layers import LayerError, RasterInput
from ..leftovers import discard_unfinished, is_temporary, work_folder
from ..modelfile import Model, read_model
from ..reference import reference_of
from ..results import dress
from ..translation import tr
from ..vectors import Copies, copy_features
from .base import plainly
from .predict_parameters import PredictParameters

_STAGES = {"mapping": (5.0, 95.0), "writing": (95.0, 100.0)}  # before: starting, and a look at the layers
_OPTIONS = {  # of the engine, for each output
    PredictParameters.OUTPUT: "out",
    PredictParameters.CONFIDENCE: "confidence",
    PredictParameters.PROBABILITIES: "probabilities",
    PredictParameters.SENSORS_USED: "sensors_used",
    PredictParameters.REPORT: "report",
}


class PredictAlgorithm(PredictParameters):
    """Every pixel with whatever sensors cover it."""

    def verify(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """See `MamolAlgorithm.verify`."""
        engine_python()
        self._inputs(parameters, context)
        for name, option in _OPTIONS.items():
            value = self.chosen_output(parameters, name)
            endings = (".html", ".json") if option == "report" else (".tif", ".tiff")
            if Path(value).suffix and not value.lower().endswith(endings):
                message = tr("{path}: the name of this output must end in {endings}.")
                raise LayerError(message.format(path=value, endings=tr(" or ").join(endings)))

    @plainly
    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Turn layers into files. A model of the Designer comes here without `checkParameterValues`."""
        self._model, self._bound, self._reference = self._inputs(parameters, context)
        self._copies = Copies(str(Path(self.chosen_output(parameters, self.OUTPUT)).parent))
        self._area = {}
        if self.given(parameters, self.EXTENT):
            crs = self._bound[self._reference].crs
            box = self.parameterAsExtent(parameters, self.EXTENT, context, crs)
            self._area["extent"] = [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]
        if self.given(parameters, self.AOI):
            source = self.parameterAsSource(parameters, self.AOI, context)
            if source is None:
                raise LayerError(self.invalidSourceError(parameters, self.AOI))
            path = self._copies.folder / "area.gpkg"
            try:
                copy_features(source.materialize(QgsFeatureRequest().setNoAttributes()), path, [], context)
            except LayerError:
                self._copies.discard()
                raise
            self._area["aoi"] = str(path)
        return True

    @plainly
    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Let the engine map."""
        names = (self.OUTPUT, self.CONFIDENCE, self.PROBABILITIES, self.SENSORS_USED)
        rasters = {name: self.parameterAsOutputLayer(parameters, name, context) for name in names}
        report = self.parameterAsFileOutput(parameters, self.REPORT, context)
        outputs = {name: path for name, path in {**rasters, self.REPORT: report}.items() if path}
        resume = self.parameterAsBoolean(parameters, self.RESUME, context)
        job = {
            "model": str(self._model.path),
            "layer": {name: str(raster.path) for name, raster in self._bound.items()},
            "reference": self._reference,
            **self._area,
            **{_OPTIONS[name]: path for name, path in outputs.items()},
            "overlap": self.parameterAsInt(parameters, self.OVERLAP, context),
            "batch_size": self.optional_int(parameters, self.BATCH_SIZE, context),
            "weights": self.parameterAsFile(parameters, self.WEIGHTS, context) or None,
            "resume": resume,
            "overwrite": True,  # QGIS has asked
            **self.compute_job(parameters, context),
        }
        self._announce(feedback)
        facts = self._run(job, resume, [Path(path) for path in outputs.values()], feedback)
        self._dress(rasters, context)
        areas = {item["name"]: item["area_ha"] for item in facts["classes"]}
        return {
            **outputs,
            "PIXELS": facts["mapped_pixels"],
            "SECONDS": facts["seconds"],
            "PIXELS_PER_SECOND": facts["pixels_per_second"],
            "CLASS_AREAS": json.dumps(areas, ensure_ascii=False),
            "SENSOR_SHARES": json.dumps({item["name"]: item["share"] for item in facts["patterns"]}),
        }

    def _run(
        self, job: dict[str, Any], resume: bool, outputs: list[Path], feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the engine; where it fails, take away what is left, unless it is wanted or worth hours.

        Raises:
            EngineError, EngineCancelled: see `run_engine`.
        """
        finished, mapped = False, False
        try:
            facts = run_engine("predict", job, feedback, _STAGES)
            finished = True
        except EngineError as error:
            # All pixels are there, and could only not be written, or not get the name: the old map may be open.
            work = work_folder(Path(job["out"]))
            mapped = error.stage == "writing" and work.is_dir() and not is_temporary(work)
            if not mapped or resume:
                raise
            message = tr(
                "{error}\nAll pixels are mapped, only the files are not written. Mend that (is the old map open "
                'somewhere?), tick "{keep}" and run again with the same inputs and outputs: it goes on from {work}.'
            )
            keep = self.parameterDefinition(self.RESUME).description()
            raise EngineError(message.format(error=error, keep=keep, work=work)) from error
        finally:
            self._copies.discard()
            if not finished and not resume:
                discard_unfinished(outputs, blocks=not mapped)
        return facts

    def _inputs(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[Model, dict[str, RasterInput], str]:
        """Model, layers by the model's names, and the one whose grid is mapped.

        Raises:
            LayerError, ModelFileError: something does not fit.
        """
        model = read_model(Path(self.parameterAsFile(parameters, self.MODEL, context)))
        bound = bind(model, *self.sensors(parameters, context))
        wanted = self.parameterAsString(parameters, self.REFERENCE, context).strip()
        reference = reference_of(bound, wanted, model)
        check_fit(model, bound, reference)
        overlap = self.parameterAsInt(parameters, self.OVERLAP, context)
        if overlap > model.core:
            raise LayerError(tr("The overlap may be at most {core} with this model.").format(core=model.core))
        return model, bound, reference

    def _announce(self, feedback: QgsProcessingFeedback) -> None:
        """Say what to expect, while the engine is starting."""
        given = set(self._bound)
        feedback.pushInfo(tr("Accuracy of the model in its own test, by the sensors a pixel has:"))
        for name, figure in self._model.accuracy.items():
            if set(name.split("+")) <= given:
                feedback.pushInfo(f"    {name}: {percent(figure)}")
        self.warn(self._bound.values(), feedback)

    def _dress(self, rasters: dict[str, str], context: QgsProcessingContext) -> None:
        combination = self._model.combination(self._bound)
        titles = {
            self.OUTPUT: tr("Land cover ({sensors})"),
            self.CONFIDENCE: tr("Confidence, percent ({sensors})"),
            self.PROBABILITIES: tr("Probabilities, percent ({sensors})"),
            self.SENSORS_USED: tr("Sensors used ({sensors})"),
        }
        path = self._model.path
        model = path.parent.name if path.stem == "model" else path.stem
        group = tr("Land cover, model {model}").format(model=model)
        for name, raster in rasters.items():
            dress(context, raster, titles[name].format(sensors=combination), group, on_top=name == self.OUTPUT)
