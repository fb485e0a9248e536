"""What `benchmark speed` measured, as a page and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.atomic import replacing, write_text


def write_report(facts: Mapping[str, Any], out: Path) -> Path:
    """Write speed.md and speed.png from the suite's facts; return the path of the first."""
    peak = facts["peak"]["bfloat16" if facts["precision"] == "bfloat16" else "float32"]
    mapping, training, pretrained, frozen = (facts[name] for name in ("mapping", "training", "pretrained", "frozen"))
    rates = {"this map mode": mapping["rate"], **facts["peers"]}
    large, bare = pretrained["mapping"], pretrained["token_rate_of_bare_blocks"]
    lines = [
        "# Speed",
        "",
        f"{facts['device']}, {facts['precision']}, torch {facts['versions']['torch']}; a simulated scene of "
        f"{facts['scene_px']} x {facts['scene_px']} pixels, three sensors; medians of {facts['rounds']} in one run. "
        f"Matrix products reach {peak:,.0f} GFLOP/s here ({facts['peak']['float32']:,.0f} in float32).",
        "",
        "## Mapping, files to files",
        "",
        "| way | pixels per second | this map mode is faster by |",
        "|---|---|---|",
        *(f"| {name} | {rate:,.0f} | {mapping['rate'] / rate:,.1f} |" for name, rate in rates.items()),
        "",
        f"{mapping['flops'] / 1e6:.2f} MFLOP a pixel, {mapping['gflops']:,.0f} GFLOP/s while predicting "
        f"({mapping['gflops'] / peak:.0%} of the peak). The model is not at work in {mapping['waiting']:.0%} of the "
        f"wall clock. Seconds: {_listed(mapping['stages'], '.2f')}. Shares of the network's time: "
        f"{_listed(mapping['shares'], '.0%')}.",
        "",
        "## Training",
        "",
        f"{training['seconds']:,.0f} s and {training['flops'] / 1e12:.1f} TFLOP for all steps of the default "
        f"({training['steps'][0]} before the teacher begins, {training['steps'][1]} after), "
        f"{training['preparing']:.1f} s of preparation before.",
        "",
        "| step | ms | GFLOP | drawing | forward | backward | updating |",
        "|---|---|---|---|---|---|---|",
        *(_step(kind, training[kind]) for kind in ("untaught", "taught")),
        "",
        "## A frozen ViT-B/16, two sensors",
        "",
        f"{large['token_rate']:,.0f} tokens per second from files to files, its bare blocks {bare:,.0f} "
        f"({large['token_rate'] / bare:.0%}); {large['rate']:,.0f} pixels per second, "
        f"{large['rate'] / pretrained['window per pixel']:,.0f} times as many as with a window per pixel.",
        "",
        "## Training around a frozen ViT-S/14",
        "",
        *_frozen(frozen),
        "",
        "## What an adapter costs",
        "",
        "| block | bare, ms | with adapter, ms | more |",
        "|---|---|---|---|",
        *(
            f"| {name} | {1e3 * s['bare']:.2f} | {1e3 * s['adapter']:.2f} | {s['adapter'] / s['bare'] - 1:.1%} |"
            for name, s in facts["adapter"].items()
        ),
        "",
    ]
    path = out / "speed.md"
    write_text(path, "\n".join(lines))
    _picture(rates, mapping, out / "speed.png")
    return path


def _frozen(facts: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{facts['windows'] * sum(facts['steps']) / facts['seconds']:.1f} windows per second, in steps of "
        f"{facts['windows']}. In turns with the steps the bare blocks encoded as many windows of one sensor: forward "
        "and backward to the tokens where the network learns, forward alone where its average, the teacher, looks.",
        "",
        "| step | ms | encoded to learn | to look | bare blocks, ms | of the step |",
        "|---|---|---|---|---|---|",
    ]
    for kind in ("untaught", "taught"):
        step = facts[kind]
        lines.append(
            f"| {kind} | {1e3 * step['seconds']:,.0f} | {step['encoded']:.0f} | {step['looked']:.0f} | "
            f"{1e3 * step['bare']:,.0f} | {step['bare'] / step['seconds']:.0%} |"
        )
    share = facts["untaught"]["bare"] / facts["taught"]["seconds"]
    return [
        *lines, "",
        f"If the teacher's look does not count as work, bare blocks (those of an untaught step) are {share:.0%} of a "
        "taught step.",
    ]  # fmt: skip


def _step(kind: str, step: Mapping[str, Any]) -> str:
    parts = " | ".join(f"{step['parts'][part] / step['seconds']:.0%}" for part in step["parts"])
    return f"| {kind} | {1e3 * step['seconds']:.0f} | {step['flops'] / 1e9:.1f} | {parts} |"


def _listed(values: Mapping[str, float], form: str) -> str:
    return ", ".join(f"{name} {value:{form}}" for name, value in values.items())


def _picture(rates: Mapping[str, float], mapping: Mapping[str, Any], path: Path) -> None:
    """Rates of all ways on a logarithmic axis, and where the network's time goes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.barh(list(rates), list(rates.values()), color="#3b6fb6")
    left.set_xscale("log")
    left.invert_yaxis()
    left.set_xlabel("pixels per second")
    shares = dict(sorted(mapping["shares"].items(), key=lambda item: -item[1]))
    right.barh(list(shares), [100 * share for share in shares.values()], color="#6aa56e")
    right.invert_yaxis()
    right.set_xlabel("share of the network's time, %")
    with replacing(path) as part:
        figure.savefig(part, dpi=120)
