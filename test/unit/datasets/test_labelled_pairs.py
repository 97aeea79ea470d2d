# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures and their labels: how they find each other, how they are read, what is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from depth_node.config.classes import CAMVID, CITYSCAPES
from depth_node.config.label_ids import read_label_ids
from depth_node.datasets.labelled_dataset import LabelledDataset, collate, split_stretches
from depth_node.datasets.labelled_pairs import check_sizes, pair_drive, pair_folders, read_label_picture, samples_of
from depth_node.errors import SequenceError
from depth_node.kitti.search import find_sequences

IDENTITY = read_label_ids("", CITYSCAPES)


@pytest.fixture
def folders(tmp_path):
    """Twenty pictures of 32 x 48 pixels, all but the first with labels 0 to 3."""
    random = np.random.default_rng(0)
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for index in range(20):
        cv2.imwrite(str(tmp_path / f"images/{index:03d}.jpg"), random.integers(0, 256, (32, 48, 3), np.uint8))
        if index:
            cv2.imwrite(str(tmp_path / f"labels/{index:03d}.png"), random.integers(0, 4, (32, 48), np.uint8))
    return tmp_path / "images", tmp_path / "labels"


def test_pairs_have_equal_names(folders):
    (stretch,) = pair_folders(*folders)
    assert [pair.image.stem for pair in stretch] == [f"{index:03d}" for index in range(1, 20)]
    assert all(pair.image.stem == pair.labels.stem and pair.labels.suffix == ".png" for pair in stretch)


def test_names_may_end_differently_and_lie_in_subfolders(tmp_path):
    for city in ("aachen", "ulm"):
        for kind, endings in {"left": ["_left.png"], "fine": ["_fine_ids.png", "_fine_color.png"]}.items():
            (tmp_path / kind / city).mkdir(parents=True)
            for ending in endings:
                cv2.imwrite(str(tmp_path / kind / city / f"{city}_0{ending}"), np.zeros((4, 4), np.uint8))
    stretches = pair_folders(tmp_path / "left", tmp_path / "fine", "_left.png", "_fine_ids.png")
    assert [[pair.labels.name for pair in stretch] for stretch in stretches] == [
        ["aachen_0_fine_ids.png"],
        ["ulm_0_fine_ids.png"],
    ]


def test_what_is_missing_is_one_line(folders, tmp_path):
    images, labels = folders
    for path in labels.iterdir():
        path.rename(path.with_name("label_" + path.name))
    (tmp_path / "empty").mkdir()
    for arguments, line in {
        (images, labels): r"none of the 20 pictures .* 000.jpg needs 000.png, found label_001.png",
        (images, tmp_path / "nowhere"): r"there is no folder .*nowhere of label pictures",
        (tmp_path / "empty", labels): "empty holds no pictures",
    }.items():
        with pytest.raises(SequenceError, match=line) as caught:
            pair_folders(*arguments)
        assert "\n" not in str(caught.value)


def test_labels_of_a_drive(measured_drive):
    sequence = find_sequences(measured_drive.folder)[0]
    with pytest.raises(SequenceError, match=r"has no label pictures: expected .*semantic/image_02/0000000000.png"):
        pair_drive(sequence)
    sequence.label_path(2).parent.mkdir(parents=True)
    cv2.imwrite(str(sequence.label_path(2)), np.zeros((60, 200), np.uint8))
    assert [pair.image for pair in pair_drive(sequence)] == [sequence.image_path(2)]


def test_sizes_must_agree(folders):
    stretches = pair_folders(*folders)
    check_sizes(stretches)
    cv2.imwrite(str(stretches[0][3].labels), np.zeros((30, 48), np.uint8))
    with pytest.raises(SequenceError, match=r"004.png is 48x30 but its picture .*004.jpg is 48x32 pixels"):
        check_sizes(stretches)


def test_colours_are_no_labels(folders):
    stretches = pair_folders(*folders)
    cv2.imwrite(str(stretches[0][0].labels), np.zeros((32, 48, 3), np.uint8))
    with pytest.raises(SequenceError, match="mode RGB, but a label picture has one channel"):
        check_sizes(stretches)
    stretches[0][0].labels.write_bytes(b"no picture")
    with pytest.raises(SequenceError, match="no readable picture"):
        read_label_picture(stretches[0][0].labels)


def test_a_palette_picture_gives_its_numbers_not_its_colours(tmp_path):
    numbers = np.arange(12, dtype=np.uint8).reshape(3, 4)
    picture = Image.fromarray(numbers, mode="P")
    picture.putpalette([value for index in range(256) for value in (255 - index, 7, index)])
    picture.save(tmp_path / "p.png")
    assert np.array_equal(read_label_picture(tmp_path / "p.png"), numbers)


def test_records_have_the_asked_size_and_class_numbers(folders):
    (stretch,) = pair_folders(*folders)
    dataset = LabelledDataset(stretch, 64, 96, read_label_ids("camvid", CITYSCAPES))
    batch = collate([dataset[0], dataset[1]])
    assert tuple(batch.image.shape) == (2, 64, 96, 3)
    assert batch.image.dtype == batch.labels.dtype == torch.uint8
    stored = torch.from_numpy(read_label_picture(stretch[1].labels).astype(np.int64))
    expected = torch.tensor([10, 2, 5, 0])[stored].to(torch.uint8)
    assert torch.equal(batch.labels[1], expected.repeat_interleave(2, 0).repeat_interleave(2, 1))


def test_numbers_out_of_the_map_are_unlabelled(tmp_path):
    for name in ("i", "l"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "0.png"), np.array([[0, 10], [11, 255]], np.uint8))
    (stretch,) = pair_folders(tmp_path / "i", tmp_path / "l")
    labels = LabelledDataset(stretch, 2, 2, read_label_ids("", CAMVID))[0].labels
    assert labels.tolist() == [[0, 10], [255, 255]]


def test_the_end_of_each_stretch_validates(folders):
    (stretch,) = pair_folders(*folders)
    train, val = split_stretches([stretch, stretch[:10]], 0.1)
    assert train == stretch[:17] + stretch[:9]
    assert val == stretch[17:] + stretch[9:10]
    assert split_stretches([stretch[:1]], 0.1) == (stretch[:1], [])
    assert split_stretches([stretch], 0.0) == (stretch, [])


def test_a_sample_is_even(folders):
    (stretch,) = pair_folders(*folders)
    assert list(samples_of([stretch, stretch], 2)) == [stretch[0], stretch[0]]
    assert len(list(samples_of([stretch], 200))) == 19
