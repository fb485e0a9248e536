"""What is run for each table: conditions x methods, with the paper's backbone, read-out, optimiser and budget.

The paper: CLIP ViT-B/16, frozen; one window of 14 x 14 pixels for each pixel, one token for each pixel of it; Adam with
learning rate 2e-3, weight decay 2e-2, a tenth of the steps of warm-up, linear decay, batches of 128; the authors' code:
200 epochs, no augmentation, one table of gaps for all epochs. No checkpoint is chosen by test pixels: under the
protocol `paper`, which has no validation side, the last weights are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.benchmarks.comparison.methods import ABLATIONS, COMPARATORS, MAMOL, MIXED, MIXING, Methods
from engine.benchmarks.published.conditions import RATES, Condition, three_sensors, two_sensors

SENSORS = {
    "houston2013": ("hsi", "lidar"), "trento": ("hsi", "lidar"), "augsburg": ("hsi", "sar"),
    "augsburg3": ("hsi", "sar", "dsm"),
}  # fmt: skip
TABLES = {"houston2013": ("1",), "trento": ("1", "4", "5"), "augsburg": ("1",), "augsburg3": ("3",)}  # in the paper

RECIPE = (
    'model.backbone="open_clip:ViT-B-16/openai"', 'model.readout="centre"', "model.head_dropout=0",
    "training.epochs=200", "training.batch_size=128", "training.learning_rate=0.002",
    "training.adapter_learning_rate=1", "training.weight_decay=0.02", "training.warmup=0.1",
    "training.label_smoothing=0", "training.teaching=0", "training.augment=false", "training.noise=0",
    "training.average=0", "training.prior_correction=0", "training.validate_every=500", "missing.cut_rate=0",
)  # fmt: skip

COMPARED: Methods = {**COMPARATORS, MAMOL: (), MIXED: MIXING}
PLACES: Methods = {
    "Head (6 x 2)": ('model.placement="head"', "model.dynamic_experts=2"),
    "Last (6 x 2)": ('model.placement="last"', "model.dynamic_experts=2"),
    "Last (2 x 5)": ('model.placement="last"', "model.adapter_blocks=2", "model.dynamic_experts=5"),
}
PLACED = ("MoE_rep", "MoE_ada", "MoE_task", MAMOL)
ABLATED: Methods = {"linear": COMPARATORS["linear"], **ABLATIONS, MAMOL: ()}


@dataclass(frozen=True)
class Job:
    """One training: under which condition, which method, with what settings."""

    condition: Condition
    method: str
    keys: tuple[str, ...]


def conditions_of(name: str) -> list[Condition]:
    """The conditions that a data set's tables have."""
    sensors = SENSORS[name]
    return three_sensors(*sensors) if len(sensors) == 3 else two_sensors(*sensors)


def jobs(name: str, tables: tuple[str, ...]) -> list[Job]:
    """The trainings that these tables need, each once."""
    conditions = conditions_of(name)
    both = (
        {rate: next(c for c in conditions if c.name == f"both {rate} %") for rate in RATES}
        if "3" not in TABLES[name]
        else {}
    )
    found: list[Job] = []
    if "1" in tables or "3" in tables:
        found += [Job(condition, method, keys) for condition in conditions for method, keys in COMPARED.items()]
    if "4" in tables:
        found += [
            Job(both[70], placed(method, place), COMPARED[method] + keys)
            for method in PLACED
            for place, keys in PLACES.items()
        ]
    if "5" in tables:
        found += [Job(both[rate], method, keys) for rate in RATES for method, keys in ABLATED.items()]
    return list({(job.condition.name, job.method): job for job in found}.values())


def placed(method: str, place: str) -> str:
    """Name of a method's run at a place."""
    return f"{method}, {place}"
