# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pretraining on random streets: it learns, guided or not, and its checkpoint is one that the live node takes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depth_node.config.network import NetworkConfig
from depth_node.config.pretraining import PretrainConfig, WorldsConfig
from depth_node.config.semantic import SemanticConfig
from depth_node.errors import TrainingError
from depth_node.inference.estimator import DepthEstimator
from depth_node.training.pretraining import Pretrainer

WORLDS = WorldsConfig(width=128, height=64, frames=2, streets=4, start=6, per_step=0.2, pool=6, workers=1)
SEMANTIC = SemanticConfig(encoder="tu-lcnet_050", pyramid_channels=16, segmentation_channels=32)
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")]),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("guided", [False, True], ids=["plain", "guided"])
def test_it_learns_and_saves(tmp_path, guided, device):
    network = NetworkConfig(width=96, height=64, guided=guided, pose="posenet")
    config = PretrainConfig(
        steps=24, semantic_steps=8 if guided else 0, batch_size=4, learning_rate=3e-3, worlds=WORLDS, precision="fp32"
    )
    losses: dict[str, list[float]] = {"semantic": [], "depth": []}
    run = Pretrainer(
        network, SEMANTIC, config, torch.device(device), report=lambda stage, _, loss: losses[stage].append(float(loss))
    )
    if guided:
        run.train_semantic()
        assert len(losses["semantic"]) == 8
    run.train_depth(until=20)
    run.train_depth()
    assert len(losses["depth"]) == 24
    assert np.mean(losses["depth"][-6:]) < 0.8 * np.mean(losses["depth"][:6])
    assert run.pool.count == 8  # all streets have come, two of the first frames have made room
    run.save(tmp_path / "a.safetensors")
    estimator = DepthEstimator.from_checkpoint(tmp_path / "a.safetensors", device="cpu")
    assert estimator.info.scale == 1.0
    assert estimator.info.camera is not None
    assert (estimator.info.training["steps"], estimator.info.training["frames"]) == (24, 8)
    assert estimator.info.camera.fx == pytest.approx(0.58 * 96)
    found = estimator.estimate(np.full((64, 96, 3), 90, np.uint8), np.diag([50.0, 50, 1]))
    assert (found.labels is not None) == guided


def test_a_guided_network_needs_a_semantic_one():
    with pytest.raises(TrainingError, match="semantic_steps"):
        Pretrainer(NetworkConfig(guided=True), SEMANTIC, PretrainConfig(worlds=WORLDS), torch.device("cpu"))
