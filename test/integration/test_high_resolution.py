# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Two steps at the papers' larger sizes: they fit, learn, and start from a checkpoint of the smaller size."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest

from depth_node.checkpoints.depth import CheckpointInfo, load_checkpoint, save_checkpoint
from depth_node.config.network import NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.datasets.triplets import open_splits
from depth_node.kitti.calibration import write_calibration
from depth_node.networks.factory import build_depth_network
from depth_node.training.fit import fit
from depth_node.training.run.metrics_file import read_metrics


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """One triplet of a camera that moves past a textured wall, in KITTI's size."""
    root = tmp_path_factory.mktemp("kitti")
    pictures = root / "2024_01_01/2024_01_01_drive_0001_sync/image_02/data"
    pictures.mkdir(parents=True)
    K = np.array([[720.0, 0, 620.5], [0, 720.0, 187.5], [0, 0, 1]])
    write_calibration(root / "2024_01_01", K, 1242, 376, stamp_ns=0)
    wall = cv2.resize(np.random.default_rng(0).integers(0, 256, (24, 90, 3), np.uint8), (1300, 376))
    for index in range(3):
        cv2.imwrite(str(pictures / f"{index:010d}.png"), wall[:, 20 * index : 20 * index + 1242])
    return root


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1024, 320), (1280, 384)])
@pytest.mark.parametrize("architecture", ["lite_hr_depth", "hr_depth_resnet18"])
def test_two_steps(drive, tmp_path, architecture, width, height):
    small = NetworkConfig(architecture, "posenet")
    save_checkpoint(tmp_path / "small.safetensors", CheckpointInfo(small), build_depth_network(small))
    config = TrainConfig(
        batch_size=1,
        steps=2,
        log_every=1,
        workers=0,
        device="cpu",
        pretrained=False,
        initial=str(tmp_path / "small.safetensors"),
        learning_rate=1e-5,
    )
    train, _ = open_splits(drive, height, width)
    network = NetworkConfig(architecture, "posenet", height, width)
    trained = load_checkpoint(fit(train, None, network, config, tmp_path / "run"))
    assert (trained.info.network.width, trained.info.network.height) == (width, height)
    losses = [float(row["total"]) for row in read_metrics(tmp_path / "run")]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    shutil.rmtree(tmp_path)
