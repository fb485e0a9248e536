"""One shape for all Vision Transformers: ours equals theirs."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import WeightsError
from engine.model.backbone import VisionTransformer, VitShape, weights_sha256
from engine.model.clip import load_clip, pour_clip
from engine.model.timm_vit import load_timm, pour_timm
from engine.model.weights import fill, read_weights

open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed")
timm = pytest.importorskip("timm", reason="timm is not installed")


def small_tower(act_layer: type = torch.nn.GELU, **keys: object) -> torch.nn.Module:
    torch.manual_seed(0)
    from open_clip.transformer import VisionTransformer as Tower

    arguments = {
        "image_size": 32,
        "patch_size": 8,
        "width": 24,
        "layers": 2,
        "heads": 3,
        "mlp_ratio": 2,
        "output_dim": 10,
    }
    tower = Tower(**(arguments | {"act_layer": act_layer, "output_tokens": True} | keys)).eval()
    for name, weight in tower.named_parameters():
        if weight.ndim == 1:  # norms and scales start as ones and zeros, which would hide a mix-up
            torch.nn.init.normal_(weight, mean=float("weight" in name), std=0.3)
    return tower


def patches_of(tower: torch.nn.Module, image: torch.Tensor) -> torch.Tensor:
    return tower.conv1(image).flatten(2).transpose(1, 2)


@pytest.mark.parametrize("keys", [{}, {"ls_init_value": 0.1}, {"no_ln_pre": True}])
@pytest.mark.parametrize("quick", [False, True])
def test_small_open_clip_tower(quick, keys):
    """Same class token and same patch tokens as open_clip's own forward."""
    from open_clip.transformer import QuickGELU

    tower = small_tower(QuickGELU if quick else torch.nn.GELU, **keys)
    ours = pour_clip(tower, "test").eval()
    assert ours.shape.activation == ("quick_gelu" if quick else "gelu")
    image = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        pooled, tokens = tower(image)
        encoded = ours(patches_of(tower, image))
        # open_clip projects the class token only; ours projects all, for dense read-outs.
        assert torch.allclose(encoded[:, 0], pooled, atol=1e-5)
        assert torch.allclose(encoded[:, 1:], tokens @ tower.proj, atol=1e-5)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"init_values": 0.1, "pre_norm": True},
        {"reg_tokens": 2},
        {"reg_tokens": 3, "no_embed_class": True},
        {"no_embed_class": True},
    ],
)
def test_small_timm_vit(keys):
    """Same tokens as timm's forward_features, with registers and without."""
    torch.manual_seed(0)
    model = timm.models.vision_transformer.VisionTransformer(
        img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3, num_classes=0, **keys
    ).eval()
    for name, weight in model.named_parameters():
        if weight.ndim == 1 or "token" in name or "pos" in name:
            torch.nn.init.normal_(weight, mean=float("weight" in name), std=0.3)
    ours = pour_timm(model, "test").eval()
    assert ours.prefix == 1 + keys.get("reg_tokens", 0)
    image = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(ours(model.patch_embed(image)), model.forward_features(image), atol=1e-5)


def test_foreign_models_are_refused():
    """Models that are no plain ViT are named, not guessed at."""
    with pytest.raises(WeightsError, match="no plain ViT"):
        pour_timm(timm.create_model("resnet10t"), "timm:resnet10t")
    with pytest.raises(WeightsError, match="no plain ViT"):
        pour_clip(torch.nn.Linear(2, 2), "open_clip:RN50")
    with pytest.raises(WeightsError, match="no model"):
        load_timm("vit_of_nowhere", None)
    with pytest.raises(WeightsError, match="no model"):
        load_clip("ViT-of-nowhere", "openai", None)
    with pytest.raises(WeightsError, match="no weights"):
        load_clip("ViT-B-16", "nobody", None)


def test_a_model_keeps_its_own_copy_of_the_weights():
    """What was read may be a view of its file, and another library's model goes on with its own."""
    tower = small_tower()
    given = {name: value.clone() for name, value in tower.state_dict().items()}
    fill(tower, given, Path("tower.safetensors"))
    ours = pour_clip(tower, "test")
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    for tensor in (*given.values(), *tower.state_dict().values()):
        tensor.zero_()
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())
    assert all(value.is_contiguous() for value in ours.state_dict().values())  # safetensors saves no others


def test_openai_weights_force_quick_gelu(tmp_path, monkeypatch, caplog):
    """`ViT-B-16` with `openai` gets QuickGELU, from a local file too; LAION's weights get GELU.

    Weights of a file are not called random, as open_clip does where it loads none itself.
    """
    small = small_tower()
    asked = []

    def create_model(name, pretrained=None, force_quick_gelu=False, device="cpu"):
        from open_clip.transformer import QuickGELU

        asked.append((name, pretrained, force_quick_gelu))
        if pretrained is None:
            logging.getLogger().warning("Model initialized randomly.")
        tower = small_tower(QuickGELU if force_quick_gelu else torch.nn.GELU)
        return type("Model", (), {"visual": tower})()

    monkeypatch.setattr(open_clip, "create_model", create_model)
    path = tmp_path / "tower.safetensors"
    text_tower = {"positional_embedding": torch.zeros(77, 8), "ln_final.weight": torch.zeros(8)}
    save_file(text_tower | {f"visual.{name}": value for name, value in small.state_dict().items()}, path)
    assert load_clip("ViT-B-16", "openai", path).shape.activation == "quick_gelu"
    assert load_clip("ViT-B-16", "openai", None).shape.activation == "quick_gelu"
    assert load_clip("ViT-B-16", "laion2b_s34b_b88k", path).shape.activation == "gelu"
    assert asked == [
        ("ViT-B-16", None, True), ("ViT-B-16", "openai", True), ("ViT-B-16", None, False),
    ]  # fmt: skip
    assert not caplog.records
    logging.getLogger().warning("What others say is heard again.")
    assert len(caplog.records) == 1


def test_position_embeddings_are_resized(tmp_path):
    """A linear ramp stays a ramp on another grid, the class token is left alone, frozen stays frozen."""
    vit = VisionTransformer(VitShape(width=4, depth=1, heads=1, mlp_width=4, grid=8))
    vit.requires_grad_(False)
    ramp = (torch.arange(8.0) + 0.5) / 8
    vit.position_LD.copy_((ramp[:, None] + 10 * ramp[None, :]).reshape(64, 1).expand(64, 4))
    prefix = vit.prefix_PD.clone()
    vit.resize_positions(16)
    fine = (torch.arange(16.0) + 0.5) / 16
    expected = fine[:, None] + 10 * fine[None, :]
    found = vit.position_LD.unflatten(0, (16, 16))[..., 0]
    assert torch.allclose(found[4:-4, 4:-4], expected[4:-4, 4:-4], atol=1e-3)
    assert torch.equal(vit.prefix_PD, prefix)
    assert not vit.position_LD.requires_grad
    assert vit.shape.grid == 16
    assert vit(torch.randn(1, 256, 4)).shape == (1, 257, 4)


def test_last_block_computes_only_what_is_kept(make_network):
    """Kept tokens are the same as without keeping, adapters included."""
    network = make_network()
    tokens, present = torch.randn(3, 36, 32), torch.rand(3, 37, 3) > 0.3
    with torch.no_grad():
        adapters = dict(enumerate(network.adapters))
        everything = network.backbone(tokens, adapters, present)
        kept = network.backbone(tokens, adapters, present, (0, 7, 20))
    assert torch.allclose(kept, everything[:, [0, 7, 20]], atol=1e-6)


def test_hash_sees_every_weight_and_not_the_file_format():
    """One changed value changes the hash; half-precision storage of the same values does not."""
    vit = VisionTransformer(VitShape(width=8, depth=1, heads=1, mlp_width=8, grid=2)).half()
    before = weights_sha256(vit)
    assert weights_sha256(vit.float()) == before
    with torch.no_grad():
        vit.blocks[0].fc2.bias[3] += 0.5
    assert weights_sha256(vit) != before


def test_weight_files(tmp_path):
    """safetensors and plain checkpoints are read; a pickle with code in it is refused and not run."""
    tensors = {"a": torch.arange(3.0)}
    save_file(tensors, tmp_path / "w.safetensors")
    torch.save({"state_dict": tensors, "epoch": 3}, tmp_path / "w.pt")
    for name in ("w.safetensors", "w.pt"):
        assert torch.equal(read_weights(tmp_path / name)["a"], tensors["a"])
    trap = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return Path.touch, (trap,)

    torch.save({"state_dict": tensors, "trap": Trap()}, tmp_path / "evil.pt")
    (tmp_path / "noise.safetensors").write_bytes(b"noise")
    (tmp_path / "noise.pt").write_bytes(b"noise")
    for name in ("evil.pt", "noise.safetensors", "noise.pt", "missing.safetensors"):
        with pytest.raises(WeightsError):
            read_weights(tmp_path / name)
    assert not trap.exists()


def test_weights_of_another_model(tmp_path):
    """Missing names and other shapes are one sentence each."""
    save_file({"cls_token": torch.zeros(1, 1, 192)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="no tensor"):
        load_timm("vit_tiny_patch16_224", tmp_path / "w.safetensors")
    model = timm.create_model("vit_tiny_patch16_224", num_classes=0)
    save_file(model.state_dict() | {"cls_token": torch.zeros(1, 1, 7)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="another model"):
        load_timm("vit_tiny_patch16_224", tmp_path / "w.safetensors")


@pytest.mark.weights
def test_real_dinov2(pretrained_weights):
    """DINOv2 ViT-S/14 loads strictly and encodes as timm does, at its own grid and at ours."""
    path = pretrained_weights / "dinov2_vits14.fp16.safetensors"
    ours = load_timm("vit_small_patch14_dinov2", path).eval()
    assert (ours.shape.activation, ours.shape.eps, ours.shape.layer_scale) == ("gelu", 1e-6, True)
    theirs = timm.create_model("vit_small_patch14_dinov2", num_classes=0, img_size=14 * 14).eval()
    ours.resize_positions(14)
    weights = {name: value.float() for name, value in load_file(path).items()}
    # timm resizes on loading; that the embeddings agree is part of the test.
    position = timm.layers.resample_abs_pos_embed(weights["pos_embed"], (14, 14))
    theirs.load_state_dict(weights | {"pos_embed": position})
    image = torch.randn(1, 3, 196, 196)
    with torch.no_grad():
        assert torch.allclose(ours(theirs.patch_embed(image)), theirs.forward_features(image), atol=1e-4)


@pytest.mark.weights
def test_real_clip(pretrained_weights, tmp_path):
    """CLIP ViT-B/16 (int8-rounded) loads strictly and encodes as open_clip does, with QuickGELU."""
    plain = tmp_path / "clip.safetensors"
    subprocess.run([sys.executable, pretrained_weights / "unpack_clip.py", plain], check=True, capture_output=True)
    ours = load_clip("ViT-B-16", "openai", plain).eval()
    assert ours.shape.activation == "quick_gelu"
    from open_clip.transformer import QuickGELU
    from open_clip.transformer import VisionTransformer as Tower

    tower = Tower(224, 16, 768, 12, 12, 4, act_layer=QuickGELU, output_dim=512).eval()
    tower.load_state_dict(load_file(plain))
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.allclose(ours(patches_of(tower, image), keep=(0,))[:, 0], tower(image), atol=1e-4)
