"""Reflectance of materials, drawn from textbook shapes: edges, absorption bands, slopes."""

from __future__ import annotations

import numpy as np


def spectra(nm: np.ndarray) -> dict[str, np.ndarray]:
    """Reflectance (bands,) of each material at wavelengths `nm`, fractions."""

    def edge(at: float, width: float) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-(nm - at) / width)))

    def band(at: float, width: float) -> np.ndarray:
        return np.asarray(np.exp(-(((nm - at) / width) ** 2)))

    water_bands = (1 - 0.5 * band(1450, 60)) * (1 - 0.6 * band(1940, 75))
    plants = 0.035 + 0.05 * band(550, 38)
    return {
        "leaf": (plants + 0.42 * edge(718, 14)) * (1 - 0.45 * edge(1350, 60)) * water_bands,
        "straw": (0.08 + 0.30 * edge(720, 160)) * (1 - 0.12 * band(2100, 60)),
        "soil": (0.06 + 0.30 * edge(760, 210)) * (1 - 0.22 * band(1930, 60)) * (1 - 0.10 * band(2205, 30)),
        "tile": (0.05 + 0.31 * edge(700, 150)) * (1 - 0.07 * band(880, 90)),
        "concrete": 0.18 + 0.08 * edge(900, 300),
        "asphalt": 0.07 + 0.05 * edge(1000, 400),
        "metal": 0.30 + 0.05 * band(700, 400),
        "water": 0.055 * band(540, 150) + 0.008,
        "turf": 0.04 + 0.07 * band(545, 45) + 0.22 * edge(790, 60),
        "rubber": 0.06 + 0.22 * edge(620, 40),
    }
