# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Guidance: what it changes in a decoder, where its gradients go, and what it refuses."""

import pytest
import torch

from depth_node.config.network import GuidanceConfig, NetworkConfig
from depth_node.errors import ConfigError
from depth_node.networks.factory import build_depth_network
from depth_node.networks.guidance import Guidance

CHANNELS = (24, 24, 24, 24)
SMALL = ("hr_depth_resnet18", "lite_hr_depth", "monodepth2_resnet18", "monodepth2_resnet50")
IMAGE = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def maps(seed=0):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(2, 24, 64 // s, 96 // s, generator=random) for s in (4, 8, 16, 32)]


def build(architecture, **guidance):
    torch.manual_seed(0)
    config = NetworkConfig(architecture=architecture, guided=True, guidance=GuidanceConfig(channels=16, **guidance))
    return build_depth_network(config, semantic_channels=CHANNELS)


@pytest.mark.parametrize("architecture", SMALL)
def test_shapes_and_gradients(architecture):
    network = build(architecture)
    disparities = network(IMAGE, semantic_maps=maps())
    assert [tuple(d.shape[-2:]) for d in disparities] == [(64, 96), (32, 48), (16, 24), (8, 12)]
    sum(d.mean() for d in disparities).backward()
    missing = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not missing


@pytest.mark.parametrize("architecture", SMALL)
def test_the_semantics_matter(architecture):
    network = build(architecture).eval()
    with torch.no_grad():
        one, other = network(IMAGE, 1, maps(0))[0], network(IMAGE, 1, maps(1))[0]
    assert not torch.equal(one, other)


@pytest.mark.parametrize("levels", ["0", "1,3", "0,1,2,3,4"])
def test_only_the_configured_levels_are_guided(levels):
    guidance = build("lite_hr_depth", levels=levels).guidance
    assert ",".join(guidance.layers) == levels


def test_levels_take_the_map_of_their_size():
    guidance = Guidance(GuidanceConfig(), (10, 20, 30, 40), (16, 16, 16, 16, 16))
    inputs = {index: head[0].in_channels for index, head in guidance.heads.items()}
    assert guidance.source == {0: 0, 1: 0, 2: 0, 3: 1, 4: 2}
    assert inputs == {"0": 10, "1": 20, "2": 30}


@pytest.mark.parametrize("architecture", SMALL[:3])
def test_starting_as_identity_keeps_what_a_network_knows(architecture):
    """But for the second ELU on features below zero."""
    guided = build(architecture).eval()
    guided.guidance.start_as_identity()
    plain = build_depth_network(NetworkConfig(architecture=architecture)).eval()
    plain.encoder.load_state_dict(guided.encoder.state_dict())
    plain.decoder.load_state_dict(guided.decoder.state_dict())
    with torch.no_grad():
        ours, theirs = guided(IMAGE, 1, maps())[0], plain(IMAGE, 1)[0]
    spread = float(theirs.std())
    assert float((ours - theirs).abs().mean()) < 0.5 * spread


def test_a_guided_network_needs_semantics():
    with pytest.raises(ConfigError, match="--semantic"):
        build_depth_network(NetworkConfig(guided=True))
    with pytest.raises(ValueError, match="semantic"):
        build("lite_hr_depth")(IMAGE)


@pytest.mark.parametrize(
    "wrong", [{"levels": ""}, {"levels": "1,1"}, {"levels": "5"}, {"levels": "a"}, {"channels": 40}, {"kernel": 4}]
)
def test_wrong_settings(wrong):
    with pytest.raises(ConfigError):
        GuidanceConfig(**wrong)
