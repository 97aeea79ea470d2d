# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Of a published split, what is on this disk is used and what is not is counted."""

import logging

import pytest

from depth_node.datasets.triplets import open_splits
from depth_node.errors import SequenceError
from depth_node.kitti.layout import FrameReference, write_split
from depth_node.kitti.references import locate

DRIVE = "2024_01_01/2024_01_01_drive_0001_sync"


@pytest.fixture
def root(measured_drive):
    """Frames 0 to 3 of one drive, the left camera only."""
    return measured_drive.day.parent


def zhou():
    """Every frame from both sides, and a drive that is not there."""
    here = [FrameReference(DRIVE, index, side) for index in range(4) for side in "lr"]
    return here + [FrameReference("2024_01_01/2024_01_01_drive_0002_sync", index) for index in range(5)]


def test_what_is_there_is_found_and_the_rest_counted(root, caplog):
    with caplog.at_level(logging.WARNING):
        found = locate([root], zhou())
    assert [index for _, index in found] == [0, 1, 2, 3]
    (line,) = caplog.messages
    assert line.startswith(f"9 of 13 frames of the split are not below {root}, among them all of 2 drives")
    assert line.endswith("they are left out")


def test_a_frame_needs_its_neighbours(root, caplog):
    with caplog.at_level(logging.WARNING):
        found = locate([root], [FrameReference(DRIVE, index) for index in range(4)], neighbours=(-1, 1))
    assert [index for _, index in found] == [1, 2]
    assert "2 of 4 frames of the split are not below" in caplog.text


def test_the_first_root_that_has_a_drive_counts(root, tmp_path, caplog):
    (found, *_) = locate([tmp_path / "nowhere", root], [FrameReference(DRIVE, 2)])
    assert found[0].folder == root / DRIVE
    assert not caplog.messages


def test_on_request_nothing_may_be_missing(root):
    with pytest.raises(SequenceError, match="9 of 13 frames"):
        locate([root], zhou(), strict=True)
    with pytest.raises(SequenceError, match="5 of 5 frames of the split are not below"):
        locate([root], zhou()[8:])


def test_training_goes_on_with_what_there_is(root, tmp_path, caplog):
    write_split(tmp_path / "splits/train_files.txt", zhou())
    write_split(tmp_path / "splits/val_files.txt", zhou()[8:])
    with caplog.at_level(logging.WARNING):
        train, val = open_splits(root, 32, 64, tmp_path / "splits")
    assert len(train) == 2
    assert val is None
    assert "there is nothing to validate on" in caplog.text
    with pytest.raises(SequenceError):
        open_splits(root, 32, 64, tmp_path / "splits", strict=True)
