# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Self-supervised training on a GPU: it steps in every arithmetic, and resumes."""

from __future__ import annotations

import csv

import pytest
import torch

from depth_node.config.network import NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.datasets.triplets import TripletDataset
from depth_node.kitti.layout import FrameReference
from depth_node.training.fit import fit

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def run(drive, folder, precision, steps, resume=False):
    references = [FrameReference(str(drive.folder.relative_to(drive.day.parent)), index) for index in range(1, 3)]
    dataset = TripletDataset(drive.day.parent, references, 64, 192)
    network = NetworkConfig(height=64, width=192, pose="posenet")
    options = {"batch_size": 2, "workers": 0, "log_every": 1, "save_every": 2, "pretrained": False, "device": "cuda"}
    fit(dataset, dataset, network, TrainConfig(steps=steps, precision=precision, **options), folder, resume)
    with (folder / "metrics.csv").open() as file:
        return [float(row["total"]) for row in csv.DictReader(file) if row["stage"] == "train"]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_it_steps_and_resumes(measured_drive, tmp_path, precision):
    first = run(measured_drive, tmp_path / "run", precision, 3)
    assert len(first) == 3
    assert all(0 < loss < 1 for loss in first)
    both = run(measured_drive, tmp_path / "run", precision, 5, resume=True)
    assert both[:3] == first
    assert len(both) == 5
