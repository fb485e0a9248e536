"""CONFIG.toml as typed values: the one place that knows keys, defaults and limits.

Every number's unit stands in its comment. Unknown keys are errors that name the nearest known key. Paths are relative
to the configuration file and made absolute when it is loaded.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.errors import ConfigError
from engine.modality import Resampling, Role, Unit
from engine.trust import leads_elsewhere, network_is_allowed

_LARGEST = 2**31 - 1


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @field_validator("*", mode="after")
    @classmethod
    def _countable(cls, value: Any) -> Any:
        """No count, size or seed needs more; the arithmetic behind them has 64 bits."""
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(number, int) and abs(number) > _LARGEST for number in numbers):
            raise ValueError(f"expected a number up to {_LARGEST}")
        return value


class ModalityConfig(_Section):
    """One modality of a scene: `hsi = "hsi.tif"` is short for `hsi = { path = "hsi.tif" }`."""

    path: Path
    role: Role | None = None  # guessed from the name when absent
    unit: Unit | None = None  # "db": SAR in decibels, averaged in linear power; guessed for role "sar" from the values
    resampling: Resampling | None = None  # default: average when the layer is finer than the grid, else bilinear
    variable: str | None = None  # variable of a .mat file
    bands: tuple[int, ...] | None = None  # 1-based; default all bands that are neither bad nor without any valid value


class LabelsConfig(_Section):
    """Where the classes come from: vector with `field`, or a raster of class values."""

    path: Path
    field: str | None = None
    layer: str | None = None  # layer of a multi-layer vector file
    variable: str | None = None  # variable of a .mat file
    test: Path | None = None  # labels of the test side, for `split.kind = "files"`
    ignore: tuple[int, ...] = ()  # raster values that are not classes, beside 0 and nodata


class SceneConfig(_Section):
    """One place: rasters on one reference grid, and its labels."""

    name: str | None = None
    reference: str | None = None  # modality whose grid is used; default: the one with most bands
    modalities: dict[str, ModalityConfig] = Field(min_length=1)
    labels: LabelsConfig

    @field_validator("modalities", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: {"path": v} if isinstance(v, str | Path) else v for k, v in value.items()}
        return value

    @field_validator("modalities")
    @classmethod
    def _names(cls, value: dict[str, ModalityConfig]) -> dict[str, ModalityConfig]:
        """Patterns are written `hsi+lidar`, layers `hsi=PATH`, and the pattern without sensors `none`."""
        for name in value:
            if name != name.strip() or name in ("", "none") or not name.isprintable() or set(name) & set("+="):
                raise ValueError(f"a modality cannot be called {name!r}; leave out + and =, and do not call it none")
        return value


class SplitConfig(_Section):
    """Which labels train, choose (validation) and test."""

    kind: Literal["blocks", "files", "random", "paper"] = "blocks"  # blocks | files | random (leaks) | paper (leaks)
    block_px: int | None = Field(None, ge=2)  # side of a spatial block; default: from the scene's size and the window
    buffer_px: int | None = Field(None, ge=0)  # distance that sides keep from each other; default: half a window
    test_fraction: float = Field(0.3, ge=0, lt=1)
    validation_fraction: float = Field(0.2, ge=0, lt=1)  # of the training side
    train_per_class: int | None = Field(None, ge=1)  # cap of labelled training pixels per class
    test_pixels: int | None = Field(5000, ge=1)  # stored test sample per scene; None keeps all
    seed: int | None = Field(None, ge=0)  # default: that of training


Placement = Literal["head", "last"] | tuple[int, ...]
Fusions = Annotated[tuple[Literal["concat", "sum", "gated", "attention"], ...], Field(min_length=1, max_length=4)]


class ModelConfig(_Section):
    """The network."""

    backbone: str = "compact"  # compact | open_clip:ARCH/PRETRAINED | timm:NAME
    weights: Path | None = None  # local file of backbone weights, instead of a download
    train_backbone: bool | None = None  # default: compact yes, pretrained no (frozen)
    method: Literal["mamol", "linear", "lora", "mmp", "dcp", "moe_rep", "moe_ada", "moe_task"] = "mamol"
    readout: Literal["dense", "centre"] = "dense"
    window: int | None = Field(None, ge=2)  # side of the model's input, pixels
    token_px: int | None = Field(None, ge=1)  # side of one token, pixels
    core: int | None = Field(None, ge=1)  # dense: inner pixels of a window that are predicted
    width: int = Field(96, ge=8)  # compact only
    depth: int = Field(2, ge=1)  # compact only
    heads: int = Field(3, ge=1)  # compact only
    dropout: float = Field(0.1, ge=0, lt=1)
    stem_width: int | None = Field(None, ge=4)  # channels between the two convolutions of a tokeniser
    pixels: bool | None = None  # dense: pixels speak for themselves, beside tokens; default: yes
    boxes: tuple[int, ...] | None = None  # dense: odd sides, pixels, of squares whose mean and spread describe a pixel
    bins: int = Field(8, ge=0)  # dense: quantile ramps for each of these numbers
    token_dropout: float = Field(0.3, ge=0, le=1)  # dense: share of training windows seen without tokens
    feature_width: int = Field(128, ge=8)  # dense: channels of a pixel's feature and of the head's hidden layer
    head_dropout: float = Field(0.3, ge=0, lt=1)
    placement: Placement | None = None  # head | last | list of block numbers from 0; default: last (mmp, dcp: head)
    adapter_blocks: int = Field(6, ge=0)  # how many blocks head and last are, at most
    dynamic_experts: int | None = Field(None, ge=0)  # behind a router; default: 2 (moe_ada, moe_task: 4)
    top_k: int | None = Field(None, ge=1)  # how many of them serve a token; default: 1 (moe_ada: 2; moe_task: all)
    rank: int | None = Field(None, ge=1)  # of each LoRA; default: 8 (moe_task: 4)
    shared_expert: bool = True  # mamol
    modality_experts: bool = True  # mamol
    modality_gate: Literal["present", "own"] = "present"  # mamol: experts of all sensors there | of the token's sensor
    router_input: Literal["both", "token", "pattern"] = "both"  # mamol: what chooses dynamic experts (Eq. 6: both)
    adapter_norm: bool = False  # mamol: Eq. 3's LayerNorm
    adapter_projection: bool = False  # mamol: the authors' GELU + out_proj
    expert_balance: float | None = Field(None, ge=0)  # weight of a balance loss; default: moe_rep 0.01, moe_ada 0.001
    prompt_length: int | None = Field(None, ge=1)  # prompts in each block; default: mmp 16, dcp 36
    prompt_level: Literal["input", "attention"] = "input"  # mmp: prompts are tokens | keys and values
    fusion: Fusions | None = None  # one, or several whose scores are averaged; default: sum and gated (centre: concat)

    @field_validator("placement", mode="before")
    @classmethod
    def _place(cls, value: Any) -> Any:
        numbers = isinstance(value, list | tuple) and all(type(item) is int and 0 <= item < 1024 for item in value)
        if not (numbers or value in ("head", "last", None)):
            raise ValueError(f'expected "head", "last" or a list of block numbers from 0, got {value!r}')
        return value

    @field_validator("fusion", mode="before")
    @classmethod
    def _single(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class TrainingConfig(_Section):
    """The loop."""

    epochs: int | None = Field(None, ge=1)  # in place of `steps`: windows per training pixel, `unlabelled` ones too
    steps: int = Field(450, ge=1)  # optimiser steps, where `epochs` is not given
    batch_size: int = Field(16, ge=1)  # windows
    pixels_per_step: int = Field(2048, ge=1)  # training pixels that speak for themselves (see model.pixels)
    accumulate: int = Field(1, ge=1)
    learning_rate: float = Field(3e-3, gt=0)
    adapter_learning_rate: float | None = Field(None, gt=0)  # factor for experts; default: 1, in frozen blocks 0.1
    weight_decay: float = Field(0.05, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1)  # share of the steps
    clip: float = Field(1.0, gt=0)  # gradient norm
    label_smoothing: float = Field(0.05, ge=0, lt=1)
    validate_every: int = Field(100, ge=1)  # steps
    patience: int | None = Field(None, ge=1)  # validations without improvement before stopping early
    checkpoint_seconds: float = Field(60.0, ge=0)
    balance: Literal["none", "sampling", "weights"] = "none"
    augment: bool = True  # flips and quarter turns
    noise: float = Field(0.1, ge=0)  # standard deviation of pixel noise, band offsets and gains of standardised windows
    average: float = Field(0.99, ge=0, lt=1)  # decay of the averaged weights that are kept; 0: the last step's own
    teaching: float = Field(1.0, ge=0)  # weight of the loss to what the averaged network says with all sensors; 0: none
    teaching_start: float = Field(0.4, ge=0, lt=1)  # share of the steps after which it begins
    taught_pixels: int = Field(32, ge=0)  # pixels of each core that it speaks about; 0: it looks at no windows
    unlabelled: float = Field(0.5, ge=0, lt=1)  # from then on: share of windows drawn anywhere on the training side
    prior_correction: float = Field(0.1, ge=0, le=1)  # share of the fitted class bias that is applied
    seed: int = Field(0, ge=0)


Patterns = Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=1)]


class MissingConfig(_Section):
    """Gaps made on purpose during training."""

    rate: float = Field(0.85, ge=0, le=1)  # share of samples with a gap, spread over the 2^M - 2 incomplete patterns
    patterns: Patterns | None = None  # only these, by the sensors left: ["hsi", "hsi+sar"] or { hsi = 3, sar = 1 }
    protocol: Literal["standard", "paper"] = "standard"  # fresh draw every epoch | one fixed table
    absent: Literal["skip", "dummy"] = "skip"  # absent from a whole window: not encoded | dummy tokens encoded
    cut_rate: float = Field(0.1, ge=0, le=1)  # share of samples where a random line cuts a modality off (swath edges)

    @field_validator("patterns", mode="before")
    @classmethod
    def _alike(cls, value: Any) -> Any:
        return dict.fromkeys(value, 1.0) if isinstance(value, list | tuple) else value


MixingKind = Literal["modality", "mixup", "balanced_mixup", "dropout"]


class MixingConfig(_Section):
    """Modality-mix learning: samples whose sensors come from two places, with both labels."""

    enabled: bool = False
    kind: MixingKind = "modality"  # sensors mixed | mixup, balanced_mixup: values blended | dropout: sensors gone
    start: float = Field(0.6, ge=0, lt=1)  # share of the steps before it begins
    every: int = Field(60, ge=1)  # steps between two selections of the samples to mix
    select: float = Field(0.6, gt=0, le=1)  # share of each class's well predicted samples that are mixed
    confidence: float = Field(0.5, ge=0, lt=1)  # probability of its class from which a sample is well predicted
    at_least: int = Field(4, ge=1)  # samples of each class that are mixed, where so many are well predicted
    label: Literal["confidence", "uniform", "inverse"] = "confidence"  # what sets a sensor's share in a mixed label
    least_share: float | None = Field(None, ge=0, le=0.5)  # of a sensor; default: 0.3 of two, 0.5 / M of more
    weak_weight: float = Field(2.0, ge=1)  # largest weight of the sensor that says least by itself; 1: all alike
    gradient_modulation: float = Field(0.0, ge=0)  # OGM's alpha: holds back what says most by itself; 0: nothing
    weight: float = Field(0.5, ge=0)  # of the loss at mixed samples
    pure: bool = False  # mixed samples alone, without the usual loss
    learning_rate: float = Field(0.3, gt=0, le=1)  # factor of training's from then on
    fill_incomplete: bool = False  # mix samples that lack sensors, too: they take just these from others
    blend: float = Field(0.4, gt=0)  # mixup, balanced_mixup: parameter of the beta distribution of shares

    @model_validator(mode="after")
    def _fill(self) -> MixingConfig:
        if self.fill_incomplete and self.kind != "modality":
            raise ValueError(f'fill_incomplete needs kind = "modality", got {self.kind!r}')
        return self


class Config(_Section):
    """A whole training job."""

    scene: tuple[SceneConfig, ...] = Field(min_length=1)
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    missing: MissingConfig = MissingConfig()
    mixing: MixingConfig = MixingConfig()

    @field_validator("scene", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _files_need_test(self) -> Config:
        if self.split.kind == "files" and any(scene.labels.test is None for scene in self.scene):
            raise ValueError('split.kind = "files" needs labels.test in every scene')
        return self


def load_config(path: Path, overrides: tuple[str, ...] = ()) -> Config:
    """Read a TOML file and apply `section.key=value` overrides (values in TOML syntax, bare words taken as strings).

    Overrides come from the command line, which may name any file; the file may not name other machines.

    Raises:
        ConfigError: the file is missing, is not TOML, or has an unknown key or a value out of range.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: configuration cannot be read ({error.strerror}); check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    named = [_apply_override(data, override) for override in overrides]
    config = parse_config(data, str(path))
    return _absolute_paths(config, path.resolve().parent, {Path(value) for value in named if isinstance(value, str)})


def parse_config(data: dict[str, Any], where: str = "configuration") -> Config:
    """Validate a nested dict; the first problem becomes one sentence."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_sentence(error)}") from error


def _apply_override(data: dict[str, Any], override: str) -> Any:
    """Put an override into `data`, and return its value."""
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"--set {override}: expected section.key=value")
    try:
        value = tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, last = key.strip().split(".")
    target = data
    for section in sections:
        target = target.setdefault(section, {})
        if not isinstance(target, dict):
            raise ConfigError(f"--set {override}: {section} is not a section with keys; edit the file instead")
    target[last] = value
    return value


def _absolute_paths(config: Config, folder: Path, named: set[Path]) -> Config:
    """Paths from `folder` on; those in `named` are the command line's own."""

    def absolute(path: Path | None) -> Path | None:
        if path is not None and leads_elsewhere(str(path)) and path not in named and not network_is_allowed():
            raise ConfigError(
                f"{path}: not a file on this machine's disks; copy it here, or set MAMOL_NETWORK=1 if you trust the "
                "configuration"
            )
        return None if path is None else folder / path.expanduser()

    scenes = tuple(
        scene.model_copy(
            update={
                "modalities": {k: m.model_copy(update={"path": absolute(m.path)}) for k, m in scene.modalities.items()},
                "labels": scene.labels.model_copy(
                    update={"path": absolute(scene.labels.path), "test": absolute(scene.labels.test)}
                ),
            }
        )
        for scene in config.scene
    )
    model = config.model.model_copy(update={"weights": absolute(config.model.weights)})
    return config.model_copy(update={"scene": scenes, "model": model})


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    location = [part for part in first["loc"] if not isinstance(part, int)]
    dotted = ".".join(map(str, location))
    if first["type"] == "extra_forbidden":
        known = _known_keys(location[:-1])
        nearest = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.0)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        return f"unknown key {dotted}{hint} (known here: {', '.join(known)})"
    if first["type"] == "missing":
        return f"{dotted} is missing"
    message = first["msg"].removeprefix("Value error, ")
    got = "" if first["type"] == "value_error" else f" (got {first['input']!r})"
    return f"{dotted}: {message[0].lower()}{message[1:]}{got}" if dotted else f"{message}{got}"


def _known_keys(sections: list[Any]) -> list[str]:
    """Keys of the section reached by `sections`; names of modalities are steps without keys of their own."""
    fields: dict[tuple[str, ...], type[BaseModel]] = {
        (): Config, ("scene",): SceneConfig, ("scene", "labels"): LabelsConfig, ("split",): SplitConfig,
        ("model",): ModelConfig, ("training",): TrainingConfig, ("missing",): MissingConfig, ("mixing",): MixingConfig,
    }  # fmt: skip
    section = fields.get(tuple(sections), ModalityConfig if tuple(sections[:2]) == ("scene", "modalities") else Config)
    return list(section.model_fields)
