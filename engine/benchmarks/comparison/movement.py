"""How far what a method adds moves the features of a frozen backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from engine.benchmarks.comparison.trial import Trial
from engine.model.backbone import VisionTransformer
from engine.model.network import MaMOLNetwork
from engine.training.validate import from_scene

MOVED = "features_moved"  # fact of a run
_WINDOWS = 256


def movement(trial: Trial, seed: int) -> dict[str, float | str]:
    """The fact `features_moved`, on windows around validation pixels, with the sensors that they have.

    Nothing where the backbone is trained, nothing is added to it, or no pixels validate.

    Args:
        trial: the trained network and its scenes.
        seed: of the choice of windows.
    """
    network, scene, split = trial.fitted.network, trial.data.scenes[0], trial.data.splits[0]
    if not (network.frozen_backbone and network.placement and len(split.validation)):
        return {}
    generator = torch.Generator().manual_seed(seed)
    pixels = split.validation[torch.randperm(len(split.validation), generator=generator)[:_WINDOWS].numpy()]
    half, device = network.window // 2, trial.ready.device
    read = from_scene(scene, trial.ready.stats)
    values, valid = read(scene.rows[pixels] - half, scene.cols[pixels] - half, network.window)
    given = [torch.from_numpy(value).to(device) for value in values]
    return {MOVED: features_moved(network, given, torch.from_numpy(valid).to(device))}


def features_moved(network: MaMOLNetwork, values: Sequence[Tensor], valid: Tensor) -> float:
    """Change of the encoder's output by what a method adds, in spreads of what the frozen backbone says without it.

    Both are root mean squares over the tokens that the read-out uses: of a token's change, and of its distance from the
    mean of all.

    Args:
        network: with a frozen backbone; left in evaluation mode.
        values: standardised values of each modality, `(B, C, H, W)`.
        valid: bool `(B, M, H, W)`, where each modality has data.
    """
    seen: list[tuple[Tensor, Tensor]] = []

    def compare(backbone: VisionTransformer, arguments: tuple[Any, ...], encoded: Tensor) -> None:
        tokens, keep = arguments[0], arguments[3]
        seen.append((backbone.forward(tokens, keep=keep).flatten(0, 1), encoded.flatten(0, 1)))

    network.eval()
    handle = network.backbone.register_forward_hook(compare)
    try:
        with torch.inference_mode():
            network(values, valid)
    finally:
        handle.remove()
    frozen, moved = (torch.cat(parts) for parts in zip(*seen, strict=True))
    spread = (frozen - frozen.mean(dim=0)).square().sum(dim=1).mean()
    return float(((moved - frozen).square().sum(dim=1).mean() / spread).sqrt())
