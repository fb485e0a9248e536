"""What a configuration leaves open, filled in, and what does not fit said: the other reader of `ModelConfig`."""

from __future__ import annotations

from engine.config import ModelConfig, Placement
from engine.errors import ConfigError
from engine.model.baselines.patterns import MOST_MODALITIES
from engine.model.fusion import FusionKind

# Larger values are a slip of the pen or a hostile file.
_LIMITS = {
    "window": 512, "token_px": 64,  # nosec B105 - a number of pixels, no password
    "width": 4096, "depth": 64, "stem_width": 4096, "bins": 64,
    "feature_width": 4096, "rank": 512, "dynamic_experts": 64, "adapter_blocks": 1024, "prompt_length": 1024,
}  # fmt: skip

PROMPTING = ("mmp", "dcp")
_BALANCED = {"moe_rep": 0.01, "moe_ada": 0.001}  # learn to serve all experts alike: weight of that loss
_BY_PATTERN = ("mmp", "dcp", "moe_task")  # learn something for each pattern


class ResolvedModelConfig(ModelConfig):
    """A `[model]` section in which nothing is left open."""

    train_backbone: bool
    window: int
    token_px: int
    core: int
    stem_width: int
    placement: Placement
    dynamic_experts: int
    top_k: int
    rank: int
    expert_balance: float
    prompt_length: int
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
        "placement": "head" if config.method in PROMPTING else "last",
        "dynamic_experts": 4 if config.method in ("moe_ada", "moe_task") else 2,
        "top_k": 2 if config.method == "moe_ada" else 1,
        "rank": 4 if config.method == "moe_task" else 8,
        "expert_balance": _BALANCED.get(config.method, 0.0),
        "prompt_length": 36 if config.method == "dcp" else 16,
        "pixels": dense,
        "boxes": boxes,
        "fusion": ("sum", "gated") if dense else ("concat",),
    }
    given = config.model_dump()
    given |= {key: value for key, value in defaults.items() if given[key] is None}
    resolved = ResolvedModelConfig.model_validate(given)
    _check(resolved)
    return resolved


def blocks_of(config: ResolvedModelConfig, depth: int) -> list[int]:
    """Numbers of the blocks that the method changes, ascending, in a backbone of `depth` blocks.

    Raises:
        ConfigError: `placement` names a block that is not there.
    """
    nothing = not (config.dynamic_experts or config.shared_expert or config.modality_experts)
    if config.method == "linear" or (config.method == "mamol" and nothing):
        return []
    count = min(config.adapter_blocks, depth)
    if config.placement == "head":
        return list(range(count))
    if config.placement == "last":
        return list(range(depth - count, depth))
    chosen = sorted(set(config.placement))
    if chosen and chosen[-1] >= depth:
        raise ConfigError(f"model.placement: block {chosen[-1]} of {depth}; the last one has number {depth - 1}")
    return chosen


def check_patterns(config: ResolvedModelConfig, modalities: int) -> None:
    """Raise ConfigError where a method would have to learn something for too many patterns."""
    if config.method in _BY_PATTERN and modalities > MOST_MODALITIES:
        raise ConfigError(
            f"model.method = {config.method} learns something for each of 2^{modalities} patterns; give at most "
            f"{MOST_MODALITIES} modalities, or choose mamol"
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
    if config.method.startswith("moe_") and not config.dynamic_experts:
        raise ConfigError(f"model.dynamic_experts = 0: {config.method} needs at least one")
    if config.dynamic_experts and config.top_k > config.dynamic_experts:
        raise ConfigError(f"model.top_k = {config.top_k} is more than model.dynamic_experts = {config.dynamic_experts}")
    if config.expert_balance and config.method not in _BALANCED:
        raise ConfigError(f"model.expert_balance: {config.method} balances nothing; leave it out")
    groups = {"dcp": 3, "mmp": 2 if config.prompt_level == "attention" else 1}.get(config.method, 1)
    if config.prompt_length % groups:
        raise ConfigError(f"model.prompt_length = {config.prompt_length}: {config.method} needs a multiple of {groups}")
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
