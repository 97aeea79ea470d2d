# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""ImageNet weights where there are any, one clear line where not."""

from __future__ import annotations

import logging
import urllib.error

import pytest
import timm
import torch
from safetensors.torch import save_file

from depth_node.config.network import NetworkConfig
from depth_node.networks import pretrained
from depth_node.networks.encoders import MOBILENET_WEIGHTS, RESNET_WEIGHTS, ResNetEncoder
from depth_node.networks.factory import build_depth_network


@pytest.fixture
def fake_hub(tmp_path, monkeypatch):
    """A hub that has weights of our own making under every name."""
    models = {}

    def fetch(name):
        torch.manual_seed(7)
        models[name] = timm.create_model(name, pretrained=False)
        path = tmp_path / f"{name}.safetensors"
        save_file(models[name].state_dict(), path)
        return str(path)

    monkeypatch.setattr(pretrained, "fetch_weights", fetch)
    return models


@pytest.fixture
def no_network(monkeypatch):
    """No cache and no way out."""

    def refuse(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(pretrained, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(pretrained.urllib.request, "urlopen", refuse)


def test_weights_are_loaded(fake_hub):
    encoder = ResNetEncoder(18, pretrained=True)
    source = fake_hub[RESNET_WEIGHTS[18]].state_dict()
    assert encoder.pretrained
    own = encoder.backbone.state_dict()
    assert all(torch.equal(tensor, source[name]) for name, tensor in own.items())
    assert set(source) - set(own) == {"fc.weight", "fc.bias"}


def test_a_pair_of_equal_images_looks_like_one(fake_hub):
    single = ResNetEncoder(18, pretrained=True).eval()
    pair = ResNetEncoder(18, images=2, pretrained=True).eval()
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(pair(torch.cat([image, image], 1))[0], single(image)[0])


def test_mobilenet_keeps_the_order_its_weights_were_made_for(fake_hub):
    network = build_depth_network(NetworkConfig(architecture="lite_hr_depth"), pretrained=True)
    assert network.pretrained
    assert network.config.timm_se_order
    stem = fake_hub[MOBILENET_WEIGHTS].conv_stem.weight
    assert torch.equal(network.encoder.stages[0][0].weight, stem)


@pytest.mark.usefixtures("no_network")
def test_without_network_one_line_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        network = build_depth_network(NetworkConfig(architecture="lite_hr_depth"), pretrained=True)
    assert not network.pretrained
    assert not network.config.timm_se_order, "random weights need not follow timm"
    assert len(caplog.messages) == 1
    assert "no ImageNet weights for mobilenetv3_large_100" in caplog.messages[0]
    assert "no route to host" in caplog.messages[0]
    assert "\n" not in caplog.messages[0]


def test_a_cached_file_needs_no_network(monkeypatch, no_network, tmp_path):
    monkeypatch.setattr(pretrained, "try_to_load_from_cache", lambda *_: str(tmp_path / "cached"))
    assert pretrained.fetch_weights("resnet18.tv_in1k") == str(tmp_path / "cached")
