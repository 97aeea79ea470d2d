# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every network on a GPU: the numbers of the CPU, forward and backward, in every arithmetic."""

from __future__ import annotations

import copy

import pytest
import torch

from depth_node.config.network import ARCHITECTURES, NetworkConfig
from depth_node.inference.device import prepare
from depth_node.networks.factory import build_depth_network, build_pose_network

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
CHANNELS = (8, 8, 16, 16)
SIZE = (64, 96)


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    """No TF32: differences are then those of summation order alone."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)


def make(architecture: str, guided: bool):
    torch.manual_seed(3)
    network = build_depth_network(NetworkConfig(architecture=architecture, guided=guided), semantic_channels=CHANNELS)
    image = torch.rand(2, 3, *SIZE)
    maps = [torch.randn(2, c, SIZE[0] >> i + 2, SIZE[1] >> i + 2) for i, c in enumerate(CHANNELS)]
    return network, image, maps if guided else None


def to(maps, *where):
    return None if maps is None else [one.to(*where) for one in maps]


@pytest.mark.parametrize("guided", [False, True], ids=["plain", "guided"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_forward_and_backward_equal_the_cpus(architecture, guided):
    network, image, maps = make(architecture, guided)
    other = copy.deepcopy(network).cuda()
    results, gradients = [], []
    for net, where in ((network, "cpu"), (other, "cuda")):
        net.eval()  # batch statistics of two small images would amplify rounding
        disparities = net(image.to(where), semantic_maps=to(maps, where))
        sum(((d - 0.3) ** 2).mean() for d in disparities).backward()
        results.append([d.detach().cpu() for d in disparities])
        gradients.append(torch.cat([p.grad.flatten().cpu() for p in net.parameters() if p.grad is not None]))
    for cpu, gpu in zip(*results, strict=True):
        torch.testing.assert_close(gpu, cpu, rtol=1e-3, atol=1e-4)
    assert torch.nn.functional.cosine_similarity(*(g.double() for g in gradients), dim=0) > 0.9999


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_half_precision_is_near_single(architecture, dtype):
    network, image, maps = make(architecture, guided=True)
    with torch.inference_mode():
        wanted = network.eval()(image, 1, maps)[0]
        half = prepare(network, torch.device("cuda"), dtype)
        got = half(image.cuda(), 1, to(maps, "cuda"))[0].cpu()
    assert got.dtype == torch.float32
    bound = 0.01 if dtype == torch.float16 else 0.05
    assert float((got - wanted).abs().mean() / wanted.mean()) < bound


def test_pose_equals_the_cpus():
    torch.manual_seed(1)
    for name in ("pose_resnet18", "posenet"):
        pose = build_pose_network(NetworkConfig(pose=name)).eval()
        target, sources = torch.rand(2, 3, *SIZE), torch.rand(2, 2, 3, *SIZE)
        with torch.inference_mode():
            cpu = pose(target, sources, (-1, 1))
            gpu = pose.cuda()(target.cuda(), sources.cuda(), (-1, 1)).cpu()
        torch.testing.assert_close(gpu, cpu, rtol=1e-3, atol=1e-5)
