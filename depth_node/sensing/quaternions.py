# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations from ROS quaternions, which are (x, y, z, w): tf_transformations where installed, else transforms3d.

The only place that chooses; both give the same.
"""

from __future__ import annotations

import importlib.util

import numpy as np
from numpy.typing import ArrayLike

from depth_node.camera.calibration import Matrix

HAS_TF_TRANSFORMATIONS = importlib.util.find_spec("tf_transformations") is not None
"""Part of a ROS 2 installation, absent from PyPI. It needs no ROS to run."""
SHORT = 1e-6
"""A quaternion shorter than this was never set."""


def rotation_of_quaternion(quaternion: ArrayLike) -> Matrix | None:
    """(3, 3) rotation of (x, y, z, w) of any length; None for one that is not set (all 0) or not finite."""
    values = np.asarray(quaternion, np.float64)
    length = float(np.linalg.norm(values))
    if not np.isfinite(length) or length < SHORT:
        return None
    x, y, z, w = values / length
    if HAS_TF_TRANSFORMATIONS:
        from tf_transformations import quaternion_matrix

        return np.asarray(quaternion_matrix([x, y, z, w]), np.float64)[:3, :3]
    from transforms3d.quaternions import quat2mat

    return np.asarray(quat2mat([w, x, y, z]), np.float64)


def quaternion_of_rotation(rotation: Matrix) -> Matrix:
    """(4,) x, y, z, w of a (3, 3) rotation, of either sign."""
    if HAS_TF_TRANSFORMATIONS:
        from tf_transformations import quaternion_from_matrix

        transform = np.eye(4)
        transform[:3, :3] = rotation
        return np.asarray(quaternion_from_matrix(transform), np.float64)
    from transforms3d.quaternions import mat2quat

    w, x, y, z = mat2quat(rotation)
    return np.array([x, y, z, w], np.float64)


def angles_of_rotation(rotation: Matrix) -> tuple[float, float, float]:
    """Roll, pitch, yaw (rad) of Rz(yaw) Ry(pitch) Rx(roll), as KITTI and REP-103 have them."""
    if HAS_TF_TRANSFORMATIONS:
        from tf_transformations import euler_from_matrix

        roll, pitch, yaw = euler_from_matrix(rotation, "sxyz")
    else:
        from transforms3d.euler import mat2euler

        roll, pitch, yaw = mat2euler(rotation, "sxyz")
    return float(roll), float(pitch), float(yaw)


def between(first: Matrix, second: Matrix, share: float) -> Matrix:
    """(3, 3) rotation on the straight way from one to another; `share` 0 is the first, 1 the second."""
    a, b = quaternion_of_rotation(first), quaternion_of_rotation(second)
    cosine = float(a @ b)
    if cosine < 0:  # q and -q are one rotation: go the short way
        b, cosine = -b, -cosine
    angle = float(np.arccos(min(cosine, 1.0)))
    if angle < SHORT:
        return first
    mixed = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    rotation = rotation_of_quaternion(mixed)
    return first if rotation is None else rotation
