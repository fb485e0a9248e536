"""Image towers of open_clip (and OpenAI's weights) as our `VisionTransformer`. The one module that imports open_clip.

The tower's `conv1` is left out: tokens come from our stems. OpenAI's weights were trained with QuickGELU, but
open_clip builds plain GELU for `ViT-B-16` and only warns; here the activation follows the weights.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import WeightsError
from engine.model.backbone import VisionTransformer, VitShape, poured
from engine.model.weights import fill, first_line, read_weights


def load_clip(name: str, pretrained: str, weights: Path | None) -> VisionTransformer:
    """Build the image tower of an open_clip model and fill it.

    Args:
        name: open_clip's architecture, e.g. "ViT-B-16".
        pretrained: open_clip's tag of the weights, e.g. "openai"; they are downloaded unless `weights` is given. It
            also tells the activation that the weights were trained with.
        weights: local file with the tower's weights (safetensors, or a checkpoint that torch can read without running
            code); names as open_clip has them, with or without `visual.` in front.

    Raises:
        WeightsError: open_clip is not installed or does not know the model, it is no plain ViT, or the weights do not
            fit.
    """
    try:
        import open_clip
    except ImportError as error:
        raise WeightsError(
            "open_clip backbones need the package open_clip_torch; pip install open_clip_torch"
        ) from error
    if name not in open_clip.list_models():
        raise WeightsError(f"open_clip has no model {name!r}; `open_clip.list_models()` lists them")
    if pretrained not in open_clip.list_pretrained_tags_by_model(name):
        known = ", ".join(open_clip.list_pretrained_tags_by_model(name))
        raise WeightsError(f"open_clip:{name} has no weights {pretrained!r}; known are {known}")
    quick = bool((open_clip.get_pretrained_cfg(name, pretrained) or {}).get("quick_gelu"))
    try:
        if weights is None:
            tower = open_clip.create_model(name, pretrained=pretrained, force_quick_gelu=quick).visual
        else:  # its own start would be drawn for nothing, and a warning given that the weights are random
            with torch.device("meta"), _without_warnings():
                tower = open_clip.create_model(name, device="meta", force_quick_gelu=quick).visual
    except (RuntimeError, OSError, ValueError) as error:
        raise WeightsError(
            f"open_clip:{name}/{pretrained}: {first_line(error)}; or pass model.weights with a local file"
        ) from error
    if weights is not None:
        fill(tower, _tower_tensors(read_weights(weights)), weights)
    return pour_clip(tower, f"open_clip:{name}")


@contextmanager
def _without_warnings() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def pour_clip(tower: Any, where: str) -> VisionTransformer:
    """Copy an open_clip image tower into our shape."""
    blocks: Any = getattr(getattr(tower, "transformer", None), "resblocks", None)
    plain = blocks is not None and type(blocks[0]).__name__ == "ResidualAttentionBlock" and tower.attn_pool is None
    if not plain:
        raise WeightsError(f"{where} has no plain ViT image tower; choose a ViT such as ViT-B-16")
    first = blocks[0]
    shape = VitShape(
        width=tower.class_embedding.numel(),
        depth=len(blocks),
        heads=first.attn.num_heads,
        mlp_width=first.mlp.c_fc.out_features,
        grid=tower.grid_size[0],
        activation="quick_gelu" if "quick" in type(first.mlp.gelu).__name__.lower() else "gelu",
        eps=first.ln_1.eps,
        norm_pre=not isinstance(tower.ln_pre, nn.Identity),
        layer_scale=not isinstance(first.ls_1, nn.Identity),
        output=None if tower.proj is None else tower.proj.shape[1],
    )
    source = tower.state_dict()
    outside: dict[str, Tensor] = {
        "prefix_PD": source["class_embedding"][None] + source["positional_embedding"][:1],
        "position_LD": source["positional_embedding"][1:],
        "norm_post.weight": source["ln_post.weight"],
        "norm_post.bias": source["ln_post.bias"],
    }
    if shape.norm_pre:
        outside |= {f"norm_pre.{part}": source[f"ln_pre.{part}"] for part in ("weight", "bias")}
    if shape.output:
        outside["output.weight"] = source["proj"].T.contiguous()
    names = {
        "norm1.weight": "ln_1.weight", "norm1.bias": "ln_1.bias", "qkv.weight": "attn.in_proj_weight",
        "qkv.bias": "attn.in_proj_bias", "out.weight": "attn.out_proj.weight", "out.bias": "attn.out_proj.bias",
        "norm2.weight": "ln_2.weight", "norm2.bias": "ln_2.bias", "fc1.weight": "mlp.c_fc.weight",
        "fc1.bias": "mlp.c_fc.bias", "fc2.weight": "mlp.c_proj.weight", "fc2.bias": "mlp.c_proj.bias",
    }  # fmt: skip
    if shape.layer_scale:
        names |= {"scale1_D": "ls_1.gamma", "scale2_D": "ls_2.gamma"}
    return poured(shape, outside, source, "transformer.resblocks", names)


def _tower_tensors(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The image tower's tensors of a checkpoint; with a text tower beside it they carry `visual.` in front."""
    given = {name.removeprefix("module."): value for name, value in given.items()}
    tower = {name.removeprefix("visual."): value for name, value in given.items() if name.startswith("visual.")}
    return tower or given
