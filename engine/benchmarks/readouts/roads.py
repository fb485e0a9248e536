"""The roads to a read-out that is as good as one window for each pixel, and a hundred times as fast.

The shipped default leads, the tuned `centre` read-out is what it is held against; every other road leaves out or
changes one thing of the default.
"""

from __future__ import annotations

from engine.benchmarks.comparison.methods import Methods
from engine.benchmarks.suites import CENTRE, OURS, READOUTS

ROADS: Methods = {
    OURS: (),
    CENTRE: READOUTS[CENTRE],
    # What a pixel says for itself, and the squares whose mean and spread it pools.
    "tokens alone": ("model.pixels=false",),
    "no pooling": ("model.boxes=[]",),
    # Which pixels of a window are predicted, and what a token is.
    "inner 8 of 32": ("model.core=8",),
    "inner 36 of 48": ("model.window=48", "model.core=36"),
    "tokens of 4": ("model.token_px=4",),
    "tokens of 16": ("model.token_px=16",),
    # What is learnt from: the averaged network's answers where sensors are missing, and windows nobody labelled.
    "no distillation": ("training.teaching=0",),
    "labelled windows only": ("training.unlabelled=0",),
    "no regularisers": (
        "model.dropout=0", "model.token_dropout=0", "model.head_dropout=0", "training.noise=0",
        "training.label_smoothing=0",
    ),
}  # fmt: skip
