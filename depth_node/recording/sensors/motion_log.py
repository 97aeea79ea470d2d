# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle was and how it moved: Odometry, Imu and NavSatFix messages, interpolated to any moment."""

from __future__ import annotations

from typing import Any

import numpy as np

from depth_node.bags.message_types import GNSS, IMU, ODOMETRY
from depth_node.camera.calibration import Matrix
from depth_node.recording.sensors.series import Around, Row, Series
from depth_node.sensing.quaternions import between, rotation_of_quaternion
from depth_node.sensing.transform_tree import Extrinsics, rigid

BASE = "base_link"
"""The vehicle's own axes [REP-105]."""
POSITION, QUATERNION, LINEAR, ANGULAR = slice(0, 3), slice(3, 7), slice(7, 10), slice(10, 13)
"""Columns of an odometry row."""
IMU_QUATERNION, IMU_ANGULAR, IMU_LINEAR = slice(0, 4), slice(4, 7), slice(7, 10)
"""Columns of an IMU row."""
LATITUDE, LONGITUDE, ALTITUDE, ACCURACY = range(4)
"""Columns of a GNSS row; accuracy is the horizontal standard deviation in m, 0 unknown."""


class MotionLog:
    """All motion messages of a drive.

    Attributes:
        odometry: rows of position (m), quaternion, linear (m/s) and angular (rad/s) velocity of the body.
        imu: rows of quaternion (0 where not measured), angular velocity (rad/s), acceleration (m/s^2).
        gnss: rows of latitude, longitude (degrees), altitude (m), accuracy (m).
        body_frame: what odometry describes; without it `base_link`, where a sensor is known to sit on it, or else the
            sensor's own frame.
        imu_frame: the axes of the IMU's numbers.
    """

    def __init__(self, extrinsics: Extrinsics) -> None:
        """An empty log; `extrinsics` may tell where the IMU sits on the vehicle."""
        self._extrinsics = extrinsics
        self.odometry, self.imu, self.gnss = Series(13), Series(10), Series(4)
        self._frames: dict[str, str] = {}
        self._standing_twist: bool | None = None

    def add(self, kind: str, message: Any, stamp_ns: int) -> None:
        """Take a message of type `ODOMETRY`, `IMU` or `GNSS`."""
        frame = message.child_frame_id if kind == ODOMETRY else message.header.frame_id
        self._frames.setdefault(kind, frame)
        if kind == ODOMETRY:
            pose, twist = message.pose.pose, message.twist.twist
            p, q, v, w = pose.position, pose.orientation, twist.linear, twist.angular
            row = (p.x, p.y, p.z, q.x, q.y, q.z, q.w, v.x, v.y, v.z, w.x, w.y, w.z)
            self.odometry.add(stamp_ns, row)
        elif kind == IMU:
            q, w, a = message.orientation, message.angular_velocity, message.linear_acceleration
            measured = message.orientation_covariance[0] != -1  # how Imu.msg says that it has no orientation
            turn = (q.x, q.y, q.z, q.w) if measured else (0.0,) * 4
            self.imu.add(stamp_ns, (*turn, w.x, w.y, w.z, a.x, a.y, a.z))
        elif message.status.status >= 0:  # NavSatStatus: -1 is no fix
            variance = (message.position_covariance[0] + message.position_covariance[4]) / 2
            known = message.position_covariance_type > 0 and variance > 0
            accuracy = float(np.sqrt(variance)) if known else 0.0
            self.gnss.add(stamp_ns, (message.latitude, message.longitude, message.altitude, accuracy))

    @property
    def body_frame(self) -> str:
        """The frame whose motion this is."""
        if self._frames.get(ODOMETRY):
            return self._frames[ODOMETRY]
        sensor = self._frames.get(IMU) or self._frames.get(GNSS, "")
        return BASE if self._extrinsics.find(BASE, sensor) is not None else sensor

    @property
    def imu_frame(self) -> str:
        """The frame of the IMU's numbers."""
        return self._frames.get(IMU, "")

    @property
    def twist_is_missing(self) -> bool:
        """Whether odometry moves, but says velocity 0 throughout, as much visual odometry does."""
        if self._standing_twist is None:
            rows = self.odometry.rows
            still = not len(rows) or not np.ptp(rows[:, POSITION], axis=0).any()
            self._standing_twist = not still and not rows[:, LINEAR].any()
        return self._standing_twist

    def pose(self, stamp_ns: int, tolerance: float) -> Matrix | None:
        """T_world_body (4, 4) at a moment by odometry; None where there is none within `tolerance` s."""
        found = self.odometry.around(stamp_ns, tolerance)
        rotation = _rotation(found, QUATERNION) if found else None
        return None if found is None or rotation is None else rigid(rotation, found.mean[POSITION])

    def relative(self, target_ns: int, source_ns: int, tolerance: float) -> Matrix | None:
        """T_target_source (4, 4) of the body at two moments; None where odometry does not reach."""
        target, source = self.pose(target_ns, tolerance), self.pose(source_ns, tolerance)
        if target is None or source is None:
            return None
        return np.asarray(np.linalg.inv(target) @ source, np.float64)

    def twist(self, stamp_ns: int, tolerance: float) -> tuple[Row, Row] | None:
        """Velocity (3,) m/s and rates (3,) rad/s along the body's axes by odometry; None where there is none."""
        found = self.odometry.around(stamp_ns, tolerance)
        if found is None:
            return None
        if self.twist_is_missing:
            return self._differences(found)
        return found.mean[LINEAR], found.mean[ANGULAR]

    def imu_orientation(self, stamp_ns: int, tolerance: float) -> Matrix | None:
        """R_world_imu (3, 3), x east and z up; None where not measured."""
        found = self.imu.around(stamp_ns, tolerance)
        return _rotation(found, IMU_QUATERNION) if found else None

    def _differences(self, found: Around) -> tuple[Row, Row] | None:
        first, second = (rotation_of_quaternion(row[QUATERNION]) for row in (found.before, found.after))
        rotation = _rotation(found, QUATERNION)
        if first is None or second is None or rotation is None or not found.seconds:
            return None
        velocity = rotation.T @ (found.after - found.before)[POSITION] / found.seconds
        turn = first.T @ second
        rates = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        return velocity, rates / (2 * found.seconds)


def _rotation(found: Around, columns: slice) -> Matrix | None:
    first, second = (rotation_of_quaternion(row[columns]) for row in (found.before, found.after))
    if first is None or second is None:
        return None
    return between(first, second, found.share)
