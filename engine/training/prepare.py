"""What follows from a configuration without training: scenes, legend, splits. Other methods are compared on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.config import Config
from engine.data.scene import Scene, open_scenes
from engine.data.splits import Split, class_counts, make_splits
from engine.legend import Legend
from engine.modality import Modality
from engine.model.resolve import PROMPTING, resolve_model_config
from engine.progress import Progress

# Of the learning rate. At the whole of it the sum of all experts drives frozen blocks apart before stems and head can
# follow (docs/results/search.md); a backbone that trains goes along.
_BESIDE_FROZEN = 0.1


@dataclass(frozen=True)
class Prepared:
    """Scenes of a configuration with their splits; `config` is resolved."""

    config: Config
    scenes: list[Scene]
    legend: Legend
    splits: list[Split]

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Those of all scenes, in model order."""
        return self.scenes[0].modalities

    @property
    def names(self) -> list[str]:
        """Modality names in model order."""
        return [modality.name for modality in self.modalities]

    @property
    def counts(self) -> dict[str, np.ndarray]:
        """Pixels of each class (Y,) on each side."""
        return class_counts(self.scenes, self.splits, len(self.legend))

    def close(self) -> None:
        """Close all rasters."""
        for scene in self.scenes:
            scene.stack.close()


def resolve(config: Config) -> Config:
    """Fill in what does not depend on the scenes."""
    model, split, training = resolve_model_config(config.model), config.split, config.training
    if split.seed is None:
        split = split.model_copy(update={"seed": training.seed})
    if training.adapter_learning_rate is None:
        factor = 1.0 if model.train_backbone or model.method in PROMPTING else _BESIDE_FROZEN
        training = training.model_copy(update={"adapter_learning_rate": factor})
    return config.model_copy(update={"model": model, "split": split, "training": training})


def prepare(config: Config, progress: Progress | None = None) -> Prepared:
    """Open the scenes of a configuration and split them.

    Raises:
        EngineError: a layer, the labels or the split cannot be used.
    """
    config = resolve(config)
    scenes, legend = open_scenes(config)
    assert config.model.window is not None and config.split.seed is not None
    splits = make_splits(scenes, legend, config.split, config.model.window, config.split.seed, progress)
    return Prepared(config, scenes, legend, splits)
