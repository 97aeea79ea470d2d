# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations: ROS order of quaternions, REP-103 angles, and one result whichever library is installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from depth_node.sensing import quaternions
from depth_node.sensing.quaternions import (
    angles_of_rotation,
    between,
    quaternion_of_rotation,
    rotation_of_quaternion,
)

QUARTER_LEFT = [0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)]


def test_a_quarter_turn_to_the_left():
    rotation = rotation_of_quaternion(QUARTER_LEFT)
    np.testing.assert_allclose(rotation @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(angles_of_rotation(rotation), [0, 0, np.pi / 2], atol=1e-12)


def test_angles_are_applied_roll_first():
    roll, pitch, yaw = 0.1, -0.2, 2.5
    (cr, cp, cy), (sr, sp, sy) = np.cos([roll, pitch, yaw]), np.sin([roll, pitch, yaw])
    rx = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    ry = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    rz = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    np.testing.assert_allclose(angles_of_rotation(rz @ ry @ rx), [roll, pitch, yaw], atol=1e-12)


def test_length_does_not_matter_but_zero_is_no_rotation():
    np.testing.assert_allclose(
        rotation_of_quaternion(np.array(QUARTER_LEFT) * 3), rotation_of_quaternion(QUARTER_LEFT), atol=1e-12
    )
    assert rotation_of_quaternion([0, 0, 0, 0]) is None
    assert rotation_of_quaternion([np.nan, 0, 0, 1]) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_half_the_way_is_half_the_angle(sign):
    first = rotation_of_quaternion([0, 0, 0, sign])
    half = between(first, rotation_of_quaternion(QUARTER_LEFT), 0.5)
    np.testing.assert_allclose(angles_of_rotation(half), [0, 0, np.pi / 4], atol=1e-12)
    np.testing.assert_array_equal(between(first, first, 0.3), first)


@pytest.mark.skipif(importlib.util.find_spec("tf_transformations") is None, reason="tf_transformations is ROS-only")
def test_both_libraries_agree(monkeypatch):
    for values in np.random.default_rng(0).normal(size=(50, 4)):
        found = []
        for choice in (True, False):
            monkeypatch.setattr(quaternions, "HAS_TF_TRANSFORMATIONS", choice)
            rotation = rotation_of_quaternion(values)
            back = quaternion_of_rotation(rotation)
            found.append(np.concatenate([rotation.ravel(), back * np.sign(back[3]), angles_of_rotation(rotation)]))
        np.testing.assert_allclose(*found, atol=1e-12)
