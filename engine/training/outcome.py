"""What a trained network is worth: calibrated on validation pixels, measured on test pixels, pattern by pattern."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import softmax

from engine.assessment.confusion import Confusion, calibration_error
from engine.data.scene import Scene
from engine.data.splits import Split
from engine.data.window_cache import SceneCache
from engine.modality import pattern_name
from engine.model.network import MaMOLNetwork
from engine.raster.normalise import BandStats
from engine.training.calibrate import Calibration, calibrate
from engine.training.validate import Answers, Pattern, ask, few_cores, from_cache, from_scene, join

_CORES_PER_VALIDATION = 200  # per scene, while training goes on; all of them at the end


@dataclass(frozen=True)
class Examiner:
    """Asks a network about the validation and test pixels of all scenes."""

    scenes: Sequence[Scene]
    splits: Sequence[Split]
    caches: Sequence[SceneCache]
    stats: dict[str, BandStats]
    patterns: list[Pattern]
    classes: int
    device: torch.device
    precision: str
    cancelled: Callable[[], bool]

    def validation(self, network: MaMOLNetwork, limit: int | None = None) -> Answers | None:
        """Answers at validation pixels, of at most `limit` windows per scene; None where there are none."""
        parts = []
        for number, (scene, split, cache) in enumerate(zip(self.scenes, self.splits, self.caches, strict=True)):
            pixels = split.validation
            if limit is not None:
                rng = np.random.default_rng(number)
                pixels = pixels[few_cores(scene.rows[pixels], scene.cols[pixels], network.core, limit, rng)]
            parts.append(self._ask(network, from_cache(cache), scene, pixels))
        answers = join(parts)
        return answers if len(answers.reference) else None

    def test(self, network: MaMOLNetwork) -> Answers:
        """Answers at the stored test pixels, read from the rasters as mapping reads them."""
        return join(
            [
                self._ask(network, from_scene(scene, self.stats), scene, split.test)
                for scene, split in zip(self.scenes, self.splits, strict=True)
            ]
        )

    def score(self, network: MaMOLNetwork) -> tuple[float, dict[str, float]]:
        """Mean of OA and AA over patterns on validation pixels, and both for each pattern."""
        answers = self.validation(network, _CORES_PER_VALIDATION)
        if answers is None:
            return 0.0, {}
        names = [modality.name for modality in self.scenes[0].modalities]
        numbers: dict[str, float] = {}
        scores = []
        for name, confusion in answers.confusions(names).items():
            if confusion.n:
                numbers |= {f"oa {name}": confusion.oa, f"aa {name}": confusion.aa()}
                scores.append((confusion.oa + confusion.aa()) / 2)
        return float(np.mean(scores)) if scores else 0.0, numbers

    def _ask(self, network: MaMOLNetwork, read: Any, scene: Scene, pixels: np.ndarray) -> Answers:
        return ask(
            network, read, scene.rows[pixels], scene.cols[pixels], scene.classes[pixels], self.patterns, self.classes,
            device=self.device, precision=self.precision, cancelled=self.cancelled,
        )  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Accuracy and calibration of each pattern, by its name.

    Attributes:
        calibrations: fitted on validation pixels.
        confusions: on the test pixels (on validation pixels where there is no test side).
        calibration_errors: expected calibration error on the same pixels.
        predictions: arrays for paired comparisons: `patterns` (P,), `predicted` (P, N) class index, -1 where the pixel
            lacks a modality of the pattern, `confidence` (P, N), `reference` (N,).
        measured_on: "test" or "validation".
    """

    calibrations: dict[str, Calibration]
    confusions: dict[str, Confusion]
    calibration_errors: dict[str, float]
    predictions: dict[str, np.ndarray]
    measured_on: str

    def metrics(self) -> dict[str, dict[str, Any]]:
        """`oa`, `aa`, `kappa` and `n` of each pattern."""
        return {name: confusion.summary() for name, confusion in self.confusions.items()}

    def model_patterns(self) -> dict[str, dict[str, Any]]:
        """What a model file says of each pattern."""
        return {
            name: confusion.summary()
            | {"temperature": self.calibrations[name].temperature, "bias": self.calibrations[name].bias.tolist()}
            for name, confusion in self.confusions.items()
        }


def examine(network: MaMOLNetwork, examiner: Examiner, names: Sequence[str], prior_correction: float) -> Outcome:
    """Calibrate every pattern on validation pixels, then measure it on test pixels."""
    validation, test = examiner.validation(network), examiner.test(network)
    pattern_names = [pattern_name(names, pattern) for pattern in examiner.patterns]
    calibrations = {}
    for number, name in enumerate(pattern_names):
        known = np.empty(0, np.int64) if validation is None else np.flatnonzero(validation.counted(number))
        asked = test if validation is None else validation  # without validation pixels: none of the test pixels, either
        calibrations[name] = calibrate(asked.logits[number, known], asked.reference[known], prior_correction)
    measured = test if len(test.reference) or validation is None else validation
    probabilities = np.stack(
        [
            softmax(calibrations[name].apply(logits), axis=-1)
            for name, logits in zip(pattern_names, measured.logits, strict=True)
        ]
    )
    predicted, confidence = probabilities.argmax(axis=2), probabilities.max(axis=2)
    confusions, errors = {}, {}
    for number, name in enumerate(pattern_names):
        known = measured.counted(number)
        reference, answer = measured.reference[known], predicted[number, known]
        confusions[name] = Confusion.of(reference, answer, examiner.classes)
        errors[name] = calibration_error(confidence[number, known], answer == reference)
        predicted[number, ~known] = -1
    return Outcome(
        calibrations=calibrations,
        confusions=confusions,
        calibration_errors=errors,
        predictions={
            "patterns": np.array(pattern_names),
            "predicted": predicted.astype(np.int32),
            "confidence": confidence.astype(np.float32),
            "reference": measured.reference.astype(np.int32),
        },
        measured_on="test" if measured is test else "validation",
    )
