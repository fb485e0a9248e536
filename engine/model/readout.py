"""From encoded tokens to one feature per predicted pixel and modality.

`CentreReadout` is the paper's: the class token speaks for the centre pixel. `DenseReadout` is ours: every pixel of the
core gets its own feature, a sum of its own token, the tokens around it, and the class token. Tokens are projected
before they are spread over pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

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
    """A feature for each pixel of the core.

    Args:
        width: width of encoded tokens.
        feature_width: F.
        prefix: tokens before the grid's.
        grid: tokens along a side, G.
        token_px: pixels along a token's side.
        core: pixels along the core's side, K.
        own_token: use the token in which the pixel lies.
        context: side of the token neighbourhood that is averaged, odd; 0 leaves it out.
        class_token: use the class token.
        bilinear: read tokens bilinearly at the pixel's place, instead of its own token's.
    """

    centre = False

    def __init__(
        self,
        *,
        width: int,
        feature_width: int,
        prefix: int,
        grid: int,
        token_px: int,
        core: int,
        own_token: bool = True,
        context: int = 0,
        class_token: bool = True,
        bilinear: bool = False,
    ) -> None:
        super().__init__()
        if not (own_token or context or class_token):
            raise ValueError("a dense read-out needs at least one source of features")
        self.output_width = feature_width
        self.prefix, self.grid, self.token_px, self.core = prefix, grid, token_px, core
        self.context, self.bilinear = context, bilinear
        self.own = nn.Linear(width, feature_width) if own_token else None
        self.around = nn.Linear(width, feature_width) if context else None
        self.whole = nn.Linear(width, feature_width) if class_token else None
        # The last block need not compute tokens that no pixel of the core reads.
        first, last = _tokens_of_core(grid, token_px, core)
        reach = context // 2 + bilinear
        rows = range(max(0, first - reach), min(grid, last + reach))
        self.kept_first, self.kept = rows.start, len(rows)
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
        tokens = []
        if self.own is not None:
            tokens.append(self.own(map_NGGD))
        if self.around is not None:
            tokens.append(self._average(self.around(map_NGGD)))
        if self.whole is not None:
            tokens.append(self.whole(encoded_NTD[:, 0])[:, None, None].expand(-1, self.kept, self.kept, -1))
        return self._to_pixels(sum(tokens[1:], tokens[0]), at)

    def _average(self, map_NGGF: Tensor) -> Tensor:
        """Mean over the neighbourhood of each token, of those that are there."""
        image = map_NGGF.permute(0, 3, 1, 2)
        image = functional.avg_pool2d(image, self.context, 1, self.context // 2, count_include_pad=False)
        return image.permute(0, 2, 3, 1)

    def _to_pixels(self, map_NGGF: Tensor, at: PixelIndex | None) -> Tensor:
        """Token features at the pixels of the core: `(N, K, K, F)`, or `(A, F)`."""
        offset = core_offset(self.grid * self.token_px, self.core) - self.kept_first * self.token_px
        if self.bilinear and self.token_px > 1:
            image = map_NGGF.permute(0, 3, 1, 2)
            side = self.kept * self.token_px
            image = functional.interpolate(image, size=(side, side), mode="bilinear", align_corners=False)
            inner = slice(offset, offset + self.core)
            map_NKKF = image.permute(0, 2, 3, 1)[:, inner, inner]
            return map_NKKF if at is None else map_NKKF[at]
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
