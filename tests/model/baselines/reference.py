"""Slow, independent versions of the comparators: numpy, one token at a time, loops over experts, heads and prompts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import nn

from tests.model.reference import gelu

Weights = dict[str, np.ndarray]


def weights_of(module: nn.Module) -> Weights:
    return {name: value.detach().numpy() for name, value in module.named_parameters()}


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def layer_norm(x: np.ndarray, weights: Weights, name: str, eps: float) -> np.ndarray:
    standard = (x - x.mean()) / math.sqrt(x.var() + eps)
    return standard * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def code(present: np.ndarray) -> int:
    return sum(2**m for m, there in enumerate(present) if there)


def best(gates: np.ndarray, top_k: int) -> list[tuple[int, float]]:
    """(expert, weight) of the largest gates, weights adding up to 1."""
    chosen = np.argsort(-gates)[:top_k]
    return [(int(expert), gates[expert] / gates[chosen].sum()) for expert in chosen]


def low_rank(weights: Weights, bank: str, expert: int, rank: int, x: np.ndarray) -> np.ndarray:
    ranks = slice(expert * rank, (expert + 1) * rank)
    return weights[f"{bank}.up.weight"][:, ranks] @ (weights[f"{bank}.down.weight"][ranks] @ x)


def replacing_mlp(expert_weights: Weights, z: np.ndarray, hidden: int, top_k: int) -> np.ndarray:
    """`moe_rep` at one token."""
    gates = softmax(expert_weights["router.scores.weight"] @ z)
    total = np.zeros_like(z)
    for expert, weight in best(gates, top_k):
        rows = slice(expert * hidden, (expert + 1) * hidden)
        inner = gelu(expert_weights["first_LD"][rows] @ z + expert_weights["first_bias_L"][rows])
        total += weight * (expert_weights["second_DL"][:, rows] @ inner + expert_weights["second_bias_ED"][expert])
    return total


def adapted_mlp(expert_weights: Weights, block: Weights, z: np.ndarray, top_k: int, rank: int) -> np.ndarray:
    """`moe_ada` at one token, without noise."""
    gates = softmax(expert_weights["router.scores.weight"] @ z)
    total = np.zeros_like(z)
    for expert, weight in best(gates, top_k):
        inner = block["fc1.weight"] @ z + block["fc1.bias"] + low_rank(expert_weights, "first", expert, rank, z)
        inner = gelu(inner)
        outer = block["fc2.weight"] @ inner + block["fc2.bias"]
        total += weight * (outer + low_rank(expert_weights, "second", expert, rank, inner))
    return total


def task_mlp(expert_weights: Weights, block: Weights, z: np.ndarray, present: np.ndarray, rank: int) -> np.ndarray:
    """`moe_task` at one token."""
    embedding = expert_weights["router.patterns.entries"][code(present)]
    gates = softmax(expert_weights["router.scores.weight"] @ embedding)
    inner = block["fc1.weight"] @ z + block["fc1.bias"]
    for expert, gate in enumerate(gates):
        inner = inner + gate * low_rank(expert_weights, "first", expert, rank, z)
    inner = gelu(inner)
    outer = block["fc2.weight"] @ inner + block["fc2.bias"]
    for expert, gate in enumerate(gates):
        outer = outer + gate * low_rank(expert_weights, "second", expert, rank, inner)
    return outer


def block_by_hand(
    block: Weights, x_TD: np.ndarray, heads: int, eps: float, keys: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """One pre-norm block over one sequence whose tokens also attend to `keys` with `values`, (P, D) each."""
    width = x_TD.shape[1]
    size = width // heads
    z = np.stack([layer_norm(x, block, "norm1", eps) for x in x_TD])
    query, key, value = np.split(z @ block["qkv.weight"].T + block["qkv.bias"], 3, axis=1)
    key, value = np.concatenate([key, keys]), np.concatenate([value, values])
    mixed = np.zeros_like(x_TD)
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        for token in range(len(x_TD)):
            share = softmax(key[:, part] @ query[token, part] / math.sqrt(size))
            mixed[token, part] = share @ value[:, part]
    x_TD = x_TD + mixed @ block["out.weight"].T + block["out.bias"]
    z = np.stack([layer_norm(x, block, "norm2", eps) for x in x_TD])
    inner = gelu(z @ block["fc1.weight"].T + block["fc1.bias"])
    return x_TD + inner @ block["fc2.weight"].T + block["fc2.bias"]


def dynamic_prompts(weights: Weights, tokens_TD: np.ndarray, modality: int) -> np.ndarray:
    """DCP's dynamic prompts of one modality of one window, (P, D)."""
    key, value = np.split(tokens_TD @ weights["key_value.weight"].T + weights["key_value.bias"], 2, axis=1)
    found = []
    for query in weights["query_MPD"][modality]:
        share = softmax(key @ query / math.sqrt(len(query)))
        found.append(weights["out.weight"] @ (share @ value) + weights["out.bias"])
    return np.stack(found)


def correlated_prompts(
    weights: Weights, tokens: dict[int, np.ndarray], present: np.ndarray, blocks: int
) -> list[list[np.ndarray]]:
    """DCP's prompts of one window, [block][modality] (3 P, D); `tokens` of the modalities that it has."""
    modalities, _, group, width = weights["own_M2PD"].shape
    current = []
    for modality in range(modalities):
        dynamic = np.zeros((group, width))
        if modality in tokens:
            dynamic = dynamic_prompts(weights, tokens[modality], modality)
        own = weights["own_M2PD"][modality, int(present[modality])]
        current.append(np.concatenate([own, weights["common.entries"][code(present)], dynamic]))
    result = [current]
    for layer in range(blocks - 1):
        prefix = f"correlations.{layer}."
        named: dict[str, Any] = {key.removeprefix(prefix): w for key, w in weights.items() if key.startswith(prefix)}
        joined = [
            np.concatenate([layer_norm(current[m][place], named, "norm", 1e-5) for m in range(modalities)])
            for place in range(3 * group)
        ]
        hidden = named["up_MHD"].shape[1]
        current = []
        for modality in range(modalities):
            rows = slice(modality * hidden, (modality + 1) * hidden)
            narrow = [gelu(named["down.weight"][rows] @ x + named["down.bias"][rows]) for x in joined]
            current.append(np.stack([x @ named["up_MHD"][modality] + named["bias_MD"][modality] for x in narrow]))
        result.append(current)
    return result
