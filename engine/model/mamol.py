"""The missing-aware mixture of LoRAs (MaMOL, arXiv 2511.11460), section 3.2 to 3.4.

delta(z, m) = sum_k g_k B_k A_k z  +  B_s A_s z  +  sum_j m_j B_j A_j z           (eq. 2, 4, 5, 7, 8)
              dynamic: top-k of E     shared         one expert per modality, on
              pattern experts         expert         exactly where j is present

It runs parallel to a block's MLP on z = LN2(x): x + MLP(z) + delta. Where we differ from the authors' code: modality
experts are gated by the availability row itself, not by a learnt code without gradient, B starts at zero, and the
GELU with an output projection around the sum is an option, as is eq. 3's LayerNorm over the updated stream.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.lora import LowRankBank
from engine.model.router import PatternRouter, RouterInput


class MaMOLAdapter(nn.Module):
    """Dynamic and static experts of one transformer block.

    Args:
        width: D of the tokens.
        modalities: M.
        rank: rank of every expert, R.
        dynamic_experts: number of pattern experts; 0 leaves the dynamic part out.
        top_k: how many pattern experts serve a token.
        shared: whether there is a shared expert.
        specific: whether there is one expert for each modality.
        norm: apply eq. 3's LayerNorm to the updated stream.
        projection: the authors' GELU and output projection around the sum.
        router_input: what the router goes by.
        own: a token is served by its own modality's expert alone; its availability row is then followed by the row of
            its own modality.
    """

    replaces_mlp = False

    def __init__(
        self,
        *,
        width: int,
        modalities: int,
        rank: int,
        dynamic_experts: int,
        top_k: int,
        shared: bool,
        specific: bool,
        norm: bool,
        projection: bool,
        router_input: RouterInput = "both",
        own: bool = False,
    ) -> None:
        super().__init__()
        experts = dynamic_experts + shared + modalities * specific
        if experts == 0:
            raise ValueError("an adapter needs at least one dynamic, shared or modality expert")
        self.shared, self.specific, self.own = shared, specific, own
        self.router = (
            PatternRouter(width=width, modalities=modalities, experts=dynamic_experts, top_k=top_k, sees=router_input)
            if dynamic_experts
            else None
        )
        self.bank = LowRankBank(width=width, experts=experts, rank=rank)
        self.projection = nn.Linear(width, width) if projection else None
        self.norm = nn.LayerNorm(width) if norm else None
        if self.projection is not None:
            nn.init.zeros_(self.projection.bias)

    def forward(self, z_NTD: Tensor, present_NTM: Tensor, update_NTD: Tensor | None = None) -> Tensor:
        """The residual that the experts add to a block's MLP, `(N, T, D)`, or with it the MLP's own.

        Args:
            z_NTD: normalised tokens.
            present_NTM: bool, each token's own availability row; with `own` twice as wide.
            update_NTD: the MLP's residual.
        """
        present_NTM, served_NTM = present_NTM.chunk(2, dim=-1) if self.own else (present_NTM, present_NTM)
        weights = [self.router(z_NTD, present_NTM)] if self.router is not None else []
        if self.shared:
            weights.append(torch.ones_like(present_NTM[..., :1]))
        if self.specific:
            weights.append(served_NTM)
        # Rows of zeros and ones are exact in any dtype; the gates come in float32 and lead.
        weight_NTE = torch.cat([weight.to(weights[0].dtype) for weight in weights], dim=-1)
        if self.projection is None:
            summed_NTD: Tensor = self.bank(z_NTD, weight_NTE, update_NTD)
            return summed_NTD
        delta_NTD: Tensor = self.projection(functional.gelu(self.bank(z_NTD, weight_NTE)))
        return delta_NTD if update_NTD is None else update_NTD + delta_NTD
