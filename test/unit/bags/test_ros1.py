# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bag of ROS 1 is read as it is: pictures, calibration, odometry and time are those that went in."""

import numpy as np
import pytest
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore

from depth_node.bags.opening import open_bag
from depth_node.camera.calibration import CameraCalibration
from depth_node.cli.main import main
from depth_node.config.record import RecordConfig
from depth_node.errors import BagError
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.recorder import record

NOETIC = get_typestore(Stores.ROS1_NOETIC)
STAMP, STEP, H, W, FRAMES = 1_317_038_400_123_456_789, 100_000_000, 24, 32, 12
K = np.array([50.0, 0, 16, 0, 51.0, 12, 0, 0, 1])
PICTURES = np.random.default_rng(0).integers(0, 256, (FRAMES, H, W, 3), np.uint8)


def header(number):
    stamp = STAMP + number * STEP
    time = NOETIC.types["builtin_interfaces/msg/Time"](sec=stamp // 10**9, nanosec=stamp % 10**9)
    return NOETIC.types["std_msgs/msg/Header"](seq=number, stamp=time, frame_id="camera_optical_frame")


@pytest.fixture
def bag(tmp_path):
    """A ROS 1 bag of pictures with their calibration."""
    image_type, info_type = (NOETIC.types[f"sensor_msgs/msg/{name}"] for name in ("Image", "CameraInfo"))
    region = NOETIC.types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    with Writer(tmp_path / "drive.bag") as writer:
        names = {"/camera/image_raw": "Image", "/camera/camera_info": "CameraInfo"}
        made = {
            topic: writer.add_connection(topic, f"sensor_msgs/msg/{name}", typestore=NOETIC)
            for topic, name in names.items()
        }
        for number, picture in enumerate(PICTURES):
            image = image_type(header(number), H, W, "rgb8", 0, 3 * W, picture.ravel())
            info = info_type(
                header(number), H, W, "plumb_bob", np.zeros(5), K, np.eye(3).ravel(), np.zeros(12), 0, 0, region
            )
            for topic, message in (("/camera/image_raw", image), ("/camera/camera_info", info)):
                kind = f"sensor_msgs/msg/{names[topic]}"
                writer.write(made[topic], STAMP + number * STEP, NOETIC.serialize_ros1(message, kind))
    return tmp_path / "drive.bag"


def test_messages_come_out_as_they_went_in(bag):
    with open_bag(bag) as reader:
        images = list(reader.images("/camera/image_raw"))
        (first, *_) = (message.message for message in reader.messages("/camera/camera_info"))
    assert [image.stamp_ns for image in images] == [STAMP + number * STEP for number in range(FRAMES)]
    np.testing.assert_array_equal([image.rgb for image in images], PICTURES)
    np.testing.assert_array_equal(CameraCalibration.from_camera_info(first).intrinsics, K)


def test_it_is_recorded_like_any_other(bag, tmp_path):
    manifest = record([bag], tmp_path / "out", RecordConfig(select="all"))
    (drive,) = manifest.drives
    sequence = KittiSequence(tmp_path / "out" / drive.folder)
    np.testing.assert_array_equal([sequence.image(index) for index in sequence.frames], PICTURES)
    np.testing.assert_array_equal(sequence.K.ravel(), K)


def test_it_is_found_in_a_folder_and_inspected(bag, tmp_path, capsys):
    assert main(["inspect", str(bag)]) == 0
    assert "32x24 rgb8" in capsys.readouterr().out
    folder = tmp_path / "bags"
    folder.mkdir()
    bag.rename(folder / "drive.bag")
    assert len(record([folder], tmp_path / "out", RecordConfig(select="all")).bags) == 1


def test_a_broken_one_is_one_line(bag):
    bag.write_bytes(bag.read_bytes()[:2000])
    with pytest.raises(BagError, match="cannot be read, it is damaged or cut off"), open_bag(bag):
        pass
