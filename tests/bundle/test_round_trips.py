"""What goes into a model file comes out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
from rasterio.crs import CRS

from engine.bundle import load_model, save_model
from engine.config import ModelConfig
from engine.errors import OutputError, WeightsError
from engine.model import build
from engine.model.backbone import VisionTransformer, VitShape
from engine.model.build import build_network
from engine.model.network import MaMOLNetwork
from engine.modelfile import read_header, read_info
from tests.bundle.conftest import KEYS, MODALITIES, make_info

CPU = torch.device("cpu")


def logits_of(network: MaMOLNetwork) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    values = [torch.randn(3, m.bands, 8, 8, generator=generator) for m in MODALITIES]
    valid = torch.rand(3, 2, 8, 8, generator=generator) > 0.3
    with torch.no_grad():
        return network.eval()(values, valid)


def assert_same(loaded: MaMOLNetwork, saved: MaMOLNetwork) -> None:
    """Weights bit for bit; logits but for the last digit, which hangs on where in memory a weight lies."""
    weights = saved.state_dict()
    assert loaded.state_dict().keys() == weights.keys()
    assert all(torch.equal(value, weights[name]) for name, value in loaded.state_dict().items())
    assert torch.allclose(logits_of(loaded), logits_of(saved), atol=1e-6)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"readout": "centre", "token_px": 1, "core": 1},
        {"fusion": "attention", "adapter_norm": True, "adapter_projection": True},
        {"absent": "dummy", "dynamic_experts": 4, "top_k": 2, "fusion": "gated"},
        {"method": "linear", "shared_expert": False},
        {"method": "lora", "placement": [1]},
        {"method": "mmp", "prompt_level": "attention"},
        {"method": "dcp", "placement": "last", "adapter_blocks": 1},
        {"method": "moe_rep", "dynamic_experts": 3},
        {"method": "moe_ada"},
        {"method": "moe_task"},
    ],
)
def test_saved_and_loaded_gives_equal_logits(make_file, keys):
    """The loaded network is the saved one, and so is every fact."""
    path, network = make_file(**keys)
    loaded = load_model(path, CPU)
    assert_same(loaded.network, network)
    assert not loaded.network.training
    assert not any(weight.requires_grad for weight in loaded.network.parameters())
    expected = make_info(ModelConfig(**(KEYS | {k: v for k, v in keys.items() if k != "absent"})))
    assert (
        loaded.info.to_json()
        == replace(expected, absent=keys.get("absent", "skip"), backbone=loaded.info.backbone).to_json()
    )
    assert loaded.info.modalities == MODALITIES
    assert (loaded.info.window, loaded.info.core, loaded.info.core_offset) == (8, network.core, network.core_offset)


def test_reading_facts_never_imports_torch(make_file):
    """`inspect` answers from the header."""
    path, _ = make_file()
    code = (
        "import sys; from pathlib import Path; from engine.modelfile import read_info;"
        "print(read_info(Path(sys.argv[1])).names); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "('hsi', 'sar')"), done.stderr


def test_saving_is_all_or_nothing(make_file, tmp_path):
    """An unwritable place is one sentence; nothing is left behind, an older file survives."""
    path, network = make_file()
    before = path.read_bytes()
    save_model(path, network, make_info(ModelConfig(**KEYS)))
    assert path.read_bytes() == before  # same content, same bytes
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be written"):
        save_model(tmp_path / "file" / "model.safetensors", network, make_info(ModelConfig(**KEYS)))
    with pytest.raises(ValueError, match="JSON"):
        save_model(path, network, replace(make_info(ModelConfig(**KEYS)), training={"loss": float("nan")}))
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "model.safetensors"]


class TestFrozenBackbone:
    """Pretrained weights stay outside by default."""

    @pytest.fixture
    def pretrained(self, monkeypatch) -> dict[str, Any]:
        """Stands for a hub: what `timm:tiny` gives."""
        shape = VitShape(width=16, depth=2, heads=2, mlp_width=32, grid=3, activation="quick_gelu", layer_scale=True)
        hub: dict[str, Any] = {"seed": 7}

        def load_backbone(config: ModelConfig) -> VisionTransformer:
            if hub["seed"] is None:
                raise WeightsError("no network")
            generator = torch.Generator().manual_seed(hub["seed"])
            vit = VisionTransformer(shape)
            for weight in vit.parameters():
                weight.data = torch.randn(weight.shape, generator=generator)
            return vit

        monkeypatch.setattr(build, "load_backbone", load_backbone)
        monkeypatch.setattr("engine.bundle.load_backbone", load_backbone)
        return hub

    CONFIG = ModelConfig(**(KEYS | {"backbone": "timm:tiny", "weights": "/somewhere/tiny.safetensors"}))

    @pytest.mark.parametrize("method", ["mamol", "dcp", "moe_rep", "moe_task"])
    def test_outside_by_default(self, tmp_path, pretrained, method):
        """The file holds no frozen tensor, names them by hash, and finds them again."""
        config = self.CONFIG.model_copy(update={"method": method})
        network = build_network(config, "skip", MODALITIES, 2)
        path = tmp_path / "m.safetensors"
        info = save_model(path, network, make_info(config))
        assert not any(name.startswith("backbone.") for name in read_header(path))
        assert info.backbone["inside"] is False
        assert info.backbone["shape"]["activation"] == "quick_gelu"
        assert "somewhere" not in path.read_bytes()[:20000].decode("latin-1")
        loaded = load_model(path, CPU)
        assert_same(loaded.network, network)
        assert loaded.network.backbone_sha256 == network.backbone_sha256

    def test_other_weights_are_refused(self, tmp_path, pretrained):
        """Weights that are not those of the training are an error, not a bad map."""
        path = tmp_path / "m.safetensors"
        save_model(path, build_network(self.CONFIG, "skip", MODALITIES, 2), make_info(self.CONFIG))
        pretrained["seed"] = 8
        with pytest.raises(WeightsError, match="are not the"):
            load_model(path, CPU)

    @pytest.mark.parametrize("train", [False, True])
    def test_inside_needs_nothing_else(self, tmp_path, pretrained, train):
        """Self-contained, or trained: the file is enough."""
        config = self.CONFIG.model_copy(update={"train_backbone": train})
        network = build_network(config, "skip", MODALITIES, 2)
        path = tmp_path / "m.safetensors"
        save_model(path, network, make_info(config), self_contained=not train)
        pretrained["seed"] = None
        loaded = load_model(path, CPU)
        assert_same(loaded.network, network)
        again = tmp_path / "again.safetensors"
        save_model(again, loaded.network, loaded.info, self_contained=True)
        assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:25832", "OGC:CRS84", "IAU_2015:30100", "EPSG:25832+5783", "+proj=laea +lat_0=52 +lon_0=10 +datum=WGS84",
        'LOCAL_CS["benchmark grid",UNIT["metre",1]]',
        'ENGCRS["site",EDATUM["local"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],UNIT["metre",1]]',
    ],
)  # fmt: skip
def test_grids_of_every_kind_are_read_again(tmp_path, make_file, crs):
    """What rasters call their CRS, as rasterio writes it, is no damage."""
    _, network = make_file()
    grid = {"resolution": [1.0, 1.0], "crs": CRS.from_user_input(crs).to_string()}
    info = replace(make_info(ModelConfig(**KEYS)), grid=grid)
    save_model(tmp_path / "model.safetensors", network, info)
    assert read_info(tmp_path / "model.safetensors").grid == info.grid
