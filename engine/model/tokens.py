"""From pixels to tokens: one stem for each modality, and which token has data of which modality.

Stem (paper, section 3.1, as the authors' code does it): Conv3x3 to S channels, then one convolution of the token's
size and stride to width D. Ours beyond the paper: a token without any valid pixel is the modality's learnable dummy
token.

Without an activation between them, two convolutions are one: of the token's size and one pixel more on each side. Its
weights follow from theirs, gradients included, and with few bands it costs a small part of what both cost.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.start import draw_normal


class Stem(nn.Module):
    """Tokeniser of one modality.

    Args:
        bands: of the modality, C.
        stem_width: channels between the two convolutions, S.
        width: token width, D.
        token_px: pixels along a token's side.
        activate: GELU between the two convolutions (the paper's are linear).
    """

    def __init__(self, *, bands: int, stem_width: int, width: int, token_px: int, activate: bool) -> None:
        super().__init__()
        self.bands, self.activate = bands, activate
        self.pixels = nn.Conv2d(bands, stem_width, kernel_size=3, padding=1)
        self.tokens = nn.Conv2d(stem_width, width, kernel_size=token_px, stride=token_px)
        self.dummy_D = nn.Parameter(draw_normal(torch.empty(width), std=0.02))

    def forward(self, values_BCHW: Tensor, present_BL: Tensor) -> Tensor:
        """Return tokens `(B, L, D)` in row order, L = G G.

        Args:
            values_BCHW: clean, 0 where invalid.
            present_BL: bool, whether each token has a valid pixel.
        """
        if self._is_cheaper_as_one:
            weight, bias = self._as_one()
            token_BDGG = functional.conv2d(values_BCHW, weight, bias, self.tokens.stride, padding=1)
        else:
            stem_BSHW = self.pixels(values_BCHW)
            token_BDGG = self.tokens(functional.gelu(stem_BSHW) if self.activate else stem_BSHW)
        token_BLD = token_BDGG.flatten(2).transpose(1, 2)
        return torch.where(present_BL[:, :, None], token_BLD, self.dummy_D.to(token_BLD.dtype))

    @property
    def _is_cheaper_as_one(self) -> bool:
        """By multiplications for one token."""
        side, stem, width = self.tokens.stride[0], self.tokens.in_channels, self.tokens.out_channels
        both = side**2 * stem * (9 * self.bands + width)
        return not self.activate and (side + 2) ** 2 * self.bands * width < both

    def _as_one(self) -> tuple[Tensor, Tensor]:
        """Weight `(D, C, P + 2, P + 2)` and bias `(D,)` of the one convolution, P pixels along a token's side."""
        outer_DSPP, inner_SC33 = self.tokens.weight, self.pixels.weight
        with torch.autocast(outer_DSPP.device.type, enabled=False):  # what is rounded here would be rounded twice
            # Every place of the outer kernel spreads the inner one around itself.
            weight = functional.conv_transpose2d(outer_DSPP, inner_SC33)
            assert self.pixels.bias is not None and self.tokens.bias is not None
            bias = self.tokens.bias + outer_DSPP.sum(dim=(2, 3)) @ self.pixels.bias
        return weight, bias


def presence_rows(valid_BMHW: Tensor, token_px: int, prefix: int) -> Tensor:
    """The availability row of every token: bool `(B, T, M)`.

    A token has a modality where any of its pixels has; prefix tokens carry the centre pixel's row.
    """
    batch, modalities, height, width = valid_BMHW.shape
    cells = valid_BMHW.reshape(batch, modalities, height // token_px, token_px, width // token_px, token_px)
    grid_BLM = cells.any(dim=5).any(dim=3).flatten(2).transpose(1, 2)
    centre_B1M = valid_BMHW[:, None, :, height // 2, width // 2]
    return torch.cat([centre_B1M.expand(-1, prefix, -1), grid_BLM], dim=1)


def with_own_row(present_NTM: Tensor, modality: int) -> Tensor:
    """Availability rows of one modality's tokens, each followed by the row of that modality alone: `(N, T, 2 M)`."""
    own_NTM = torch.zeros_like(present_NTM)
    own_NTM[..., modality] = present_NTM[..., modality]
    return torch.cat([present_NTM, own_NTM], dim=-1)
