"""From configuration to network: the only reader of `ModelConfig`, and the one table of backbones."""

from __future__ import annotations

from collections.abc import Sequence

from engine.config import ModelConfig
from engine.errors import ConfigError
from engine.modality import Modality
from engine.model.backbone import VisionTransformer, VitShape, weights_sha256
from engine.model.fusion import Classifier, Fusion, FusionKind
from engine.model.inputs import LocalFeatures
from engine.model.mamol import MaMOLAdapter
from engine.model.network import Absent, MaMOLNetwork
from engine.model.pixels import PixelBranch
from engine.model.readout import CentreReadout, DenseReadout, LinearHead, PixelHead, Readout, core_offset
from engine.model.tokens import Stem

# Larger values are a slip of the pen or a hostile file.
_LIMITS = {
    "window": 512, "token_px": 64,  # nosec B105 - a number of pixels, no password
    "width": 4096, "depth": 64, "stem_width": 4096, "bins": 64,
    "feature_width": 4096, "rank": 512, "dynamic_experts": 64, "adapter_blocks": 1024,
}  # fmt: skip

# Neighbourhoods and ramps help where a pixel says little (elevation, SAR); on cubes of many bands they overfit.
_FEW_BANDS_FOR_BOXES, _FEW_BANDS_FOR_RAMPS = 16, 32


class ResolvedModelConfig(ModelConfig):
    """A `[model]` section in which nothing is left open."""

    train_backbone: bool
    window: int
    token_px: int
    core: int
    stem_width: int
    pixels: bool
    boxes: tuple[int, ...]
    fusion: tuple[FusionKind, ...]


def resolve_model_config(config: ModelConfig) -> ResolvedModelConfig:
    """Fill in what the configuration leaves open, so that a model file says everything.

    Raises:
        ConfigError: values that do not fit each other.
    """
    compact, dense = config.backbone == "compact", config.readout == "dense"
    window, core = (32, 20) if dense else (14, 1)
    window = config.window or window
    token_px = next(side for side in ((8, 4, 2, 1) if compact else (4, 2, 1)) if window % side == 0) if dense else 1
    boxes = tuple(side for side in (5, 13, 27) if side <= window and dense)
    defaults = {
        "train_backbone": compact,
        "window": window,
        "token_px": token_px,
        "core": min(core, window),
        "stem_width": 32 if compact else 256,
        "pixels": dense,
        "boxes": boxes,
        "fusion": ("sum", "gated") if dense else ("concat",),
    }
    given = config.model_dump()
    given |= {key: value for key, value in defaults.items() if given[key] is None}
    resolved = ResolvedModelConfig.model_validate(given)
    _check(resolved)
    return resolved


def build_network(
    config: ModelConfig,
    missing_absent: Absent,
    modalities: Sequence[Modality],
    classes: int,
    backbone: VisionTransformer | None = None,
) -> MaMOLNetwork:
    """Build the network of a configuration, with fresh weights outside a pretrained backbone.

    Args:
        config: the `[model]` section.
        missing_absent: `[missing] absent`.
        modalities: in model order.
        classes: number of classes, Y.
        backbone: instead of what the configuration names (model files bring their own).

    Raises:
        ConfigError: values that do not fit each other.
        WeightsError: a pretrained backbone cannot be had.
    """
    resolved = resolve_model_config(config)
    grid = resolved.window // resolved.token_px
    sha256 = None
    if backbone is None:
        backbone = load_backbone(resolved)
        sha256 = None if resolved.backbone == "compact" else weights_sha256(backbone)
    backbone.resize_positions(grid)
    readout = _readout(resolved, backbone, grid)
    fusions = [Fusion(kind, modalities=len(modalities), width=readout.output_width) for kind in resolved.fusion]
    return MaMOLNetwork(
        stems=[
            Stem(
                bands=modality.bands,
                stem_width=resolved.stem_width,
                width=backbone.shape.width,
                token_px=resolved.token_px,
                activate=resolved.backbone == "compact",
            )
            for modality in modalities
        ],
        backbone=backbone,
        adapters=_adapters(resolved, backbone.shape, len(modalities)),
        readout=readout,
        classifiers=[
            Classifier(fusion, _head(resolved, fusion.output_width, len(modalities), classes)) for fusion in fusions
        ],
        pixels=_pixels(resolved, modalities),
        token_dropout=resolved.token_dropout,
        window=resolved.window,
        token_px=resolved.token_px,
        core=resolved.core,
        absent=missing_absent,
        freeze_backbone=not resolved.train_backbone,
        backbone_name=resolved.backbone,
        backbone_sha256=sha256,
    )


def load_backbone(config: ResolvedModelConfig) -> VisionTransformer:
    """The backbone that a configuration names: `compact`, `open_clip:ARCH/PRETRAINED` or `timm:NAME`."""
    family, _, name = config.backbone.partition(":")
    if family == "open_clip" and name:
        from engine.model.clip import load_clip

        architecture, _, pretrained = name.partition("/")
        return load_clip(architecture, pretrained or "openai", config.weights)
    if family == "timm" and name:
        from engine.model.timm_vit import load_timm

        return load_timm(name, config.weights)
    if config.backbone != "compact":
        raise ConfigError(
            f"model.backbone = {config.backbone!r}: expected compact, open_clip:ARCH/PRETRAINED or timm:NAME"
        )
    shape = VitShape(
        width=config.width,
        depth=config.depth,
        heads=config.heads,
        mlp_width=4 * config.width,
        grid=config.window // config.token_px,
    )
    return VisionTransformer(shape, dropout=config.dropout)


def _adapters(config: ResolvedModelConfig, shape: VitShape, modalities: int) -> list[MaMOLAdapter]:
    nothing = not (config.dynamic_experts or config.shared_expert or config.modality_experts)
    if config.method == "linear" or nothing:
        return []
    return [
        MaMOLAdapter(
            width=shape.width,
            modalities=modalities,
            rank=config.rank,
            dynamic_experts=config.dynamic_experts,
            top_k=config.top_k,
            shared=config.shared_expert,
            specific=config.modality_experts,
            norm=config.adapter_norm,
            projection=config.adapter_projection,
        )
        for _ in range(min(config.adapter_blocks, shape.depth))
    ]


def _readout(config: ResolvedModelConfig, backbone: VisionTransformer, grid: int) -> Readout:
    if config.readout == "centre":
        return CentreReadout(width=backbone.output_width)
    return DenseReadout(
        width=backbone.output_width,
        feature_width=config.feature_width,
        prefix=backbone.prefix,
        grid=grid,
        token_px=config.token_px,
        core=config.core,
    )


def _pixels(config: ResolvedModelConfig, modalities: Sequence[Modality]) -> PixelBranch | None:
    if not config.pixels:
        return None
    local = [_local_features(config, modality.bands) for modality in modalities]
    return PixelBranch(local, feature_width=config.feature_width, dropout=config.dropout)


def _local_features(config: ResolvedModelConfig, bands: int) -> LocalFeatures:
    return LocalFeatures(
        bands=bands,
        boxes=config.boxes if bands <= _FEW_BANDS_FOR_BOXES else (),
        bins=config.bins if bands <= _FEW_BANDS_FOR_RAMPS else 0,
        window=config.window,
        core=config.core,
        offset=core_offset(config.window, config.core),
    )


def _head(config: ResolvedModelConfig, width: int, modalities: int, classes: int) -> PixelHead | LinearHead:
    if config.readout == "centre":
        return LinearHead(width=width, classes=classes, dropout=config.head_dropout)
    return PixelHead(
        width=width, modalities=modalities, hidden=config.feature_width, classes=classes, dropout=config.head_dropout
    )


def _check(config: ResolvedModelConfig) -> None:
    for key, limit in _LIMITS.items():
        if getattr(config, key) > limit:
            raise ConfigError(f"model.{key} = {getattr(config, key)}: expected at most {limit}")
    if config.window % config.token_px:
        raise ConfigError(f"model.window = {config.window} is no multiple of model.token_px = {config.token_px}")
    if config.core > config.window:
        raise ConfigError(f"model.core = {config.core} is larger than model.window = {config.window}")
    if config.readout == "centre" and config.core != 1:
        raise ConfigError(f"model.core = {config.core}: a centre read-out predicts one pixel; leave core out")
    if config.width % config.heads:
        raise ConfigError(f"model.width = {config.width} is no multiple of model.heads = {config.heads}")
    if config.dynamic_experts and config.top_k > config.dynamic_experts:
        raise ConfigError(f"model.top_k = {config.top_k} is more than model.dynamic_experts = {config.dynamic_experts}")
    if len(config.boxes) > 16 or any(side % 2 == 0 or not 1 <= side <= config.window for side in config.boxes):
        raise ConfigError(
            f"model.boxes = {list(config.boxes)}: expected odd sides of at most the window, {config.window}"
        )
    if config.pixels and config.readout == "centre":
        raise ConfigError("model.pixels = true: a centre read-out has no pixels of its own; leave it out")
    if config.backbone == "compact" and not config.train_backbone:
        raise ConfigError("model.train_backbone = false: compact has no pretrained weights to keep; leave it out")
    if config.backbone == "compact" and config.weights is not None:
        raise ConfigError("model.weights: compact has no pretrained weights; name another model.backbone")
