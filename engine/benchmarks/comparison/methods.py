"""The methods of the comparison, by the names of the tables: what differs from a job, as `section.key=value`."""

from __future__ import annotations

from collections.abc import Mapping

Methods = Mapping[str, tuple[str, ...]]  # by name: what differs from a case's job, as `section.key=value`

MAMOL, MIXED = "MaMOL", "MaMOL + MM"
MIXING = ("mixing.enabled=true",)

COMPARATORS: Methods = {
    "linear": ("model.method=linear",),
    "LoRA": ("model.method=lora",),
    "MMP": ("model.method=mmp",),
    "DCP": ("model.method=dcp",),
    "MoE_rep": ("model.method=moe_rep",),
    "MoE_ada": ("model.method=moe_ada",),
    "MoE_task": ("model.method=moe_task",),
}
ABLATIONS: Methods = {
    "without dynamic": ("model.dynamic_experts=0",),
    "without static": ("model.shared_expert=false", "model.modality_experts=false"),
    "without modality": ("model.modality_experts=false",),
}
# What modality-mix learning is held against: parts of it left out, and what else is learnt from the same samples.
CONTROLS: Methods = {
    "MM, uniform labels": (*MIXING, 'mixing.label="uniform"'),
    "MM, sensors of equal weight": (*MIXING, "mixing.weak_weight=1"),
    "MM, any confidence": (*MIXING, "mixing.select=1", "mixing.confidence=0"),
    "mixup": (*MIXING, 'mixing.kind="mixup"'),
    "balanced mixup": (*MIXING, 'mixing.kind="balanced_mixup"'),
    "sensors dropped": (*MIXING, 'mixing.kind="dropout"'),
    "MM, gradients modulated": (*MIXING, "mixing.gradient_modulation=0.3"),
}
# One thing changed at a time. Which is better is told by validation pixels alone.
SEARCH: Methods = {
    MAMOL: (),
    "learning rate 0.001": ("training.learning_rate=0.001",),
    "learning rate 0.01": ("training.learning_rate=0.01",),
    "experts at 0.3 of it": ("training.adapter_learning_rate=0.3",),
    "experts at 0.03 of it": ("training.adapter_learning_rate=0.03",),
    "rank 4": ("model.rank=4",),
    "rank 32": ("model.rank=32",),
    "first 6 blocks": ('model.placement="head"',),
    "all 12 blocks": ("model.adapter_blocks=12",),
    "last 2 blocks, 5 experts": ("model.adapter_blocks=2", "model.dynamic_experts=5"),
    "4 experts": ("model.dynamic_experts=4",),
    "4 experts, 2 at a time": ("model.dynamic_experts=4", "model.top_k=2"),
    "router sees the token": ('model.router_input="token"',),
    "router sees the pattern": ('model.router_input="pattern"',),
    "expert of the token's sensor": ('model.modality_gate="own"',),
    "LayerNorm (eq. 3)": ("model.adapter_norm=true",),
    "GELU and projection": ("model.adapter_projection=true",),
    "fusion sum": ('model.fusion="sum"',),
    "fusion concat": ('model.fusion="concat"',),
    MIXED: MIXING,
    "MM after 30 %": (*MIXING, "mixing.start=0.3"),
    "MM at full learning rate": (*MIXING, "mixing.learning_rate=1.0"),
    "MM of full weight": (*MIXING, "mixing.weight=1.0"),
    "MM filling gaps": (*MIXING, "mixing.fill_incomplete=true"),
    **CONTROLS,
}
EVERY: Methods = {MAMOL: (), MIXED: MIXING, **COMPARATORS, **ABLATIONS}
