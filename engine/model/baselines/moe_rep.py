"""Replacement-based mixture of experts: whole MLPs in the place of the MLP, chosen by the token (arXiv 2201.05596).

MLP'(z) = sum_k w_k (U_k s(F_k z + f_k) + u_k), k among the top experts of a router that looks at z alone

Every expert starts as a copy of the block's MLP (sparse upcycling, arXiv 2212.05055) and is trained in full. The MaMOL
paper says of this comparator that it "substitutes missing modality representations"; the work that it cites routes
tokens and substitutes nothing, and that is what is built here. All experts run as one wide MLP whose hidden units are
weighed: two matrix products, however many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.baselines.token_router import TokenRouter

if TYPE_CHECKING:
    from engine.model.backbone import Block


class ReplacingExperts(nn.Module):
    """Experts that replace the MLP of one block, which loses its own.

    Args:
        block: whose MLP is copied, and taken away.
        experts: number of experts, E.
        top_k: how many of them serve a token.
    """

    replaces_mlp = True
    norm = None

    def __init__(self, block: Block, *, experts: int, top_k: int) -> None:
        super().__init__()
        self.router = TokenRouter(width=block.fc1.in_features, experts=experts, top_k=top_k, noisy=False)
        # Expert e owns rows e H to (e + 1) H of the first product, and these columns of the second.
        self.first_LD = _copies(block.fc1.weight, experts, dim=0)
        self.first_bias_L = _copies(block.fc1.bias, experts, dim=0)
        self.second_DL = _copies(block.fc2.weight, experts, dim=1)
        self.second_bias_ED = _copies(block.fc2.bias[None], experts, dim=0)
        del block.fc1, block.fc2

    def forward(self, z_NTD: Tensor, present_NTM: Tensor, block: Block) -> Tensor:
        """The MLP's update, `(N, T, D)`; `present_NTM` is not looked at."""
        weight_NTE = self.router(z_NTD, present_NTM)
        hidden_NTL = block.activate(functional.linear(z_NTD, self.first_LD, self.first_bias_L))  # L = E H
        weight_NTE = weight_NTE.to(hidden_NTL.dtype)
        weighed_NTEH = hidden_NTL.view(*weight_NTE.shape, -1) * weight_NTE[..., None]
        bias_NTD = weight_NTE @ self.second_bias_ED.to(weight_NTE.dtype)
        update_NTD: Tensor = functional.linear(weighed_NTEH.flatten(-2), self.second_DL) + bias_NTD
        return update_NTD


def _copies(tensor: Tensor, count: int, dim: int) -> nn.Parameter:
    """`tensor` so many times along an axis; nothing is copied where a network is only laid out (see `start.py`)."""
    copies = torch.empty([size * (count if axis == dim else 1) for axis, size in enumerate(tensor.shape)])
    if not copies.is_meta:
        for part in copies.chunk(count, dim):
            part.copy_(tensor.detach())
    return nn.Parameter(copies)
