"""What a careful user gets without us: forests and boosting on hand-made features.

Two ways to live with missing sensors: *specialists*, one model for each combination of sensors, and one *mean-filled*
model whose gaps are filled with the training mean. Each with a class-prior correction fitted on validation pixels like
ours, and without.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.assessment.confusion import Confusion
from engine.assessment.report import Floors
from engine.benchmarks.features import pixel_features
from engine.benchmarks.results import chosen_family
from engine.benchmarks.runs import Run, Scores
from engine.data.scene import Scene
from engine.data.splits import Split
from engine.errors import ConfigError
from engine.modality import evaluation_patterns, pattern_name
from engine.training.calibrate import calibrate
from engine.training.prepare import Prepared

CONTEXTS_PX = (1, 5, 13)
CLASSIFIERS = ("forest", "boosting")
TREES = 300  # of a forest
SPECIALISTS, FILLED = "specialists", "mean-filled"
CORRECTED = ", corrected"
RUNS_PER_FAMILY = 4  # both methods, as they are and corrected
SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class Side:
    """Pixels of one side of the split: features of each modality (N, F), presence (N, M), class indices (N,)."""

    features: list[np.ndarray]
    present: np.ndarray
    classes: np.ndarray

    def having(self, pattern: Sequence[bool]) -> Side:
        """The pixels that have all modalities of `pattern`."""
        mask = np.logical_and.reduce(self.present[:, list(pattern)], axis=1)
        return Side([values[mask] for values in self.features], self.present[mask], self.classes[mask])

    def filled(self, pattern: Sequence[bool], fill: Sequence[np.ndarray]) -> np.ndarray:
        """All features side by side (N, F); `fill` where a modality is outside `pattern` or absent from the pixel."""
        shown = self.present & np.asarray(pattern)
        columns = zip(self.features, fill, shown.T, strict=True)
        return np.concatenate([np.where(has[:, None], values, mean) for values, mean, has in columns], 1)

    def chosen(self, pattern: Sequence[bool]) -> np.ndarray:
        """The features of the modalities in `pattern` side by side (N, F)."""
        return np.concatenate([values for values, has in zip(self.features, pattern, strict=True) if has], 1)


def floor_runs(
    case: str,
    seed: int,
    scenes: Sequence[Scene],
    splits: Sequence[Split],
    classes: int,
    correction: float,
    contexts_px: Sequence[int] = CONTEXTS_PX,
    threads: int | None = None,
    done: Container[str] = (),
    classifiers: Sequence[str] | None = None,
) -> Iterator[Run]:
    """Train and score every family: four Runs each, specialists and mean-filled, as they are and corrected.

    Args:
        case: name of scene and protocol.
        seed: of the classifiers.
        scenes: where the pixels lie.
        splits: of each scene; `train` teaches, `validation` corrects, `test` is scored.
        classes: number of classes.
        correction: share of the fitted class-prior correction that is applied, as for our model.
        contexts_px: sides of neighbourhoods to try.
        threads: CPU threads, None for all.
        done: families that need no run any more.
        classifiers: of `CLASSIFIERS`, None for all.
    """
    names = [modality.name for modality in scenes[0].modalities]
    for context_px in contexts_px:
        families = {classifier: f"{classifier} {context_px}x{context_px}" for classifier in classifiers or CLASSIFIERS}
        todo = {classifier: family for classifier, family in families.items() if family not in done}
        if not todo:
            continue
        sides = {side: gather(scenes, splits, side, context_px) for side in SIDES}
        for classifier, family in todo.items():
            for method, use in ((SPECIALISTS, _specialist), (FILLED, _mean_filled)):
                start = time.monotonic()
                predictor_of = use(sides["train"], classes, classifier, seed, threads)
                test, validation, corrected = _score(sides, names, classes, correction, predictor_of)
                run = Run(case, seed, method, test, validation, family, time.monotonic() - start)
                yield run
                yield replace(run, method=method + CORRECTED, test=corrected, validation={})


def chosen_floors(data: Prepared, threads: int | None = None) -> Floors:
    """Specialists of the family that validation pixels choose, for the report of a training on the same split.

    Features are the pixel's own and those of 5x5 pixels: what a user has at hand.
    """
    training = data.config.training
    assert training.seed is not None
    runs = list(
        floor_runs(
            "", training.seed, data.scenes, data.splits, len(data.legend), training.prior_correction, (1, 5), threads
        )
    )
    family = chosen_family(runs, "", SPECIALISTS)
    found = next(run for run in runs if run.method == SPECIALISTS and family in ("", run.family))
    return Floors(f"{found.family} {SPECIALISTS}", found.test)


def gather(scenes: Sequence[Scene], splits: Sequence[Split], side: str, context_px: int) -> Side:
    """Features of one side's pixels over all scenes."""
    parts = []
    for scene, split in zip(scenes, splits, strict=True):
        pixels = getattr(split, side)
        features, present = pixel_features(scene, scene.rows[pixels], scene.cols[pixels], context_px)
        parts.append(Side(features, present, scene.classes[pixels]))
    return Side(
        [np.concatenate(values) for values in zip(*(part.features for part in parts), strict=True)],
        np.concatenate([part.present for part in parts]),
        np.concatenate([part.classes for part in parts]),
    )


Predictor = Callable[[Side], np.ndarray]
PredictorOf = Callable[[tuple[bool, ...]], Predictor | None]


def _score(
    sides: dict[str, Side], names: Sequence[str], classes: int, correction: float, predictor_of: PredictorOf
) -> tuple[Scores, Scores, Scores]:
    """Scores on test and validation pixels under every pattern, and on test pixels with corrected priors.

    A pattern is scored on the pixels that have all its sensors.
    """
    test: Scores = {}
    validation: Scores = {}
    corrected: Scores = {}
    for pattern in evaluation_patterns(len(names)):
        asked, chosen = sides["test"].having(pattern), sides["validation"].having(pattern)
        predict = predictor_of(pattern) if len(asked.classes) else None
        if predict is None:
            continue
        name = pattern_name(names, pattern)
        logits = predict(asked)
        test[name] = Confusion.of(asked.classes, logits.argmax(1), classes).summary()
        if len(chosen.classes):
            chosen_logits = predict(chosen)
            validation[name] = Confusion.of(chosen.classes, chosen_logits.argmax(1), classes).summary()
            corrected_logits = calibrate(chosen_logits, chosen.classes, correction).apply(logits)
            corrected[name] = Confusion.of(asked.classes, corrected_logits.argmax(1), classes).summary()
    return test, validation, corrected


def _specialist(train: Side, classes: int, classifier: str, seed: int, threads: int | None) -> PredictorOf:
    """One model for each pattern, trained on the pixels that have all its sensors."""

    def predictor(pattern: tuple[bool, ...]) -> Predictor | None:
        own = train.having(pattern)
        if len(np.unique(own.classes)) < 2:
            return None
        model = _fit(classifier, own.chosen(pattern), own.classes, seed, threads)
        return lambda side: _log_probabilities(model, side.chosen(pattern), classes)

    return predictor


def _mean_filled(train: Side, classes: int, classifier: str, seed: int, threads: int | None) -> PredictorOf:
    """One model for all patterns, trained on all pixels; gaps are filled with the training mean."""
    pairs = zip(train.features, train.present.T, strict=True)
    fill = [values[has].mean(0) if has.any() else np.zeros(values.shape[1], np.float32) for values, has in pairs]
    everything = (True,) * len(fill)
    model = _fit(classifier, train.filled(everything, fill), train.classes, seed, threads)

    def predictor(pattern: tuple[bool, ...]) -> Predictor:
        return lambda side: _log_probabilities(model, side.filled(pattern, fill), classes)

    return predictor


def _fit(classifier: str, features: np.ndarray, classes: np.ndarray, seed: int, threads: int | None) -> Any:
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    except ImportError as error:
        raise ConfigError("the floors need scikit-learn: install mamol-landcover[benchmark]") from error
    if classifier == "forest":
        model = RandomForestClassifier(TREES, min_samples_leaf=2, n_jobs=threads or -1, random_state=seed)
    else:
        model = HistGradientBoostingClassifier(early_stopping=False, random_state=seed)
    return model.fit(features, classes)


def _log_probabilities(model: Any, features: np.ndarray, classes: int) -> np.ndarray:
    """Natural logarithm of class probabilities (N, Y); classes the model has not seen are as good as impossible."""
    probabilities = np.full((len(features), classes), 1e-6, np.float32)
    probabilities[:, model.classes_] = np.maximum(model.predict_proba(features), 1e-6)
    return np.log(probabilities)
