# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Starting from trained weights: what is taken over, and what is refused with one line."""

import dataclasses

import pytest
import torch

from depth_node.checkpoints.depth import CheckpointInfo, load_checkpoint, save_checkpoint
from depth_node.config.network import GuidanceConfig, NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.errors import TrainingError
from depth_node.networks.factory import build_depth_network, build_pose_network
from depth_node.networks.semantic import fingerprint
from depth_node.training.frozen_networks import FrozenSemantics
from depth_node.training.warm_start import as_in, warm_start

LITE = NetworkConfig(height=64, width=128, pose="posenet")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A checkpoint with a pose network and without semantics."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("plain") / "last.safetensors"
    save_checkpoint(path, CheckpointInfo(network=LITE), build_depth_network(LITE), build_pose_network(LITE))
    return path


@pytest.fixture
def semantics(guided_checkpoint):
    return FrozenSemantics.from_checkpoint(str(guided_checkpoint))


def start(config, semantics=None, network=LITE):
    """Fresh networks, warm-started."""
    torch.manual_seed(4)
    channels = semantics.network.channels if semantics else ()
    depth, pose = build_depth_network(network, semantic_channels=channels), build_pose_network(network)
    warm_start(depth, pose, semantics, config)
    return depth, pose


def equal(first, second):
    return all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_depth_and_pose_are_taken(plain):
    depth, pose = start(TrainConfig(initial=str(plain)))
    saved = load_checkpoint(plain)
    assert equal(depth, saved.depth)
    assert equal(pose, saved.pose)


def test_only_the_pose_network_is_taken_on_request(plain):
    other = dataclasses.replace(LITE, architecture="monodepth2_resnet18")
    _, pose = start(TrainConfig(initial_pose=str(plain)), network=other)
    assert equal(pose, load_checkpoint(plain).pose)


def test_a_guided_network_starts_from_a_plain_one(plain, semantics):
    depth, _ = start(TrainConfig(initial=str(plain)), semantics, dataclasses.replace(LITE, guided=True))
    saved = load_checkpoint(plain).depth
    assert equal(depth.encoder, saved.encoder)
    assert equal(depth.decoder, saved.decoder)
    features = torch.rand(1, 8, 32, 64)  # what a decoder's last layer gives: nothing below zero
    maps = semantics.maps(torch.rand(1, 3, 64, 128))
    torch.testing.assert_close(depth.guidance.refiner(maps)(1, features), features)


def test_a_guided_network_starts_from_a_guided_one(guided_checkpoint, semantics):
    saved = load_checkpoint(guided_checkpoint)
    depth, _ = start(TrainConfig(initial=str(guided_checkpoint)), semantics, saved.info.network)
    assert equal(depth, saved.depth)


def test_semantics_stay_frozen(semantics):
    before = fingerprint(semantics.network)
    semantics.network.train()
    maps = semantics.maps(torch.rand(2, 3, 64, 128))
    assert not any(map.requires_grad for map in maps)
    assert not semantics.network.training
    assert fingerprint(semantics.network) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"architecture": "hr_depth_resnet18"}, "choose the same --network.architecture"),
        ({"timm_se_order": True}, "no_network.timm_se_order"),
        ({"min_depth": 0.5, "max_depth": 1e6}, r"add --network\.min_depth 0\.1 --network\.max_depth 100"),
    ],
)
def test_networks_that_differ(plain, change, says):
    with pytest.raises(TrainingError, match=says):
        start(TrainConfig(initial=str(plain)), network=dataclasses.replace(LITE, **change))


def test_guidance_that_differs(guided_checkpoint, semantics):
    saved = load_checkpoint(guided_checkpoint).info.network
    initial = TrainConfig(initial=str(guided_checkpoint))
    with pytest.raises(TrainingError, match=r"add --network\.guided"):
        start(initial, network=dataclasses.replace(saved, guided=False))
    other = dataclasses.replace(saved, guidance=GuidanceConfig(levels="1,2"))
    with pytest.raises(TrainingError, match=r"same --network\.guidance"):
        start(initial, semantics, other)


def test_other_semantics(guided_checkpoint, semantics):
    with torch.no_grad():
        next(semantics.network.parameters()).add_(1)
    with pytest.raises(TrainingError, match="another semantic network"):
        start(TrainConfig(initial=str(guided_checkpoint)), semantics, load_checkpoint(guided_checkpoint).info.network)


def test_the_order_of_operations_comes_with_the_weights(plain):
    asked = dataclasses.replace(LITE, timm_se_order=True)
    assert as_in(plain, asked) == LITE


def test_a_pose_network_that_is_not_there(guided_checkpoint):
    with pytest.raises(TrainingError, match="holds no posenet network"):
        start(TrainConfig(initial_pose=str(guided_checkpoint)))
