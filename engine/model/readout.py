"""From encoded tokens to one feature per predicted pixel and modality.

`CentreReadout` is the paper's: the class token speaks for the centre pixel. `DenseReadout` is ours: every pixel of the
core gets its own feature, a sum of its own token and the class token. Tokens are projected before they are spread over
pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.model.dropout import Dropout
from engine.model.inputs import PixelIndex


class CentreReadout(nn.Module):
    """The class token's feature stands for the centre pixel."""

    centre = True

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.output_width = width
        self.keep: tuple[int, ...] | None = (0,)

    def forward(self, encoded_NTD: Tensor, at: PixelIndex | None = None) -> Tensor:
        """Return `(N, 1, 1, D)`, or `(A, D)` for the windows of `at`; only the class token is looked at."""
        return encoded_NTD[:, :1, None] if at is None else encoded_NTD[at[0], 0]


class DenseReadout(nn.Module):
    """A feature for each pixel of the core, of the token in which it lies and of the class token.

    Args:
        width: width of encoded tokens.
        feature_width: F.
        prefix: tokens before the grid's.
        grid: tokens along a side, G.
        token_px: pixels along a token's side.
        core: pixels along the core's side, K.
    """

    centre = False

    def __init__(self, *, width: int, feature_width: int, prefix: int, grid: int, token_px: int, core: int) -> None:
        super().__init__()
        self.output_width = feature_width
        self.prefix, self.grid, self.token_px, self.core = prefix, grid, token_px, core
        self.own = nn.Linear(width, feature_width)
        self.whole = nn.Linear(width, feature_width)
        # The last block need not compute tokens that no pixel of the core reads.
        first, last = _tokens_of_core(grid, token_px, core)
        rows = range(first, last)
        self.kept_first, self.kept = first, len(rows)
        self.keep: tuple[int, ...] | None = (
            *range(prefix), *(prefix + row * grid + col for row in rows for col in rows)
        )  # fmt: skip

    def forward(self, encoded_NTD: Tensor, at: PixelIndex | None = None) -> Tensor:
        """Return `(N, K, K, F)`, or `(A, F)` for the pixels `at`.

        Args:
            encoded_NTD: the tokens numbered by `keep`.
            at: the pixels to describe, all of the core's by default.
        """
        map_NGGD = encoded_NTD[:, self.prefix :].reshape(len(encoded_NTD), self.kept, self.kept, -1)
        return self._to_pixels(self.own(map_NGGD) + self.whole(encoded_NTD[:, 0])[:, None, None], at)

    def _to_pixels(self, map_NGGF: Tensor, at: PixelIndex | None) -> Tensor:
        """Token features at the pixels of the core: `(N, K, K, F)`, or `(A, F)`."""
        offset = core_offset(self.grid * self.token_px, self.core) - self.kept_first * self.token_px
        if at is None:
            own = torch.arange(offset, offset + self.core, device=map_NGGF.device) // self.token_px
            return map_NGGF[:, own[:, None], own]
        window, row, col = at
        return map_NGGF[window, (offset + row) // self.token_px, (offset + col) // self.token_px]


Readout = CentreReadout | DenseReadout


class PixelHead(nn.Module):
    """Fused feature to classes, for dense read-outs: a hidden layer, which also knows which sensors there are.

    Args:
        width: of the fused feature.
        modalities: M.
        hidden: width of the hidden layer.
        classes: Y.
        dropout: before both products.
    """

    def __init__(self, *, width: int, modalities: int, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.pattern = nn.Linear(modalities, width)
        self.layers = nn.Sequential(
            nn.GELU(), Dropout(dropout), nn.Linear(width, hidden),
            nn.GELU(), Dropout(dropout), nn.Linear(hidden, classes),
        )  # fmt: skip

    def forward(self, feature: Tensor, present_M: Tensor) -> Tensor:
        """`(..., width)` and bool `(..., M)` to `(..., Y)`."""
        scores: Tensor = self.layers(feature + self.pattern(present_M.to(feature.dtype)))
        return scores


class LinearHead(nn.Module):
    """Fused feature to classes by one product, as in the paper."""

    def __init__(self, *, width: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(Dropout(dropout), nn.Linear(width, classes))

    def forward(self, feature: Tensor, present_M: Tensor) -> Tensor:
        """`(..., width)` to `(..., Y)`."""
        scores: Tensor = self.layers(feature)
        return scores


def core_offset(window: int, core: int) -> int:
    """First row (and column) of the core inside the window; a core of 1 is pixel `window // 2`, as in the paper."""
    return (window - core + 1) // 2


def core_presence(valid_BMHW: Tensor, core: int) -> Tensor:
    """Availability of each pixel of the core: bool `(B, K, K, M)`."""
    offset = core_offset(valid_BMHW.shape[-1], core)
    inner = slice(offset, offset + core)
    # A copy with rows side by side: products with it, several for each pixel, then add their bias in the same pass.
    return valid_BMHW[:, :, inner, inner].permute(0, 2, 3, 1).contiguous()


def _tokens_of_core(grid: int, token_px: int, core: int) -> tuple[int, int]:
    """First token row (or column) that has a pixel of the core, and one past the last."""
    offset = core_offset(grid * token_px, core)
    return offset // token_px, (offset + core - 1) // token_px + 1
