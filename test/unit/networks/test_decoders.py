# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""HR-Depth's dense decoder node by node, against the authors' network (docs/papers.md, HR-Depth decoder)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from depth_node.networks.decoders import HRDepthDecoder, Monodepth2Decoder
from depth_node.networks.layers import ConvElu, DisparityHead, FeatureSqueezeExcite

RESNET = (64, 64, 128, 256, 512)
MOBILENET = (16, 24, 40, 80, 160)

# Node: channels from below, of the concatenation, after the 1x1 convolution (0: none), of the node; fSE or not.
RESNET_NODES = {
    "01": (32, 96, 0, 32, False),
    "11": (64, 128, 0, 64, False),
    "21": (128, 256, 0, 128, False),
    "31": (256, 512, 0, 256, True),
    "02": (32, 128, 64, 32, False),
    "12": (64, 192, 128, 64, False),
    "22": (128, 384, 0, 128, True),
    "03": (32, 160, 64, 32, False),
    "13": (64, 256, 0, 64, True),
    "04": (32, 192, 0, 32, True),
}
MOBILENET_NODES = {
    "01": (12, 28, 0, 8, False),
    "11": (20, 44, 0, 24, False),
    "21": (40, 80, 0, 40, False),
    "31": (80, 160, 0, 80, True),
    "02": (12, 36, 0, 8, False),
    "12": (20, 68, 0, 24, False),
    "22": (40, 120, 0, 40, True),
    "03": (12, 44, 0, 8, False),
    "13": (20, 92, 0, 24, True),
    "04": (12, 52, 0, 8, True),
}


def maps(channels, height=64, width=96):
    return [torch.randn(1, c, height >> (i + 1), width >> (i + 1)) for i, c in enumerate(channels)]


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def summary(node):
    squeeze = node.squeeze.out_channels if isinstance(node.squeeze, nn.Conv2d) else 0
    attention = isinstance(node.fuse, FeatureSqueezeExcite)
    fuse = node.fuse[1] if attention else node.fuse[0]
    total = node.squeeze.in_channels if squeeze else fuse.in_channels
    return node.halve[0].out_channels, total, squeeze, fuse.out_channels, attention


@pytest.mark.parametrize(
    ("channels", "squeeze", "table"),
    [(RESNET, True, RESNET_NODES), (MOBILENET, False, MOBILENET_NODES)],
    ids=["resnet18", "lite"],
)
def test_nodes_are_those_of_the_table(channels, squeeze, table):
    decoder = HRDepthDecoder(channels, squeeze)
    assert {name: summary(node) for name, node in decoder.nodes.items()} == table


def test_parts_have_the_authors_parameter_counts():
    nodes = HRDepthDecoder(RESNET, squeeze=True).nodes
    assert parameters(nodes["31"].halve) == 1_179_904
    assert [parameters(nodes[n].fuse) for n in ("31", "22", "13", "04")] == [164_096, 67_712, 24_640, 10_784]
    assert [parameters(nodes[n].squeeze) for n in ("12", "03", "02")] == [24_576, 10_240, 8_192]
    lite = HRDepthDecoder(MOBILENET, squeeze=False).nodes
    assert [parameters(lite[n].fuse) for n in ("31", "22", "13", "04")] == [16_080, 6_520, 3_152, 736]
    assert [parameters(lite[n].fuse) for n in ("12", "11", "02", "01", "03")] == [14_712, 9_528, 2_600, 2_024, 3_176]


def test_dead_convolutions_are_never_called():
    torch.manual_seed(0)
    decoder = HRDepthDecoder(RESNET, squeeze=True, dead_convolutions=True)
    assert parameters(decoder.dead) == 32_336
    sum(d.sum() for d in decoder(maps(RESNET))).backward()
    assert all(p.grad is None for p in decoder.dead.parameters())


def test_a_node_sees_the_coarser_one_first_and_then_its_row_in_order():
    decoder = HRDepthDecoder(MOBILENET, squeeze=False).eval()
    outputs, merged = {}, {}
    for name, node in decoder.nodes.items():
        node.register_forward_hook(lambda m, i, out, name=name: outputs.__setitem__(name, out))
        node.fuse.register_forward_pre_hook(lambda m, inputs, name=name: merged.__setitem__(name, inputs[0]))
    features = maps(MOBILENET)
    with torch.no_grad():
        decoder(features)
        below = decoder.nodes["03"].halve(outputs["12"]).repeat_interleave(2, 2).repeat_interleave(2, 3)
    expected = torch.cat([below, features[0], outputs["01"], outputs["02"]], 1)
    torch.testing.assert_close(merged["03"], expected)


def test_disparities_come_from_the_ends_of_the_rows():
    decoder = HRDepthDecoder(RESNET, squeeze=True)
    assert [head.conv.in_channels for head in decoder.heads] == [16, 32, 64, 128]
    with torch.no_grad():
        assert [d.shape[2] for d in decoder(maps(RESNET))] == [64, 32, 16, 8]


@pytest.mark.parametrize("scales", [1, 2, 4])
def test_fewer_scales_are_the_finest_ones(scales):
    decoders = ((HRDepthDecoder(RESNET, squeeze=True), RESNET), (Monodepth2Decoder(RESNET), RESNET))
    for decoder, channels in decoders:
        features = maps(channels)
        with torch.no_grad():
            expected, got = decoder(features)[:scales], decoder(features, scales)
        assert all(torch.equal(a, b) for a, b in zip(expected, got, strict=True))


def test_monodepth2_layers_have_the_authors_shapes():
    """Weights 0 to 13 of its depth.pth (docs/papers.md, Official checkpoints)."""
    decoder = Monodepth2Decoder(RESNET)
    shapes = [
        tuple(layer[level][0].weight.shape[:2])
        for level in (4, 3, 2, 1, 0)
        for layer in (decoder.reduce, decoder.merge)
    ]
    assert shapes == [
        (256, 512),
        (256, 512),
        (128, 256),
        (128, 256),
        (64, 128),
        (64, 128),
        (32, 64),
        (32, 96),
        (16, 32),
        (16, 16),
    ]
    assert [head.conv.in_channels for head in decoder.heads] == [16, 32, 64, 128]


def test_fse_is_its_formula():
    torch.manual_seed(0)
    fse = FeatureSqueezeExcite(52, 8)
    x = torch.randn(2, 52, 5, 7)
    first, second = fse[0].fc1.weight[:, :, 0, 0], fse[0].fc2.weight[:, :, 0, 0]
    assert first.shape == (3, 52)
    weight = torch.sigmoid(torch.relu(x.mean((2, 3)) @ first.T) @ second.T)
    merged = torch.einsum("oc,bchw->bohw", fse[1].weight[:, :, 0, 0], x * weight[:, :, None, None])
    expected = torch.relu(merged + fse[1].bias[:, None, None])
    torch.testing.assert_close(fse(x), expected)


def test_borders_are_reflected():
    conv = ConvElu(1, 1)
    with torch.no_grad():
        conv[0].weight.zero_()[0, 0, 1, 0] = 1.0  # the left neighbour
        shifted = conv(torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]))
    assert shifted[0, 0].tolist() == [[2.0, 1.0, 2.0], [5.0, 4.0, 5.0]]


@pytest.mark.parametrize("cast", [False, True])
def test_a_head_never_rounds_its_disparity(cast):
    torch.manual_seed(0)
    head = DisparityHead(8)
    features = torch.randn(1, 8, 6, 6).to(torch.bfloat16)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=not cast):
        disparity = head(features)
    assert disparity.dtype == torch.float32
    torch.testing.assert_close(disparity, torch.sigmoid(head.conv(features.float())))
