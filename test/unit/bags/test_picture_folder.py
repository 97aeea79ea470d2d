# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of pictures as a bag: order, times, orientation, and what cannot be read."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from depth_node.bags.files import find_bags, input_files
from depth_node.bags.opening import open_bag
from depth_node.bags.picture_folder import PICTURE_TOPIC
from depth_node.config.record import RecordConfig
from depth_node.config.video import VideoConfig
from depth_node.errors import BagError, EncodingError


@pytest.fixture
def folder(tmp_path):
    """Pictures whose brightness is their number, beside what is none."""
    path = tmp_path / "pictures"
    path.mkdir()
    for number in (1, 2, 10):
        cv2.imwrite(str(path / f"frame_{number}.png"), np.full((24, 32, 3), number, np.uint8))
    (path / "notes.txt").touch()
    (path / "._frame_1.png").write_bytes(b"of another system")
    return path


def test_numbers_count_as_numbers_and_time_goes_evenly(folder):
    with open_bag(folder, config=VideoConfig(picture_rate=4.0)) as bag:
        images = list(bag.images(PICTURE_TOPIC))
        assert bag.topics[0].count == len(images)
        assert bag.time_range_ns == (images[0].time_ns, images[-1].time_ns)
    assert [int(image.rgb[0, 0, 0]) for image in images] == [1, 2, 10]
    assert [image.stamp_ns for image in images] == [1_000_000_000, 1_250_000_000, 1_500_000_000]


def test_a_picture_that_cannot_be_read_keeps_its_time(folder):
    (folder / "frame_2.png").write_bytes(b"no picture")
    with open_bag(folder) as bag:
        images = list(bag.images(PICTURE_TOPIC))
    assert len(images) == 3
    with pytest.raises(EncodingError):
        _ = images[1].rgb
    assert images[2].rgb.max() == 10


def test_a_turned_picture_is_seen_as_people_see_it_unless_a_calibration_says_otherwise(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    pixels = np.zeros((24, 32, 3), np.uint8)
    pixels[:, :8] = 250
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=95)
    for config, size in ((VideoConfig(), (32, 24)), (RecordConfig(calibration="camera.yaml"), (24, 32))):
        with open_bag(tmp_path, config=config) as bag:
            (image,) = bag.images(PICTURE_TOPIC)
        assert image.rgb.shape[:2] == size
        assert image.rgb[:6, :6].min() > 200


def test_what_is_found_in_folders(folder, tmp_path, make_bag):
    assert find_bags([folder]) == find_bags([tmp_path]) == [folder]
    assert [path.name for path in input_files(folder)] == ["frame_1.png", "frame_2.png", "frame_10.png"]
    for name in ("b10.mp4", "b9.MOV"):
        (folder / name).touch()
    assert [path.name for path in find_bags([tmp_path])] == ["b9.MOV", "b10.mp4"]  # pictures beside them are thumbnails
    bag = make_bag()
    assert find_bags([tmp_path]) == [bag]  # and videos beside bags only show what is in these


def test_a_folder_without_pictures_is_none(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BagError, match="holds no bag"):
        find_bags([tmp_path])
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4, 3), np.uint8))
    with open_bag(tmp_path) as bag, pytest.raises(BagError, match="has no topic 'video'"):
        list(bag.messages("video"))
