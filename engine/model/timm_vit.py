"""Vision Transformers of timm as our `VisionTransformer`. The one module that imports timm.

The patch embedding is left out: tokens come from our stems.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import WeightsError
from engine.model.backbone import Activation, VisionTransformer, VitShape, poured
from engine.model.weights import fill, first_line, read_weights


def load_timm(name: str, weights: Path | None) -> VisionTransformer:
    """Build a timm ViT and fill it.

    Args:
        name: timm's model name, e.g. "vit_small_patch14_dinov2"; its weights are downloaded unless `weights` is given.
        weights: local file of the weights, names as timm has them.

    Raises:
        WeightsError: timm is not installed or does not know the model, it is no plain ViT, or the weights do not fit.
    """
    try:
        import timm
    except ImportError as error:
        raise WeightsError("timm backbones need the package timm; pip install timm") from error
    if not timm.is_model(name):
        raise WeightsError(f"timm has no model {name!r}; `timm.list_models('vit*')` lists them")
    try:
        model = timm.create_model(name, pretrained=weights is None, num_classes=0)
    except (RuntimeError, OSError, ValueError) as error:
        raise WeightsError(f"timm:{name}: {first_line(error)}; or pass model.weights with a local file") from error
    if weights is not None:
        fill(model, read_weights(weights), weights)
    return pour_timm(model, f"timm:{name}")


def pour_timm(model: Any, where: str) -> VisionTransformer:
    """Copy a timm VisionTransformer into our shape."""
    if type(model).__name__ != "VisionTransformer" or not getattr(model, "has_class_token", False):
        raise WeightsError(f"{where} is no plain ViT with a class token; choose one such as vit_small_patch14_dinov2")
    blocks = model.blocks
    first = blocks[0]
    if not (
        type(first).__name__ == "Block"
        and type(first.attn).__name__ == "Attention"
        and type(first.mlp).__name__ == "Mlp"
        and isinstance(first.attn.q_norm, nn.Identity)
        and first.attn.qkv.bias is not None
        and isinstance(model.norm, nn.LayerNorm)
    ):
        raise WeightsError(f"{where} has blocks of a kind we do not know; choose a plain ViT")
    rows, columns = model.patch_embed.grid_size
    if rows != columns:
        raise WeightsError(f"{where} has a position grid of {rows} x {columns}; only square ones can be used")
    shape = VitShape(
        width=model.embed_dim,
        depth=len(blocks),
        heads=first.attn.num_heads,
        mlp_width=first.mlp.fc1.out_features,
        grid=rows,
        registers=model.num_reg_tokens,
        activation=_activation(first.mlp.act, where),
        eps=first.norm1.eps,
        norm_pre=not isinstance(model.norm_pre, nn.Identity),
        layer_scale=not isinstance(first.ls1, nn.Identity),
    )
    source = model.state_dict()
    prefix, position = source["cls_token"][0], source["pos_embed"][0]
    if shape.registers:
        prefix = torch.cat([prefix, source["reg_token"][0]])
    if not model.no_embed_class:
        prefix, position = prefix + position[: len(prefix)], position[len(prefix) :]
    outside: dict[str, Tensor] = {
        "prefix_PD": prefix,
        "position_LD": position,
        "norm_post.weight": source["norm.weight"],
        "norm_post.bias": source["norm.bias"],
    }
    if shape.norm_pre:
        outside |= {f"norm_pre.{part}": source[f"norm_pre.{part}"] for part in ("weight", "bias")}
    names = {
        f"{ours}.{part}": f"{theirs}.{part}"
        for ours, theirs in {
            "norm1": "norm1", "qkv": "attn.qkv", "out": "attn.proj", "norm2": "norm2", "fc1": "mlp.fc1", "fc2":
            "mlp.fc2",
        }.items()
        for part in ("weight", "bias")
    }  # fmt: skip
    if shape.layer_scale:
        names |= {"scale1_D": "ls1.gamma", "scale2_D": "ls2.gamma"}
    return poured(shape, outside, source, "blocks", names)


def _activation(module: nn.Module, where: str) -> Activation:
    kind = type(module).__name__.lower()
    if "quickgelu" in kind:
        return "quick_gelu"
    if "gelu" in kind and getattr(module, "approximate", "none") == "none":
        return "gelu"
    raise WeightsError(f"{where} uses the activation {type(module).__name__}; only GELU and QuickGELU can be used")
