"""Reports that the plugin itself writes: whether they can be written is known before the work, not after it."""

from pathlib import Path

from qgis.core import QgsProcessingException

from .translation import tr


def check_report(path: str) -> None:
    """Make a report's folder, and try the file; nothing of it stays.

    Raises:
        QgsProcessingException: it cannot be written.
    """
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = not file.exists()
        with file.open("a", encoding="utf-8"):
            pass
        if new:
            file.unlink()
    except OSError as error:
        raise _cannot(path, error) from error


def write_report(path: str, text: str) -> None:
    """Write a report.

    Raises:
        QgsProcessingException: it cannot be written after all.
    """
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _cannot(path, error) from error


def _cannot(path: str, error: OSError) -> QgsProcessingException:
    message = tr("{path}: the report cannot be written ({reason}); choose another file.")
    return QgsProcessingException(message.format(path=path, reason=error.strerror or error))
