"""Set up the engine: its own Python environment in the user's QGIS profile."""

import shutil
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from .. import settings
from ..bridge import EngineCancelled, run_engine
from ..engine_setup import Cancelled, Installer, Plan, torch_index
from ..environment import engine_source
from ..python_choice import SetupError, choose_python
from ..translation import tr
from .base import MamolAlgorithm, plainly
from .checkengine import report, surroundings

COMPUTE = ["auto", "cpu", "cuda"]


class SetupEngineAlgorithm(MamolAlgorithm):
    """Makes, repairs or renews the engine's environment."""

    NAME = "setupengine"
    PYTHON = "PYTHON"
    COMPUTE = "COMPUTE"
    WHEELS = "WHEELS"
    TORCH_INDEX = "TORCH_INDEX"
    RENEW = "RENEW"
    ENGINE_PYTHON = "ENGINE_PYTHON"

    def displayName(self) -> str:  # noqa: N802 - QGIS's names, here and below
        """Name in the toolbox."""
        return tr("Set up the engine")

    def shortDescription(self) -> str:  # noqa: N802
        """Tooltip in the toolbox."""
        return tr("Makes or repairs the Python environment in which all computing is done; needed once")

    def shortHelpString(self) -> str:  # noqa: N802
        """What it does."""
        return tr(
            "All computing is done by the engine, in a Python environment of its own in your QGIS profile. Nothing is "
            "installed into the Python of QGIS, and nothing outside the profile is changed. Run this once after "
            "installing the plugin, and again whenever the engine does not work: it then repairs what is there.\n\n"
            "It needs a Python of version 3.11 or newer on this computer, and downloads about 400 MB (cpu) or several "
            "GB (cuda) of packages. Without a network, give a folder of wheels.\n\n"
            "A set-up that fails or is cancelled leaves an engine that worked before as it was."
        )

    def tags(self) -> list[str]:
        """Words by which the toolbox finds it."""
        return tr("install,engine,python,environment,pytorch,cuda,repair").split(",")

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """Declare parameters and outputs."""
        self.add(
            QgsProcessingParameterFile(self.PYTHON, tr("Python"), optional=True),
            tr("Python interpreter (version 3.11 or newer) to make the environment with. Empty: one is looked for."),
        )
        self.add(
            QgsProcessingParameterEnum(
                self.COMPUTE, tr("Compute on"), COMPUTE, defaultValue=COMPUTE[0], usesStaticStrings=True
            ),
            tr(
                "cuda: for NVIDIA graphics cards, a much larger download. cpu: for all other computers. auto: cuda "
                "where an NVIDIA driver is installed."
            ),
        )
        self.add(
            QgsProcessingParameterFile(
                self.WHEELS, tr("Folder of wheels"), QgsProcessingParameterFile.Behavior.Folder, optional=True
            ),
            tr(
                "Folder with all packages as .whl files, downloaded on another computer with the same system and "
                "Python version. Where it is given, no network is used, and it decides between cpu and cuda."
            ),
        )
        self.add(
            QgsProcessingParameterString(
                self.TORCH_INDEX, tr("Package index of PyTorch"), settings.torch_index(), optional=True
            ),
            tr(
                "Address of the index that PyTorch is downloaded from, without its last part, cpu or cuXXX, which is "
                "added. An address that ends with such a part is taken as it is. Empty: the index of all other "
                "packages."
            ),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean(self.RENEW, tr("Build anew"), defaultValue=False),
            tr("Build the environment anew where it could be repaired: with the newest packages."),
            advanced=True,
        )
        self.addOutput(QgsProcessingOutputString(self.ENGINE_PYTHON, tr("Interpreter of the engine")))

    @plainly
    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Set up and test."""
        source = engine_source()
        if source is None:
            raise QgsProcessingException(tr("This copy of the plugin lacks the engine's source: install it again."))
        try:
            plan = self._plan(parameters, context, source)
            feedback.pushInfo(
                tr("Python {version}: {path}").format(
                    version=".".join(map(str, plan.python.version)), path=plan.python.path
                )
            )
            shown: list[str] = []

            def progress(percent: float, what: str) -> None:
                feedback.setProgress(percent)
                if what and what not in shown:
                    shown.append(what)
                    feedback.setProgressText(what)

            def test(python: Path) -> None:
                facts = run_engine("diagnose", {}, feedback, python=python)
                feedback.pushInfo(f"\n{report({**surroundings(), 'interpreter': python, **facts})}\n")

            python = Installer(plan, feedback.pushConsoleInfo, progress, feedback.isCanceled, test).run()
        except SetupError as error:
            raise QgsProcessingException(str(error)) from error
        except (Cancelled, EngineCancelled) as error:
            raise QgsProcessingException(tr("Cancelled.")) from error
        used = settings.python()
        if used != python:
            text = tr("The engine is set up, but the settings name another interpreter, which stays in use: {python}")
            feedback.pushWarning(text.format(python=used))
        return {self.ENGINE_PYTHON: str(python)}

    def _plan(self, parameters: dict[str, Any], context: QgsProcessingContext, source: Path) -> Plan:
        compute = self.parameterAsString(parameters, self.COMPUTE, context)
        if compute not in COMPUTE[1:]:
            compute = "cuda" if shutil.which("nvidia-smi") else "cpu"
        wheels = self.parameterAsString(parameters, self.WHEELS, context)
        index = self.parameterAsString(parameters, self.TORCH_INDEX, context)
        return Plan(
            home=settings.engine_home(),
            source=source,
            python=choose_python(self.parameterAsString(parameters, self.PYTHON, context)),
            compute=compute,
            torch_index=torch_index(index, compute),
            wheels=Path(wheels) if wheels else None,
            renew=self.parameterAsBoolean(parameters, self.RENEW, context),
        )

    def postProcessAlgorithm(  # noqa: N802
        self, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Let the toolbox take back its warning that there is no engine."""
        provider = self.provider()
        if provider is not None:
            provider.refreshAlgorithms()
        return {}
