# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every network as a whole: parameters to the digit, cost, shapes, gradients, export."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from depth_node.config.network import ARCHITECTURES, NetworkConfig
from depth_node.networks.factory import build_depth_network, build_pose_network


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def build(architecture, **options):
    torch.manual_seed(0)
    return build_depth_network(NetworkConfig(architecture=architecture), **options)


@pytest.mark.parametrize(
    ("architecture", "encoder", "total", "with_dead"),
    [
        ("hr_depth_resnet18", 11_176_512, 14_068_308, 14_100_644),
        ("lite_hr_depth", 2_816_432, 3_109_964, 3_112_000),
        ("monodepth2_resnet18", 11_176_512, 14_329_236, 14_329_236),
        ("monodepth2_resnet50", 23_508_032, 32_522_132, 32_522_132),
    ],
)
def test_parameters_are_those_of_the_papers(architecture, encoder, total, with_dead):
    network = build(architecture)
    assert count(network.encoder) == encoder
    assert count(network) == total
    assert count(build(architecture, dead_convolutions=True)) == with_dead


@pytest.mark.parametrize(
    ("architecture", "encoder", "total"),
    [
        ("hr_depth_resnet18", 4.44, 11.22),
        ("lite_hr_depth", 0.50, 1.23),
        ("monodepth2_resnet18", 4.44, 8.01),
        ("monodepth2_resnet50", None, 16.6),
    ],
)
def test_cost_is_that_of_the_papers(architecture, encoder, total):
    """Multiply-accumulates at 640x192, in thousand millions."""
    network = build(architecture).eval()
    with torch.no_grad(), FlopCounterMode(display=False, depth=2) as counter:
        network(torch.zeros(1, 3, 192, 640))
    assert counter.get_total_flops() / 2e9 == pytest.approx(total, rel=0.01)
    if encoder:
        parts = {name.rpartition(".")[2]: sum(ops.values()) / 2e9 for name, ops in counter.get_flop_counts().items()}
        assert parts["encoder"] == pytest.approx(encoder, rel=0.01)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_four_scales_between_zero_and_one(architecture):
    network = build(architecture).eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        disparities = network(image)
        finest = network(image, scales=1)
    assert [tuple(d.shape) for d in disparities] == [(1, 1, 64, 96), (1, 1, 32, 48), (1, 1, 16, 24), (1, 1, 8, 12)]
    assert all(((d > 0) & (d < 1)).all() for d in disparities)
    assert len(finest) == 1
    assert torch.equal(finest[0], disparities[0])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_parameter_learns(architecture):
    """Distributed training stops at a parameter without gradient."""
    network = build(architecture)
    sum(d.square().mean() for d in network(torch.rand(2, 3, 64, 64))).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_starts_from_a_flat_depth(architecture):
    network = build(architecture).eval()
    with torch.no_grad():
        disparity = network(torch.rand(1, 3, 64, 96), scales=1)[0]
    assert (disparity - 0.5).abs().max() < 0.15


@pytest.mark.parametrize("architecture", ["lite_hr_depth", "monodepth2_resnet18"])
def test_exported_network_gives_the_same(architecture):
    network = build(architecture).eval()
    image = torch.rand(1, 3, 64, 96)
    exported = torch.export.export(network, (image,)).module()
    with torch.no_grad():
        for ours, theirs in zip(network(image), exported(image), strict=True):
            torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("name", "parameters"), [("pose_resnet18", 13_013_492 - 513_000), ("posenet", 1_592_684)])
def test_pose_parameters_are_those_of_the_papers(name, parameters):
    assert count(build_pose_network(NetworkConfig(pose=name))) == parameters


def test_equal_seeds_give_equal_networks():
    first, second = build("lite_hr_depth"), build("lite_hr_depth")
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
