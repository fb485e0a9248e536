"""Deep correlated prompts (DCP, arXiv 2410.06558): prompts that hang on the pattern, on each other, and on the input.

Each modality of a window has three groups of prompts. In the first prompted block:
    own      by whether this modality is there                          (M, 2, P, D) learnt
    common   by the pattern, the same for all modalities of the window  (2^M, P, D) learnt
    dynamic  queries of the modality that attend to its tokens          (M, P, D) learnt, one attention
In block l the prompts of all modalities together make those of each:  S_m^l = MLP_m,l(LN([S_1^(l-1); ...; S_M^(l-1)])).

A block's prompts take the place of the former block's. The published code forgets to train the queries of the dynamic
prompts; here they are trained. Its authors also train the last norm and projection of the backbone, which stays frozen
here as for all methods; and they have one attention for each modality, where we have one for all, as we have one
backbone. A modality that a window lacks has no tokens, and dynamic prompts of zero.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.baselines.patterns import PatternTable
from engine.model.baselines.prompts import Prompts, Sequences
from engine.model.start import draw_normal

_NARROWER = 16  # the MLPs' hidden width is this much smaller


class _Correlation(nn.Module):
    """From the prompts of all modalities in one block to those of the next: one bottleneck for each modality."""

    def __init__(self, width: int, modalities: int) -> None:
        super().__init__()
        hidden = max(4, width // _NARROWER)
        self.norm = nn.LayerNorm(width)
        self.down = nn.Linear(modalities * width, modalities * hidden)
        self.up_MHD = nn.Parameter(draw_normal(torch.empty(modalities, hidden, width), std=hidden**-0.5))
        self.bias_MD = nn.Parameter(draw_normal(torch.empty(modalities, width), std=0.02))

    def forward(self, prompt_BMPD: Tensor) -> Tensor:
        joined_BPL = self.norm(prompt_BMPD).transpose(1, 2).flatten(2)  # L = M D
        hidden_BPMH = functional.gelu(self.down(joined_BPL)).view(*joined_BPL.shape[:2], len(self.bias_MD), -1)
        return torch.einsum("bpmh,mhd->bmpd", hidden_BPMH, self.up_MHD) + self.bias_MD[:, None]


class CorrelatedPrompts(nn.Module):
    """Prompts of all prompted blocks.

    Args:
        width: D of the tokens.
        modalities: M.
        blocks: how many blocks are prompted.
        length: prompts per block, three groups of P.
    """

    def __init__(self, *, width: int, modalities: int, blocks: int, length: int) -> None:
        super().__init__()
        if length % 3:
            raise ValueError(f"three groups of prompts of one size cannot make {length}")
        group = length // 3
        self.own_M2PD = nn.Parameter(draw_normal(torch.empty(modalities, 2, group, width), std=0.02))
        self.common = PatternTable(modalities, (group, width), std=0.02)
        self.query_MPD = nn.Parameter(draw_normal(torch.empty(modalities, group, width), std=0.02))
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.correlations = nn.ModuleList(_Correlation(width, modalities) for _ in range(blocks - 1))

    def forward(self, x_NTD: Tensor, sequences: Sequences) -> Prompts:
        """The prompts of each prompted block, in order, from the tokens before the first block."""
        present_BM = sequences.present_BM
        own_BMPD = torch.where(present_BM[..., None, None], self.own_M2PD[:, 1], self.own_M2PD[:, 0])
        common_BMPD = self.common(present_BM)[:, None].expand_as(own_BMPD)
        prompt_BMPD = torch.cat([own_BMPD, common_BMPD, self._dynamic(x_NTD, sequences)], dim=2)
        place = sequences.window, sequences.modality
        blocks = [prompt_BMPD[place]]
        for correlation in self.correlations:
            prompt_BMPD = correlation(prompt_BMPD)
            blocks.append(prompt_BMPD[place])
        return Prompts(blocks, "replace")

    def _dynamic(self, x_NTD: Tensor, sequences: Sequences) -> Tensor:
        """What the queries find in each modality's tokens: `(B, M, P, D)`, 0 where a window has none of it."""
        key_NTD, value_NTD = self.key_value(x_NTD).chunk(2, dim=-1)
        query_NPD = self.query_MPD[sequences.modality].to(key_NTD.dtype)
        found_NPD: Tensor = self.out(functional.scaled_dot_product_attention(query_NPD, key_NTD, value_NTD))
        # A sequence of dummy tokens alone is sometimes encoded, sometimes not: it must not make a difference.
        each = torch.arange(len(x_NTD), device=x_NTD.device)
        has_N = sequences.present_NTM[each, :, sequences.modality].any(dim=1)
        found_NPD = torch.where(has_N[:, None, None], found_NPD, 0.0).to(self.query_MPD.dtype)
        nothing = self.query_MPD.new_zeros(sequences.windows, *self.query_MPD.shape)
        return nothing.index_put((sequences.window, sequences.modality), found_NPD)
