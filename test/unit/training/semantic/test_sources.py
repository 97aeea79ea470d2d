# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which labelled pictures a user's folders come to."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depth_node.errors import SequenceError, TrainingError
from depth_node.training.semantic.sources import LabelledSources, count_values


@pytest.fixture
def truth(measured_drive):
    """Ground truth of a simulated drive with labels of its frames 1 and 3 (class 13)."""
    folder = measured_drive.folder.parents[2] / "street/ground_truth"
    (folder / "depth").mkdir(parents=True)
    (folder / "labels").mkdir()
    for frame in (1, 3):
        cv2.imwrite(str(folder / f"labels/{frame:010d}.png"), np.full((60, 200), 13, np.uint8))
    return folder


def test_labels_of_a_simulated_drive_are_found_by_frame(measured_drive, truth):
    root = measured_drive.folder.parents[1]
    (stretch,) = LabelledSources(data=[root], ground_truth=[truth]).stretches()
    assert [(pair.image.stem, pair.labels.stem) for pair in stretch] == [("0000000001",) * 2, ("0000000003",) * 2]
    assert count_values([stretch])[13] == 2 * 60 * 200


def test_kinds_of_sources_add_up(measured_drive, tmp_path):
    for index in range(2):
        labels = measured_drive.label_path(index)
        labels.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(labels), np.zeros((60, 200), np.uint8))
    pictures = measured_drive.folder / "image_02/data"
    sources = LabelledSources([pictures], [measured_drive.label_path(0).parent], [measured_drive.folder])
    assert [len(stretch) for stretch in sources.stretches()] == [2, 2]


def test_what_does_not_fit_is_one_line(measured_drive, truth):
    drive = measured_drive.folder
    with pytest.raises(TrainingError, match="name labelled pictures"):
        LabelledSources().stretches()
    with pytest.raises(TrainingError, match="1 folders of --images need as many of --labels, not 0"):
        LabelledSources(images=[drive]).stretches()
    with pytest.raises(SequenceError, match=r"has no label pictures: .* add --ground_truth_dir"):
        LabelledSources(data=[drive]).stretches()
    cv2.imwrite(str(truth / "labels/0000000001.png"), np.zeros((30, 200), np.uint8))
    with pytest.raises(SequenceError, match=r"is 200x30 but its picture .* is 200x60 pixels"):
        LabelledSources(data=[drive], ground_truth=[truth]).stretches()
    for path in (truth / "labels").iterdir():
        path.unlink()
    with pytest.raises(SequenceError, match="holds no labels for the frames"):
        LabelledSources(data=[drive], ground_truth=[truth]).stretches()
