"""What all algorithms share: identity, icon, help, common parameters."""

import functools
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar, cast

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
)
from qgis.PyQt.QtGui import QIcon

from .. import settings
from ..layers import LayerError, RasterInput, raster_of_value
from ..translation import tr

ICONS = Path(__file__).resolve().parent.parent / "icons"
ADVANCED = QgsProcessingParameterDefinition.Flag.FlagAdvanced

Method = TypeVar("Method", bound=Callable[..., Any])


def plainly(method: Method) -> Method:
    """Let a method that QGIS calls raise our errors as plain ones.

    Of a QgsProcessingException itself QGIS shows the text, of a subclass a Python traceback.
    """

    @functools.wraps(method)
    def wrapper(*arguments: Any) -> Any:
        try:
            return method(*arguments)
        except QgsProcessingException as error:
            raise QgsProcessingException(str(error)) from None

    return cast(Method, wrapper)


class MamolAlgorithm(QgsProcessingAlgorithm):
    """An algorithm of the provider.

    Subclasses set NAME (public: never changes), and override `displayName`, `shortHelpString`, `shortDescription`,
    `initAlgorithm`, `prepareAlgorithm` and `processAlgorithm`.

    QGIS calls `checkParameterValues` and `prepareAlgorithm` on the main thread, where layers may be touched, and
    `processAlgorithm` on a worker thread: what the former finds out, the latter gets as plain values.
    """

    NAME = ""
    DEVICE = "DEVICE"
    PRECISION = "PRECISION"

    def name(self) -> str:
        """Public name."""
        return self.NAME

    def createInstance(self) -> "MamolAlgorithm":  # noqa: N802 - QGIS's names, here and below
        """Make a new one."""
        return type(self)()

    def icon(self) -> QIcon:
        """Icon in the toolbox."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:  # noqa: N802
        """Icon as a file."""
        return str(ICONS / f"{self.NAME}.svg")

    def group(self) -> str:
        """Group in the toolbox: none, there are few of us."""
        return ""

    def groupId(self) -> str:  # noqa: N802
        """See `group`."""
        return ""

    def add(self, parameter: QgsProcessingParameterDefinition, help_text: str, advanced: bool = False) -> None:
        """Add a parameter with its help."""
        parameter.setHelp(help_text)
        if advanced:
            parameter.setFlags(parameter.flags() | ADVANCED)
        self.addParameter(parameter)

    def add_device(self) -> None:
        """Add where and in which number format to compute."""
        self.add(
            QgsProcessingParameterEnum(
                self.DEVICE, tr("Compute on"), settings.DEVICES, defaultValue=settings.device(), usesStaticStrings=True
            ),
            tr("auto takes a graphics card where the engine finds one, else the processor (cpu)."),
        )
        self.add(
            QgsProcessingParameterEnum(
                self.PRECISION, tr("Number format"), settings.PRECISIONS, defaultValue="auto", usesStaticStrings=True
            ),
            tr("auto takes the fastest that the device computes well; float32 is the most exact."),
            advanced=True,
        )

    def compute_job(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """The part of a job that says where and how to compute."""
        return {
            "device": self.parameterAsEnumString(parameters, self.DEVICE, context) or settings.device(),
            "precision": self.parameterAsEnumString(parameters, self.PRECISION, context) or "auto",
            "threads": settings.threads() or None,
            "memory": settings.memory_mb(),
        }

    def given(self, parameters: dict[str, Any], name: str) -> bool:
        """Whether the user gave a value."""
        value = parameters.get(name)
        return value is not None and value != "" and value != []

    def chosen_output(self, parameters: dict[str, Any], name: str) -> str:
        """The name that the user chose for an output; not resolved, empty where none is chosen or it is computed.

        Resolving would announce the output to the project, which only `processAlgorithm` may.
        """
        value = parameters.get(name)
        if isinstance(value, QgsProcessingOutputLayerDefinition):  # what the dialog makes of a file's name
            value = value.sink.staticValue()
        return value if isinstance(value, str) else ""

    def optional_int(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> Optional[int]:
        """A whole number, None where the user gave none."""
        return self.parameterAsInt(parameters, name, context) if self.given(parameters, name) else None

    def raster(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> Optional[RasterInput]:
        """The raster of a parameter, None where the user gave none. Main thread only.

        Raises:
            LayerError: it cannot be used.
        """
        if not self.given(parameters, name):
            return None
        found = raster_of_value(parameters[name], lambda: self.parameterAsRasterLayer(parameters, name, context))
        if found is None:
            raise LayerError(self.invalidRasterError(parameters, name))
        return found

    def validateInputCrs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> bool:  # noqa: N802
        """Any mixture of CRSs is fine; QGIS would open every layer to find out, and write statistics beside it."""
        return True

    def verify(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Check the inputs, on the main thread and within a tenth of a second.

        Raises:
            QgsProcessingException: something does not fit; the text says what to do.
        """

    def checkParameterValues(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Say what does not fit before anything is started."""
        fine, message = super().checkParameterValues(parameters, context)
        if fine:
            try:
                self.verify(parameters, context)
            except QgsProcessingException as error:
                return False, str(error)
        return fine, message
