# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a bag are the camera: found by type and by name, or asked for where several fit."""

from __future__ import annotations

from depth_node.bags.message_types import (
    CAMERA_INFO,
    COMPRESSED,
    COMPRESSED_IMAGE,
    IMAGE,
    ODOMETRY,
    VIDEO,
    camera_info_beside,
)
from depth_node.bags.reader import BagReader, BagTopic
from depth_node.errors import BagError, CalibrationError

NO_TOPIC = "none"


def choose_image_topic(bag: BagReader, asked: str = "", besides: str = "") -> str:
    """The image topic to use.

    Args:
        bag: an open bag.
        asked: the user's choice; empty finds it by type.
        besides: a topic that is known to be something else, depth.

    Raises:
        BagError: the asked one is not there or no image, or there are none or several to choose from.
    """
    if asked:
        topic = bag.topic(asked)
        if topic.type not in (IMAGE, COMPRESSED_IMAGE):
            raise BagError(f"topic '{asked}' is of type {topic.type}, not an image: {_list(_image_topics(bag))}")
        return asked
    found = [topic for topic in _image_topics(bag) if topic.name != besides]
    names = {topic.name for topic in found}
    # The same camera raw and compressed is no question: raw is lossless.
    found = [topic for topic in found if topic.name.removesuffix(COMPRESSED) not in names - {topic.name}]
    if not found and (videos := [topic for topic in bag.topics if topic.type in VIDEO and topic.count]):
        raise BagError(
            f"bag {bag.path} has its camera as a video only ({_list(videos)}): play it through `ros2 run "
            "image_transport republish --ros-args -p in_transport:=ffmpeg -p out_transport:=raw` and record pictures"
        )
    if not found:
        raise BagError(f"bag {bag.path} has no messages of type Image or CompressedImage: {_list(bag.topics)}")
    if len(found) > 1:
        raise BagError(f"which image topic of bag {bag.path}? Choose one with --image_topic: {_list(found)}")
    return found[0].name


def choose_camera_info_topic(bag: BagReader, image_topic: str, asked: str = "") -> str:
    """The calibration that goes with an image topic: its neighbour `camera_info`, or the only one in the bag.

    Raises:
        BagError: the asked one is not there or no CameraInfo, or there are several to choose from.
        CalibrationError: the bag has none.
    """
    if asked:
        topic = bag.topic(asked)
        if topic.type != CAMERA_INFO:
            raise BagError(f"topic '{asked}' is of type {topic.type}, not {CAMERA_INFO}: name a camera_info topic")
        return asked
    found = [topic for topic in bag.topics if topic.type == CAMERA_INFO and topic.count]
    names = [topic.name for topic in found]
    neighbour = camera_info_beside(image_topic)
    if neighbour in names:
        return neighbour
    if not found:
        raise CalibrationError(
            f"{bag.kind} {bag.path} has no camera_info: give --calibration FILE or --fov DEGREES (from side to side), "
            "or have it learnt in training (--learn_intrinsics)"
        )
    if len(found) > 1:
        raise BagError(f"which calibration for {image_topic}? Choose one with --camera_info_topic: {_list(found)}")
    return names[0]


def choose_odometry_topic(bag: BagReader, asked: str = "") -> str:
    """The odometry to judge motion by: the one asked for, or the only one; empty where there is none or several.

    Raises:
        BagError: the asked one is not there or of another type.
    """
    if asked == NO_TOPIC:
        return ""
    if asked:
        topic = bag.topic(asked)
        if topic.type != ODOMETRY:
            raise BagError(f"topic '{asked}' is of type {topic.type}, not {ODOMETRY}: name an odometry topic")
        return asked
    found = [topic.name for topic in bag.topics if topic.type == ODOMETRY and topic.count]
    return found[0] if len(found) == 1 else ""


def _image_topics(bag: BagReader) -> list[BagTopic]:
    pictures = [topic for topic in bag.topics if topic.type in (IMAGE, COMPRESSED_IMAGE) and topic.count]
    return [topic for topic in pictures if not topic.name.endswith("/compressedDepth")]


def _list(topics: list[BagTopic] | tuple[BagTopic, ...]) -> str:
    return "; ".join(f"{topic.name} ({topic.type}, {topic.count} messages)" for topic in topics) or "none at all"
