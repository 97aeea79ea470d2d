# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The one guided forward pass: all that predict depth say the same to the bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from depth_node.camera.network_input import to_network_input
from depth_node.checkpoints.depth import load_checkpoint, save_checkpoint
from depth_node.config.resampling import ResamplingConfig
from depth_node.inference.device import prepare_model
from depth_node.inference.estimator import DepthEstimator
from depth_node.networks.depth_model import DEPTH, LOGITS, DepthModel
from depth_node.networks.factory import build_depth_network
from depth_node.resampling.predictor import DepthPredictor
from depth_node.training.frozen_networks import Teacher

K = np.array([[110.0, 0, 63.5], [0, 110.0, 31.5], [0, 0, 1]])
IMAGE = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8))
BATCH = to_network_input(IMAGE)[None]


@pytest.fixture(scope="module")
def steep(guided_checkpoint, tmp_path_factory):
    """A guided checkpoint, 10 m per unit, whose depth is far from flat."""
    loaded = load_checkpoint(guided_checkpoint)
    with torch.no_grad():
        loaded.depth.decoder.heads[0].conv.weight.mul_(200.0)
    path = tmp_path_factory.mktemp("steep") / "steep.safetensors"
    save_checkpoint(path, loaded.info, loaded.depth, semantic=loaded.semantic)
    return path


def test_four_users_say_the_same_to_the_bit(steep):
    """Weights lie channels last where live images and training pictures are predicted, which alone moves last bits."""
    loaded = load_checkpoint(steep)
    model = DepthModel(loaded.depth, loaded.semantic, loaded.info.scale)
    exported, taught = model(BATCH)[DEPTH], 10.0 * Teacher(steep).depth(BATCH)
    assert exported.std() > 0.5
    assert torch.equal(taught, exported)
    exported = prepare_model(model, torch.device("cpu"), torch.float32)(BATCH)[DEPTH]
    live = DepthEstimator.from_checkpoint(steep, "cpu").estimate(IMAGE, K, sky_infinite=False).depth
    resampled = 10.0 * DepthPredictor(steep, ResamplingConfig(device="cpu"))(IMAGE[None])[0]
    assert torch.equal(live, exported[0, 0])
    assert torch.equal(resampled, exported)


def test_the_semantic_network_runs_only_where_something_needs_it(steep):
    loaded = load_checkpoint(steep)
    guided = DepthModel(loaded.depth, loaded.semantic)
    assert guided.semantics(BATCH) is not None
    free = build_depth_network(dataclasses.replace(loaded.info.network, guided=False))
    assert DepthModel(free, loaded.semantic).semantics(BATCH) is None
    assert DepthModel(free, loaded.semantic).semantics(BATCH, wanted=True) is not None
    assert DepthModel(free).semantics(BATCH, wanted=True) is None
    assert (*DepthModel(free)(BATCH),) == DepthModel(free).outputs == (DEPTH,)
    assert (*guided(BATCH),) == guided.outputs == (DEPTH, LOGITS)
    assert not any(weight.requires_grad for weight in guided.parameters())
