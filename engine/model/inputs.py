"""What the network looks at: clean values, and each pixel's own neighbourhood.

`LocalFeatures` describes a pixel by its bands and by their mean and spread over squares around it, then bends every one
of these numbers at quantiles of the training pixels: the thresholds of a random forest in a form that has gradients
(piecewise linear encoding, arXiv 2203.05556). It holds facts of the training pixels, set once by `fit` before training;
until then it assumes standard normal numbers. It runs in float32 whatever autocast says: a variance is a difference of
nearly equal numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import torch
from torch import Tensor, nn

# Chosen pixels of the cores: window number, row and column inside the core, `(A,)` each.
PixelIndex = tuple[Tensor, Tensor, Tensor]

_FIT_PIXELS = 50_000  # enough for quantiles to two digits
_CLIP = 3.0  # standard deviations; beyond them a number says "far out" and no more


def clean(values_BCHW: Tensor, valid_BHW: Tensor) -> Tensor:
    """Standardised values with 0 where invalid; anything, also NaN, may stand there.

    Outliers end at five deviations.
    """
    return torch.where(valid_BHW[:, None], values_BCHW, 0.0).clamp(-5.0, 5.0)


class LocalFeatures(nn.Module):
    """Numbers that describe each pixel of the core and its neighbourhood.

    Args:
        bands: of the modality, C.
        boxes: sides of the squares, pixels, odd; parts outside of the window or invalid do not count.
        bins: ramps between quantiles for each number; 0: the plain numbers only.
        window: side of the window, pixels.
        core: side of the core, pixels.
        offset: first row and column of the core.
    """

    mean_V: Tensor
    scale_V: Tensor
    edges_VQ: Tensor | None

    def __init__(self, *, bands: int, boxes: Sequence[int], bins: int, window: int, core: int, offset: int) -> None:
        super().__init__()
        if any(side < 1 or side % 2 == 0 for side in boxes):
            raise ValueError(f"sides of boxes must be odd, got {list(boxes)}")
        numbers = bands * (1 + 2 * len(boxes))
        self.boxes, self.window, self.core, self.offset = tuple(boxes), window, core, offset
        self.output_width = numbers * (1 + bins)
        self.register_buffer("mean_V", torch.zeros(numbers))
        self.register_buffer("scale_V", torch.ones(numbers))
        self.register_buffer("edges_VQ", _normal_quantiles(bins + 1, torch.empty(numbers, bins + 1)) if bins else None)

    def numbers(self, values_BCHW: Tensor, valid_BHW: Tensor, at: PixelIndex | None = None) -> Tensor:
        """Bands, then mean and spread of each over each box, as they are: `(B, K, K, V)`, or `(A, V)`."""
        with torch.autocast(values_BCHW.device.type, enabled=False):
            x_BCHW = values_BCHW.float()
            inner = slice(self.offset, self.offset + self.core)
            parts = [x_BCHW[:, :, inner, inner]]
            # Mean of x, of x squared, and of the mask (the share that counts), in one go.
            stack = torch.cat([x_BCHW, x_BCHW.square(), valid_BHW[:, None].to(x_BCHW.dtype)], dim=1)
            bands = x_BCHW.shape[1]
            for side in self.boxes:
                band_WK = self._band(side, stack.device)
                sums = band_WK.T @ (stack @ band_WK)
                count = sums[:, -1:].clamp(min=1.0)
                mean, square = sums[:, :bands] / count, sums[:, bands:-1] / count
                # The floor keeps the root's slope finite, and with it the noise of flat places small.
                parts += [mean, (square - mean.square()).clamp(min=0).add(1e-3).sqrt()]
            number_BKKV = torch.cat(parts, dim=1).permute(0, 2, 3, 1)
            # What follows runs along a pixel's numbers, several times as fast if they lie side by side.
            return number_BKKV.contiguous() if at is None else number_BKKV[at]

    @torch.no_grad()
    def encode(self, number_V: Tensor) -> Tensor:
        """Standardised numbers and their ramps: `(..., V)` to `(..., output_width)`; nothing here is learnt."""
        with torch.autocast(number_V.device.type, enabled=False):
            number_V = ((number_V.float() - self.mean_V) / self.scale_V).clamp_(-_CLIP, _CLIP)
            if self.edges_VQ is None:
                return number_V
            # All ramps of all pixels are what a map moves most of, so they are written once, where they belong: a ramp
            # is number * slope + rise, cut at -0.5 and 0.5.
            numbers, bins = self.edges_VQ.shape[0], self.edges_VQ.shape[1] - 1
            slope_VQ = 1 / self.edges_VQ.diff(dim=1).clamp(min=1e-3)
            rise_VQ = -self.edges_VQ[:, :-1] * slope_VQ - 0.5
            encoded = number_V.new_empty(*number_V.shape[:-1], self.output_width)
            encoded[..., :numbers] = number_V
            ramp_VQ = encoded[..., numbers:].view(*number_V.shape, bins)
            torch.addcmul(rise_VQ, number_V[..., None], slope_VQ, out=ramp_VQ)
            ramp_VQ.clamp_(-0.5, 0.5)
            return encoded

    @torch.no_grad()
    def fit(self, number_AV: Tensor) -> None:
        """Take mean, deviation and quantiles of every number over pixels `(A, V)`; fewer than two change nothing."""
        number_AV = _sample(number_AV)
        if len(number_AV) < 2:
            return
        self.mean_V.copy_(number_AV.mean(dim=0))
        deviation_V = number_AV.std(dim=0, correction=0)
        self.scale_V.copy_(torch.where(deviation_V > 1e-6, deviation_V, 1.0))
        if self.edges_VQ is not None:
            standard_AV = ((number_AV - self.mean_V) / self.scale_V).clamp(-_CLIP, _CLIP)
            place_Q = torch.linspace(0, len(standard_AV) - 1, self.edges_VQ.shape[1], device=standard_AV.device)
            self.edges_VQ.copy_(standard_AV.sort(dim=0).values[place_Q.round().long()].T)

    def _band(self, side: int, device: torch.device) -> Tensor:
        """`(W, K)` of ones where a window's column lies in the box of a core's column: box sums as a matrix product."""
        column_W1 = torch.arange(self.window, device=device)[:, None]
        centre_1K = torch.arange(self.offset, self.offset + self.core, device=device)
        return ((column_W1 - centre_1K).abs() <= side // 2).float()


def _normal_quantiles(count: int, edges_VQ: Tensor) -> Tensor:
    """Fill each row of `(V, count)` with quantiles of the standard normal; leave one on the meta device as it is."""
    if not edges_VQ.is_meta:
        shares = [0.02 + 0.96 * place / (count - 1) for place in range(count)]
        edges_VQ.copy_(torch.tensor([NormalDist().inv_cdf(share) for share in shares]))
    return edges_VQ


def _sample(rows: Tensor) -> Tensor:
    """At most `_FIT_PIXELS` rows, evenly spread."""
    return rows[:: max(1, -(-len(rows) // _FIT_PIXELS))]
