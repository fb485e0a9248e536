"""Task-guided mixture of experts: LoRAs on both products of the MLP, mixed by the pattern alone (arXiv 2310.18339).

MLP'(z) = U' s(F' z + f) + u,  F' = F + sum_e g_e B_e A_e,  U' likewise,  g = softmax(W Emb(pattern))

The task is the missing pattern: every pattern has an embedding of its own, so their number doubles with each modality.
All experts serve every token; what they contribute hangs on nothing but what is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.model.baselines.patterns import PatternTable
from engine.model.lora import LowRankBank

if TYPE_CHECKING:
    from engine.model.backbone import Block

_EMBEDDING = 64


class TaskRouter(nn.Module):
    """Dense gate over experts by the pattern.

    Args:
        modalities: M.
        experts: number of experts, E.
    """

    def __init__(self, *, modalities: int, experts: int) -> None:
        super().__init__()
        self.patterns = PatternTable(modalities, (_EMBEDDING,), std=1.0)
        self.scores = nn.Linear(_EMBEDDING, experts, bias=False)

    def forward(self, z_NTD: Tensor, present_NTM: Tensor) -> Tensor:
        """Weight of each expert at each token, `(N, T, E)` float32 or wider; of `z_NTD` only the device counts."""
        with torch.autocast(z_NTD.device.type, enabled=False):
            gate_NTE: Tensor = self.scores(self.patterns(present_NTM)).softmax(dim=-1)
            return gate_NTE


class TaskExperts(nn.Module):
    """LoRA experts inside the MLP of one block.

    Args:
        width: D of the tokens.
        hidden: hidden width of the MLP, H.
        modalities: M.
        experts: number of experts, E.
        rank: of each LoRA, R.
    """

    replaces_mlp = True
    norm = None

    def __init__(self, *, width: int, hidden: int, modalities: int, experts: int, rank: int) -> None:
        super().__init__()
        self.router = TaskRouter(modalities=modalities, experts=experts)
        self.first = LowRankBank(width=width, experts=experts, rank=rank, output=hidden)
        self.second = LowRankBank(width=hidden, experts=experts, rank=rank, output=width)

    def forward(self, z_NTD: Tensor, present_NTM: Tensor, block: Block) -> Tensor:
        """The MLP's update, `(N, T, D)`."""
        gate_NTE = self.router(z_NTD, present_NTM)
        hidden_NTH = block.activate(block.fc1(z_NTD) + self.first(z_NTD, gate_NTE))
        update_NTD: Tensor = block.fc2(hidden_NTH) + self.second(hidden_NTH, gate_NTE)
        return update_NTD
