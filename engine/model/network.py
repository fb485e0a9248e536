"""The whole network: stems -> one shared Vision Transformer with adapters -> read-out -> fusions and heads.

Beside the transformer, a pixel may speak for itself (`PixelBranch`). Its feature is added to that of its tokens, and
the answer is the mean of the head's scores with tokens and without: two readings that err differently.

A modality is encoded only for windows where it has data; the windows of all modalities then form one batch, so that
every block runs once, whatever the number of sensors. What a window's result is never depends on its neighbours in the
batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from engine.model.backbone import VisionTransformer
from engine.model.fusion import Classifier, Features, shown
from engine.model.inputs import PixelIndex, clean
from engine.model.mamol import MaMOLAdapter
from engine.model.pixels import PixelBranch
from engine.model.readout import Readout, core_offset, core_presence
from engine.model.tokens import Stem, presence_rows

Absent = Literal["skip", "dummy"]


class _Part(NamedTuple):
    """The windows of one modality that are encoded: all of the batch (`rows` None) or those that have it."""

    modality: int
    rows: Tensor | None
    values_NCHW: Tensor
    valid_NHW: Tensor
    present_NTM: Tensor


class MaMOLNetwork(nn.Module):
    """Classes from whatever modalities are there.

    Args:
        stems: tokenisers, one per modality, in model order.
        backbone: the shared encoder.
        adapters: for the last blocks of the backbone, in order.
        readout: tokens to features of the predicted pixels.
        classifiers: features of all modalities to class scores; the mean of theirs is the answer.
        pixels: a pixel's own feature, for dense read-outs; None leaves it out.
        token_dropout: share of training windows that a step sees without tokens, where there is `pixels`.
        window: side of the input, pixels.
        token_px: side of a token, pixels.
        core: side of the predicted inner square, pixels; 1 for a centre read-out.
        absent: "skip": the feature of a modality absent at a pixel is zero, and it is not encoded where a window has
            none of it (paper, section 4.1); "dummy": its dummy tokens are encoded and their features used (paper,
            section 3).
        freeze_backbone: keep the backbone's weights as they are.
        backbone_name: where the backbone came from, as in the configuration.
        backbone_sha256: identity of the weights that it started from; None for ours, which starts at random.
    """

    def __init__(
        self,
        *,
        stems: Sequence[Stem],
        backbone: VisionTransformer,
        adapters: Sequence[MaMOLAdapter],
        readout: Readout,
        classifiers: Sequence[Classifier],
        pixels: PixelBranch | None,
        token_dropout: float,
        window: int,
        token_px: int,
        core: int,
        absent: Absent,
        freeze_backbone: bool,
        backbone_name: str,
        backbone_sha256: str | None,
    ) -> None:
        super().__init__()
        self.stems = nn.ModuleList(stems)
        self.backbone = backbone
        self.adapters = nn.ModuleList(adapters)
        self.readout = readout
        self.classifiers = nn.ModuleList(classifiers)
        self.pixels, self.token_dropout = pixels, token_dropout
        self.window, self.token_px, self.core, self.absent = window, token_px, core, absent
        self.frozen_backbone = freeze_backbone
        self.backbone_name, self.backbone_sha256 = backbone_name, backbone_sha256
        if freeze_backbone:
            backbone.requires_grad_(False)

    def forward(
        self,
        values: Sequence[Tensor | None],
        valid_BMHW: Tensor,
        compute: Sequence[bool] | None = None,
        at: PixelIndex | None = None,
    ) -> Tensor:
        """Class scores (logits) of the core's pixels.

        Args:
            values: standardised values of each modality, `(B, C, H, W)`; anything, also NaN, under invalid pixels.
                None is allowed for a modality that is absent from every window.
            valid_BMHW: bool, where each modality has data.
            compute: which modalities to encode, where the caller knows: False promises that no window has it, True
                encodes it for every window. Saves looking at the mask (and, on a GPU, waiting for it); never changes
                the result.
            at: which pixels of the cores to predict, where not all of them are wanted: training has few labels in a
                core, and need not pay for the others.

        Returns:
            `(B, Y, K, K)`; `(B, Y)` for a centre read-out; `(A, Y)` for the pixels `at`.
        """
        present = core_presence(valid_BMHW, self.core)
        present = present if at is None else present[at]
        tokens, own = self._features(values, valid_BMHW, compute, at)
        if self.absent == "skip":
            tokens = shown(tokens, present)
        if own is None:
            return self._shaped(self._classify(tokens, present), at)
        own = shown(own, present)  # always: a dummy token stands for a gap, hidden numbers must not
        if self.training:
            kept_B = torch.rand(len(valid_BMHW), device=valid_BMHW.device) >= self.token_dropout
            kept = kept_B[:, None, None, None] if at is None else kept_B[at[0], None]
            return self._shaped(self._classify(_sums(own, tokens, kept), present), at)
        both, alone = self._classify(_sums(own, tokens), present), self._classify(own, present)
        return self._shaped((both + alone) / 2, at)

    def describe(self, values: Sequence[Tensor], valid_BMHW: Tensor, at: PixelIndex) -> list[Tensor]:
        """Numbers of chosen pixels, `(A, V)` for each modality, for `classify_numbers`; needs `pixels`."""
        assert self.pixels is not None
        return [
            self.pixels.numbers(clean(values_BCHW, valid_BMHW[:, modality]), valid_BMHW[:, modality], modality, at)
            for modality, values_BCHW in enumerate(values)
        ]

    def classify_numbers(self, numbers: Sequence[Tensor], present_AM: Tensor, noise: float = 0.0) -> Tensor:
        """Class scores `(A, Y)` of pixels by their own numbers alone.

        Args:
            numbers: from `describe`.
            present_AM: under which patterns.
            noise: deviation of what is added to the encoded numbers.
        """
        assert self.pixels is not None
        own = [self.pixels(numbers_AV, modality, noise) for modality, numbers_AV in enumerate(numbers)]
        return self._classify(shown(own, present_AM), present_AM)

    def _shaped(self, logits: Tensor, at: PixelIndex | None) -> Tensor:
        """`(B, K, K, Y)` as callers want it; scores of chosen pixels stay as they are."""
        if at is not None:
            return logits
        return logits[:, 0, 0] if self.readout.centre else logits.permute(0, 3, 1, 2)

    def _classify(self, features: Features, present_M: Tensor) -> Tensor:
        """Features `(..., F)` of the modalities and bool `(..., M)` to scores `(..., Y)`."""
        if all(feature is None for feature in features):  # no window has any data
            zero = self.backbone.prefix_PD.new_zeros(*present_M.shape[:-1], self.readout.output_width)
            features = [zero, *features[1:]]
        used = torch.ones_like(present_M) if self.absent == "dummy" else present_M
        scores: list[Tensor] = [classifier(features, used, present_M) for classifier in self.classifiers]
        return sum(scores[1:], scores[0]) / len(scores)

    def _features(
        self,
        values: Sequence[Tensor | None],
        valid_BMHW: Tensor,
        compute: Sequence[bool] | None,
        at: PixelIndex | None,
    ) -> tuple[Features, Features | None]:
        """Features of all modalities from tokens, and from the pixels themselves if there are such.

        `(B, K, K, F)` or `(A, F)` each; None for a modality that no window has.
        """
        prefix = self.backbone.prefix
        present_BTM = presence_rows(valid_BMHW, self.token_px, prefix)
        parts = []
        for modality, rows in self._encoded(valid_BMHW, compute):
            valid_NHW = _take(valid_BMHW[:, modality], rows)
            values_NCHW = clean(_take(self._given(values, modality, valid_BMHW), rows), valid_NHW)
            parts.append(_Part(modality, rows, values_NCHW, valid_NHW, _take(present_BTM, rows)))

        pixels = (len(valid_BMHW), self.core, self.core) if at is None else (len(at[0]),)
        shape = (*pixels, self.readout.output_width)
        features: Features = [None] * len(self.stems)
        own: Features = [None] * len(self.stems)
        if parts:
            tokens = [
                self.stems[part.modality](part.values_NCHW, part.present_NTM[:, prefix:, part.modality])
                for part in parts
            ]
            present_NTM = torch.cat([part.present_NTM for part in parts])
            encoded_NTD = self.backbone(torch.cat(tokens), self.adapters, present_NTM, self.readout.keep)
            for part, part_NTD in zip(parts, encoded_NTD.split([len(part.valid_NHW) for part in parts]), strict=True):
                places, part_at = (part.rows, None) if at is None else _pixels_of(at, part.rows, len(valid_BMHW))
                modality = part.modality
                features[modality] = _put_back(self.readout(part_NTD, part_at), places, shape)
                if self.pixels is not None:
                    numbers = self.pixels.numbers(part.values_NCHW, part.valid_NHW, modality, part_at)
                    own[modality] = _put_back(self.pixels(numbers, modality), places, shape)
        return features, None if self.pixels is None else own

    def _encoded(self, valid_BMHW: Tensor, compute: Sequence[bool] | None) -> Iterator[tuple[int, Tensor | None]]:
        """Which windows to encode of each modality: (modality, their numbers or None for all of them)."""
        if self.absent == "dummy":
            yield from ((modality, None) for modality in range(len(self.stems)))
        elif compute is not None:
            yield from ((modality, None) for modality, wanted in enumerate(compute) if wanted)
        else:
            for modality, has_B in enumerate(valid_BMHW.flatten(2).any(dim=2).unbind(dim=1)):
                rows = has_B.nonzero()[:, 0]
                if len(rows):
                    yield modality, None if len(rows) == len(has_B) else rows

    def _given(self, values: Sequence[Tensor | None], modality: int, valid_BMHW: Tensor) -> Tensor:
        given = values[modality]
        if given is not None:
            return given
        batch, _, height, width = valid_BMHW.shape
        bands = cast(Stem, self.stems[modality]).bands
        return torch.zeros(batch, bands, height, width, device=valid_BMHW.device)

    def fit_inputs(self, numbers: Sequence[Tensor], present_AM: Tensor) -> None:
        """Set what the pixel branch must know of the training pixels; once, before training from scratch.

        Args:
            numbers: of training pixels, as `describe` gives them.
            present_AM: which modalities these pixels have.
        """
        assert self.pixels is not None
        for modality, numbers_AV in enumerate(numbers):
            self.pixels.fit(numbers_AV[present_AM[:, modality]], modality)

    @property
    def core_offset(self) -> int:
        """First row and column of the core inside a window."""
        return core_offset(self.window, self.core)

    def trainable_state(self) -> dict[str, Tensor]:
        """All weights and input facts but those of a frozen backbone, by name."""
        return {
            name: tensor
            for name, tensor in self.state_dict().items()
            if not (self.frozen_backbone and name.startswith("backbone."))
        }


def _sums(own: Features, tokens: Features, share: Tensor | None = None) -> Features:
    """Pixels' own features and those of their tokens, or `share` of these; both lack the same modalities."""
    return [
        None if mine is None or token is None else mine + (token if share is None else token * share)
        for mine, token in zip(own, tokens, strict=True)
    ]


def _take(tensor: Tensor, rows: Tensor | None) -> Tensor:
    return tensor if rows is None else tensor.index_select(0, rows)


def _pixels_of(at: PixelIndex, rows: Tensor | None, windows: int) -> tuple[Tensor | None, PixelIndex]:
    """The pixels that lie in windows `rows`: their numbers (None for all), and where they are among these windows."""
    if rows is None:
        return None, at
    window, row, col = at
    place = torch.full((windows,), -1, device=rows.device)
    place[rows] = torch.arange(len(rows), device=rows.device)
    chosen = (place[window] >= 0).nonzero()[:, 0]
    return chosen, (place[window[chosen]], row[chosen], col[chosen])


def _put_back(feature: Tensor, places: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    """Windows (or pixels) `places` among all, zeros elsewhere."""
    if places is None:
        return feature
    zeros = torch.zeros(shape, dtype=feature.dtype, device=feature.device)
    return zeros.index_copy(0, places, feature)
