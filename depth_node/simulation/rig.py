# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ego vehicle: its pose over time, and where its sensors sit on it.

Frames follow REP-103 and REP-105: `odom` (the world), `base_link` on the road below the rear axle, x ahead,
`camera_optical_frame` z ahead, x right, y down, `lidar` x ahead, z up. `ins`, the inertial and satellite unit, reports
for the axes of `base_link`, as such units do. On the map `odom` has its origin at `ORIGIN`, x to the east.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth_node.config.street import StreetConfig
from depth_node.simulation.street import Street

Matrix = NDArray[np.float64]
ODOM, BASE, CAMERA, LIDAR, INS = "odom", "base_link", "camera_optical_frame", "lidar", "ins"
ORIGIN = (49.0, 8.4, 115.0)
"""Latitude and longitude in degrees, altitude in m."""
GRAVITY = 9.81
CAMERA_X = 1.68
LIDAR_MOUNT = (1.41, 0.0, 1.73)
HORIZON = 90.5 / 192  # row of the horizon over image height, as in KITTI
_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def intrinsics(config: StreetConfig) -> Matrix:
    """Camera matrix (3, 3) in pixels, pixel centres at integers."""
    focal = config.focal * config.width
    return np.array([[focal, 0, (config.width - 1) / 2], [0, focal, HORIZON * config.height - 0.5], [0, 0, 1]])


def base_from_camera(config: StreetConfig) -> Matrix:
    """T_base_camera (4, 4): camera optical coordinates to base_link, m."""
    transform = np.eye(4)
    transform[:3, :3] = _OPTICAL
    transform[:3, 3] = (CAMERA_X, 0.0, config.camera_height)
    return transform


def base_from_lidar() -> Matrix:
    """T_base_lidar (4, 4): lidar coordinates to base_link, m."""
    transform = np.eye(4)
    transform[:3, 3] = LIDAR_MOUNT
    return transform


def world_from_base(street: Street, t: float) -> Matrix:
    """T_world_base (4, 4) at time `t` in s: along the path, with the small nodding and rolling of a sprung body."""
    position, heading = street.ego.at(street.motion.way(t))
    phase = street.motion.phase
    pitch = 0.0022 * np.sin(4.1 * t + phase) + 0.0015 * np.sin(9.7 * t + 2 * phase)
    roll = 0.0025 * np.sin(2.9 * t + 3 * phase)
    transform = np.eye(4)
    nod = 0.008 * np.sin(5.3 * t + phase)
    if street.hills.slope:
        transform[:3, :3] = street.hills.standing(position[0], float(heading)) @ rotation(roll, pitch, 0.0)
        nod += float(street.hills.height(position[0]))
    else:
        transform[:3, :3] = rotation(roll, pitch, float(heading))
    transform[:3, 3] = (position[0], position[1], nod)
    return transform


def rotation(roll: float, pitch: float, yaw: float) -> Matrix:
    """Rz(yaw) Ry(pitch) Rx(roll), rad."""
    (cr, cp, cy), (sr, sp, sy) = np.cos([roll, pitch, yaw]), np.sin([roll, pitch, yaw])
    rz = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    ry = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    rx = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    return rz @ ry @ rx


def twist(street: Street, t: float) -> tuple[Matrix, Matrix]:
    """Linear (3,) m/s and angular (3,) rad/s velocity in base_link at time `t`, by central difference."""
    step = 1e-3
    before, now, after = (world_from_base(street, t + dt) for dt in (-step, 0.0, step))
    linear = now[:3, :3].T @ (after[:3, 3] - before[:3, 3]) / (2 * step)
    turn = before[:3, :3].T @ after[:3, :3]
    angular = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / (4 * step)
    return linear, angular


def force(street: Street, t: float) -> Matrix:
    """What an accelerometer on base_link feels at time `t`: (3,) m/s^2, gravity included, by central difference.

    The path is a chain of short straight lines; over a metre of it these do not show.
    """
    step = 0.1
    before, now, after = (world_from_base(street, t + dt) for dt in (-step, 0.0, step))
    acceleration = (after[:3, 3] - 2 * now[:3, 3] + before[:3, 3]) / step**2
    return now[:3, :3].T @ (acceleration + np.array([0.0, 0.0, GRAVITY]))
