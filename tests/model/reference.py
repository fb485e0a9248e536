"""Slow, independent versions of the network's mathematics: one token at a time, numpy, loops over experts."""

from __future__ import annotations

import math

import numpy as np

from engine.model.mamol import MaMOLAdapter


def gelu(values: np.ndarray) -> np.ndarray:
    """Exact GELU."""
    return np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in values.ravel()]).reshape(values.shape)


def adapter_delta(
    adapter: MaMOLAdapter,
    z_NTD: np.ndarray,
    present_NTM: np.ndarray,
    rank: int,
    sees: str = "both",
    served_NTM: np.ndarray | None = None,
) -> np.ndarray:
    """Eq. 2, 4 to 8 of the paper, read from the adapter's weights expert by expert.

    `served_NTM`: which modality experts serve a token, where that is not those of all that is present.
    """
    weights = {name: value.detach().numpy() for name, value in adapter.named_parameters()}
    modalities = present_NTM.shape[-1]
    delta = np.zeros_like(z_NTD)
    for window, token in np.ndindex(z_NTD.shape[:2]):
        z, present = z_NTD[window, token], present_NTM[window, token]
        coefficients: list[float] = []
        if adapter.router is not None:
            halves = {"token": z, "pattern": present.astype(z.dtype)}
            mixed = np.concatenate(list(halves.values()) if sees == "both" else [halves[sees]])
            hidden = gelu(weights["router.features.weight"] @ mixed + weights["router.features.bias"])
            scores = weights["router.scores.weight"] @ hidden + weights["router.scores.bias"]
            gates = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
            chosen = np.argsort(-gates)[: adapter.router.top_k]
            coefficients += [gates[expert] if expert in chosen else 0.0 for expert in range(len(gates))]
        if adapter.shared:
            coefficients.append(1.0)
        if adapter.specific:
            serving = present if served_NTM is None else served_NTM[window, token]
            coefficients += [1.0 if serving[modality] else 0.0 for modality in range(modalities)]
        total = np.zeros_like(z)
        for expert, coefficient in enumerate(coefficients):
            ranks = slice(expert * rank, (expert + 1) * rank)
            total += coefficient * (weights["bank.up.weight"][:, ranks] @ (weights["bank.down.weight"][ranks] @ z))
        if adapter.projection is not None:
            total = weights["projection.weight"] @ gelu(total) + weights["projection.bias"]
        delta[window, token] = total
    return delta
