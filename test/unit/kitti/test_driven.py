# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Driven distance from oxts files and timestamps."""

from __future__ import annotations

import math

import pytest
import torch

from depth_node.datasets.triplets import TripletDataset
from depth_node.errors import SequenceError
from depth_node.kitti.driven import driven_distance
from depth_node.kitti.formats import OxtsPacket, write_oxts
from depth_node.kitti.layout import FrameReference
from depth_node.kitti.timestamps import write_timestamps

START = 1_317_038_400_000_000_000


@pytest.fixture
def drive(measured_drive):
    """Four frames, 0.1 s apart but for the last, at 0, 3, 5 and 7 m/s; frame 0 knows no speed."""
    for index, forward in enumerate((0.0, 3.0, 5.0, 7.0)):
        write_oxts(measured_drive.oxts_path(index), OxtsPacket(vf=forward * 0.6, vl=forward * 0.8))
    stamps = [START + offset * 100_000_000 for offset in (0, 1, 2, 4)]
    write_timestamps(measured_drive.folder / "image_02/timestamps.txt", stamps)
    return measured_drive


def test_mean_speed_times_time(drive):
    assert driven_distance(drive, 1, 2) == pytest.approx(4.0 * 0.1)
    assert driven_distance(drive, 2, 1) == pytest.approx(4.0 * 0.1)
    assert driven_distance(drive, 2, 3) == pytest.approx(6.0 * 0.2)


def test_what_was_not_measured_is_not_known(drive):
    assert math.isnan(driven_distance(drive, 0, 1))
    drive.oxts_path(3).unlink()
    assert math.isnan(driven_distance(drive, 2, 3))
    (drive.folder / "image_02/timestamps.txt").unlink()
    assert math.isnan(driven_distance(type(drive)(drive.folder), 1, 2))


def test_a_broken_file_is_named(drive):
    drive.oxts_path(2).write_text("1 2 3\n")
    with pytest.raises(SequenceError, match=r"0000000002\.txt holds 3 numbers"):
        driven_distance(drive, 1, 2)


def test_samples_say_it_where_they_are_asked_to(drive):
    root, name = drive.folder.parents[1], str(drive.folder.relative_to(drive.folder.parents[1]))
    references = [FrameReference(name, index) for index in range(4)]
    told = TripletDataset(root, references, 64, 192, distances=True)
    assert told.knows_distances()
    torch.testing.assert_close(told[1].distance, torch.tensor([0.4, 1.2]))
    torch.testing.assert_close(told[0].distance, torch.tensor([math.nan, 0.4]), equal_nan=True)
    silent = TripletDataset(root, references, 64, 192)
    assert silent[1].distance.isnan().all()
    assert not silent.knows_distances()
