"""Band centres in nanometres, whatever unit a file writes them in."""

from __future__ import annotations

from collections.abc import Sequence

# Nanometres per unit, by the unit's first letters in lower case; both spellings of micro are in use.
_NANOMETRES = {"nano": 1.0, "nm": 1.0, "micro": 1000.0, "um": 1000.0, "µm": 1000.0, "μm": 1000.0}


def nanometres(values: Sequence[str | float], unit: str | None) -> tuple[float, ...] | None:
    """Band centres in nanometres, None where they are not numbers or not wavelengths.

    Args:
        values: one entry for each band, as written in the file.
        unit: as written in the file; where it is missing or unknown, centres below 100 are taken as micrometres.
    """
    try:
        centres = [float(value) for value in values]
    except ValueError:
        return None
    if not centres or min(centres) <= 0:
        return None
    written = (unit or "").strip().lower()
    factor = next((f for start, f in _NANOMETRES.items() if written.startswith(start)), None)
    if factor is None:
        # "Index", "GHz" and the like are no wavelengths; an empty or "Unknown" unit usually comes with some.
        if written not in ("", "unknown"):
            return None
        factor = 1000.0 if max(centres) < 100 else 1.0
    return tuple(round(centre * factor, 6) for centre in centres)
