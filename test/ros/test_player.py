# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`depth play` as a program."""

import pytest
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depth_node.bags.reader import BagReader
from depth_node.ros.messages import rgb_of


def play(start, *arguments):
    return start("depth_node.cli.main", "play", *arguments)


def test_messages_arrive_as_they_were_recorded(listener, start, make_bag):
    bag = make_bag(frames=8)
    listener.subscribe(Image, "/front/image_raw")
    listener.subscribe(CameraInfo, "/front/camera_info")
    listener.subscribe(Clock, "/clock")
    player = play(start, str(bag), "--camera_name", "front", "--clock")
    assert listener.spin_until(lambda: "messages on /front/image_raw" in player.output)
    assert player.wait() == 0
    assert "published 8 messages on /front/image_raw" in player.output
    listener.spin_until(lambda: len(listener.received["/front/image_raw"]) == 8, timeout=5)
    with BagReader(bag) as reader:
        recorded = list(reader.images("/camera/image_raw"))
    received = listener.received["/front/image_raw"]
    stamps = [image.header.stamp.sec * 10**9 + image.header.stamp.nanosec for image in received]
    assert stamps == [image.stamp_ns for image in recorded]
    assert all((rgb_of(image) == one.rgb).all() for image, one in zip(received, recorded, strict=True))
    assert len(listener.received["/front/camera_info"]) == 8
    assert listener.received["/clock"]


def test_ros_arguments_rename_topics(listener, start, shared_data):
    bag = shared_data / "ros2_bags/kitti_0095_60f_compressed_mcap"
    listener.subscribe(CompressedImage, "/renamed")
    topic = "/camera/image_raw/compressed"
    player = play(start, str(bag), "--rate", "20", "--topic", topic, "--ros-args", "-r", f"{topic}:=/renamed")
    assert listener.spin_until(lambda: "published 60 messages on /renamed" in player.output)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/nowhere"], "/nowhere does not exist"),
        (["{bag}", "--topic", "/lidar"], "has no topic '/lidar'"),
        (["{bag}", "--ros-args", "--nonsense"], "ROS 2 cannot start"),
    ],
)
def test_a_mistake_is_one_line(start, make_bag, arguments, words):
    bag = str(make_bag())
    player = play(start, *(argument.format(bag=bag) for argument in arguments))
    assert player.wait() == 1
    assert words in player.output
    assert "Traceback" not in player.output
