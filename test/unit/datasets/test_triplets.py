# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from depth_node.camera.network_input import resize_image, to_network_input
from depth_node.datasets.sample import Sample, collate
from depth_node.datasets.triplets import TripletDataset, open_splits
from depth_node.errors import EncodingError, SequenceError
from depth_node.kitti.calibration import read_calibration
from depth_node.kitti.layout import FrameReference

DRIVE = "2011_09_26/2011_09_26_drive_0095_sync"


@pytest.fixture
def drive(shared_data):
    return shared_data / "kitti_0095"


def test_triplets_are_neighbours_and_intrinsics_follow_the_size(drive):
    dataset = TripletDataset(drive, [FrameReference(DRIVE, i) for i in range(5)], 96, 320)
    assert [frame for _, frame in dataset.targets] == [1, 2, 3, 4]  # frame 0 has nothing before it
    sample = dataset[1]
    assert sample.target.shape == (96, 320, 3)
    assert sample.target.dtype == torch.uint8
    torch.testing.assert_close(sample.sources[0], dataset[0].target)
    torch.testing.assert_close(sample.sources[1], dataset[2].target)
    whole = read_calibration(drive / "2011_09_26/calib_cam_to_cam.txt", 2).K
    assert sample.K[0, 0].item() == pytest.approx(whole[0, 0] * 320 / 1242)
    assert sample.K[1, 2].item() == pytest.approx((whole[1, 2] + 0.5) * 96 / 375 - 0.5)


def test_folder_without_splits_keeps_train_and_val_apart(drive):
    train, val = open_splits(drive, 64, 192)
    used = [{f + o for _, f in part.targets for o in (-1, 0, 1)} for part in (train, val)]
    assert not used[0] & used[1]
    assert len(val) == pytest.approx(0.1 * (len(train) + len(val)), abs=2)


def test_no_triplet_is_a_clear_error(drive):
    with pytest.raises(SequenceError, match="with a picture before and after them"):
        TripletDataset(drive, [FrameReference(DRIVE, 0)], 96, 320)


def test_batches_hold_bytes_until_they_are_on_the_device(drive):
    dataset = TripletDataset(drive, [FrameReference(DRIVE, i) for i in (1, 2)], 64, 192)
    batch = collate([dataset[0], dataset[1]])
    assert batch.sources.shape == (2, 2, 64, 192, 3)
    floats = batch.as_input()
    assert floats.sources.shape == (2, 2, 3, 64, 192)
    torch.testing.assert_close(floats.target[0], to_network_input(dataset[0].target))


def test_a_loaders_batch_is_the_stack_of_its_triplets(drive):
    dataset = TripletDataset(drive, [FrameReference(DRIVE, i) for i in range(1, 6)], 64, 192)
    (batch,) = DataLoader(dataset, batch_sampler=[[3, 0, 4]], collate_fn=collate)
    expected = collate([dataset[3], dataset[0], dataset[4]])
    for field in fields(Sample):
        mine, wanted = getattr(batch, field.name), getattr(expected, field.name)
        torch.testing.assert_close(mine, wanted, rtol=0, atol=0, equal_nan=True)


def test_resizing_averages_what_it_shrinks():
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, ::2] = 200  # a pattern that plain sampling would turn into stripes
    small = resize_image(image, 2, 4)
    assert small.shape == (2, 4, 3)
    assert (small[:, 1:-1].int() - 100).abs().max() <= 25


def test_resizing_to_the_same_size_copies_nothing():
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert resize_image(image, 4, 5).data_ptr() == image.ctypes.data


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)])
def test_other_arrays_are_refused(wrong):
    with pytest.raises(EncodingError, match="uint8"):
        resize_image(wrong, 2, 2)
