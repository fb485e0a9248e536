"""How the runs of a comparison were made, and on what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.benchmarks.document import Text
from engine.benchmarks.runs import Run


def protocol(runs: Sequence[Run]) -> Text:
    """What all runs have in common, and on what they ran."""
    names = ("backbone", "device", "precision", "torch", "steps")
    facts = {name: ", ".join(sorted(listed(runs, name))) for name in names}
    return Text(
        "Protocol",
        [
            "standard: spatial blocks with a buffer, or the official split; the same split, pixels, windows and number "
            "of steps for all methods of a scene and seed; MM's mixed samples come on top. One training with gaps over "
            "all incomplete patterns is tested with every pattern.",
            f"{len(runs)} runs; backbone {facts['backbone']}; {facts['device']}; {facts['precision']}; torch "
            f"{facts['torch']}; {facts['steps']} steps; median {np.median([run.seconds for run in runs]):.0f} s a run.",
        ],
    )


def listed(runs: Sequence[Run], fact: str) -> list[str]:
    """The values of a fact in the order of the runs, each once."""
    return list(dict.fromkeys(str(run.facts[fact]) for run in runs))
