"""The whole network: stems -> one shared Vision Transformer with adapters -> read-out -> fusions and heads.

Beside the transformer, a pixel may speak for itself (`PixelBranch`). Its feature is added to that of its tokens, and
the answer is the mean of the head's scores with tokens and without: two readings that err differently.

A modality is encoded only for windows where it has data; the windows of all modalities then form one batch, so that
every block runs once, whatever the number of sensors. What a window's result is never depends on its neighbours in the
batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal, cast

import torch
from torch import Tensor, nn

from engine.model.backbone import Adapter, VisionTransformer
from engine.model.baselines.dcp import CorrelatedPrompts
from engine.model.baselines.mmp import MissingAwarePrompts
from engine.model.baselines.prompts import Sequences
from engine.model.baselines.token_router import TokenRouter, Total
from engine.model.fusion import Classifier, Features, shown
from engine.model.inputs import PixelIndex, clean
from engine.model.modulation import modulated
from engine.model.parts import Part, pixels_of, portions, put_back, sums, take
from engine.model.pixels import PixelBranch
from engine.model.readout import Readout, core_offset, core_presence
from engine.model.tokens import Stem, presence_rows, with_own_row

Absent = Literal["skip", "dummy"]
ADDED = ("adapters.", "prompts.")  # how names of what a method adds to the backbone begin


class MaMOLNetwork(nn.Module):
    """Classes from whatever modalities are there.

    Args:
        stems: tokenisers, one per modality, in model order.
        backbone: the shared encoder.
        adapters: for the blocks in `placement`, in order; none for methods that prompt.
        prompts: for the blocks in `placement`; None for methods that adapt.
        placement: numbers of the blocks that the method changes, ascending.
        balance: weight of the routers' balance losses.
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

    Attributes:
        gradient_scales: what training multiplies the gradients of each modality's features with, (M,); None leaves them
            as they are. No score depends on it, and no model file has it.
    """

    def __init__(
        self,
        *,
        stems: Sequence[Stem],
        backbone: VisionTransformer,
        adapters: Sequence[Adapter],
        prompts: MissingAwarePrompts | CorrelatedPrompts | None,
        placement: Sequence[int],
        balance: float,
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
        self.adapters, self.prompts = nn.ModuleList(adapters), prompts
        self._experts_of_own = any(getattr(adapter, "own", False) for adapter in adapters)
        self.placement, self.balance = tuple(placement), balance
        self.readout = readout
        self.classifiers = nn.ModuleList(classifiers)
        self.pixels, self.token_dropout = pixels, token_dropout
        self.window, self.token_px, self.core, self.absent = window, token_px, core, absent
        self.frozen_backbone = freeze_backbone
        self.backbone_name, self.backbone_sha256 = backbone_name, backbone_sha256
        self.gradient_scales: Sequence[float] | None = None
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
        parts = self._encode(values, valid_BMHW, compute)
        kept_B = None
        if self.training and self.pixels is not None:
            kept_B = torch.rand(len(valid_BMHW), device=valid_BMHW.device) >= self.token_dropout
        if at is not None:
            kept = None if kept_B is None else kept_B[at[0], None]
            places = [pixels_of(at, part.rows, len(valid_BMHW)) for part in parts]
            return self._predict(parts, places, present[at], kept)
        if kept_B is None and all(part.rows is None for part in parts):
            everywhere = [(None, None)] * len(parts)
            logits = torch.cat(
                [
                    self._predict([part.windows(some) for part in parts], everywhere, present[some], None)
                    for some in portions(len(present), present[0, ..., 0].numel(), present.device)
                ]
            )
        else:
            kept = None if kept_B is None else kept_B[:, None, None, None]
            logits = self._predict(parts, [(part.rows, None) for part in parts], present, kept)
        return logits[:, 0, 0] if self.readout.centre else logits.permute(0, 3, 1, 2)

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
        scores = []
        for some in portions(len(present_AM), 1, present_AM.device):
            own = [self.pixels(numbers_AV[some], modality, noise) for modality, numbers_AV in enumerate(numbers)]
            scores.append(self._classify(shown(own, present_AM[some]), present_AM[some]))
        return torch.cat(scores)

    def _predict(
        self,
        parts: Sequence[Part],
        places: Sequence[tuple[Tensor | None, PixelIndex | None]],
        present_M: Tensor,
        kept: Tensor | None,
    ) -> Tensor:
        """Class scores `(..., Y)` of pixels `(...)`.

        Args:
            parts: encoded windows.
            places: for each part the pixels that lie in its windows: their numbers among all (None for all), and
                where they are in them (None for all of the cores).
            present_M: bool `(..., M)`.
            kept: in training, whether a pixel's tokens are shown, `(..., 1)`; None outside of it.
        """
        shape = (*present_M.shape[:-1], self.readout.output_width)
        tokens: Features = [None] * len(self.stems)
        own: Features = [None] * len(self.stems)
        for part, (numbers, at) in zip(parts, places, strict=True):
            tokens[part.modality] = put_back(self.readout(part.encoded_NTD, at), numbers, shape)
            if self.pixels is not None:
                number_V = self.pixels.numbers(part.values_NCHW, part.valid_NHW, part.modality, at)
                own[part.modality] = put_back(self.pixels(number_V, part.modality), numbers, shape)
        if self.absent == "skip":
            tokens = shown(tokens, present_M)
        if self.pixels is None:
            return self._classify(tokens, present_M)
        own = shown(own, present_M)  # always: a dummy token stands for a gap, hidden numbers must not
        if kept is not None:
            return self._classify(sums(own, tokens, kept), present_M)
        return (self._classify(sums(own, tokens), present_M) + self._classify(own, present_M)) / 2

    def _classify(self, features: Features, present_M: Tensor) -> Tensor:
        """Features `(..., F)` of the modalities and bool `(..., M)` to scores `(..., Y)`."""
        if all(feature is None for feature in features):  # no window has any data
            zero = self.backbone.prefix_PD.new_zeros(*present_M.shape[:-1], self.readout.output_width)
            features = [zero, *features[1:]]
        if self.gradient_scales is not None:
            features = modulated(features, self.gradient_scales)
        used = torch.ones_like(present_M) if self.absent == "dummy" else present_M
        scores: list[Tensor] = [classifier(features, used, present_M) for classifier in self.classifiers]
        return sum(scores[1:], scores[0]) / len(scores)

    def _encode(
        self, values: Sequence[Tensor | None], valid_BMHW: Tensor, compute: Sequence[bool] | None
    ) -> list[Part]:
        """The windows of all modalities that have any, through the stems and, as one batch, the transformer."""
        prefix = self.backbone.prefix
        present_BTM = presence_rows(valid_BMHW, self.token_px, prefix)
        given, tokens, present = [], [], []
        for modality, rows in self._encoded(valid_BMHW, compute):
            valid_NHW, present_NTM = take(valid_BMHW[:, modality], rows), take(present_BTM, rows)
            values_NCHW = clean(take(self._given(values, modality, valid_BMHW), rows), valid_NHW)
            given.append((modality, rows, values_NCHW, valid_NHW))
            tokens.append(self.stems[modality](values_NCHW, present_NTM[:, prefix:, modality]))
            present.append(with_own_row(present_NTM, modality) if self._experts_of_own else present_NTM)
        if not given:
            return []
        places = [(modality, rows) for modality, rows, *_ in given]
        encoded_NTD = self._transform(torch.cat(tokens), torch.cat(present), places, present_BTM[:, 0])
        parts = torch.split(encoded_NTD, [len(part) for part in present])
        return [Part(*facts, part_NTD) for facts, part_NTD in zip(given, parts, strict=True)]

    def _transform(
        self,
        token_NLD: Tensor,
        present_NTM: Tensor,
        places: Sequence[tuple[int, Tensor | None]],
        present_BM: Tensor,
    ) -> Tensor:
        """Tokens through the backbone, with what the method adds.

        Args:
            token_NLD: windows of one modality after the other.
            present_NTM: their availability rows, as the adapters want them.
            places: modality, and numbers of its windows (None for all of the batch), of each part of them.
            present_BM: the class token's row of every window.
        """
        if self.prompts is None:
            adapters = dict(zip(self.placement, self.adapters, strict=True))
            encoded_NTD: Tensor = self.backbone(token_NLD, adapters, present_NTM, self.readout.keep)
            return encoded_NTD
        device, windows = token_NLD.device, len(present_BM)
        rows = [torch.arange(windows, device=device) if rows is None else rows for _, rows in places]
        modalities = [torch.full_like(there, modality) for there, (modality, _) in zip(rows, places, strict=True)]
        sequences = Sequences(torch.cat(rows), torch.cat(modalities), windows, present_NTM, present_BM)
        prompts = partial(self.prompts, sequences=sequences)
        encoded_NTD = self.backbone(token_NLD, None, present_NTM, self.readout.keep, self.placement, prompts)
        return encoded_NTD

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

    def take_balance_loss(self, total: Total = Tensor.detach) -> Tensor:
        """What keeps experts from starving in the last pass in training, weighed; 0 for methods without such a loss.

        Args:
            total: adds up a tensor over all processes that share the batch; the default is for one.
        """
        losses = [module.take_balance(total) for module in self.adapters.modules() if isinstance(module, TokenRouter)]
        zero = torch.zeros((), device=self.backbone.prefix_PD.device)
        return self.balance * sum((loss for loss in losses if loss is not None), zero)

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
