"""The page in QGIS's options: which engine, where it computes, and a button that tests it. Needs a window."""

from typing import Optional

from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QPushButton, QSpinBox, QVBoxLayout, QWidget

from . import settings
from .algorithms.base import ICONS
from .translation import tr

TITLE = "MaMOL Land Cover"


class OptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page, below Processing."""

    def __init__(self) -> None:
        super().__init__(TITLE, QIcon(str(ICONS / "mamol.svg")))

    def path(self) -> list[str]:
        """Where in the tree of pages."""
        return ["Processing"]

    def createWidget(self, parent: Optional[QWidget]) -> QgsOptionsPageWidget:  # noqa: N802 - QGIS's name
        """Make the page."""
        return OptionsPage(parent)


class OptionsPage(QgsOptionsPageWidget):
    """Shows the settings, and keeps them when the dialog is accepted."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("mamolOptions")
        self.python = QgsFileWidget()
        self.python.setDialogTitle(tr("Python interpreter of the engine"))
        self.python.lineEdit().setPlaceholderText(tr('the one made by "Set up the engine"'))
        self.python.setFilePath(settings.engine_python())
        self.remote_command = QLineEdit(settings.remote_command())
        self.remote_command.setPlaceholderText("ssh -o BatchMode=yes gpu-server /opt/mamol/bin/python")
        self.remote_command.setToolTip(tr("Runs the engine on another machine or in a container. Empty: it runs here."))
        self.remote_folders = QLineEdit(settings.remote_folders())
        self.remote_folders.setPlaceholderText("/home/ann/data = /mnt/data; /home/ann/maps = /mnt/maps")
        self.remote_folders.setToolTip(
            tr(
                "Folders that both machines see, HERE = THERE, separated by semicolons. "
                "Empty: names are the same there."
            )
        )
        self.device = QComboBox()
        self.device.addItems(settings.DEVICES)
        self.device.setCurrentText(settings.device())
        self.threads = QSpinBox()
        self.threads.setRange(0, 1024)
        self.threads.setSpecialValueText(tr("all"))
        self.threads.setValue(settings.threads())
        self.memory = QSpinBox()
        self.memory.setRange(16, 1 << 20)
        self.memory.setSuffix(" MB")
        self.memory.setValue(settings.memory_mb())
        self.torch_index = QLineEdit(settings.torch_index())
        self.torch_index.setPlaceholderText(tr("the index of all other packages"))
        self.test = QPushButton(tr("Test the engine"))
        self.test.setToolTip(tr("Keeps these settings, and runs the algorithm that checks the engine"))
        self.test.clicked.connect(self.run_test)

        form = QFormLayout()
        form.addRow(tr("Engine interpreter"), self.python)
        form.addRow(tr("Command of a remote engine"), self.remote_command)
        form.addRow(tr("Folders there"), self.remote_folders)
        form.addRow(tr("Compute on"), self.device)
        form.addRow(tr("Processor threads"), self.threads)
        form.addRow(tr("Raster cache"), self.memory)
        form.addRow(tr("PyTorch's package index"), self.torch_index)
        note = QLabel(
            tr(
                "The engine runs in a Python environment of its own (3.11 or newer). Leave the interpreter empty and "
                'run the algorithm "Set up the engine", or choose a Python that has the engine\'s packages.'
            )
        )
        note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(note)
        layout.addLayout(form)
        layout.addWidget(self.test)
        layout.addStretch()

    def apply(self) -> None:
        """Keep what is shown."""
        settings.save(
            {
                settings.ENGINE_PYTHON: self.python.filePath().strip(),
                settings.REMOTE_COMMAND: self.remote_command.text().strip(),
                settings.REMOTE_FOLDERS: self.remote_folders.text().strip(),
                settings.DEVICE: self.device.currentText(),
                settings.THREADS: self.threads.value(),
                settings.MEMORY_MB: self.memory.value(),
                settings.TORCH_INDEX: self.torch_index.text().strip(),
            }
        )

    def run_test(self) -> None:
        """Open the algorithm that checks the engine."""
        import processing  # QGIS's; only there once its plugin is loaded

        self.apply()
        processing.execAlgorithmDialog("mamol:checkengine")
