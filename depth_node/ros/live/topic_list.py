# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every topic of the live node, once: name, type, quality of service, when it is there and what it says.

The node advertises and subscribes by this list, and the tables of the documents are made from it
(`python test/interface_tables.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan, PointCloud2, Range
from std_msgs.msg import Float32, String

from depth_node.ros.live.label_info import LabelInfo
from depth_node.ros.qos import latched_profile, output_profile

LARGE, SMALL = partial(output_profile, is_small=False), partial(output_profile, is_small=True)


@dataclass(frozen=True)
class Output:
    """A topic that is published.

    Attributes:
        kind: message class; its name where its package is not installed, and the topic missing.
        meaning: for people.
        profile: makes the quality of service that is offered.
        when: when it is there, beyond "configured".
    """

    kind: Any
    meaning: str
    profile: Callable[[], QoSProfile] = LARGE
    when: str = ""


@dataclass(frozen=True)
class Input:
    """A topic that is subscribed to; its quality of service follows the publishers (`ros/qos.py`).

    Attributes:
        kind: message class, or its name where its package need not be installed.
        meaning: for people.
        when: when it is subscribed to, beyond "active, and somebody wants depth".
        may_latch: whether the last message sent before we came is taken, where publishers keep it.
    """

    kind: Any
    meaning: str
    when: str = ""
    may_latch: bool = False


DEPTH, INFO, POINTS = "depth/image_rect", "depth/camera_info", "depth/points"
COLOR, SCALE, CONFIDENCE = "depth/image_color", "depth/scale", "depth/confidence"
RGB, RGB_INFO = "rgb/image_rect", "rgb/camera_info"
LABELS, LABELS_COLOR, MASK = "semantic/image", "semantic/image_color", "semantic/mask"
CLASSES, LABEL_INFO = "semantic/classes", "semantic/label_info"

TOPICS: dict[str, Output] = {
    DEPTH: Output(
        Image,
        "32FC1 (or 16UC1 mm): metres along the optical axis; NaN invalid, +Inf in the sky and beyond `depth.max`, "
        "-Inf nearer than `depth.min`",
    ),
    INFO: Output(CameraInfo, "intrinsics of the published depth image", SMALL),
    POINTS: Output(
        PointCloud2,
        "organised, x y z rgb, and label with a semantic network, confidence on request; `points.min_confidence` "
        "leaves out what is doubtful",
    ),
    COLOR: Output(Image, "rgb8: depth for people"),
    CONFIDENCE: Output(Image, "mono8: how sure each pixel is, 255 sure"),
    RGB: Output(
        Image,
        "rgb8: the picture at the size, stamp and frame of the depth image, an RGB-D set for rtabmap, "
        "depth_image_proc, Open3D",
    ),
    RGB_INFO: Output(CameraInfo, "the same intrinsics, beside the picture", SMALL),
    SCALE: Output(Float32, "metres per network unit in use, the ratio of focal lengths and smoothing included", SMALL),
}
GUIDED = "with a semantic network"
SEMANTIC_TOPICS: dict[str, Output] = {
    LABELS: Output(Image, "8UC1: class number per pixel of the depth image", when=GUIDED),
    LABELS_COLOR: Output(Image, "rgb8: the classes' colours", when=GUIDED),
    MASK: Output(Image, "mono8: class number per point of the cloud, for Nav2's semantic layer", when=GUIDED),
}
LATCHED_TOPICS: dict[str, Output] = {
    CLASSES: Output(String, "JSON of the class names and colours, sent once", latched_profile, GUIDED),
    LABEL_INFO: Output(
        LabelInfo or "vision_msgs/LabelInfo",
        "the class names for Nav2's semantic layer, sent once",
        latched_profile,
        f"{GUIDED}, and vision_msgs installed",
    ),
}
"""Sent when the node is configured, and kept for whoever subscribes later."""

INPUTS: dict[str, Input] = {
    "image": Input(Image, "the camera, every common encoding", "`image_transport` raw, or auto"),
    "image/compressed": Input(
        CompressedImage,
        "the camera's JPEG or PNG pictures",
        "`image_transport` compressed, or auto and there are no raw ones",
    ),
    "camera_info": Input(
        CameraInfo,
        "paired by stamp, or latched once; beside `image` unless remapped",
        "active",
        may_latch=True,
    ),
}
SCALE_INPUTS: dict[str, tuple[str, Input]] = {
    "lidar": ("lidar/points", Input(PointCloud2, "a lidar, for metres", "`scale.source` auto or lidar")),
    "scan": ("scan", Input(LaserScan, "a laser scanner, for metres", "`scale.source` auto or scan")),
    "range": ("range", Input(Range, "a range finder, for metres", "`scale.source` auto or range")),
    "odometry": ("odom", Input(Odometry, "odometry, for metres", "`scale.source` auto or odometry")),
}
"""By source of scale: its topic and what it is."""
MEASURES = "active, a source of scale is asked for and tf2_msgs is installed"
TRANSFORM_INPUTS: dict[str, Input] = {
    "/tf_static": Input(
        "tf2_msgs/TFMessage", "where the sensors sit; or a file, `scale.extrinsics`", MEASURES, may_latch=True
    ),
    "/tf": Input("tf2_msgs/TFMessage", "the same, where it moves", MEASURES),
}
