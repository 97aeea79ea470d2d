# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Finding drives below whatever folder a user names."""

import pytest

from depth_node.errors import SequenceError
from depth_node.kitti.search import find_sequences

DRIVES = (
    "2011_09_26/2011_09_26_drive_0060_sync",
    "2011_09_26/2011_09_26_drive_0095_sync",
    "2011_09_28/2011_09_28_drive_0001_sync",
)


@pytest.fixture
def root(tmp_path):
    for drive in DRIVES:
        (tmp_path / drive / "image_02/data").mkdir(parents=True)
    (tmp_path / "splits").mkdir()
    return tmp_path


def test_a_root_a_date_and_a_drive(root):
    assert [sequence.folder for sequence in find_sequences(root)] == [root / drive for drive in DRIVES]
    assert [sequence.folder for sequence in find_sequences(root / "2011_09_26")] == [
        root / drive for drive in DRIVES[:2]
    ]
    assert [sequence.folder for sequence in find_sequences(root / DRIVES[1])] == [root / DRIVES[1]]


def test_nothing_there(root):
    with pytest.raises(SequenceError, match="no folder"):
        find_sequences(root / "elsewhere")
    with pytest.raises(SequenceError, match="holds no drive"):
        find_sequences(root / "splits")
