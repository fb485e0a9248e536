"""The methods of the comparison, by the names of the tables: what differs from a job, as `section.key=value`."""

from __future__ import annotations

from collections.abc import Mapping

Methods = Mapping[str, tuple[str, ...]]

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
EVERY: Methods = {MAMOL: (), MIXED: MIXING, **COMPARATORS, **ABLATIONS}
