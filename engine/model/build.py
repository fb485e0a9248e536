"""From configuration to network, with `resolve.py` the only reader of `ModelConfig`: backbones, methods, heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from engine.config import ModelConfig
from engine.errors import ConfigError
from engine.modality import Modality
from engine.model.backbone import Adapter, Block, VisionTransformer, VitShape, weights_sha256
from engine.model.baselines.dcp import CorrelatedPrompts
from engine.model.baselines.lora import LoraAdapter
from engine.model.baselines.mmp import MissingAwarePrompts
from engine.model.baselines.moe_ada import AdaptedExperts
from engine.model.baselines.moe_rep import ReplacingExperts
from engine.model.baselines.moe_task import TaskExperts
from engine.model.fusion import Classifier, Fusion
from engine.model.inputs import LocalFeatures
from engine.model.mamol import MaMOLAdapter
from engine.model.network import Absent, MaMOLNetwork
from engine.model.pixels import PixelBranch
from engine.model.readout import CentreReadout, DenseReadout, LinearHead, PixelHead, Readout, core_offset
from engine.model.resolve import PROMPTING, ResolvedModelConfig, blocks_of, check_patterns, resolve_model_config
from engine.model.tokens import Stem

__all__ = ["build_network", "load_backbone", "resolve_model_config"]

# Neighbourhoods and ramps help where a pixel says little (elevation, SAR); on cubes of many bands they overfit.
_FEW_BANDS_FOR_BOXES, _FEW_BANDS_FOR_RAMPS = 16, 32


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
    placement = blocks_of(resolved, backbone.shape.depth)
    check_patterns(resolved, len(modalities))
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
        adapters=[] if resolved.method in PROMPTING else _adapters(resolved, backbone, placement, len(modalities)),
        prompts=_prompts(resolved, backbone.shape.width, len(placement), len(modalities)),
        placement=placement,
        balance=resolved.expert_balance,
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


def _adapters(
    config: ResolvedModelConfig, backbone: VisionTransformer, placement: Sequence[int], modalities: int
) -> list[Adapter]:
    return [_adapter(config, backbone.shape, cast(Block, backbone.blocks[index]), modalities) for index in placement]


def _adapter(config: ResolvedModelConfig, shape: VitShape, block: Block, modalities: int) -> Adapter:
    width, hidden, experts = shape.width, shape.mlp_width, config.dynamic_experts
    match config.method:
        case "lora":
            return LoraAdapter(width=width, rank=config.rank)
        case "moe_rep":
            return ReplacingExperts(block, experts=experts, top_k=config.top_k)
        case "moe_ada":
            return AdaptedExperts(width=width, hidden=hidden, experts=experts, top_k=config.top_k, rank=config.rank)
        case "moe_task":
            return TaskExperts(width=width, hidden=hidden, modalities=modalities, experts=experts, rank=config.rank)
    return MaMOLAdapter(
        width=width,
        modalities=modalities,
        rank=config.rank,
        dynamic_experts=experts,
        top_k=config.top_k,
        shared=config.shared_expert,
        specific=config.modality_experts,
        norm=config.adapter_norm,
        projection=config.adapter_projection,
        router_input=config.router_input,
        own=config.modality_gate == "own",
    )


def _prompts(
    config: ResolvedModelConfig, width: int, blocks: int, modalities: int
) -> MissingAwarePrompts | CorrelatedPrompts | None:
    if config.method == "mmp":
        return MissingAwarePrompts(
            width=width, modalities=modalities, blocks=blocks, length=config.prompt_length, level=config.prompt_level
        )
    if config.method == "dcp":
        return CorrelatedPrompts(width=width, modalities=modalities, blocks=blocks, length=config.prompt_length)
    return None


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
