"""What the titles of layers say: the names of sensors, cleaned for a new model, found again for a known one."""

import re
from collections.abc import Sequence

from .modelfile import Modality, Model


def cleaned(name: str) -> str:
    """A name for the engine: it joins those of combinations by "+", lists by ",", and takes NAME=FILE apart at "="."""
    return re.sub(r"[^\w-]+", "_", name).strip("_") or "layer"


def sensors_named(model: Model, title: str) -> list[Modality]:
    """Sensors that a title names: as a whole, or as training has cleaned it, or else among other words."""
    for same in (str.casefold, lambda text: cleaned(text).casefold()):
        whole = [modality for modality in model.modalities if same(modality.name) == same(title)]
        if whole:
            return whole
    words = {modality: _words(modality.name) for modality in model.modalities}
    found = [modality for modality in model.modalities if _within(words[modality], _words(title))]
    return [
        modality
        for modality in found
        # "dem slope 2020" is the sensor dem_slope, and not dem.
        if not any(words[modality] != words[more] and _within(words[modality], words[more]) for more in found)
    ]


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", text.casefold()) if word]


def _within(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether words follow each other in this order among others."""
    count = len(words)
    return count > 0 and any(others[at : at + count] == words for at in range(len(others) - count + 1))
