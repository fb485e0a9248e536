"""Model files: what goes in comes out, and a file from a stranger does no harm."""

from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rasterio.crs import CRS
from safetensors.torch import save_file

from engine.bundle import load_model, save_model
from engine.config import ModelConfig
from engine.errors import ModelFileError, OutputError, WeightsError
from engine.legend import LandClass, Legend
from engine.modality import Modality
from engine.model import build
from engine.model.backbone import VisionTransformer, VitShape
from engine.model.build import build_network, resolve_model_config
from engine.model.network import MaMOLNetwork
from engine.modelfile import METADATA_KEY, ModelInfo, read_header, read_info
from engine.raster.normalise import BandStats

CPU = torch.device("cpu")
MODALITIES = (
    Modality(
        "hsi",
        3,
        "hyperspectral",
        wavelengths_nm=(450.0, 550.5, 650.25),
        source_bands=(1, 2, 4),
        source_count=5,
        resampling="nearest",
    ),
    Modality("sar", 2, "sar", "db"),
)
KEYS: dict[str, Any] = {"window": 8, "token_px": 2, "core": 4, "width": 16, "depth": 2, "heads": 2}


def make_info(config: ModelConfig) -> ModelInfo:
    stats = {
        m.name: BandStats(np.arange(m.bands) / 3, np.ones(m.bands), np.zeros(m.bands), np.ones(m.bands), 9)
        for m in MODALITIES
    }
    return ModelInfo(
        modalities=MODALITIES,
        stats=stats,
        legend=Legend((LandClass(2, "Wald, grün", (0, 99, 0)), LandClass(7, "water", (0, 0, 200)))),
        model=resolve_model_config(config).model_dump(mode="json"),
        patterns={"hsi+sar": {"oa": 0.9, "aa": 0.8, "kappa": 0.7, "n": 55, "temperature": 1.2, "bias": [0.1, -0.1]}},
        trained_patterns=("hsi+sar", "hsi"),
        training={"seconds": 12.5, "seed": 3},
        grid={"resolution": [10.0, 10.0], "crs": "EPSG:32633"},
        priors=(0.25, 0.75),
    )


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


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., tuple[Path, MaMOLNetwork]]:
    """Factory: a saved compact model and the network that it was saved from."""

    def make(absent: str = "skip", **keys: Any) -> tuple[Path, MaMOLNetwork]:
        torch.manual_seed(1)
        config = ModelConfig(**(KEYS | keys))
        network = build_network(config, absent, MODALITIES, 2)
        for weight in network.adapters.parameters():
            if not weight.any():
                torch.nn.init.normal_(weight)
        path = tmp_path / "model.safetensors"
        save_model(path, network, make_info(config))
        return path, network

    return make


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


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Change a file's header and keep its tensors' bytes."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    target = path.with_name("changed.safetensors")
    target.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    return target


def change_info(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """A change of the description inside the header."""

    def apply(header: dict[str, Any]) -> None:
        info = json.loads(header["__metadata__"][METADATA_KEY])
        change(info)
        header["__metadata__"][METADATA_KEY] = json.dumps(info)

    return apply


def set_key(section: str | None, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return change_info(lambda info: (info if section is None else info[section]).update({key: value}))


def reshape_first(header: dict[str, Any]) -> None:
    name = next(name for name in header if name != "__metadata__" and len(header[name]["shape"]) == 2)
    header[name]["shape"] = [*header[name]["shape"], 1]


def retype_first(header: dict[str, Any]) -> None:
    name = next(name for name in header if name != "__metadata__")
    header[name]["dtype"] = "I32"


def claim_gigabytes(header: dict[str, Any]) -> None:
    header["huge"] = {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}


def overlap(header: dict[str, Any]) -> None:
    names = [name for name in header if name != "__metadata__"]
    header[names[0]]["data_offsets"] = [0, 4]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_key(None, "format_version", 2), "format 2"),
        (set_key(None, "format_version", "new"), "format 'new'"),
        (set_key(None, "absent", "maybe"), "maybe"),
        (change_info(lambda info: info["patterns"]["hsi+sar"].update(temperature=0)), "temperature"),
        (change_info(lambda info: info["patterns"]["hsi+sar"]["bias"].pop()), "biases"),
        (change_info(lambda info: info["backbone"]["shape"].update(eps="small")), "eps"),
        (change_info(lambda info: info["backbone"]["shape"].update(output=2**40)), "output"),
        (change_info(lambda info: info.pop("legend")), "legend"),
        (change_info(lambda info: info["stats"]["hsi"]["mean"].pop()), "statistics"),
        (change_info(lambda info: info["stats"]["sar"]["maximum"].append(1.0)), "statistics"),
        (change_info(lambda info: info["stats"]["sar"].update(std=[1.0, 0.0])), "deviation"),
        (change_info(lambda info: info["stats"]["sar"].update(mean=[1.0, float("nan")])), "not finite"),
        (change_info(lambda info: info["grid"].update(crs="http://example.org/crs")), "CRS"),
        (change_info(lambda info: info["legend"][0].update(colour=[0, 0, 999])), "colour"),
        (set_key("model", "window", 10**9), "window"),
        (set_key("model", "width", 10**6), "width"),
        (set_key("model", "depth", 10**9), "depth"),
        (set_key("model", "unheard_of", 1), "damaged"),
        (set_key("model", "backbone", "../evil"), "two backbones"),
        (set_key("backbone", "shape", {"width": 16}), "damaged"),
        (set_key("backbone", "inside", False), "without its backbone"),
        (change_info(lambda info: info["backbone"]["shape"].update(depth=10**9)), "depth"),
        (change_info(lambda info: info["backbone"]["shape"].update(mlp_width=2**50)), "mlp_width"),
        (change_info(lambda info: info["modalities"][0].update(bands=10**9)), "bands"),
        (change_info(lambda info: info["modalities"][0].update(role="spy")), "role"),
        (lambda header: header["__metadata__"].update({METADATA_KEY: "[" * 100_000}), "damaged"),
        (lambda header: header["__metadata__"].update({METADATA_KEY: "{}"}), "damaged"),
        (lambda header: header.pop("__metadata__"), "not a MaMOL model"),
        (reshape_first, "tensor|cannot be read"),
        (retype_first, "I32"),
        (claim_gigabytes, "truncated"),
        (overlap, "tensor|cannot be read"),
        (
            lambda header: header.pop("fusion.nothing", header.pop("classifiers.0.head.pattern.bias")),
            "classifiers.0.head.pattern.bias|cannot be read",
        ),
    ],
)
def test_attacks_are_refused_without_memory(make_file, change, words):
    """A damaged or hostile description is a ModelFileError, and costs no memory to find out."""
    path, _ = make_file()
    changed = rewrite(path, change)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelFileError, match=words) as caught:
        load_model(changed, CPU)
    assert "\n" not in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB


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


def test_weights_that_are_no_numbers_are_refused(make_file):
    """They would map every pixel to the first class."""
    path, network = make_file()
    with torch.no_grad():
        next(iter(network.parameters())).fill_(float("nan"))
    save_model(path, network, make_info(ModelConfig(**KEYS)))
    with pytest.raises(ModelFileError, match="no numbers"):
        load_model(path, CPU)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no safetensors header"),
        (b"PK\x03\x04 a pickle in a zip", "no safetensors header"),
        (struct.pack("<Q", 2**63) + b"{}", "no safetensors header"),
        (struct.pack("<Q", 10_000_000) + b"{}", "truncated"),
        (struct.pack("<Q", 4) + b"[1]]", "no safetensors header"),
        (struct.pack("<Q", 4) + b"[11]", "no safetensors header"),
        (struct.pack("<Q", 2) + b"{}", "not a MaMOL model"),
    ],
)
def test_files_that_are_none_of_ours(tmp_path, content, words):
    """Empty, foreign and absurd files."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    for read in (read_info, lambda p: load_model(p, CPU)):
        with pytest.raises(ModelFileError, match=words):
            read(path)


def test_missing_foreign_and_truncated(make_file, tmp_path):
    """No file, another program's safetensors, and any truncation of ours."""
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_info(tmp_path / "nothing.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors", {"format": "pt"})
    with pytest.raises(ModelFileError, match="not a MaMOL model"):
        read_info(tmp_path / "other.safetensors")
    path, _ = make_file()
    whole = path.read_bytes()
    for length in (5, 8, 500, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            read_info(path)
