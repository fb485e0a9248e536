"""Everything that the user, not the developer, must change.

One root, `EngineError`: the command line prints its message as one sentence and exits with 2. A message says what is
wrong, where, expected vs got, and what to do. Leaves are also the builtin they resemble, so that library users can
catch either. Any other exception is a bug of ours (exit 1, with a traceback).
"""


class EngineError(Exception):
    """Bad input: the user has to change something."""


class ConfigError(EngineError, ValueError):
    """A configuration or an argument is wrong."""


class RasterOpenError(EngineError, OSError):
    """A raster is missing, unreadable or truncated."""


class GridMismatchError(EngineError, ValueError):
    """Layers cannot be brought onto one grid: no overlap, or a CRS is missing beside layers that have one."""


class BandCountError(EngineError, ValueError):
    """A layer's bands do not fit the model or the configuration."""


class NodataError(EngineError, ValueError):
    """No valid pixel where at least one is needed."""


class LabelError(EngineError, ValueError):
    """Labels are missing, outside the grid, of one class only, or their field is unknown."""


class SplitError(EngineError, ValueError):
    """The labels cannot be split as asked."""


class ModalityError(EngineError, ValueError):
    """A modality is unknown, given twice, or none is given."""


class ModelFileError(EngineError, ValueError):
    """A model file is truncated, foreign, or from another version."""


class WeightsError(EngineError, ValueError):
    """Backbone weights are missing or not those that the model was trained with."""


class OutputError(EngineError, OSError):
    """An output cannot be written: not writable, exists already, or the disk is full."""


class ResumeError(EngineError, ValueError):
    """What is to be resumed does not belong to this job."""


class ProcessError(EngineError, ConnectionError):
    """Another process of the same job has failed or is gone."""


class BatchError(EngineError):
    """Scenes of a batch could not be mapped, or its cluster cannot be reached."""


class Cancelled(Exception):
    """The user stopped the job (SIGINT, SIGTERM): exit code 3. Not an error."""
