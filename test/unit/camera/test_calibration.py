# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""CameraInfo: distortion models, binning, region of interest, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from depth_node.camera.calibration import CameraCalibration
from depth_node.errors import CalibrationError

K = np.array([500.0, 0, 319.5, 0, 510.0, 239.5, 0, 0, 1])
P = np.array([480.0, 0, 320.0, -48.0, 0, 490.0, 240.0, 0, 0, 0, 1, 0])


def info(**changes):
    """A CameraInfo, as rclpy and rosbags give it."""
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    fields = {"width": 640, "height": 480, "distortion_model": "plumb_bob", "d": [0.0] * 5, "k": K, "p": P}
    fields |= {"r": np.eye(3).ravel(), "binning_x": 0, "binning_y": 0, "roi": roi}
    return SimpleNamespace(**(fields | changes))


def test_plain_camera():
    camera = CameraCalibration.from_camera_info(info())
    np.testing.assert_array_equal(camera.K.ravel(), K)
    np.testing.assert_array_equal(camera.P.ravel(), P)
    assert camera.is_rectified
    assert camera.D.size == 0
    assert (camera.width, camera.height) == (640, 480)
    np.testing.assert_array_equal(camera.rectified_K, P.reshape(3, 4)[:, :3])


def test_equal_infos_give_equal_hashable_calibrations():
    assert len({CameraCalibration.from_camera_info(info()) for _ in range(2)}) == 1


def test_missing_p_and_r_fall_back_to_k_and_identity():
    camera = CameraCalibration.from_camera_info(info(p=np.zeros(12), r=np.zeros(9)))
    assert not camera.has_projection
    np.testing.assert_array_equal(camera.rectified_K.ravel(), K)
    np.testing.assert_array_equal(camera.R, np.eye(3))


def test_region_of_interest_moves_the_principal_point():
    roi = SimpleNamespace(x_offset=100, y_offset=50, width=320, height=200)
    camera = CameraCalibration.from_camera_info(info(roi=roi))
    assert (camera.width, camera.height) == (320, 200)
    np.testing.assert_allclose(camera.K, [[500, 0, 219.5], [0, 510, 189.5], [0, 0, 1]])
    np.testing.assert_allclose(camera.P[:, 2:], [[220, -48], [190, 0], [1, 0]])


def test_binning_maps_a_ray_to_the_centre_of_its_block():
    camera = CameraCalibration.from_camera_info(info(binning_x=2, binning_y=4))
    assert (camera.width, camera.height) == (320, 120)
    ray = np.array([0.1, -0.2, 1.0])
    u, v, _ = K.reshape(3, 3) @ ray
    np.testing.assert_allclose((camera.K @ ray)[:2], [(u + 0.5) / 2 - 0.5, (v + 0.5) / 4 - 0.5])


@pytest.mark.parametrize(
    ("model", "name", "size"),
    [
        ("plumb_bob", "plumb_bob", 5),
        ("", "plumb_bob", 4),
        ("rational_polynomial", "rational_polynomial", 8),
        ("equidistant", "equidistant", 4),
        ("fisheye", "equidistant", 4),
        ("rational_polynomial", "rational_polynomial", 12),
        ("rational_polynomial", "rational_polynomial", 14),
    ],
)
def test_distortion_models(model, name, size):
    camera = CameraCalibration.from_camera_info(info(distortion_model=model, d=[0.1] * size))
    assert camera.model == name
    assert camera.D.size == size
    assert not camera.is_rectified


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": np.zeros(9)}, "uncalibrated: calibrate it"),
        ({"k": -K}, "must be positive"),
        ({"k": np.full(9, np.nan)}, "field k is not finite"),
        ({"width": 0}, "must be positive"),
        ({"distortion_model": "magic", "d": [0.1]}, "'magic' is not supported: use plumb_bob"),
        ({"d": [0.1] * 3}, "plumb_bob has 3 coefficients, but needs 4 or 5"),
    ],
)
def test_broken_infos_are_refused(changes, message):
    with pytest.raises(CalibrationError, match=message):
        CameraCalibration.from_camera_info(info(**changes))


def numbers(fx, fy, cx, cy):
    return [fx, 0, cx, 0, fy, cy, 0, 0, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": numbers(1, 1, 0, 0)}, "K must be in pixels"),  # the identity
        ({"k": numbers(0.78, 1.06, 0.5, 0.5)}, "K must be in pixels"),  # all divided by the size
        ({"k": numbers(500, 500, 0.5, 0.5)}, "K must be in pixels"),  # only the centre divided
        ({"roi": SimpleNamespace(x_offset=400, y_offset=0, width=640, height=480)}, "beyond its sensor of 640x480"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(CalibrationError, match=message):
        CameraCalibration.from_camera_info(info(**changes))


@pytest.mark.parametrize(
    ("k", "words"),
    [
        (numbers(500, 510, 319.5, 239.5), []),
        (numbers(500, 510, 900, 239.5), ["principal point (900, 240) lies outside of the 640x480 picture"]),
        (numbers(500, 1000, 319.5, 239.5), ["focal lengths, 500 and 1000 pixels"]),
    ],
)
def test_what_is_hard_to_believe_is_said(k, words):
    doubts = CameraCalibration.from_camera_info(info(k=k)).doubts
    assert len(doubts) == len(words)
    assert all(word in doubt for word, doubt in zip(words, doubts, strict=True))


@pytest.mark.parametrize(
    ("model", "given", "kept"),
    [
        ("equidistant", (0.1, 0.01, 0.001, 0.0001, 0.0), 4),  # a T265
        ("plumb_bob", (0.1, 0.01, 0.001, 0.002, 0.0, 0.0, 0.0, 0.0), 4),
        ("plumb_bob", (0.1, 0.01, 0.001, 0.002, 0.05, 0.0, 0.0, 0.0), 5),
        ("rational_polynomial", (0.1,) * 8 + (0.0,) * 8, 8),
    ],
)
def test_zeros_that_fill_up_are_left_out(model, given, kept):
    calibration = CameraCalibration.from_camera_info(info(distortion_model=model, d=given))
    assert calibration.distortion == given[:kept]


def test_a_coefficient_too_many_is_refused():
    with pytest.raises(CalibrationError, match="has 5 coefficients, but needs 4"):
        CameraCalibration.from_camera_info(info(distortion_model="equidistant", d=(0.1, 0.0, 0.0, 0.0, 0.2)))


def test_unknown_model_without_distortion_is_fine():
    assert CameraCalibration.from_camera_info(info(distortion_model="none", d=[])).is_rectified


def test_an_equidistant_camera_without_coefficients_still_bends_lines():
    camera = CameraCalibration.from_camera_info(info(distortion_model="equidistant", d=[0.0] * 4))
    assert not camera.is_rectified
    assert CameraCalibration.from_camera_info(info(distortion_model="equidistant", d=[])).is_rectified


def test_image_of_another_size_is_refused():
    with pytest.raises(CalibrationError, match="image is 320x240, but camera_info describes 640x480"):
        CameraCalibration.from_camera_info(info()).check_image(320, 240)
