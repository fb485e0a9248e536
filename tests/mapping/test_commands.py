"""`predict` and `inspect` as users call them, with a real, tiny network."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import rasterio

from engine.config import ModelConfig
from engine.mapping import plan
from engine.modality import Modality
from tests.mapping.conftest import make_info


@pytest.fixture
def model(tmp_path):
    import torch

    from engine.bundle import save_model
    from engine.model.build import build_network, resolve_model_config

    torch.manual_seed(0)
    config = resolve_model_config(ModelConfig(window=16, token_px=4, core=8, width=16, depth=1, heads=2, stem_width=8))
    nm = (480.0, 560.0, 660.0)
    modalities = (
        Modality("optical", 3, "multispectral", wavelengths_nm=nm, source_bands=(1, 2, 3), source_count=3),
        Modality("height", 1, "elevation", source_bands=(1,), source_count=1),
    )
    info = make_info(
        {"optical": 3, "height": 1},
        modalities=modalities,
        model=config.model_dump(mode="json"),
        trained_patterns=("optical+height", "optical"),
    )
    path = tmp_path / "model.safetensors"
    save_model(path, build_network(config, "skip", modalities, len(info.legend)), info)
    return path


def layers(two_layers):
    return [f"--layer={name}={path}" for name, path in two_layers.items()]


def test_predict_from_the_command_line(run_command, model, two_layers, tmp_path):
    out = tmp_path / "map.tif"
    code, stdout, _ = run_command(
        "predict", model, *layers(two_layers), "--out", out, "--confidence", tmp_path / "c.tif", "--progress", "json"
    )
    assert code == 0
    lines = [json.loads(line) for line in stdout.splitlines()]
    assert lines[-1]["type"] == "result" and lines[-1]["mapped_pixels"] > 1000
    assert any(line["type"] == "warning" and "never trained on height" in line["message"] for line in lines)
    assert lines[0]["type"] == "log" and lines[0]["message"].startswith("patterns in all")
    with rasterio.open(out) as file:
        assert set(np.unique(file.read(1))) <= {0, 1, 2, 3}


def test_float32_extent_equals_the_crop_with_the_real_network(run_command, model, two_layers, tmp_path):
    common = [*layers(two_layers), "--precision=float32", "--device=cpu"]
    assert run_command("predict", model, *common, "--out", tmp_path / "whole.tif")[0] == 0
    extent = "--extent=500110,5799700,500400,5799900"
    assert run_command("predict", model, *common, extent, "--out", tmp_path / "part.tif")[0] == 0
    with rasterio.open(tmp_path / "whole.tif") as whole, rasterio.open(tmp_path / "part.tif") as part:
        np.testing.assert_array_equal(whole.read(1)[10:30, 11:40], part.read(1))


@pytest.mark.gpu
def test_cuda_labels_equal_the_cpu_s(run_command, model, two_layers, tmp_path):
    maps = []
    for device in ("cpu", "cuda"):
        out = tmp_path / f"{device}.tif"
        options = ["--out", out, "--device", device, "--precision=float32"]
        assert run_command("predict", model, *layers(two_layers), *options)[0] == 0
        with rasterio.open(out) as file:
            maps.append(file.read(1))
    assert (maps[0] == maps[1]).mean() > 0.99


@pytest.fixture
def start_predict(model, make_raster, tmp_path):
    """Start `predict` on a scene of many small blocks, in a process of its own: (arguments, process)."""

    def start():
        scene = make_raster("scene.tif", np.random.default_rng(0).standard_normal((3, 90, 160)).astype(np.float32))
        arguments = [str(model), f"--layer=optical={scene}", "--device=cpu", "--precision=float32", "--progress=json"]
        code = (
            "import sys\nfrom engine.commandline import run\nfrom engine.mapping import plan\n"
            "from engine.predict import main, make_parser\nplan._CORES_PER_SIDE = 2\nsys.exit(run(make_parser(), main))"
        )
        command = [sys.executable, "-c", code, *arguments, f"--out={tmp_path / 'map.tif'}"]
        return arguments, subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    return start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_mapping_soon_and_leaves_only_the_work(start_predict, tmp_path, number):
    """Some tenths of a second with an idle processor; two seconds are for busy ones."""
    _, job = start_predict()
    with job:
        asked = None
        for line in job.stdout:
            if asked is None and json.loads(line).get("done", 0) > 2000:
                asked = time.monotonic()
                job.send_signal(number)
        assert job.wait(60) == 3 and time.monotonic() - asked < 2
    written = {path.name for path in tmp_path.glob("map.*")}
    assert written == {"map.tif.work"}
    journal = json.loads((tmp_path / "map.tif.work" / "journal.json").read_text())
    assert journal["finished"] > 0 and not list((tmp_path / "map.tif.work").glob("*.part"))


def test_killed_process_leaves_no_map_and_can_be_resumed(run_command, start_predict, tmp_path, monkeypatch):
    arguments, job = start_predict()
    with job:
        for line in job.stdout:
            if json.loads(line).get("done", 0) > 2000:
                job.kill()
    assert job.returncode == -9
    assert not (tmp_path / "map.tif").exists() and (tmp_path / "map.tif.work").is_dir()
    monkeypatch.setattr(plan, "_CORES_PER_SIDE", 3)  # the journal's block size counts
    code, stdout, _ = run_command("predict", *arguments, f"--out={tmp_path / 'map.tif'}", "--resume")
    assert code == 0 and "resuming after" in stdout
    assert run_command("predict", *arguments, f"--out={tmp_path / 'whole.tif'}")[0] == 0
    with rasterio.open(tmp_path / "whole.tif") as whole, rasterio.open(tmp_path / "map.tif") as part:
        np.testing.assert_array_equal(whole.read(1), part.read(1))


def test_extent_may_begin_with_a_minus(run_command, model, two_layers, tmp_path):
    code, _, error = run_command(
        "predict", model, *layers(two_layers), "--out", tmp_path / "map.tif", "--extent", "-70.5,-33,-70,-32.5"
    )
    assert code == 2 and "lies outside the reference grid" in error


def test_job_file(run_command, model, two_layers, tmp_path):
    job = {"model": str(model), "layer": {name: str(path) for name, path in two_layers.items()}}
    (tmp_path / "job.json").write_text(json.dumps(job | {"out": str(tmp_path / "map.tif"), "overlap": 2}))
    assert run_command("predict", "--job", tmp_path / "job.json")[0] == 0
    assert (tmp_path / "map.tif").exists()


def test_bad_input_is_one_sentence_and_exit_2(run_command, make_raster, model, two_layers, tmp_path):
    ones = np.ones((2, 20, 20), np.float32)
    far = rasterio.transform.from_origin(700_000, 5_000_000, 10, 10)
    truncated = tmp_path / "truncated.tif"
    truncated.write_bytes(two_layers["optical"].read_bytes()[:5000])
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(b"not a model")
    bare = make_raster("bare.tif", np.ones((1, 37, 53), np.float32), crs=None)
    optical, height = f"optical={two_layers['optical']}", f"height={two_layers['height']}"
    cases = [
        ([model, "--layer", f"optical={make_raster('two.tif', ones)}"], "2 bands, but the model reads 3 of optical"),
        (
            [model, "--layer", optical, "--layer", f"height={make_raster('far.tif', ones[:1], transform=far)}"],
            "do not overlap",
        ),
        ([model, "--layer", optical, "--layer", f"height={bare}"], "has no CRS"),
        ([model, "--layer", f"optical={tmp_path / 'none.tif'}"], "no such file"),
        ([model, "--layer", f"optical={truncated}"], "truncated.tif"),
        ([foreign, "--layer", optical], "not a model file"),
        ([tmp_path / "none.safetensors", "--layer", optical], "cannot be read"),
        ([model], "no layer given"),
        ([model, "--layer", optical, "--layer", optical], "--layer optical: given twice"),
        ([model, "--layer", height, "--extent", "1,2,3"], "expected xmin,ymin,xmax,ymax"),
        ([model, "--layer", height, "--extent=-inf,0,inf,1"], "expected xmin,ymin,xmax,ymax"),
        ([model, "--layer", height, "--aoi", tmp_path / "none.gpkg"], "area of interest cannot be read"),
    ]
    for arguments, message in cases:
        code, _, error = run_command("predict", *arguments, "--out", tmp_path / "map.tif")
        assert code == 2, error
        lines = error.strip().splitlines()
        assert len(lines) == 1 or lines[0].startswith("patterns in")
        assert message in lines[-1]
        assert not (tmp_path / "map.tif").exists() and not (tmp_path / "map.tif.work").exists()


def test_bands_are_matched_by_wavelength(run_command, make_raster, model, two_layers, tmp_path):
    with rasterio.open(two_layers["optical"]) as file:
        values = file.read()
    known = [{"wavelength": str(nm), "wavelength_units": "nm"} for nm in (480, 560, 660)]
    shuffled = [{"wavelength": str(nm), "wavelength_units": "nm"} for nm in (850, 660, 480, 560)]
    more = values[[0, 2, 0, 1]]
    maps = []
    for name, array, tags in (("a", values, known), ("b", more, shuffled)):
        layer = make_raster(f"{name}.tif", array, tags=tags, nodata=float("nan"))
        out = tmp_path / f"map_{name}.tif"
        assert run_command("predict", model, "--layer", f"optical={layer}", "--out", out)[0] == 0
        with rasterio.open(out) as file:
            maps.append(file.read(1))
    np.testing.assert_array_equal(*maps)


def test_inspect_model(run_command, model):
    code, stdout, _ = run_command("inspect", model, "--json")
    assert code == 0
    found = json.loads(stdout)["model"]
    assert [item["name"] for item in found["modalities"]] == ["optical", "height"]
    assert found["patterns"]["optical"]["oa"] == 0.9 and not found["patterns"]["height"]["trained"]
    text = run_command("inspect", model)[1]
    assert "optical: multispectral, 3 bands, 480 to 660 nm" in text
    assert "height: 0.900 / 0.800 (never trained)" in text


def test_inspect_layers(run_command, two_layers):
    code, stdout, _ = run_command("inspect", *layers(two_layers), "--json")
    found = json.loads(stdout)
    assert code == 0 and found["together"]["works"]
    assert found["layers"]["height"]["bands"] == 1
    assert found["layers"]["height"]["valid_share"] == pytest.approx(1 - (37 * 9 + 6 * 8) / (37 * 53))
    assert found["together"]["patterns"]["none"] > 0
    assert "together: works, on the grid of optical" in run_command("inspect", *layers(two_layers))[1]


def test_inspect_is_a_dry_run(run_command, model, make_raster, two_layers):
    code, stdout, _ = run_command("inspect", model, *layers(two_layers))
    assert code == 0 and "warning: the model was never trained on height" in stdout
    two = make_raster("two.tif", np.ones((2, 20, 20), np.float32))
    code, stdout, error = run_command("inspect", model, "--layer", f"optical={two}", "--json")
    assert code == 2 and "the model reads 3" in error
    together = json.loads(stdout)["together"]
    assert not together["works"] and "the model reads 3" in together["problem"]
    assert run_command("inspect")[0] == 2


def test_inspect_never_imports_torch(model, two_layers):
    code = (
        "import sys\nfrom engine.commandline import run\nfrom engine.inspect import main, make_parser\n"
        f"code = run(make_parser(), main, {[str(model), *layers(two_layers)]!r})\n"
        "assert code == 0 and 'torch' not in sys.modules, code"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
