"""The jobs that are timed: the default settings on a timing scene, and a model that hardly learnt anything from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.benchmarks.speed.scene import TimingScene
from engine.config import Config, parse_config
from engine.progress import Progress
from engine.training.run import run_training


def default_job(scene: TimingScene) -> Config:
    """The default settings, on the scene."""
    modalities = {name: {"path": str(path)} for name, path in scene.layers.items()}
    return parse_config(
        {
            "scene": {"modalities": modalities, "labels": {"path": str(scene.labels)}},
            "split": {"train_per_class": 100, "test_pixels": 200},
        }
    )


def barely_trained(
    config: Config, run: Path, device: str, precision: str, progress: Progress, cancelled: Callable[[], bool]
) -> Path:
    """Model file of a job after two steps, trained where it is not there: how well it maps is another's business."""
    path = run / "model.safetensors"
    if not path.exists():
        short = config.training.model_copy(update={"steps": 2, "validate_every": 2})
        run_training(
            config.model_copy(update={"training": short}), run,
            device=device, precision=precision, progress=progress, cancelled=cancelled,
        )  # fmt: skip
    return path
