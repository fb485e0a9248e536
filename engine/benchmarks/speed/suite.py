"""The story of `benchmark speed`: peak, training, mapping, peers, bare blocks; one JSON file, one page, one picture."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

import engine
from engine.atomic import write_text
from engine.benchmarks.speed.blocks import VIT_B, VIT_S, backbone_rate, bare_step, block_seconds, in_turns
from engine.benchmarks.speed.jobs import barely_trained, default_job
from engine.benchmarks.speed.mapping import measure_mapping
from engine.benchmarks.speed.peak import matmul_peak
from engine.benchmarks.speed.peers import forest_rate, plain_loop, window_per_pixel
from engine.benchmarks.speed.report import write_report
from engine.benchmarks.speed.scene import TimingScene, write_timing_scene
from engine.benchmarks.speed.training import measure_training
from engine.bundle import LoadedModel, load_model
from engine.config import ModelConfig
from engine.device import choose_device, choose_precision, describe_device, peak_memory, set_threads
from engine.errors import Cancelled
from engine.model.backbone import VisionTransformer
from engine.model.build import build_network, resolve_model_config
from engine.progress import Progress

_SIDE_PX = 1024  # of the scene: a million pixels
_ROUNDS = 5
_PIXELS_OF_PEERS = 2048  # of those that take milliseconds for each
_SIDE_PX_LARGE, _ROUNDS_LARGE, _PIXELS_LARGE = 200, 2, 64  # with a pretrained backbone
_BLOCK_WINDOWS = 16

Section = Callable[[], Any]


class SpeedSuite:
    """Times everything on one scene.

    Args:
        out: folder of everything it writes.
        device: see the common options; so are `precision` and `threads`.
        progress: told what happens.
        cancelled: asked before every section.
    """

    def __init__(
        self, out: Path, device: str, precision: str, threads: int | None, progress: Progress,
        cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.out, self.progress, self.cancelled = out, progress, cancelled
        self.threads = set_threads(threads)
        self.device = choose_device(device)
        self.precision = choose_precision(self.device, precision)
        self.scene: TimingScene = write_timing_scene(out / "scene", _SIDE_PX)
        self.config = default_job(self.scene)

    def run(self) -> Path:
        """Measure section by section, then write the page; return its path."""
        sections: dict[str, Section] = {
            "peak": self._peak,
            "training": self._training,
            "mapping": self._mapping,
            "peers": self._peers,
            "pretrained": self._pretrained,
            "frozen": self._frozen,
            "adapter": self._adapter,
        }
        facts: dict[str, Any] = {
            "device": describe_device(self.device), "precision": self.precision, "threads": self.threads,
            "versions": {"engine": engine.__version__, "torch": torch.__version__, "python": platform.python_version()},
            "scene_px": _SIDE_PX, "rounds": _ROUNDS,
        }  # fmt: skip
        for name, measure in sections.items():
            if self.cancelled():
                raise Cancelled("stopped between two sections")
            self.progress.log(f"measuring: {name}")
            facts[name] = measure()
        facts["memory"] = peak_memory(self.device)
        write_text(self.out / "speed.json", json.dumps(facts, indent=2) + "\n")
        return write_report(facts, self.out)

    def _peak(self) -> dict[str, float]:
        """GFLOP/s of matrix products."""
        return {
            str(dtype).removeprefix("torch."): matmul_peak(self.device, dtype)
            for dtype in (torch.float32, torch.bfloat16)
        }

    def _training(self) -> dict[str, Any]:
        speed = measure_training(self.config, self.out / "cache", self.device, self.precision, _ROUNDS * 4)
        return asdict(speed) | {"seconds": speed.seconds, "flops": speed.flops}

    def _mapping(self) -> dict[str, Any]:
        """The default model, all three modalities, files to files."""
        speed = measure_mapping(
            self._loaded, self._model_path, self.scene.layers, self.out / "map.tif", self.precision,
            str(self.device), _ROUNDS,
        )  # fmt: skip
        return asdict(speed) | {"rate": speed.rate, "waiting": speed.waiting, "gflops": speed.gflops}

    def _peers(self) -> dict[str, float]:
        """Pixels per second."""
        loaded, layers = self._loaded, self.scene.layers
        each = window_per_pixel(loaded, layers, self.device, self.precision, _PIXELS_OF_PEERS)
        seconds = in_turns(
            {
                "plain loop": lambda: plain_loop(loaded, layers, self.out / "plain.tif", self.device, self.precision),
                "window per pixel": each,
            },
            self.device,
            _ROUNDS,
        )
        forests = {
            f"forest {context_px}x{context_px}": forest_rate(layers, self.scene.labels, context_px, self.threads)
            for context_px in (1, 13)
        }
        return {
            "plain loop": _SIDE_PX**2 / seconds["plain loop"],
            "window per pixel": _PIXELS_OF_PEERS / seconds["window per pixel"],
            **forests,
        }

    def _pretrained(self) -> dict[str, Any]:
        """Frozen ViT-B/16 (random weights), two modalities: mapping beside its bare blocks and a window per pixel."""
        names = ("msi", "sar")
        large = self._with_vit_b(names)
        layers = {name: self.scene.layers[name] for name in names}
        speed = measure_mapping(
            large, self._model_path, layers, self.out / "map.tif", self.precision, str(self.device), _ROUNDS_LARGE,
            extent=self.scene.extent(_SIDE_PX_LARGE),
        )  # fmt: skip
        tokens = len(names) * (1 + VIT_B.grid**2) / large.info.core**2
        each = window_per_pixel(large, layers, self.device, self.precision, _PIXELS_LARGE)
        return {
            "mapping": asdict(speed) | {"rate": speed.rate, "token_rate": speed.rate * tokens},
            "token_rate_of_bare_blocks": backbone_rate(VIT_B, _BLOCK_WINDOWS, self.device, self.precision, _ROUNDS),
            "window per pixel": _PIXELS_LARGE / in_turns({"each": each}, self.device, _ROUNDS_LARGE)["each"],
        }

    def _frozen(self) -> dict[str, Any]:
        """Training around a frozen ViT-S/14 (random weights), in turns with its bare blocks on as many windows."""
        model = self.config.model.model_copy(update={"backbone": "timm:vit_small_patch14_dinov2"})
        speed = measure_training(
            self.config.model_copy(update={"model": model}), self.out / "cache", self.device, self.precision, _ROUNDS,
            VisionTransformer(VIT_S),
            lambda learning, looking: bare_step(VIT_S, learning, looking, self.device, self.precision),
        )  # fmt: skip
        return asdict(speed) | {"seconds": speed.seconds}

    def _adapter(self) -> dict[str, dict[str, float]]:
        """Seconds of one frozen ViT-B/16 block and one of compact, bare and with an adapter."""
        compact = self._loaded.network.backbone.shape
        return {
            f"{name}, {'training' if train else 'inference'}": block_seconds(
                shape, windows, self.device, self.precision, _ROUNDS * 5, train
            )
            for name, shape, windows in (("ViT-B/16", VIT_B, _BLOCK_WINDOWS), ("compact", compact, 128))
            for train in (False, True)
        }

    @property
    def _model_path(self) -> Path:
        return self.out / "run" / "model.safetensors"

    @cached_property
    def _loaded(self) -> LoadedModel:
        """The default model, hardly trained."""
        path = barely_trained(
            self.config, self.out / "run", str(self.device), self.precision, self.progress, self.cancelled
        )  # fmt: skip
        return load_model(path, self.device)

    def _with_vit_b(self, names: Sequence[str]) -> LoadedModel:
        """A model of some modalities around a frozen ViT-B/16 of random weights."""
        info = self._loaded.info
        modalities = tuple(modality for modality in info.modalities if modality.name in names)
        config = resolve_model_config(ModelConfig(backbone="open_clip:ViT-B-16/openai"))
        network = build_network(config, "skip", modalities, len(info.legend), VisionTransformer(VIT_B))
        described = replace(
            info, modalities=modalities, patterns={}, model=config.model_dump(mode="json"),
            stats={name: info.stats[name] for name in names},
        )  # fmt: skip
        return LoadedModel(described, network.to(self.device).eval())
