"""Missing-aware prompts (MMP, arXiv 2303.03369): every pattern has prompts of its own in each prompted block.

Input level: P more tokens join the sequence at every prompted block and stay, so it grows by P each time. Attention
level: half of the P prompts are more keys, the other half their values, in that block only. The pattern is that of the
class token, the centre pixel's.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from engine.model.baselines.patterns import PatternTable
from engine.model.baselines.prompts import Prompts, Sequences

PromptLevel = Literal["input", "attention"]


class MissingAwarePrompts(nn.Module):
    """Prompts of all prompted blocks.

    Args:
        width: D of the tokens.
        modalities: M.
        blocks: how many blocks are prompted.
        length: prompts per block, P; even at the attention level.
        level: where they enter.
    """

    def __init__(self, *, width: int, modalities: int, blocks: int, length: int, level: PromptLevel) -> None:
        super().__init__()
        self.level: PromptLevel = level
        self.table = PatternTable(modalities, (blocks, length, width), std=0.02)

    def forward(self, x_NTD: Tensor, sequences: Sequences) -> Prompts:
        """The prompts of each prompted block, in order."""
        prompt_NLPD = self.table(sequences.present_NTM[:, 0])
        return Prompts(list(prompt_NLPD.unbind(dim=1)), "stay" if self.level == "input" else "attention")
