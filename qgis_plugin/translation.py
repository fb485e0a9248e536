"""Texts in the user's language: English in the source, other languages in i18n/."""

from pathlib import Path
from typing import Optional

from qgis.PyQt.QtCore import QCoreApplication, QTranslator

_CONTEXT = "MaMOL"
_FOLDER = Path(__file__).parent / "i18n"


def tr(text: str) -> str:
    """Translate a text that a user reads."""
    return QCoreApplication.translate(_CONTEXT, text)


def load_translator(locale: str) -> Optional[QTranslator]:
    """Make the translator of a locale such as `de_AT`, None where there is none. The caller installs and keeps it."""
    for name in (locale, locale[:2]):
        file = _FOLDER / f"mamol_{name}.qm"
        translator = QTranslator()
        if file.is_file() and translator.load(str(file)):
            return translator
    return None
