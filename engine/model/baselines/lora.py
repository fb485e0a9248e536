"""Plain LoRA (arXiv 2106.09685): one low-rank pair beside a block's MLP, the same whatever is missing.

delta(z) = B A z: MaMOL's shared expert alone. What MaMOL gains beyond it is gained by knowing what is missing.
"""

from __future__ import annotations

from torch import Tensor, nn

from engine.model.lora import LowRankBank


class LoraAdapter(nn.Module):
    """One LoRA of one block.

    Args:
        width: D of the tokens.
        rank: R.
    """

    replaces_mlp = False
    norm = None

    def __init__(self, *, width: int, rank: int) -> None:
        super().__init__()
        self.bank = LowRankBank(width=width, experts=1, rank=rank)

    def forward(self, z_NTD: Tensor, present_NTM: Tensor, update_NTD: Tensor | None = None) -> Tensor:
        """What is added to the MLP's update, `(N, T, D)`, or with it that update; `present_NTM` is not looked at."""
        delta_NTD: Tensor = self.bank(z_NTD, z_NTD.new_ones(*z_NTD.shape[:-1], 1), update_NTD)
        return delta_NTD
