# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation of two processes against that of one with both batches, to the digits of double precision."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from depth_node.config.network import NetworkConfig
from depth_node.networks.factory import build_depth_network, build_pose_network
from depth_node.training.synchronised_norm import SYNCHRONISED, SynchronisedNorm, synchronise_norms

ROOT = Path(__file__).parents[3]
HALF = """
import sys, torch
from test_synchronised_norm import learn, make_network, make_batch
from depth_node import distributed
from depth_node.training.synchronised_norm import synchronise_norms
distributed.join()
network = make_network()
synchronise_norms(network, "cpu")
inputs, weights = (part[4 * distributed.rank() : 4 * distributed.rank() + 4] for part in make_batch())
result = learn(network, inputs, weights)
gathered = distributed.gather([result["input"]])
result = {name: distributed.total(value) / 2 if "running" not in name else value for name, value in result.items()}
if distributed.is_first():
    torch.save(result | {"input": torch.cat(gathered) / 2}, sys.argv[1])
"""


def make_network():
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3, stride=2)]
    return nn.Sequential(*layers, BatchNormAct2d(4, act_layer=nn.SiLU)).double()


def make_batch():
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(8, 3, 12, 14, generator=generator, dtype=torch.double) * 3 + 50
    return inputs, torch.randn(8, 4, 4, 5, generator=generator, dtype=torch.double)


def learn(network, inputs, weights):
    """Gradients of a mean over the batch, of weights and input, and the statistics afterwards."""
    inputs = inputs.clone().requires_grad_()
    output = network(inputs)
    (output * weights).mean().backward()
    result = {name: parameter.grad for name, parameter in network.named_parameters()}
    result |= {name: value for name, value in network.state_dict().items() if "running" in name}
    return result | {"input": inputs.grad}


def test_two_halves_are_as_the_whole(tmp_path):
    script, file = tmp_path / "half.py", tmp_path / "result.pt"
    script.write_text(HALF)
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    done = subprocess.run([*torchrun, script, file], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    halves, whole = torch.load(file), learn(make_network(), *make_batch())
    assert halves.keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(halves[name], value, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("network", ["lite_hr_depth", "monodepth2_resnet18"])
def test_every_norm_of_a_network_is_replaced(network):
    config = NetworkConfig(architecture=network)
    both = nn.ModuleList([build_depth_network(config), build_pose_network(config)])
    names = list(both.state_dict())
    before = [type(each) for each in both.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]
    synchronise_norms(both, "cpu")
    after = [type(each) for each in both.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]
    assert before
    assert after == [SYNCHRONISED[kind] for kind in before]
    assert list(both.state_dict()) == names


def test_one_process_normalises_as_torch_does():
    torch.manual_seed(0)
    plain = nn.BatchNorm2d(5)
    ours = nn.BatchNorm2d(5)
    ours.__class__ = SynchronisedNorm
    images = torch.rand(4, 5, 6, 7)
    torch.testing.assert_close(ours(images), plain(images))
    torch.testing.assert_close(ours.running_var, plain.running_var)
    torch.testing.assert_close(ours.eval()(images), plain.eval()(images))
