# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Directions, orders and magnitudes of the pose networks' answers."""

from __future__ import annotations

import pytest
import torch

from depth_node.config.network import NetworkConfig
from depth_node.networks.factory import build_pose_network
from depth_node.networks.pose import PoseNet, ResNetPose


def frames(sources=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, 3, 64, 64, generator=generator), torch.rand(2, sources, 3, 64, 64, generator=generator)


@pytest.mark.parametrize("name", ["pose_resnet18", "pose_resnet50", "posenet"])
def test_answers_are_small_rigid_motions(name):
    torch.manual_seed(0)
    network = build_pose_network(NetworkConfig(pose=name)).eval()
    with torch.no_grad():
        T = network(*frames(), (-1, 1))
    assert T.shape == (2, 2, 4, 4)
    torch.testing.assert_close(T[..., :3, :3] @ T[..., :3, :3].mT, torch.eye(3).expand(2, 2, 3, 3))
    assert (T - torch.eye(4)).abs().max() < 0.05, "training starts from almost no motion"


@pytest.mark.parametrize("name", ["pose_resnet18", "posenet"])
def test_half_precision_ends_before_the_motion(name):
    network = build_pose_network(NetworkConfig(pose=name)).eval()
    torch.nn.init.constant_(network.head[-1].bias if name != "posenet" else network.head.bias, 6.0)  # 0.06 rad
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        T = network(*frames(), (-1, 1))
    assert T.dtype == torch.float32
    torch.testing.assert_close(torch.linalg.det(T[..., :3, :3]), torch.ones(2, 2))


@pytest.mark.parametrize("name", ["pose_resnet18", "pose_resnet50", "posenet"])
def test_every_parameter_learns(name):
    network = build_pose_network(NetworkConfig(pose=name))
    network(*frames(), (-1, 1)).square().sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []


def test_a_pair_is_always_seen_in_temporal_order():
    """From a to b is the inverse of from b to a, whichever of them is the target."""
    torch.manual_seed(0)
    network = ResNetPose().eval()
    earlier, later = frames(1)
    with torch.no_grad():
        forward = network(earlier, later, (1,))[:, 0]
        backward = network(later[:, 0], earlier[:, None], (-1,))[:, 0]
    torch.testing.assert_close(forward @ backward, torch.eye(4).expand(2, 4, 4), rtol=0, atol=1e-6)


def test_sources_do_not_mix():
    torch.manual_seed(0)
    network = ResNetPose().eval()
    target, sources = frames(3)
    with torch.no_grad():
        together = network(target, sources, (-1, 1, 2))
        alone = [network(target, sources[:, i : i + 1], (offset,))[:, 0] for i, offset in enumerate((-1, 1, 2))]
    torch.testing.assert_close(together, torch.stack(alone, 1), rtol=0, atol=1e-6)


def test_resnet_answers_axis_angle_then_translation():
    network = ResNetPose().eval()
    with torch.no_grad():
        network.head[-1].weight.zero_()
        network.head[-1].bias.copy_(torch.tensor([0.0, 0, 50, 1, 2, 3, 9, 9, 9, 9, 9, 9]))
        T = network(*frames(1), (1,))[0, 0]
    assert T[:3, 3].tolist() == pytest.approx([0.01, 0.02, 0.03])
    assert torch.atan2(T[1, 0], T[0, 0]).item() == pytest.approx(0.5)


def test_posenet_answers_translation_then_euler_angles():
    network = PoseNet().eval()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.copy_(torch.tensor([1.0, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 50]))
        T = network(*frames())[0]
    assert T[0, :3, 3].tolist() == pytest.approx([0.01, 0.02, 0.03])
    assert torch.atan2(T[1, 1, 0], T[1, 0, 0]).item() == pytest.approx(0.5)


@pytest.mark.parametrize("network", [ResNetPose, PoseNet])
def test_sources_must_fit_offsets(network):
    target, sources = frames(1)
    with pytest.raises(ValueError, match="1 source frames but 2 offsets"):
        network()(target, sources, (-1, 1))


def test_posenet_is_made_for_its_number_of_sources():
    with pytest.raises(ValueError, match="built for 2 sources but got 1"):
        PoseNet()(*frames(1), (1,))
