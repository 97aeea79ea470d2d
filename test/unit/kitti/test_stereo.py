# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stereo pairs: a wall seen by two cameras, from either side and in the mirror, is best explained by its true depth."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
import torch

from depth_node.config.training import AugmentConfig, LossConfig
from depth_node.datasets.augmentation import Augmentation
from depth_node.datasets.randomness import Draws
from depth_node.datasets.sample import collate
from depth_node.datasets.triplets import TripletDataset, open_splits
from depth_node.errors import SequenceError
from depth_node.geometry.disparity import depth_to_disparity
from depth_node.geometry.pose import sideways_transform
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.layout import FrameReference, KittiSequence, write_split
from depth_node.kitti.stereo import metres_per_unit, true_baseline
from depth_node.losses.objective import SelfSupervisedLoss

WIDTH, HEIGHT, FOCAL, SHIFT, BASELINE = 96, 64, 60.0, 6, 0.54
METRES = FOCAL * BASELINE / SHIFT
"""Depth of the wall."""
DRIVE = "2024_01_01/2024_01_01_drive_0001_sync"


def move_camera(root, date, camera, metres):
    """Put a camera of a day so many metres to the right of camera 0."""
    path = root / date / "calib_cam_to_cam.txt"
    numbers = f"{FOCAL} 0 47.5 {-FOCAL * metres} 0 {FOCAL} 31.5 0 0 0 1 0"
    path.write_text(re.sub(rf"(?m)^P_rect_0{camera}: .*$", f"P_rect_0{camera}: {numbers}", path.read_text()))


@pytest.fixture
def root(tmp_path):
    """Three frames of a wall that no frame shows twice; only the two cameras of one frame see the same."""
    pictures = tmp_path / DRIVE
    random = np.random.default_rng(0)
    for camera in ("image_02", "image_03"):
        (pictures / camera / "data").mkdir(parents=True)
    K = np.array([[FOCAL, 0, 47.5], [0, FOCAL, 31.5], [0, 0, 1]])
    write_calibration(tmp_path / "2024_01_01", K, WIDTH, HEIGHT, stamp_ns=0)
    move_camera(tmp_path, "2024_01_01", 2, -0.06)
    move_camera(tmp_path, "2024_01_01", 3, BASELINE - 0.06)
    for frame in range(3):
        coarse = random.integers(0, 256, (16, 32, 3), np.uint8)
        wall = cv2.resize(coarse, (WIDTH + SHIFT, HEIGHT), interpolation=cv2.INTER_CUBIC)
        for camera, shift in (("image_02", 0), ("image_03", SHIFT)):
            cv2.imwrite(str(pictures / camera / f"data/{frame:010d}.png"), wall[:, shift : shift + WIDTH])
    return tmp_path


def errors(batch, metres_per_unit):
    """Photometric error of the wall at several depths in metres."""
    still = torch.eye(4).expand(1, 2, 4, 4)
    T = torch.cat([still, sideways_transform(batch.baseline)[:, None]], 1)
    loss = SelfSupervisedLoss(LossConfig(auto_mask=False), 0.1, 100.0)
    found = {}
    for metres in (0.5 * METRES, 0.8 * METRES, METRES, 1.25 * METRES, 2 * METRES, 10 * METRES):
        disparity = depth_to_disparity(torch.tensor(metres / metres_per_unit), 0.1, 100.0)
        pyramid = [torch.full((1, 1, HEIGHT, WIDTH), float(disparity))]
        found[metres] = float(loss(pyramid, batch.target, batch.sources, batch.K, T).photometric)
    return found


@pytest.mark.parametrize("side", ["l", "r"])
@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_the_true_depth_explains_a_pair_best(root, side, flip):
    dataset = TripletDataset(root, [FrameReference(DRIVE, 1, side)], HEIGHT, WIDTH, stereo=True)
    assert dataset.scale == pytest.approx(5.4)
    batch = collate([dataset[0]])
    assert batch.sources.shape == (1, 3, HEIGHT, WIDTH, 3)
    draws = Draws.of_step(0, 0, [0])
    seen = Augmentation(AugmentConfig(flip=flip)).mirror(batch.as_input(), draws)
    found = errors(seen, dataset.scale)
    assert min(found, key=found.get) == METRES
    assert found[METRES] < 0.3 * found[10 * METRES]


def test_the_baseline_has_the_partners_side(root):
    references = [FrameReference(DRIVE, 1, side) for side in "lr"]
    left, right = TripletDataset(root, references, HEIGHT, WIDTH, stereo=True)
    assert left.baseline.item() == pytest.approx(-0.1)
    assert right.baseline.item() == pytest.approx(0.1)
    torch.testing.assert_close(left.sources[2], right.target)
    torch.testing.assert_close(right.sources[2], left.target)
    alone = TripletDataset(root, references, HEIGHT, WIDTH)[0]
    assert alone.sources.shape[0] == 2
    assert alone.baseline.isnan()


def test_split_lines_of_both_sides_are_read(root):
    write_split(root / "splits/train_files.txt", [FrameReference(DRIVE, 1, "l"), FrameReference(DRIVE, 1, "r")])
    train, val = open_splits(root, HEIGHT, WIDTH, stereo=True)
    assert [sequence.camera for sequence, _ in train.targets] == ["image_02", "image_03"]
    assert val is None


def test_frames_without_a_partner_are_left_out(root):
    (root / DRIVE / "image_03/data/0000000001.png").unlink()
    with pytest.raises(SequenceError, match="picture of both cameras: train without --stereo"):
        TripletDataset(root, [FrameReference(DRIVE, 1)], HEIGHT, WIDTH, stereo=True)


def test_calibrations_that_describe_no_pair(root):
    sequence = KittiSequence(root / DRIVE)
    assert true_baseline(sequence) == pytest.approx(BASELINE)
    other = KittiSequence(root / DRIVE.replace("2024_01_01", "2024_01_02"))
    write_calibration(root / "2024_01_02", sequence.K, WIDTH, HEIGHT, stamp_ns=0)
    with pytest.raises(SequenceError, match="puts image_03 0 m to the right of image_02"):
        true_baseline(other)
    move_camera(root, "2024_01_02", 3, 0.3)
    with pytest.raises(SequenceError, match=r"reach from 0\.300 to 0\.540 m"):
        metres_per_unit([sequence, KittiSequence(other.folder)])


def test_a_real_calibration(shared_data):
    drive = KittiSequence(shared_data / "kitti_0095/2011_09_26/2011_09_26_drive_0095_sync")
    assert true_baseline(drive) == pytest.approx(0.5327, abs=1e-3)
