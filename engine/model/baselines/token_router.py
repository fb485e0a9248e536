"""A router that looks at the token alone, as the mixtures do that were not made for missing sensors.

g = softmax(W z), and in training, if noisy, softmax(W z + n softplus(V z)), n standard normal (arXiv 1701.06538). The K
largest are used, with weights that sum to 1. A balance loss keeps experts from starving:

    L = E sum_e share of tokens that e serves * mean gate of e              (arXiv 2101.03961, eq. 4)
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.start import draw_normal

Total = Callable[[Tensor], Tensor]


class TokenRouter(nn.Module):
    """Top-k gate over experts by the token.

    Args:
        width: D of the tokens.
        experts: number of experts, E.
        top_k: how many of them serve a token, K.
        noisy: add learnt noise in training.
    """

    def __init__(self, *, width: int, experts: int, top_k: int, noisy: bool) -> None:
        super().__init__()
        if not 1 <= top_k <= experts:
            raise ValueError(f"top_k must lie in 1 to {experts} (the experts), got {top_k}")
        self.top_k = top_k
        self.scores = nn.Linear(width, experts, bias=False)
        draw_normal(self.scores.weight.data, std=0.02)
        self.noise = nn.Linear(width, experts, bias=False) if noisy else None
        if self.noise is not None:
            nn.init.zeros_(self.noise.weight)
        self._seen: tuple[Tensor, Tensor] | None = None  # tokens that each expert serves; sum of their gates

    def forward(self, z_NTD: Tensor, present_NTM: Tensor) -> Tensor:
        """Weight of each expert at each token: `(N, T, E)` in float32 (float64 for float64 tokens), at most K not 0.

        The one expert of K = 1 has weight 1, but its gate's gradient: a start from pretrained weights changes nothing,
        and the router learns.
        """
        dtype = torch.promote_types(z_NTD.dtype, torch.float32)
        with torch.autocast(z_NTD.device.type, enabled=False):
            z_NTD = z_NTD.to(dtype)
            score_NTE: Tensor = self.scores(z_NTD)
            if self.noise is not None and self.training:
                score_NTE = score_NTE + torch.randn_like(score_NTE) * functional.softplus(self.noise(z_NTD))
            gate_NTE = score_NTE.softmax(dim=-1)
            chosen = gate_NTE.topk(self.top_k, dim=-1)
            total_NT1 = chosen.values.sum(dim=-1, keepdim=True)
            weight_NTK = chosen.values / (total_NT1.detach() if self.top_k == 1 else total_NT1)
            if self.training:
                served_NTE = torch.zeros_like(gate_NTE).scatter(-1, chosen.indices, 1.0)
                self._seen = served_NTE.flatten(0, 1).sum(dim=0), gate_NTE.flatten(0, 1).sum(dim=0)
            return torch.zeros_like(gate_NTE).scatter(-1, chosen.indices, weight_NTK)

    def take_balance(self, total: Total = Tensor.detach) -> Tensor | None:
        """The balance loss of the last pass in training, once; None where there was none.

        Args:
            total: adds up a tensor over all processes that share the batch. Their balance losses then add up to that
                of the whole batch: with the whole batch's served tokens, the loss is linear in the gates.
        """
        seen, self._seen = self._seen, None
        served_E = total(self.scores.weight.new_zeros(self.scores.out_features) if seen is None else seen[0])
        if seen is None:
            return None
        tokens = served_E.sum() / self.top_k
        return len(served_E) * (served_E / tokens * (seen[1] / tokens)).sum()
