# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth comes back as it was written, and damaged files give one clear line."""

import numpy as np
import pytest

from depth_node.errors import SimulationError
from depth_node.simulation import ground_truth


def test_depth_and_labels_come_back_bit_for_bit(tmp_path):
    rng = np.random.default_rng(0)
    depth = rng.uniform(1, 100, (24, 32)).astype(np.float32)
    depth[0] = np.inf
    labels = rng.integers(0, 19, (24, 32)).astype(np.uint8)
    ground_truth.write_depth(ground_truth.depth_path(tmp_path, 3), depth)
    ground_truth.write_labels(ground_truth.labels_path(tmp_path, 3), labels)
    assert np.array_equal(ground_truth.read_depth(ground_truth.depth_path(tmp_path, 3)), depth)
    assert np.array_equal(ground_truth.read_labels(ground_truth.labels_path(tmp_path, 3)), labels)
    assert not list(tmp_path.rglob(".*"))


def test_poses_come_back(tmp_path):
    pose = np.eye(4)
    pose[:3, 3] = (1, 2, 3)
    ground_truth.write_poses(tmp_path / "poses.txt", [np.eye(4), pose])
    assert np.allclose(ground_truth.read_poses(tmp_path / "poses.txt"), [np.eye(4), pose])


@pytest.mark.parametrize("reader", [ground_truth.read_depth, ground_truth.read_labels, ground_truth.read_poses])
def test_damaged_and_missing_files_are_one_error(tmp_path, reader):
    broken = tmp_path / "broken"
    broken.write_text("nonsense here")
    for path in (broken, tmp_path / "missing"):
        with pytest.raises(SimulationError) as error:
            reader(path)
        assert "\n" not in str(error.value)
