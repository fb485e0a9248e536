"""A bank of low-rank experts that runs as one pair of matrix products.

Expert e maps z to (z A_e) B_e. All A side by side and all B on top of each other give every expert's sum in two
products: sum_e w_e (z A_e) B_e = ((z A) * w) B, where each expert's weight w_e scales its R columns of z A. B starts
at zero, so a new adapter changes nothing (LoRA, arXiv 2106.09685; the authors of MaMOL start from a random B).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.model.start import draw_normal


class LowRankBank(nn.Module):
    """`experts` LoRA pairs of one rank over one width, weighted per token.

    Args:
        width: D of the tokens.
        experts: number of experts, E.
        rank: rank of each expert, R.
        output: width of the result; default: D.
    """

    def __init__(self, *, width: int, experts: int, rank: int, output: int | None = None) -> None:
        super().__init__()
        self.down = nn.Linear(width, experts * rank, bias=False)  # expert e owns rows e R to (e + 1) R of its weight
        self.up = nn.Linear(experts * rank, output or width, bias=False)
        draw_normal(self.down.weight.data, std=width**-0.5)
        nn.init.zeros_(self.up.weight)

    def forward(self, z_NTD: Tensor, weight_NTE: Tensor, onto_NTD: Tensor | None = None) -> Tensor:
        """Weighted sum of all experts, `(N, T, output)`, added to `onto_NTD`."""
        return self.raised(self.down(z_NTD), weight_NTE, onto_NTD)

    def raised(self, low_NTL: Tensor, weight_NTE: Tensor, onto_NTD: Tensor | None = None) -> Tensor:
        """The second half: what all A have made of the tokens, L = E R, to the weighted sum."""
        low_NTER = low_NTL.view(*weight_NTE.shape, -1)
        weighted_NTL = (low_NTER * weight_NTE.to(low_NTER.dtype)[..., None]).flatten(-2)
        if onto_NTD is None:
            summed_NTD: Tensor = self.up(weighted_NTL)
        elif onto_NTD.dtype == weighted_NTL.dtype:  # the product adds as it goes, without a pass of its own
            flat = torch.addmm(onto_NTD.flatten(0, -2), weighted_NTL.flatten(0, -2), self.up.weight.T)
            summed_NTD = flat.view(onto_NTD.shape)
        else:
            summed_NTD = onto_NTD + self.up(weighted_NTL)
        return summed_NTD
