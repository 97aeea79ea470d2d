"""Labels of stored pictures: by any labeller, and by a real semantic network where this version has one."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from depth_node.data.kitti import KittiSequence
from depth_node.data.rectification import StoredCamera
from depth_node.data.side.labels import LabelWriter, check_checkpoint, open_checkpoint
from depth_node.errors import CheckpointError

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
    record = LabelWriter(Brightness).finish(drive.folder, FRAMES, CAMERA)
    labels = cv2.imread(str(drive.label_path(5)), cv2.IMREAD_UNCHANGED)
    assert labels.shape == (40, 70)
    assert (labels[:, :35] == 0).all()
    assert (labels[:, 35:] == 1).all()
    assert record["shares"] == {"0": 0.5, "1": 0.5}
    assert record["classes"] == ["dark", "bright"]
    assert record == LabelWriter(Brightness).finish(drive.folder, FRAMES, CAMERA)


def test_a_missing_checkpoint_is_said_before_the_recording():
    with pytest.raises(CheckpointError, match=r"nowhere.safetensors does not exist"):
        check_checkpoint("nowhere.safetensors")
    check_checkpoint("hub-name")


def test_a_semantic_checkpoint_labels(drive, tmp_path):
    saving = pytest.importorskip("depth_node.networks.semantic_checkpoint", reason="no semantic networks yet")
    import torch

    from depth_node.config.classes import CAMVID
    from depth_node.config.semantic import SemanticConfig
    from depth_node.networks.semantic import SemanticNetwork

    torch.manual_seed(0)
    network = SemanticNetwork(SemanticConfig(encoder="resnet18", pyramid_channels=8, segmentation_channels=32), CAMVID)
    path = tmp_path / "small.safetensors"
    saving.save_semantic(path, saving.SemanticInfo(config=network.config, classes=CAMVID), network)
    record = LabelWriter(lambda: open_checkpoint(str(path))).finish(drive.folder, FRAMES, CAMERA)
    labels = cv2.imread(str(drive.label_path(0)), cv2.IMREAD_UNCHANGED)
    assert labels.shape == (40, 70)
    assert labels.max() < len(CAMVID.names)
    assert (record["checkpoint"], record["classes"]) == ("small.safetensors", list(CAMVID.names))
    assert len(record["fingerprint"]) == 64
