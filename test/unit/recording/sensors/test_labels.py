# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Labels of stored pictures: by any labeller, and by a real semantic network where this version has one."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from depth_node.bags.reader import BagReader
from depth_node.camera.rectification import StoredCamera
from depth_node.config.record import RecordConfig
from depth_node.config.side_data import SideDataConfig
from depth_node.errors import CalibrationError, CheckpointError
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.recorder import result_settings
from depth_node.recording.sensors.labels import LabelWriter, open_checkpoint
from depth_node.recording.sensors.writers import open_side_writers

UNREACHABLE = "smp-hub/segformer-b5-1024x1024-city-160k"
CAMERA = StoredCamera("camera", 70, 40, (1.0,) * 9, (1.0,) * 9)


class Brightness:
    """Class 1 where a picture is bright, 0 elsewhere."""

    def labels(self, rgb):
        return (rgb.mean(axis=2) > 100).astype(np.uint8)

    def record(self):
        return {"checkpoint": "brightness", "classes": ["dark", "bright"]}


@pytest.fixture
def drive(tmp_path):
    """Two pictures, the right half bright; frame numbers 0 and 5."""
    folder = tmp_path / "drive/image_02/data"
    folder.mkdir(parents=True)
    picture = np.zeros((40, 70, 3), np.uint8)
    picture[:, 35:] = 200
    for index in (0, 5):
        cv2.imwrite(str(folder / f"{index:010d}.png"), picture)
    return KittiSequence(tmp_path / "drive")


FRAMES = [SimpleNamespace(index=index, stamp_ns=index) for index in (0, 5)]


def test_every_frame_is_labelled(drive):
    record = LabelWriter(Brightness()).finish(drive.folder, FRAMES, CAMERA)
    labels = cv2.imread(str(drive.label_path(5)), cv2.IMREAD_UNCHANGED)
    assert labels.shape == (40, 70)
    assert (labels[:, :35] == 0).all()
    assert (labels[:, 35:] == 1).all()
    assert record["shares"] == {"0": 0.5, "1": 0.5}
    assert record["classes"] == ["dark", "bright"]
    assert record == LabelWriter(Brightness()).finish(drive.folder, FRAMES, CAMERA)


def test_a_missing_checkpoint_is_said_before_the_recording(make_bag, tmp_path, monkeypatch):
    pretrained = pytest.importorskip("depth_node.networks.pretrained")
    monkeypatch.setattr(pretrained.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(pretrained.constants, "ENDPOINT", "http://localhost:9")
    for name, message in (("nowhere.safetensors", "nowhere.safetensors"), (UNREACHABLE, f"cannot fetch {UNREACHABLE}")):
        config = SideDataConfig(semantic_checkpoint=name)
        with BagReader(make_bag()) as bag, pytest.raises(CheckpointError, match=message):
            open_side_writers(bag, config, tmp_path / "spill")
        shutil.rmtree(tmp_path / "bag")


def test_a_network_on_the_hub_counts_by_its_name():
    settings = result_settings(RecordConfig(semantic_checkpoint=UNREACHABLE))
    assert settings["semantic_checkpoint"] == UNREACHABLE
    with pytest.raises(CalibrationError, match="cannot read --semantic_checkpoint"):
        result_settings(RecordConfig(semantic_checkpoint="nowhere.safetensors"))


def test_a_semantic_checkpoint_labels(drive, tmp_path):
    saving = pytest.importorskip("depth_node.checkpoints.semantic", reason="no semantic networks yet")
    import torch

    from depth_node.config.classes import CAMVID
    from depth_node.config.semantic import SemanticConfig
    from depth_node.networks.semantic import SemanticNetwork

    torch.manual_seed(0)
    network = SemanticNetwork(SemanticConfig(encoder="resnet18", pyramid_channels=8, segmentation_channels=32), CAMVID)
    path = tmp_path / "small.safetensors"
    saving.save_semantic(path, saving.SemanticInfo(config=network.config, classes=CAMVID), network)
    record = LabelWriter(open_checkpoint(str(path))).finish(drive.folder, FRAMES, CAMERA)
    labels = cv2.imread(str(drive.label_path(0)), cv2.IMREAD_UNCHANGED)
    assert labels.shape == (40, 70)
    assert labels.max() < len(CAMVID.names)
    assert (record["checkpoint"], record["classes"]) == ("small.safetensors", list(CAMVID.names))
    assert len(record["fingerprint"]) == 64
