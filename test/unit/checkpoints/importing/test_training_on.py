# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Training goes on from what `depth import` made of official files."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from depth_node.checkpoints.depth import load_checkpoint
from depth_node.cli.main import main
from depth_node.config.training import TrainConfig
from depth_node.networks.factory import build_depth_network, build_pose_network
from depth_node.training.warm_start import warm_start


@pytest.mark.parametrize("lite", [True, False])
def test_an_imported_checkpoint_is_where_a_run_starts(official, tmp_path, lite):
    source = official.hr_depth(tmp_path / "official", lite=lite)
    imported = tmp_path / "imported.safetensors"
    assert main(["import", str(source.path), "--output", str(imported)]) == 0
    start = load_checkpoint(imported)
    network = dataclasses.replace(start.info.network, pose="posenet", height=96)  # another size than it was trained at
    torch.manual_seed(1)
    depth, pose = build_depth_network(network), build_pose_network(network)
    warm_start(depth, pose, None, TrainConfig(initial=str(imported)))
    before, after = start.depth.state_dict(), depth.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
