"""What a trained network is worth: calibrated on validation pixels, measured on test pixels, pattern by pattern."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from engine.assessment.calibration import Reliability
from engine.assessment.confusion import Confusion
from engine.data.scene import Scene
from engine.data.splits import Split
from engine.data.window_cache import SceneCache
from engine.modality import pattern_name, pattern_present
from engine.model.expert_use import ExpertUse, watched
from engine.model.network import MaMOLNetwork
from engine.raster.normalise import BandStats
from engine.training.calibrate import Calibration, calibrate
from engine.training.distributed import ALONE, Team
from engine.training.measure import measure, predictions, reliability
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
    team: Team = ALONE

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
            device=self.device, precision=self.precision, cancelled=self.cancelled, team=self.team,
        )  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Accuracy and calibration of each pattern, by its name.

    Attributes:
        calibrations: fitted on validation pixels.
        confusions: on the test pixels (on validation pixels where there is no test side).
        reliability: of the confidence on the same pixels.
        uncalibrated: the same before class bias and temperature.
        validation: the same as `reliability` on the validation pixels, on which both were fitted; empty without.
        validation_confusions: on the same pixels, before class bias and temperature: what settings are chosen by.
        predictions: arrays for paired comparisons: `patterns` (P,), `predicted` (P, N) class index, -1 where the pixel
            lacks a modality of the pattern, `confidence` (P, N), `reference` (N,).
        measured_on: "test" or "validation".
        experts: which experts serve which pattern, JSON-able; None for methods without routers.
        sensors: what each sensor is worth (see `assessment.sensor_value`); None where it cannot be told.
    """

    calibrations: dict[str, Calibration]
    confusions: dict[str, Confusion]
    reliability: dict[str, Reliability]
    uncalibrated: dict[str, Reliability]
    validation: dict[str, Reliability]
    validation_confusions: dict[str, Confusion]
    predictions: dict[str, np.ndarray]
    measured_on: str
    experts: dict[str, Any] | None
    sensors: dict[str, Any] | None

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
    validation = examiner.validation(network)
    with watched(network) as use:
        test = examiner.test(network)
    _add_up(use, examiner.team)
    pattern_names = [pattern_name(names, pattern) for pattern in examiner.patterns]
    calibrations = {}
    for number, name in enumerate(pattern_names):
        known = np.empty(0, np.int64) if validation is None else np.flatnonzero(validation.counted(number))
        asked = test if validation is None else validation  # without validation pixels: none of the test pixels, either
        calibrations[name] = calibrate(asked.logits[number, known], asked.reference[known], prior_correction)
    measured = test if len(test.reference) or validation is None else validation
    predicted, confidence = predictions(measured, calibrations.values())
    confusions, sensors = measure(names, examiner.patterns, predicted, measured.reference, examiner.classes)
    untouched = dict.fromkeys(pattern_names, Calibration(1.0, np.zeros(examiner.classes)))
    return Outcome(
        calibrations=calibrations,
        confusions=confusions,
        reliability=reliability(measured, calibrations),
        uncalibrated=reliability(measured, untouched),
        validation={} if validation is None else reliability(validation, calibrations),
        validation_confusions={} if validation is None else validation.confusions(names),
        predictions={
            "patterns": np.array(pattern_names),
            "predicted": predicted.astype(np.int32),
            "confidence": confidence.astype(np.float32),
            "reference": measured.reference.astype(np.int32),
        },
        measured_on="test" if measured is test else "validation",
        experts=_described(use, names),
        sensors=sensors,
    )


def _add_up(use: ExpertUse, team: Team) -> None:
    """Count what the routers did in all processes; some patterns may have been asked about in one of them alone."""
    for codes in map(json.loads, team.exchange(json.dumps(list(use.loads)))):
        for bits in codes:
            use.loads.setdefault(bits, np.zeros((len(use.blocks), use.experts)))
    team.fill(*(use.loads[bits] for bits in sorted(use.loads)))


def _described(use: ExpertUse, names: Sequence[str]) -> dict[str, Any] | None:
    """What the routers did, by pattern name, patterns of many sensors first; None where nothing was counted."""
    if not use.loads:
        return None
    shares = use.shares()
    order = sorted(shares, key=lambda bits: (-bits.bit_count(), bits))
    patterns = {
        pattern_name(names, pattern_present(bits, len(names))): {
            "tokens": use.tokens(bits), "share": shares[bits].round(4).tolist(),
        }
        for bits in order
    }  # fmt: skip
    return {"blocks": use.blocks, "patterns": patterns}
