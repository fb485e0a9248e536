"""The small network that the model room's tests build."""

from __future__ import annotations

from typing import Any

from engine.modality import Modality

MODALITIES = (Modality("hsi", 7), Modality("lidar", 1), Modality("sar", 2))
CLASSES = 4
SMALL: dict[str, Any] = {
    "window": 12, "token_px": 2, "core": 6, "width": 32, "depth": 2, "heads": 2, "adapter_blocks": 2,
    "boxes": (3, 5), "feature_width": 24,
}  # fmt: skip
CENTRE: dict[str, Any] = SMALL | {"readout": "centre", "token_px": 1, "core": 1, "boxes": ()}
