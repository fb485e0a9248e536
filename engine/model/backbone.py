"""One Vision Transformer for every backbone: ours (`compact`), open_clip's towers and timm's models.

x = x + s1 Attention(LN1(x));  x = x + s2 MLP(LN2(x)) + delta(LN2(x))          pre-norm blocks, arXiv 2010.11929

Pretrained models are poured into this one shape, so that adapters, skipping and position embeddings are written once.
`VitShape` says all that distinguishes them and travels inside model files: a self-contained file needs neither
open_clip nor timm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.model.baselines.lora import LoraAdapter
from engine.model.baselines.moe_ada import AdaptedExperts
from engine.model.baselines.moe_rep import ReplacingExperts
from engine.model.baselines.moe_task import TaskExperts
from engine.model.baselines.prompts import Prompts
from engine.model.dropout import dropout
from engine.model.mamol import MaMOLAdapter
from engine.model.start import draw_normal

Activation = Literal["gelu", "quick_gelu"]
Adapter = MaMOLAdapter | LoraAdapter | ReplacingExperts | AdaptedExperts | TaskExperts
_LIMITS = {"depth": 128, "grid": 512}


@dataclass(frozen=True, slots=True)
class VitShape:
    """What must be known to build a backbone before its weights are there.

    Attributes:
        width: D.
        depth: number of blocks.
        heads: attention heads.
        mlp_width: hidden width of a block's MLP.
        grid: position embeddings along a side.
        registers: extra prefix tokens after the class token.
        activation: that of the MLP; weights by OpenAI were trained with "quick_gelu".
        eps: that of every LayerNorm.
        norm_pre: LayerNorm before the first block.
        layer_scale: learnt factors s1, s2 per channel.
        output: width after a final projection, None without one.
    """

    width: int
    depth: int
    heads: int
    mlp_width: int
    grid: int
    registers: int = 0
    activation: Activation = "gelu"
    eps: float = 1e-6
    norm_pre: bool = False
    layer_scale: bool = False
    output: int | None = None

    def __post_init__(self) -> None:
        """Check types and sizes: shapes also come from model files of strangers."""
        for name in ("width", "depth", "heads", "mlp_width", "grid"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= _LIMITS.get(name, 65536):
                raise ValueError(f"backbone {name} {value!r} is out of range")
        if not 0 <= self.registers <= 64 or self.activation not in get_args(Activation):
            raise ValueError(f"backbone with {self.registers} registers and activation {self.activation!r} is unknown")
        if not (
            isinstance(self.eps, float) and 0 < self.eps < 1 and (self.output is None or 1 <= self.output <= 65536)
        ):
            raise ValueError(f"backbone with eps {self.eps!r} and output width {self.output!r} is out of range")
        if self.width % self.heads:
            raise ValueError(f"backbone width {self.width} is no multiple of its {self.heads} heads")

    def to_json(self) -> dict[str, Any]:
        """JSON-able form, the one inside model files."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> VitShape:
        """Inverse of `to_json`."""
        return cls(**data)


class Block(nn.Module):
    """One pre-norm block; an adapter may run beside its MLP or in its place, and keys and values may be added."""

    def __init__(self, shape: VitShape, dropout: float) -> None:
        super().__init__()
        width = shape.width
        self.heads, self.activation, self.dropout = shape.heads, shape.activation, dropout
        self.norm1 = nn.LayerNorm(width, eps=shape.eps)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=shape.eps)
        self.fc1 = nn.Linear(width, shape.mlp_width)
        self.fc2 = nn.Linear(shape.mlp_width, width)
        self.scale1_D = nn.Parameter(torch.ones(width)) if shape.layer_scale else None
        self.scale2_D = nn.Parameter(torch.ones(width)) if shape.layer_scale else None

    def forward(
        self,
        x_NTD: Tensor,
        adapter: Adapter | None = None,
        present_NTM: Tensor | None = None,
        keep: Tensor | None = None,
        prefix_NPD: Tensor | None = None,
    ) -> Tensor:
        """Update all tokens, or only those numbered in `keep` (which still attend to all of them).

        Tokens also attend to `prefix_NPD`, the first half of which are keys, the second their values. Where blocks
        scale their residuals (DINOv2), an adapter that replaces the MLP is scaled as the MLP, one beside it is not.
        """
        z_NTD = self.norm1(x_NTD)
        if keep is None:
            query_NTD, key_NTD, value_NTD = self.qkv(z_NTD).chunk(3, dim=-1)
        else:
            weight, bias = self.qkv.weight, self.qkv.bias
            width = x_NTD.shape[-1]
            query_NTD = functional.linear(z_NTD[:, keep], weight[:width], bias[:width])
            key_NTD, value_NTD = functional.linear(z_NTD, weight[width:], bias[width:]).chunk(2, dim=-1)
            x_NTD = x_NTD[:, keep]
            present_NTM = None if present_NTM is None else present_NTM[:, keep]
        if prefix_NPD is not None:
            more_keys, more_values = prefix_NPD.to(key_NTD.dtype).chunk(2, dim=1)
            key_NTD, value_NTD = torch.cat([key_NTD, more_keys], dim=1), torch.cat([value_NTD, more_values], dim=1)
        mixed = attend(self._split(query_NTD), self._split(key_NTD), self._split(value_NTD))
        x_NTD = x_NTD + self._residual(self.out(mixed.transpose(1, 2).flatten(2)), self.scale1_D)
        z_NTD = self.norm2(x_NTD)
        if adapter is not None and adapter.replaces_mlp:
            return x_NTD + self._residual(adapter(z_NTD, present_NTM, self), self.scale2_D)
        update_NTD = self._residual(self.fc2(self.activate(self.fc1(z_NTD))), self.scale2_D)
        if adapter is None:
            return x_NTD + update_NTD
        x_NTD = x_NTD + adapter(z_NTD, present_NTM, update_NTD)
        return x_NTD if adapter.norm is None else adapter.norm(x_NTD)

    def _split(self, x_NTD: Tensor) -> Tensor:
        """Heads first, as the attention wants them: `(N, heads, T, D / heads)`."""
        return x_NTD.view(*x_NTD.shape[:2], self.heads, -1).transpose(1, 2)

    def activate(self, hidden: Tensor) -> Tensor:
        """The MLP's activation."""
        if self.activation == "quick_gelu":
            return hidden * torch.sigmoid(1.702 * hidden)
        return functional.gelu(hidden)

    def _residual(self, update_NTD: Tensor, scale_D: Tensor | None) -> Tensor:
        if scale_D is not None:
            update_NTD = update_NTD * scale_D
        return dropout(update_NTD, self.dropout) if self.training else update_NTD


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention of `(N, heads, T, D / heads)`.

    Backward through a CPU's fused kernel in bfloat16 takes several times as long as through plain products.
    """
    if query.requires_grad and query.is_cpu and query.dtype == torch.bfloat16:
        score: Tensor = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        return score.softmax(dim=-1) @ value
    return functional.scaled_dot_product_attention(query, key, value)


class VisionTransformer(nn.Module):
    """Prefix tokens, position embeddings, blocks, final norm and projection; tokens come from outside.

    Args:
        shape: what to build.
        dropout: on the residual updates; 0 for pretrained weights.
    """

    def __init__(self, shape: VitShape, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        # The class token's own position embedding is part of it.
        self.prefix_PD = nn.Parameter(draw_normal(torch.empty(1 + shape.registers, shape.width), std=0.02))
        self.position_LD = nn.Parameter(draw_normal(torch.empty(shape.grid**2, shape.width), std=0.02))
        self.norm_pre = nn.LayerNorm(shape.width, eps=shape.eps) if shape.norm_pre else None
        self.blocks = nn.ModuleList(Block(shape, dropout) for _ in range(shape.depth))
        self.norm_post = nn.LayerNorm(shape.width, eps=shape.eps)
        self.output = None if shape.output is None else nn.Linear(shape.width, shape.output, bias=False)

    @property
    def prefix(self) -> int:
        """Number of tokens before the grid's."""
        return self.prefix_PD.shape[0]

    @property
    def output_width(self) -> int:
        """Width of what `forward` returns."""
        return self.shape.output or self.shape.width

    def forward(
        self,
        token_NLD: Tensor,
        adapters: Mapping[int, Adapter] | None = None,
        present_NTM: Tensor | None = None,
        keep: Sequence[int] | None = None,
        prompted: Sequence[int] = (),
        prompts: Callable[[Tensor], Prompts] | None = None,
    ) -> Tensor:
        """Encode the grid's tokens.

        Args:
            token_NLD: one row of tokens for each window and modality, without prefix, L = G G.
            adapters: by the number of their block.
            present_NTM: bool, each token's availability row, prefix included.
            keep: numbers of the tokens to return (prefix counted); the last block computes only those.
            prompted: numbers of the blocks that have prompts, ascending.
            prompts: gives them, from the tokens before the first block, `(N, T, D)`.

        Returns:
            `(N, T, output_width)`, T = P + L or the length of `keep`.
        """
        # Under autocast the stems hand over bfloat16; the embeddings' float32 leads, and the residual stream keeps it.
        prefix_NPD = self.prefix_PD.expand(token_NLD.shape[0], -1, -1)
        x_NTD = torch.cat([prefix_NPD, token_NLD + self.position_LD], dim=1)
        if self.norm_pre is not None:
            x_NTD = self.norm_pre(x_NTD)
        last, tokens = len(self.blocks) - 1, x_NTD.shape[1]
        kept = None if keep is None else torch.tensor(keep, device=x_NTD.device)
        given = None if prompts is None else prompts(x_NTD)
        for index, block in enumerate(self.blocks):
            adapter = None if adapters is None else adapters.get(index)
            prompt_NPD = None if given is None or index not in prompted else given.blocks[prompted.index(index)]
            if given is not None and prompt_NPD is not None and given.use != "attention":
                x_NTD = torch.cat([x_NTD if given.use == "stay" else x_NTD[:, :tokens], prompt_NPD], dim=1)
                prompt_NPD = None
            x_NTD = block(x_NTD, adapter, present_NTM, kept if index == last else None, prompt_NPD)
        if kept is None:
            x_NTD = x_NTD[:, :tokens]  # without prompts that have stayed
        encoded_NTD: Tensor = self.norm_post(x_NTD)
        if self.output is not None:
            encoded_NTD = self.output(encoded_NTD)
        return encoded_NTD

    def resize_positions(self, grid: int) -> None:
        """Bring the grid's position embeddings to `grid` x `grid` tokens, bicubically; prefix tokens are left alone."""
        old = self.shape.grid
        if grid == old:
            return
        image_1DGG = self.position_LD.detach().view(old, old, -1).permute(2, 0, 1)[None]
        resized = functional.interpolate(image_1DGG, size=(grid, grid), mode="bicubic", antialias=True)
        frozen = not self.position_LD.requires_grad
        self.position_LD = nn.Parameter(resized[0].permute(1, 2, 0).flatten(0, 1).contiguous(), not frozen)
        self.shape = VitShape(**(self.shape.to_json() | {"grid": grid}))


def poured(
    shape: VitShape, outside: Mapping[str, Tensor], source: Mapping[str, Tensor], blocks: str, names: Mapping[str, str]
) -> VisionTransformer:
    """Build a backbone and fill it with copies of another library's weights.

    Args:
        shape: what to build.
        outside: tensors outside the blocks, by our names.
        source: all tensors of the other library's model, by its names.
        blocks: where its blocks are: `BLOCKS.0`, `BLOCKS.1`, ...
        names: of a block's tensors, theirs by ours.
    """
    tensors = dict(outside)
    for index in range(shape.depth):
        for ours, theirs in names.items():
            tensors[f"blocks.{index}.{ours}"] = source[f"{blocks}.{index}.{theirs}"]
    with torch.device("meta"):  # weights that are replaced at once need neither memory nor a start
        backbone = VisionTransformer(shape)
    backbone.load_state_dict({name: tensor.clone() for name, tensor in tensors.items()}, assign=True)
    return backbone


def weights_sha256(backbone: nn.Module) -> str:
    """Identity of a backbone's weights: SHA-256 over names, shapes and float32 bytes, in the order of names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(f"{name}{list(tensor.shape)}".encode())
        digest.update(tensor.detach().to("cpu", torch.float32).contiguous().numpy())
    return digest.hexdigest()
