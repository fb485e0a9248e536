"""Every method as users meet it: trained on a scene, saved, inspected, and mapped with what sensors there are."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
import torch
from safetensors.torch import load_file

QUICK = ("--device", "cpu", "--precision", "float32", "--threads", "1")
SMALL = """
[model]
window = 8
token_px = 2
core = 4
width = 16
depth = 2
heads = 2
stem_width = 8
boxes = [3]
pixels = false
[training]
steps = 40
batch_size = 8
validate_every = 20
learning_rate = 0.01
teaching = 0.0
[split]
block_px = 12
buffer_px = 2
"""


@pytest.mark.parametrize("method", ["mamol", "linear", "lora", "mmp", "dcp", "moe_rep", "moe_ada", "moe_task"])
def test_method_learns_and_maps(make_scene, run_command, tmp_path, method):
    """Three classes, of which each sensor tells one: better than a guess with any of them, best with both."""
    run, config = tmp_path / "run", make_scene(SMALL)
    code, _, err = run_command("train", config, "--out", run, "--set", f"model.method={method}", *QUICK)
    assert code == 0, err
    patterns = json.loads((run / "metrics.json").read_text())["patterns"]
    assert patterns["optical"]["oa"] > 0.5 and patterns["height"]["oa"] > 0.5
    assert patterns["optical+height"]["oa"] > 0.75

    model, layer = run / "model.safetensors", f"height={tmp_path / 'height.tif'}"
    code, out, err = run_command("inspect", model)
    assert code == 0 and f"{method}: " in out and " trained, " in out, err
    code, _, err = run_command("predict", model, "--layer", layer, "--out", tmp_path / "map.tif", *QUICK)
    assert code == 0, err
    with rasterio.open(tmp_path / "map.tif") as file, rasterio.open(tmp_path / "labels.tif") as truth:
        agreement = file.read(1) == truth.read(1)
    assert np.mean(agreement) > 0.5


def test_adapters_that_stand_still(make_scene, run_command, tmp_path):
    """With next to no learning rate of their own, adapters end as they began, and all else has learnt."""
    ends = []
    for name, factor in (("still", 1e-12), ("moving", 1.0)):
        sets = ("--set", f"training.adapter_learning_rate={factor}", "--set", "training.average=0")
        config = make_scene(SMALL.replace("steps = 40", "steps = 3"))
        code, _, err = run_command("train", config, "--out", tmp_path / name, *sets, *QUICK)
        assert code == 0, err
        ends.append(load_file(tmp_path / name / "model.safetensors"))
    still, moving = ends
    experts = [name for name in still if name.endswith("bank.up.weight")]
    assert experts and all(still[name].abs().max() < 1e-9 < moving[name].abs().max() for name in experts)
    stem = next(name for name in still if name.startswith("stems.0.") and name.endswith("weight"))
    assert not torch.equal(still[stem], moving[stem])


@pytest.mark.parametrize("method", ["dcp", "moe_rep", "moe_ada"])
def test_method_with_a_centre_readout(make_scene, run_command, tmp_path, method):
    """One window for each pixel, and bfloat16 as on a GPU: trains and maps as well."""
    settings = (f"model.method={method}", "model.readout=centre", "model.window=6", "training.steps=3")
    sets = [part for setting in settings for part in ("--set", setting)]
    config = make_scene(SMALL.replace("token_px = 2\ncore = 4\n", ""))
    quick = ("--device", "cpu", "--precision", "bfloat16", "--threads", "1")
    code, _, err = run_command("train", config, "--out", tmp_path / "run", *sets, *quick)
    assert code == 0, err
    layer = f"optical={tmp_path / 'optical.tif'}"
    model = tmp_path / "run" / "model.safetensors"
    code, _, err = run_command("predict", model, "--layer", layer, "--out", tmp_path / "map.tif", *quick)
    assert code == 0, err
