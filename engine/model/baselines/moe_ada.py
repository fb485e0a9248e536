"""Adapter-based mixture of experts: copies of the MLP that differ by LoRAs, chosen by the token (MoE-LoRA).

MLP'(z) = sum_k w_k MLP_k(z),  MLP_k(z) = (U + B'_k A'_k) s((F + B_k A_k) z + f) + u

k among the top experts of a noisy router that looks at z alone. The large products F z and U (.) are shared: U is
linear, so the experts' hidden units are summed before it; F z is the same for all of them. The K experts of a token run
side by side, whatever E.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.model.baselines.token_router import TokenRouter
from engine.model.lora import LowRankBank

if TYPE_CHECKING:
    from engine.model.backbone import Block


class AdaptedExperts(nn.Module):
    """LoRA experts inside the MLP of one block.

    Args:
        width: D of the tokens.
        hidden: hidden width of the MLP, H.
        experts: number of experts, E.
        top_k: how many of them serve a token, K.
        rank: of each LoRA, R.
    """

    replaces_mlp = True
    norm = None

    def __init__(self, *, width: int, hidden: int, experts: int, top_k: int, rank: int) -> None:
        super().__init__()
        self.router = TokenRouter(width=width, experts=experts, top_k=top_k, noisy=True)
        self.first = LowRankBank(width=width, experts=experts, rank=rank, output=hidden)
        self.second = LowRankBank(width=hidden, experts=experts, rank=rank, output=width)

    def forward(self, z_NTD: Tensor, present_NTM: Tensor, block: Block) -> Tensor:
        """The MLP's update, `(N, T, D)`; `present_NTM` is not looked at."""
        weight_NTE = self.router(z_NTD, present_NTM)
        weight_NTK, chosen_NTK = weight_NTE.topk(self.router.top_k, dim=-1)
        only_NTKE = torch.zeros_like(weight_NTE)[..., None, :].expand(*chosen_NTK.shape, -1)
        only_NTKE = only_NTKE.scatter(-1, chosen_NTK[..., None], 1.0)  # each of the K places has one expert
        low_NTKL = self.first.down(z_NTD)[..., None, :].expand(*chosen_NTK.shape, -1)
        hidden_NTKH = block.activate(block.fc1(z_NTD)[..., None, :] + self.first.raised(low_NTKL, only_NTKE))
        weighed_NTKH = hidden_NTKH * weight_NTK[..., None].to(hidden_NTKH.dtype)
        low_NTKL = self.second.down(weighed_NTKH)
        update_NTD: Tensor = block.fc2(weighed_NTKH.sum(dim=-2)) + self.second.raised(low_NTKL, only_NTKE).sum(dim=-2)
        return update_NTD
