# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Storing a measured scale in a checkpoint."""

import shutil

import pytest
import torch
from safetensors.torch import load_file

from depth_node.checkpoints.depth import load_checkpoint
from depth_node.errors import CheckpointError
from depth_node.evaluation.scale import store_scale


def test_scale_multiplies_and_weights_stay(checkpoint_file, tmp_path):
    path = tmp_path / "scaled.safetensors"
    shutil.copy(checkpoint_file, path)
    assert store_scale(path, 25.0, "lidar") == 25.0
    assert store_scale(path, 1.1, "ground_truth") == pytest.approx(27.5)
    before, after = load_checkpoint(checkpoint_file), load_checkpoint(path)
    assert after.info.scale == pytest.approx(27.5)
    assert after.info.scale_source == "ground_truth"
    assert after.info.network == before.info.network
    weights = before.depth.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in after.depth.state_dict().items())
    assert [file.name for file in tmp_path.iterdir()] == ["scaled.safetensors"]


def test_a_semantic_network_stays_in_the_file(guided_checkpoint, tmp_path):
    path = tmp_path / "guided.safetensors"
    shutil.copy(guided_checkpoint, path)
    store_scale(path, 2.0, "lidar")
    before, after = load_file(guided_checkpoint), load_file(path)
    assert any(name.startswith("semantic.") for name in before)
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="does not exist"):
        store_scale(tmp_path / "none.safetensors", 2.0, "lidar")
