# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the encoders are tapped, and the order of MobileNetV3's operations."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from depth_node.networks.encoders import MOBILENET_WEIGHTS, MobileNetV3Encoder, ResNetEncoder


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
