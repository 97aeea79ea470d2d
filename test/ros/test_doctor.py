# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor as a program of its own, with cameras in this process that do what cameras should not."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from depth_node.ros.messages import fill_image, pinhole_info

BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


class Camera:
    """Sends pictures on a topic of its own."""

    def __init__(self, listener, name, width=96, height=48, profile=10, info=True):
        self.images = listener.node.create_publisher(Image, f"/{name}/image", profile)
        self.infos = listener.node.create_publisher(CameraInfo, f"/{name}/camera_info", 10) if info else None
        self.size = width, height

    def send(self, stamp_ns, frame="camera", encoding="rgb8", focal=80.0):
        width, height = self.size
        header = Header(frame_id=frame)
        header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 10**9)
        image = fill_image(Image(), header, np.zeros((height, width, 3), np.uint8), "rgb8")
        image.encoding = encoding
        self.images.publish(image)
        if self.infos is not None:
            K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
            self.infos.publish(pinhole_info(header, K, width, height))


def test_what_cameras_do_wrong_is_said_with_a_remedy(start, listener):
    good = Camera(listener, "good")
    no_info, no_stamp = Camera(listener, "uncalibrated", info=False), Camera(listener, "unstamped")
    strange, large = Camera(listener, "strange"), Camera(listener, "large", 1280, 720, BEST_EFFORT)
    listener.node.create_publisher(Image, "/silent/image", 10)
    for topic in ("live/rgb/image_rect", "live/depth/confidence", "openni/rgb/image_rect"):
        listener.node.create_publisher(Image, f"/{topic}", 10)
    program = start("depth_node.cli.main", "doctor", "--seconds", "6")
    deadline = time.monotonic() + 120
    while "things do not work" not in program.output:
        assert time.monotonic() < deadline, program.output
        now = time.time_ns()
        good.send(now)
        no_info.send(now)
        no_stamp.send(0)
        strange.send(now - 20 * 10**9, frame="", encoding="yuv9")
        large.send(now, focal=1.0)
        listener.spin_for(0.1)
    assert program.wait() == 1
    said = "\n".join(program.lines)
    for wanted in (
        r"ok   /good/image: \d+\.\d images a second",
        r"ok   /good/image: 96x48 rgb8",
        r"ok   /good/camera_info: focal length 80 px, 62 degrees",
        r"bad  /uncalibrated/camera_info: no calibration comes",
        r"bad  /unstamped/image: images have no stamp",
        r"bad  /strange/image: .*yuv9",
        r"warn /strange/image: stamps are 2\d\.\d s old",
        r"warn /strange/image: frame_id is empty",
        r"warn /large/image: images of 2\.8 MB are sent best effort",
        r"bad  /large/camera_info: camera_info has focal length 1 ",
        r"bad  /silent/image: .*sends nothing",
        r"bad  /openni/rgb/image_rect: .*sends nothing",
        r"note live node: none is running",
    ):
        assert program.wait_for(wanted), said
    assert "/live/" not in said  # what a live node publishes is no camera
