"""The dynamic router: which pattern experts serve a token.

g = softmax(W f([z; m])) (paper, eq. 6), z the token, m its availability row, f a Linear with GELU. The K largest gates
are used with their raw probability as weight, the others are 0. To learn what each half is worth, a router may see the
token or the row alone. Always in float32: in bfloat16 two gates of 0.501 and 0.499 are one number, and the choice of an
expert would hang on rounding.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

RouterInput = Literal["both", "token", "pattern"]

_NARROWEST, _WIDEST = 16, 96  # of the hidden layer: in float32 it costs more than its share of a wide block


class PatternRouter(nn.Module):
    """Top-k gate over pattern experts.

    Args:
        width: D of the tokens.
        modalities: length of an availability row, M.
        experts: number of experts, E.
        top_k: how many of them serve a token.
        sees: what it goes by: the token and its row, or one of them.
    """

    def __init__(self, *, width: int, modalities: int, experts: int, top_k: int, sees: RouterInput = "both") -> None:
        super().__init__()
        if not 1 <= top_k <= experts:
            raise ValueError(f"top_k must lie in 1 to {experts} (the experts), got {top_k}")
        self.top_k = top_k
        self.seen = (0 if sees == "pattern" else width, 0 if sees == "token" else modalities)
        self.features = nn.Linear(sum(self.seen), min(max(_NARROWEST, width // 4), _WIDEST))
        self.scores = nn.Linear(self.features.out_features, experts)

    def forward(self, z_NTD: Tensor, present_NTM: Tensor) -> Tensor:
        """Weight of each expert at each token: `(N, T, E)` in float32 (float64 for float64 tokens), at most K not 0."""
        dtype = torch.promote_types(z_NTD.dtype, torch.float32)
        width, modalities = self.seen
        token_weight, row_weight = self.features.weight.tensor_split([width], dim=1)
        z_NTD, present_NTM = z_NTD[..., :width], present_NTM[..., :modalities]
        with torch.autocast(z_NTD.device.type, enabled=False):
            # f([z; m]) without a copy of every token beside its row
            row_NTH = functional.linear(present_NTM.to(dtype), row_weight, self.features.bias)
            hidden_NTH = functional.gelu(functional.linear(z_NTD.to(dtype), token_weight) + row_NTH)
            gate_NTE: Tensor = self.scores(hidden_NTH).softmax(dim=-1)
            if self.top_k == gate_NTE.shape[-1]:
                return gate_NTE
            chosen = gate_NTE.topk(self.top_k, dim=-1)
            return torch.zeros_like(gate_NTE).scatter(-1, chosen.indices, chosen.values)
