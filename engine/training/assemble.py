"""What training works with, put together in the order in which one thing needs the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.data.batches import Batches
from engine.data.sampling import class_weights
from engine.data.statistics import band_statistics
from engine.data.window_cache import SceneCache, build_caches, open_caches
from engine.model.backbone import VisionTransformer
from engine.model.build import build_network
from engine.model.network import MaMOLNetwork
from engine.progress import Progress
from engine.raster.normalise import BandStats
from engine.training.distributed import ALONE, Team
from engine.training.losses import BatchLoss
from engine.training.mixing import Mixer
from engine.training.pixel_bank import PixelBank
from engine.training.prepare import Prepared
from engine.training.teacher import Teacher

_UNLABELLED_TILES = 2000  # per scene: two million pixels to learn from without labels


@dataclass(frozen=True)
class Assembled:
    """An untrained network, and what it learns from.

    Attributes:
        data: scenes and splits.
        stats: of the training pixels, by modality name.
        network: on `device`.
        caches: windows of each scene.
        batches: draws windows from them.
        bank: draws pixels that speak for themselves; None for networks without them.
        class_weights: (Y,), for `balance = "weights"`.
        device: where to compute.
        precision: "float32" or "bfloat16".
        team: processes that train together.
    """

    data: Prepared
    stats: dict[str, BandStats]
    network: MaMOLNetwork
    caches: list[SceneCache]
    batches: Batches
    bank: PixelBank | None
    class_weights: torch.Tensor
    device: torch.device
    precision: str
    team: Team

    def mixer(self, teacher: Teacher, steps: int) -> Mixer | None:
        """Mixed samples for a training of `steps` steps, if they are wanted and there are sensors to mix."""
        config = self.data.config.mixing
        if not config.enabled or len(self.network.stems) < 2:
            return None
        return Mixer(
            self.network, teacher, self.batches, self.bank, config, self.data.config.training, steps,
            self.device, self.precision, len(self.data.legend), self.team,
        )  # fmt: skip

    def loss(self, teacher: Teacher, mixer: Mixer | None = None) -> BatchLoss:
        """What a step minimises."""
        return BatchLoss(
            self.network, teacher, self.batches, self.bank, mixer, self.data.config.training, self.class_weights,
            self.device, self.precision, self.team,
        )  # fmt: skip


def assemble(
    data: Prepared,
    cache: Path,
    device: torch.device,
    precision: str,
    progress: Progress,
    cancelled: Callable[[], bool] = lambda: False,
    backbone: VisionTransformer | None = None,
    team: Team = ALONE,
) -> Assembled:
    """Measure the bands, build the network, cache windows and describe pixels.

    Args:
        data: scenes and splits, open; `config` resolved.
        cache: folder for windows.
        device: where to compute.
        precision: "float32" or "bfloat16".
        progress: told of the reading.
        cancelled: asked often.
        backbone: instead of what the configuration names.
        team: processes that train together; the first one caches windows for all.

    Raises:
        EngineError: a raster cannot be read, or a backbone's weights cannot be had.
        Cancelled: `cancelled()` said so.
    """
    config, training = data.config, data.config.training
    with team.together():
        stats = band_statistics(data.scenes, data.splits, cancelled)
        torch.manual_seed(training.seed)
        network = build_network(config.model, config.missing.absent, data.modalities, len(data.legend), backbone)
    caches: list[SceneCache] = []
    with team.together():
        if team.first:
            caches = build_caches(
                cache, data.scenes, data.splits, stats,
                reach_px=network.window, unlabelled_tiles=_UNLABELLED_TILES if training.teaching else 0,
                seed=training.seed, progress=progress, cancelled=cancelled,
            )  # fmt: skip
    with team.together():
        caches = caches or open_caches(cache, data.scenes)
        batches = Batches(
            data.scenes, data.splits, caches,
            training=training, missing=config.missing,
            window=network.window, core=network.core, core_offset=network.core_offset, share=team.share,
        )  # fmt: skip
        network.to(device)
        weights = torch.from_numpy(class_weights(data.counts["train"])).to(device)
    bank = PixelBank(network, batches, device, team) if network.pixels is not None else None
    if bank is not None:
        bank.fit_inputs(network)
    return Assembled(data, stats, network, caches, batches, bank, weights, device, precision, team)
