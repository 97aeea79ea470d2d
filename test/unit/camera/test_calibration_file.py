# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Calibrations in files: camera_calibration's YAML, an echoed CameraInfo and KITTI's text."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.camera.calibration_file import read_camera
from depth_node.errors import CalibrationError

CALIBRATED = """
image_width: 640
image_height: 480
camera_name: front
camera_matrix: {rows: 3, cols: 3, data: [500.0, 0, 320.0, 0, 510.0, 240.0, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [480.0, 0, 321.0, 0, 0, 490.0, 241.0, 0, 0, 0, 1, 0]}
"""
ECHOED = """header:
  frame_id: camera
height: 480
width: 640
distortion_model: plumb_bob
d: [0.0, 0.0, 0.0, 0.0, 0.0]
k: [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
p: [500.0, 0.0, 320.0, 0.0, 0.0, 510.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0]
binning_x: 0
binning_y: 0
roi: {x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false}
---
"""


def test_camera_calibration(tmp_path):
    (tmp_path / "front.yaml").write_text(CALIBRATED)
    camera = read_camera(tmp_path / "front.yaml")
    assert (camera.width, camera.height, camera.model) == (640, 480, "plumb_bob")
    assert camera.distortion == (-0.3, 0.1, 0, 0, 0)
    np.testing.assert_array_equal(camera.K, [[500, 0, 320], [0, 510, 240], [0, 0, 1]])
    np.testing.assert_array_equal(camera.rectified_K, [[480, 0, 321], [0, 490, 241], [0, 0, 1]])


def test_echoed_message(tmp_path):
    (tmp_path / "info.yaml").write_text(ECHOED)
    camera = read_camera(tmp_path / "info.yaml")
    assert (camera.width, camera.height, camera.distortion) == (640, 480, ())
    assert camera.K[1, 1] == 510


def test_intrinsics_alone_are_enough(tmp_path):
    (tmp_path / "least.yaml").write_text("{width: 4, height: 3, k: [2, 0, 2, 0, 2, 1, 0, 0, 1]}")
    camera = read_camera(tmp_path / "least.yaml")
    assert camera.is_rectified
    assert camera.rectified_K[0, 0] == 2


def test_kitti(measured_drive):
    camera = read_camera(measured_drive.folder.parent / "calib_cam_to_cam.txt")
    assert (camera.width, camera.height) == (200, 60)
    np.testing.assert_allclose(camera.rectified_K, measured_drive.K)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is no YAML"),
        ("just words", "needs image_width"),
        ("image_width: 4\nimage_height: 3\n", "needs image_width, image_height and camera_matrix"),
        ("{width: 4, height: 3, k: [0, 0, 0, 0, 0, 0, 0, 0, 1]}", "uncalibrated"),
        ("{width: 4, height: 3, k: [x]}", "needs image_width"),
    ],
)
def test_files_that_describe_no_camera(tmp_path, text, says):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(CalibrationError, match=says):
        read_camera(tmp_path / "bad.yaml")


def test_no_file(tmp_path):
    with pytest.raises(CalibrationError, match="cannot read calibration"):
        read_camera(tmp_path / "none.yaml")
