# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest

from depth_node.scale.depth_frame import NoReading
from depth_node.scale.measured_points import scale_of_points, scale_of_range, scan_points

UNIT = 12.0
HERE = np.eye(4)


def points_of(frame, scale=UNIT, every=3):
    y, x = np.mgrid[: frame.size[0] : every, : frame.size[1] : every]
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    return frame.rays(pixels) * (scale * frame.at(pixels))[:, None]


def test_points_give_the_unit_of_depth(world):
    frame = world.frame()
    assert math.exp(scale_of_points(points_of(frame), HERE, frame, 50).log_scale) == pytest.approx(UNIT, rel=0.01)


def test_a_mounted_sensor_is_brought_to_the_camera(world):
    frame, mount = world.frame(), np.eye(4)
    mount[:3, 3] = (0.2, -0.3, 0.5)
    in_sensor = points_of(frame) - mount[:3, 3]
    assert math.exp(scale_of_points(in_sensor, mount, frame, 50).log_scale) == pytest.approx(UNIT, rel=0.02)


def test_nearly_half_of_the_points_may_be_wrong(world):
    frame = world.frame()
    points = points_of(frame)
    points[::5] *= 3.0
    points[1::5] = np.nan
    assert math.exp(scale_of_points(points, HERE, frame, 50).log_scale) == pytest.approx(UNIT, rel=0.02)


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.full((500, 4), np.nan), np.full((500, 3), -5.0)])
def test_without_points_in_the_picture_there_is_no_reading(world, points):
    with pytest.raises(NoReading, match="measured points"):
        scale_of_points(points, HERE, world.frame(), 50)


def test_a_scan_is_points_in_the_plane_of_the_scanner():
    points = scan_points(np.array([1.0, np.inf, 2.0, 0.01, 99.0, np.nan]), -math.pi / 2, math.pi / 2, 0.1, 50.0)
    np.testing.assert_allclose(points, [[0, -1, 0], [0, 2, 0]], atol=1e-12)


AHEAD = np.array([[0.0, 0, 1, -0.5], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""A range finder half a metre before the camera that looks where the camera does."""


@pytest.mark.parametrize("is_sound", [False, True])
def test_a_range_finder_measures_what_is_in_its_cone(world, is_sound):
    frame = world.frame(ahead=45.0)
    scale = math.exp(scale_of_range(15.0 - 0.5, 0.05, is_sound, AHEAD, frame, 20.0).log_scale)
    assert scale == pytest.approx(UNIT, rel=0.02)


def test_a_range_finder_that_looks_elsewhere_says_nothing(world):
    behind = AHEAD * np.array([[-1.0], [-1.0], [1.0], [1.0]])
    with pytest.raises(NoReading, match="does not see"):
        scale_of_range(3.0, 0.1, True, behind, world.frame(), UNIT)
