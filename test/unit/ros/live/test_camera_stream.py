# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from sensor_msgs.msg import CameraInfo

from depth_node.errors import CalibrationError
from depth_node.ros.live.camera_stream import CameraModel

RAW = [100.0, 0, 31.5, 0, 100, 23.5, 0, 0, 1]
RECTIFIED = [90.0, 0, 30.0, 0, 0, 90, 22, 0, 0, 0, 1, 0]


def info(**changes):
    fields = {"width": 64, "height": 48, "distortion_model": "plumb_bob", "d": [-0.2, 0.05, 0.0, 0.0, 0.0]}
    return CameraInfo(**(fields | {"k": RAW, "r": np.eye(3).ravel(), "p": RECTIFIED} | changes))


def test_a_distorted_image_is_rectified():
    _, rectifier = CameraModel(rectify=True).of(info())
    assert not rectifier.is_identity
    assert rectifier.K[0].tolist() == [90.0, 0, 30.0]


def test_a_rectified_image_passes_and_p_describes_it():
    _, rectifier = CameraModel(rectify=False).of(info())
    assert rectifier.is_identity
    assert rectifier.K[0].tolist() == [90.0, 0, 30.0]


def test_maps_are_made_once_per_calibration():
    model = CameraModel(rectify=True)
    first = model.of(info())
    assert model.of(info()) is first
    assert model.of(info(d=[0.0] * 5)) is not first


def test_an_uncalibrated_camera_is_refused_every_time():
    model = CameraModel(rectify=True)
    for _ in range(2):
        with pytest.raises(CalibrationError, match="uncalibrated"):
            model.of(info(k=[0.0] * 9))
