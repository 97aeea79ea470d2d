# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of all storages are read back; damaged ones give one clear line."""

from __future__ import annotations

import contextlib
import re
import shutil

import cv2
import numpy as np
import pytest

from depth_node.bags.reader import BagReader, BagTopic
from depth_node.bags.topics import choose_camera_info_topic, choose_image_topic
from depth_node.errors import BagError, CalibrationError, DepthNodeError

STAMP = 1_317_038_400_123_456_789
PIXELS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
JPEG = cv2.imencode(".jpg", PIXELS)[1].tobytes()


@pytest.mark.parametrize(("storage", "zstd"), [("mcap", ""), ("sqlite3", ""), ("sqlite3", "message"), ("mcap", "file")])
def test_images_and_messages_come_back(tmp_path, bag_maker, storage, zstd):
    with bag_maker(tmp_path / "bag", storage, zstd) as bag:
        for index in range(3):
            bag.image(STAMP + index, PIXELS, time_ns=STAMP + index + 50)
            bag.info(STAMP + index, 32, 24)
    with BagReader(tmp_path / "bag") as reader:
        assert reader.topics == (
            BagTopic("/camera/camera_info", "sensor_msgs/msg/CameraInfo", 3),
            BagTopic("/camera/image_raw", "sensor_msgs/msg/Image", 3),
        )
        assert reader.time_range_ns == (STAMP, STAMP + 52)
        images = list(reader.images("/camera/image_raw"))
        messages = list(reader.messages(["/camera/image_raw", "/camera/camera_info"]))
    assert [image.stamp_ns for image in images] == [STAMP, STAMP + 1, STAMP + 2]
    assert images[0].frame_id == "camera_optical_frame"
    np.testing.assert_array_equal(images[1].rgb, PIXELS)
    assert [message.time_ns for message in messages] == sorted(message.time_ns for message in messages)
    info = messages[0]
    assert (info.type, info.stamp_ns, info.message.k[0]) == ("sensor_msgs/msg/CameraInfo", STAMP, 100.0)
    assert info.raw[:4] == b"\x00\x01\x00\x00"  # CDR, little endian: what rclpy deserializes


def test_compressed_images_come_back(tmp_path, bag_maker):
    with bag_maker(tmp_path / "bag") as bag:
        bag.compressed(STAMP, JPEG)
    with BagReader(tmp_path / "bag") as reader:
        (image,) = reader.images("/camera/image_raw/compressed")
    assert image.is_compressed
    np.testing.assert_array_equal(image.rgb, cv2.imdecode(np.frombuffer(JPEG, np.uint8), 1)[..., ::-1])


def test_a_storage_file_alone_is_a_bag(make_bag):
    with BagReader(make_bag() / "bag.mcap") as reader:
        assert len(list(reader.images("/camera/image_raw"))) == 6


def read_all(path) -> list[bytes]:
    """All messages of a bag."""
    with BagReader(path) as reader:
        return [message.raw for message in reader.messages([topic.name for topic in reader.topics])]


def failure(path) -> str:
    """The message of the error that reading everything gives, one line; fails when there is none."""
    with pytest.raises(BagError) as caught:
        read_all(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_cut_bags(make_bag, storage):
    bag = make_bag(storage=storage, frames=20)
    (file,) = (path for path in bag.iterdir() if path.suffix != ".yaml")
    whole = file.read_bytes()
    for size in [0, 1, 8, 9, 20, *np.linspace(40, len(whole) - 1, 25).astype(int)]:
        file.write_bytes(whole[:size])
        assert "may save what is in it" in failure(bag)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_flipped_bytes_never_crash(make_bag, storage):
    bag = make_bag(storage=storage)
    (file,) = (path for path in bag.iterdir() if path.suffix != ".yaml")
    whole = file.read_bytes()
    for at in np.random.default_rng(1).integers(0, len(whole), 40):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        file.write_bytes(damaged)
        with contextlib.suppress(DepthNodeError):
            read_all(bag)


def test_fewer_messages_than_promised(make_bag):
    bag = make_bag()
    metadata = (bag / "metadata.yaml").read_text()
    (bag / "metadata.yaml").write_text(re.sub(r"message_count: 6", "message_count: 9", metadata))
    assert "it holds 12 of 18 messages" in failure(bag)


def test_not_a_bag(make_bag, tmp_path):
    bag = make_bag()
    assert "does not exist" in failure(tmp_path / "none")
    (tmp_path / "text.mcap").write_text("hello")
    assert "cannot be read" in failure(tmp_path / "text.mcap")
    (tmp_path / "text.txt").write_text("hello")
    assert "is not a bag" in failure(tmp_path / "text.txt")
    (tmp_path / "old.bag").touch()
    assert "cannot be read" in failure(tmp_path / "old.bag")
    (tmp_path / "old.mcap").write_bytes(b"\x89MCAP0\r\n\x01" + (12).to_bytes(8, "little") + b"\x04\0\0\0ros1\0\0\0\0")
    assert "give the .bag file that it was made of" in failure(tmp_path / "old.mcap")
    (tmp_path / "empty").mkdir()
    assert "it is not a bag" in failure(tmp_path / "empty")
    (bag / "metadata.yaml").write_text("{")
    assert "cannot be read" in failure(bag)
    (bag / "metadata.yaml").unlink()
    assert "give the file" in failure(bag)
    shutil.rmtree(bag)


def test_unknown_topic_lists_what_there_is(make_bag):
    with BagReader(make_bag()) as reader, pytest.raises(BagError, match="no topic '/x': it has /camera/camera_info, "):
        reader.topic("/x")


def test_topics_are_found_by_type(tmp_path, bag_maker):
    with bag_maker(tmp_path / "bag") as bag:
        bag.image(STAMP, PIXELS)
        bag.compressed(STAMP, JPEG)
        bag.compressed(STAMP, JPEG, topic="/camera/image_raw/compressedDepth")
        bag.info(STAMP, 32, 24)
        bag.info(STAMP, 32, 24, topic="/other/camera_info")
    with BagReader(tmp_path / "bag") as reader:
        assert choose_image_topic(reader) == "/camera/image_raw"
        assert choose_image_topic(reader, "/camera/image_raw/compressed") == "/camera/image_raw/compressed"
        assert choose_camera_info_topic(reader, "/camera/image_raw/compressed") == "/camera/camera_info"
        assert choose_camera_info_topic(reader, "/camera/image_raw", "/other/camera_info") == "/other/camera_info"
        with pytest.raises(BagError, match=r"which calibration for /third/image\? .*--camera_info_topic"):
            choose_camera_info_topic(reader, "/third/image")
        with pytest.raises(BagError, match="not an image"):
            choose_image_topic(reader, "/camera/camera_info")
        with pytest.raises(BagError, match="name a camera_info topic"):
            choose_camera_info_topic(reader, "/camera/image_raw", "/camera/image_raw")
        with pytest.raises(BagError, match="not an image"):
            next(reader.images("/camera/camera_info"))


def test_several_cameras_are_a_question(tmp_path, bag_maker):
    with bag_maker(tmp_path / "bag") as bag:
        bag.image(STAMP, PIXELS, topic="/left/image_raw")
        bag.compressed(STAMP, JPEG, topic="/right/image_raw/compressed")
    with BagReader(tmp_path / "bag") as reader:
        with pytest.raises(
            BagError, match=r"which image topic .*/left/image_raw \(sensor_msgs/msg/Image, 1 messages\)"
        ):
            choose_image_topic(reader)
        with pytest.raises(CalibrationError, match="no camera_info"):
            choose_camera_info_topic(reader, "/left/image_raw")


def test_no_camera_at_all(tmp_path, bag_maker):
    with bag_maker(tmp_path / "bag") as bag:
        bag.info(STAMP, 32, 24, topic="/info")
    with BagReader(tmp_path / "bag") as reader:
        with pytest.raises(BagError, match="no messages of type Image"):
            choose_image_topic(reader)
        assert choose_camera_info_topic(reader, "/camera/image_raw") == "/info"
