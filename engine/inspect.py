"""Tell what a model needs, what layers hold, and whether the two would work together.

    python -m engine.inspect model.safetensors
    python -m engine.inspect --layer hsi=hsi.tif --layer lidar=lidar.tif
    python -m engine.inspect model.safetensors --layer hsi=hsi.tif          (a dry run of predict)

Exit code 2 where they would not work, with the reason predict would give. Never loads the network.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commandline import command_parser, named_path, run
from engine.errors import ConfigError, EngineError
from engine.progress import JsonProgress, Progress

if TYPE_CHECKING:
    from engine.modelfile import ModelInfo
    from engine.raster.stack import RasterStack


def make_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = command_parser("inspect", __doc__)
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="model file, written by training")
    parser.add_argument(
        "--layer", type=named_path, action="append", default=[], metavar="NAME=RASTER", help="a raster to look at"
    )
    parser.add_argument("--reference", metavar="NAME", help="layer whose grid would be mapped (default: as predict)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of text")
    return parser


def main(arguments: argparse.Namespace, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Look at what is given; what could be found out is printed also where something does not fit."""
    layers = dict(arguments.layer)
    if arguments.model is None and not layers:
        raise ConfigError("nothing to inspect; give a model file, or layers with --layer NAME=RASTER")

    from engine.modelfile import read_info

    info = None if arguments.model is None else read_info(arguments.model)
    found: dict[str, Any] = {}
    if info is not None:
        found["model"] = describe_model(info)
    problem: EngineError | None = None
    if layers:
        found["layers"] = {name: describe_layer(path) for name, path in layers.items()}
        try:
            found["together"] = describe_together(info, layers, arguments.reference)
        except EngineError as error:
            problem = error
            found["together"] = {"works": False, "problem": str(error)}
    if isinstance(progress, JsonProgress):
        progress.result(found)
    elif arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines_about(found)))
    if problem is not None:
        raise problem


def describe_model(info: ModelInfo) -> dict[str, Any]:
    """What a model needs and knows, JSON-able."""
    modalities = []
    for modality in info.modalities:
        wavelengths = modality.wavelengths_nm
        modalities.append(
            {
                "name": modality.name,
                "role": modality.role,
                "bands": modality.bands,
                "unit": modality.unit,
                "wavelengths_nm": list(wavelengths) if wavelengths else None,
                "source_count": modality.source_count,
            }
        )
    accuracy = {
        name: {key: facts.get(key) for key in ("oa", "aa", "kappa", "n")} | {"trained": name in info.trained_patterns}
        for name, facts in info.patterns.items()
    }
    return {
        "modalities": modalities,
        "legend": info.legend.to_json(),
        "patterns": accuracy,
        "backbone": info.backbone.get("name"),
        "backbone_inside": info.backbone.get("inside"),
        "method": info.model.get("method"),
        "readout": info.model.get("readout"),
        "window": info.window,
        "core": info.core,
        "grid": info.grid,
        "training": info.training,
    }


def describe_layer(path: Path) -> dict[str, Any]:
    """Size, CRS, bands and the share of valid pixels (of a sample) of one raster, JSON-able."""
    from engine.mapping.survey import take_survey
    from engine.raster.grid import crs_name
    from engine.raster.stack import LayerSpec, RasterStack

    with closing(RasterStack([LayerSpec("layer", path)])) as stack:
        survey = take_survey(stack, ("layer",), stack.grid.window)
        (modality,) = stack.modalities
        return {
            "path": str(path),
            "height": stack.grid.height,
            "width": stack.grid.width,
            "crs": crs_name(stack.grid.crs),
            "resolution": list(stack.grid.resolution),
            "bounds": list(stack.grid.bounds),
            "bands": modality.source_count,
            "usable_bands": modality.bands,
            "wavelengths_nm": list(modality.wavelengths_nm) if modality.wavelengths_nm else None,
            "valid_share": survey.patterns[1] / survey.pixels,
        }


def describe_together(info: ModelInfo | None, layers: Mapping[str, Path], reference: str | None) -> dict[str, Any]:
    """What mapping these layers would be like, JSON-able.

    Raises:
        EngineError: it would not work.
    """
    from engine.errors import NodataError
    from engine.mapping.layers import open_stack
    from engine.mapping.survey import describe_grid, describe_patterns, describe_values, incomplete_layers, take_survey
    from engine.modality import pattern_name, pattern_present

    with closing(_stack(layers, reference) if info is None else open_stack(info, layers, reference)) as stack:
        names = stack.names if info is None else info.names
        survey = take_survey(stack, names, stack.grid.window)
        shares = {
            pattern_name(names, pattern_present(bits, len(names))): count / survey.pixels
            for bits, count in survey.patterns.most_common()
        }
        if survey.complete and survey.pixels == survey.patterns[0]:
            raise NodataError("no pixel has valid data in any layer; check nodata values and the extent")
        together = {"works": True, "reference": stack.reference, "grid": str(stack.grid), "patterns": shares}
        if info is not None:
            sentence, warnings = describe_patterns(survey, info)
            warnings += describe_values(survey, info) + describe_grid(stack.grid, info)
            warnings += stack.doubts(incomplete_layers(survey, names))
            together |= {"expect": sentence, "warnings": warnings}
        return together


def _stack(layers: Mapping[str, Path], reference: str | None) -> RasterStack:
    from engine.raster.stack import LayerSpec, RasterStack

    return RasterStack([LayerSpec(name, path) for name, path in layers.items()], reference)


def lines_about(found: Mapping[str, Any]) -> list[str]:
    """The findings as text."""
    lines = []
    if "model" in found:
        model = found["model"]
        lines.append(f"model: {model['backbone']}, {model['readout']} read-out, maps from any of")
        for item in model["modalities"]:
            span = item["wavelengths_nm"]
            nm = f", {min(span):g} to {max(span):g} nm" if span else ""
            lines.append(
                f"  {item['name']}: {item['role']}, {item['bands']} bands{nm}{', decibels' * (item['unit'] == 'db')}"
            )
        lines += _size(model)
        lines.append("classes:")
        lines += [f"  {item['value']} {item['name']}" for item in model["legend"]]
        lines.append("accuracy (OA / AA):")
        for name, facts in model["patterns"].items():
            figures = " / ".join("unknown" if facts[key] is None else f"{facts[key]:.3f}" for key in ("oa", "aa"))
            lines.append(f"  {name}: {figures}{'' if facts['trained'] else ' (never trained)'}")
    for name, item in found.get("layers", {}).items():
        x_size, y_size = item["resolution"]
        lines.append(
            f"layer {name}: {item['height']} x {item['width']} pixels of {x_size:g} x {y_size:g}, {item['crs']}, "
            f"{item['usable_bands']} of {item['bands']} bands usable, {100 * item['valid_share']:.3g} % valid"
        )
    if "together" in found:
        together = found["together"]
        if together["works"]:
            lines.append(f"together: works, on the grid of {together['reference']} ({together['grid']})")
            shares = ", ".join(f"{100 * share:.3g} % {name}" for name, share in together["patterns"].items())
            lines.append(f"  {together.get('expect') or shares}")
            lines += [f"  warning: {warning}" for warning in together.get("warnings", [])]
        else:
            lines.append(f"together: does not work: {together['problem']}")
    return lines


def _size(model: Mapping[str, Any]) -> list[str]:
    """How large a model is, as far as its file says."""
    facts = model["training"]
    keys = ("parameters", "trained_parameters", "method_parameters")
    if not all(isinstance(facts.get(key), int) for key in keys):  # a file of the first days
        return []
    return [
        f"{model['method']}: {facts['parameters']:,} parameters, {facts['trained_parameters']:,} of them trained, "
        f"{facts['method_parameters']:,} of these what {model['method']} adds to the backbone"
    ]


if __name__ == "__main__":
    sys.exit(run(make_parser(), main))
