# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The semantic network: what comes out, what it is made of, and that freezing holds."""

from __future__ import annotations

import logging

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from depth_node.config.classes import CAMVID, CITYSCAPES
from depth_node.config.semantic import SemanticConfig
from depth_node.errors import ConfigError
from depth_node.networks import pretrained, semantic_weights
from depth_node.networks.semantic import SemanticNetwork, fingerprint

SMALL = SemanticConfig(encoder="tu-lcnet_050", pyramid_channels=64, segmentation_channels=32)
SEGFORMER = SemanticConfig(architecture="segformer", encoder="mit_b0", segmentation_channels=256)
DEMO = SemanticConfig(encoder="tu-lcnet_075", pyramid_channels=64, segmentation_channels=32)


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return SemanticNetwork(SMALL, CITYSCAPES).eval()


@pytest.mark.parametrize(
    ("config", "classes", "channels"),
    [
        (SMALL, CITYSCAPES, (64, 64, 64, 64)),
        (SEGFORMER, CAMVID, (32, 64, 160, 256)),
        (SemanticConfig(architecture="segformer", encoder="tu-lcnet_050"), CAMVID, (32, 64, 128, 256)),
        (SemanticConfig(encoder="resnet18", pyramid_channels=32, segmentation_channels=32), CAMVID, (32, 32, 32, 32)),
    ],
    ids=["fpn", "segformer", "segformer of a convolutional encoder", "fpn of smp's own encoder"],
)
def test_four_maps_and_scores_at_a_quarter(config, classes, channels):
    network = SemanticNetwork(config, classes).eval()
    with torch.no_grad():
        maps, logits = network(torch.rand(2, 3, 64, 96))
    assert network.channels == channels
    assert [tuple(m.shape) for m in maps] == [(2, c, 16 >> i, 24 >> i) for i, c in enumerate(channels)]
    assert tuple(logits.shape) == (2, len(classes), 16, 24)


def test_scores_are_those_of_the_whole_network(small):
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        whole = small.model((image - small.mean) / small.std)
        torch.testing.assert_close(small(image).logits, whole)


def test_images_are_normalised_inside(small):
    seen = []
    hook = small.model.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        small(torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1) + 0.225 * torch.ones(1, 3, 64, 64))
    hook.remove()
    torch.testing.assert_close(seen[0].mean((0, 2, 3)), torch.tensor([0.225 / 0.229, 0.225 / 0.224, 1.0]))


@pytest.mark.parametrize("config", [SMALL, SEGFORMER], ids=["fpn", "segformer"])
def test_half_precision_weights_take_full_precision_images(config):
    torch.manual_seed(0)
    network = SemanticNetwork(config, CITYSCAPES).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        full = network(image)
        maps, logits = network.to(torch.bfloat16)(image)
    assert {m.dtype for m in maps} == {torch.bfloat16}
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, full.logits, atol=0.1 * float(full.logits.abs().max()), rtol=0)


def test_labels_are_upsampled_scores():
    logits = torch.zeros(1, 19, 2, 2)
    logits[0, 13, :, 0] = 1.0
    logits[0, 10, :, 1] = 1.0
    labels = SemanticNetwork.labels(logits, 5, 8)
    assert labels.dtype == torch.uint8
    assert tuple(labels.shape) == (1, 5, 8)
    assert labels[0].tolist() == [[13] * 4 + [10] * 4] * 5


def test_the_demo_network_is_small():
    network = SemanticNetwork(DEMO, CITYSCAPES)
    assert sum(p.numel() for p in network.parameters()) < 800_000


class Consumer(nn.Module):
    """A network with a frozen one inside, as a guided depth network has."""

    def __init__(self, semantic: SemanticNetwork) -> None:
        super().__init__()
        self.semantic = semantic
        self.head = nn.Conv2d(semantic.channels[0], 1, 1)

    def forward(self, image):
        return self.head(self.semantic(image).maps[0])


@pytest.mark.parametrize("config", [SMALL, SEGFORMER], ids=["fpn", "segformer"])
def test_frozen_means_frozen(config):
    torch.manual_seed(0)
    consumer = Consumer(SemanticNetwork(config, CITYSCAPES).freeze())
    consumer.train()
    before, head = fingerprint(consumer.semantic), fingerprint(consumer.head)
    # Every parameter is handed over, as `module.parameters()` would; weight decay must not reach it either.
    optimizer = torch.optim.AdamW(consumer.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(2):
        consumer(torch.rand(2, 3, 64, 64)).square().mean().backward()
        optimizer.step()
    assert fingerprint(consumer.semantic) == before
    assert fingerprint(consumer.head) != head
    assert not any(module.training for module in consumer.semantic.modules())
    assert all(p.grad is None and not p.requires_grad for p in consumer.semantic.parameters())


def test_one_that_learns_changes():
    torch.manual_seed(0)
    consumer = Consumer(SemanticNetwork(SMALL, CITYSCAPES))
    consumer.train()
    before = fingerprint(consumer.semantic)
    with torch.no_grad():
        consumer(torch.rand(2, 3, 64, 64))
    assert fingerprint(consumer.semantic) != before, "statistics of a network in training follow its images"


def test_a_fingerprint_sees_a_single_bit(small):
    before = fingerprint(small)
    weight = small.model.segmentation_head[0].bias
    kept = weight.detach().clone()
    with torch.no_grad():
        weight[0] = torch.nextafter(weight[0], torch.tensor(9.0))
    assert fingerprint(small) != before
    with torch.no_grad():
        weight.copy_(kept)
    assert fingerprint(small) == before


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (SemanticConfig(encoder="resnet19"), "unknown encoder 'resnet19': use tu-<timm model> or one of"),
        (SemanticConfig(encoder="tu-nonesuch"), "encoder 'tu-nonesuch' cannot be used for fpn"),
    ],
)
def test_an_unknown_encoder_is_one_line(config, line):
    with pytest.raises(ConfigError) as caught:
        SemanticNetwork(config, CITYSCAPES)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_segmentation_channels_fit_their_groups():
    with pytest.raises(ConfigError, match="multiple of 32"):
        SemanticConfig(segmentation_channels=48)
    assert SemanticConfig(architecture="segformer", segmentation_channels=48).segmentation_channels == 48


def test_published_weights_are_loaded(tmp_path, monkeypatch):
    torch.manual_seed(7)
    published = timm.create_model("lcnet_050", pretrained=False)
    save_file(published.state_dict(), tmp_path / "weights.safetensors")
    asked = []

    def fetch(repository, name, revision=None):
        asked.append(repository)
        return str(tmp_path / "weights.safetensors")

    monkeypatch.setattr(semantic_weights, "fetch_hub_file", fetch)
    network = SemanticNetwork(SMALL, CITYSCAPES, pretrained=True)
    assert network.pretrained
    assert asked == ["timm/lcnet_050.ra2_in1k"]
    assert torch.equal(network.model.encoder.model.conv_stem.weight, published.conv_stem.weight)


def test_weights_of_smps_own_encoders_are_loaded(tmp_path, monkeypatch):
    source = SemanticNetwork(SEGFORMER, CITYSCAPES)
    save_file(source.model.encoder.state_dict(), tmp_path / "weights.safetensors")
    monkeypatch.setattr(semantic_weights, "fetch_hub_file", lambda *_: str(tmp_path / "weights.safetensors"))
    network = SemanticNetwork(SEGFORMER, CITYSCAPES, pretrained=True)
    assert network.pretrained
    assert fingerprint(network.model.encoder) == fingerprint(source.model.encoder)
    assert fingerprint(network) != fingerprint(source)


@pytest.mark.parametrize("encoder", ["tu-lcnet_050", "resnet18"])
def test_without_network_one_line_says_so(encoder, monkeypatch, caplog):
    monkeypatch.setattr(pretrained, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(pretrained.constants, "ENDPOINT", "http://localhost:9")  # nothing listens there
    config = SemanticConfig(encoder=encoder, pyramid_channels=32, segmentation_channels=32)
    with caplog.at_level(logging.WARNING):
        network = SemanticNetwork(config, CITYSCAPES, pretrained=True)
    assert not network.pretrained
    assert len(caplog.messages) == 1
    assert f"no ImageNet weights for {encoder}, starting from random ones" in caplog.messages[0]
    assert "\n" not in caplog.messages[0]
