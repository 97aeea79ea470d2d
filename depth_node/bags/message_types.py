# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Names of the ROS message types that this package reads and writes."""

from __future__ import annotations

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
POINT_CLOUD = "sensor_msgs/msg/PointCloud2"
ODOMETRY = "nav_msgs/msg/Odometry"
IMU = "sensor_msgs/msg/Imu"
GNSS = "sensor_msgs/msg/NavSatFix"
TF_MESSAGE = "tf2_msgs/msg/TFMessage"

VIDEO = (
    "ffmpeg_image_transport_msgs/msg/FFMPEGPacket",
    "foxglove_msgs/msg/CompressedVideo",
    "theora_image_transport/msg/Packet",
)
"""Pictures as pieces of a stream, which one cannot be read without those before it."""

COMPRESSED = "/compressed"
"""Ending of the topic that carries an image topic's compressed pictures, by image_transport's custom."""


def camera_info_beside(image_topic: str) -> str:
    """The topic with the calibration of an image topic's pictures, compressed or not, by image_transport's custom."""
    return image_topic.removesuffix(COMPRESSED).rpartition("/")[0] + "/camera_info"
