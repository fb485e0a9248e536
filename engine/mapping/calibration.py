"""From scores to probabilities that mean what they say, for each pattern in its own way."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.modality import pattern_bits
from engine.modelfile import ModelInfo


class Calibration:
    """Scores to probabilities: softmax((logits + bias) / temperature), both of the pixel's own pattern.

    A pattern that the model was never evaluated on has neither: its scores are taken as they are.
    """

    def __init__(self, info: ModelInfo, device: torch.device) -> None:
        facts = {_bits(name, info.names): fact for name, fact in info.patterns.items()}
        known = sorted(facts)
        self.codes = torch.tensor(known, dtype=torch.int64, device=device)
        # One row more than there are patterns: the one for all others.
        bias = [facts[code].get("bias") or [0.0] * len(info.legend) for code in known] + [[0.0] * len(info.legend)]
        temperature = [facts[code].get("temperature") or 1.0 for code in known] + [1.0]
        self.bias_PY = torch.tensor(bias, dtype=torch.float32, device=device)
        self.temperature_P = torch.tensor(temperature, dtype=torch.float32, device=device)

    def __call__(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Probabilities (B, Y, K, K) of scores (B, Y, K, K) and pattern bits (B, K, K)."""
        place = torch.searchsorted(self.codes, codes)
        known = torch.cat([self.codes, self.codes.new_full((1,), -1)])[place] == codes
        row = torch.where(known, place, len(self.codes))
        corrected = logits + self.bias_PY[row].movedim(-1, 1)
        return torch.softmax(corrected / self.temperature_P[row][:, None], dim=1)


def _bits(pattern: str, names: Sequence[str]) -> int:
    """Bits of a pattern given by name."""
    parts = pattern.split("+")
    return pattern_bits(name in parts for name in names)
