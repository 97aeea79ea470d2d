# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Choice of device and arithmetic, and what is cast."""

from __future__ import annotations

import pytest
import torch

from depth_node.config.classes import CAMVID
from depth_node.config.network import GuidanceConfig, NetworkConfig
from depth_node.config.semantic import SemanticConfig
from depth_node.errors import ConfigError
from depth_node.inference.device import choose_device, choose_precision, prepare
from depth_node.networks.factory import build_depth_network
from depth_node.networks.semantic import SemanticNetwork

CPU = torch.device("cpu")
CUDA = torch.device("cuda", 0)
NORMALISATIONS = (torch.nn.BatchNorm2d, torch.nn.LayerNorm, torch.nn.GroupNorm)


@pytest.fixture
def no_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def two_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("no_cuda")
def test_without_cuda():
    assert choose_device("auto") == CPU
    assert choose_device("cpu") == CPU
    with pytest.raises(ConfigError, match="'cuda' was asked for, but torch sees 0 CUDA devices: use auto or cpu"):
        choose_device("cuda")


@pytest.mark.usefixtures("two_cuda")
def test_with_cuda():
    assert choose_device("auto").type == "cuda"
    assert choose_device("cuda").type == "cuda"
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ConfigError, match="'cuda:2' was asked for, but torch sees 2"):
        choose_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "", "mps", "cuda:x", "meta"])
def test_unknown_devices(name):
    with pytest.raises(ConfigError, match="is unknown"):
        choose_device(name)


def test_precisions():
    assert choose_precision("auto", CPU) == choose_precision("auto", CUDA) == torch.float32
    assert choose_precision("bf16", CPU) == torch.bfloat16
    assert choose_precision("fp16", CUDA) == torch.float16
    with pytest.raises(ConfigError, match="'fp16' needs a CUDA device"):
        choose_precision("fp16", CPU)
    with pytest.raises(ConfigError, match="'int8' is unknown"):
        choose_precision("int8", CPU)


def test_heads_and_normalisations_stay_exact():
    network = prepare(build_depth_network(NetworkConfig()), CPU, torch.bfloat16)
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    kinds = {name: p.dtype for name, p in network.named_parameters()}
    exact = {name for name, dtype in kinds.items() if dtype == torch.float32}
    assert {name for name in kinds if ".heads." in name} <= exact
    assert all(".heads." in name or kinds[name.replace("bias", "weight")] == torch.float32 for name in exact)
    assert kinds["encoder.stages.0.0.weight"] == torch.bfloat16
    assert network.encoder.stages[0][1].running_mean.dtype == torch.float32
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 64, 64), scales=1)[0].dtype == torch.float32


def test_guidance_keeps_its_distances_exact():
    config = NetworkConfig(guided=True, guidance=GuidanceConfig(levels="2,3", channels=16))
    network = prepare(build_depth_network(config, semantic_channels=(8, 8, 8, 8)), CPU, torch.bfloat16)
    layer = network.guidance.layers["2"].conv
    assert (layer.log_sigma.dtype, layer.conv.weight.dtype) == (torch.float32, torch.bfloat16)
    seen = []
    layer.register_forward_pre_hook(lambda module, inputs: seen.extend(part.dtype for part in inputs))
    maps = [torch.rand(1, 8, 64 >> i, 64 >> i) for i in (2, 3, 4, 5)]
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 64, 64), 1, maps)[0].dtype == torch.float32
    assert seen == [torch.bfloat16, torch.float32]  # features, distances


@pytest.mark.parametrize(("architecture", "encoder"), [("fpn", "tu-convnext_atto"), ("segformer", "mit_b0")])
def test_semantic_networks_of_any_kind_run_in_half_precision(architecture, encoder):
    torch.manual_seed(0)
    config = SemanticConfig(architecture, encoder, pyramid_channels=32, segmentation_channels=32)
    network, image = SemanticNetwork(config, CAMVID).freeze(), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        exact = network(image)
        rough = prepare(network, CPU, torch.bfloat16)(image)
    assert {part.dtype for part in rough.maps} == {torch.bfloat16}
    assert rough.logits.dtype == torch.float32
    assert 0 < (rough.logits - exact.logits).abs().mean() < 0.05 * exact.logits.abs().mean()
    kinds = {type(part): part.weight.dtype for part in network.modules() if isinstance(part, NORMALISATIONS)}
    # CUDA normalises layers and groups only in their input's type.
    assert all((dtype == torch.float32) == issubclass(kind, torch.nn.BatchNorm2d) for kind, dtype in kinds.items())
