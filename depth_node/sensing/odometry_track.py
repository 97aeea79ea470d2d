# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle was, from nav_msgs/Odometry: how far it went and turned between two moments."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.sensing.quaternions import rotation_of_quaternion
from depth_node.sensing.transform_tree import rigid

MOST_APART_NS = 1_000_000_000
"""Between two messages farther apart nothing is known."""

Pose = tuple[NDArray[np.float64], NDArray[np.float64]]


class OdometryTrack:
    """Poses of one topic in order of time; those out of order are left out."""

    def __init__(self) -> None:
        """Start empty."""
        self._stamps: list[int] = []
        self._rows: list[tuple[float, ...]] = []

    @property
    def latest_ns(self) -> int:
        """Time of the last pose; -1 where there is none."""
        return self._stamps[-1] if self._stamps else -1

    def add(self, message: Any, stamp_ns: int) -> None:
        """Take an Odometry message."""
        p, q = message.pose.pose.position, message.pose.pose.orientation
        row = (p.x, p.y, p.z, q.x, q.y, q.z, q.w)
        if stamp_ns > self.latest_ns and np.isfinite(row).all() and any(row[3:]):
            self._stamps.append(stamp_ns)
            self._rows.append(row)

    def pose(self, stamp_ns: int) -> Pose | None:
        """Position (3,) in metres and unit quaternion (4,) at a moment; None where the track does not reach."""
        after = bisect_right(self._stamps, stamp_ns)
        if after and self._stamps[after - 1] == stamp_ns:
            row = np.array(self._rows[after - 1])
        elif 0 < after < len(self._stamps):
            first, second = self._stamps[after - 1], self._stamps[after]
            if second - first > MOST_APART_NS:
                return None
            one, other = np.array(self._rows[after - 1]), np.array(self._rows[after])
            if one[3:] @ other[3:] < 0:  # q and -q are the same rotation; interpolate the short way
                other[3:] *= -1
            row = one + (other - one) * (stamp_ns - first) / (second - first)
        else:
            return None
        return row[:3], row[3:] / np.linalg.norm(row[3:])

    def transform(self, stamp_ns: int) -> NDArray[np.float64] | None:
        """T_odom_body (4, 4) at a moment, metres; None where the track does not reach."""
        pose = self.pose(stamp_ns)
        rotation = None if pose is None else rotation_of_quaternion(pose[1])
        return None if pose is None or rotation is None else rigid(rotation, pose[0])

    def forget_before(self, stamp_ns: int) -> None:
        """Drop poses older than a moment, as a track that goes on for days must."""
        first = bisect_right(self._stamps, stamp_ns)
        if first > len(self._stamps) // 2:  # seldom, so that it costs nothing
            del self._stamps[:first], self._rows[:first]

    def between(self, first_ns: int, second_ns: int) -> tuple[float, float] | None:
        """Distance in metres and angle in degrees between two moments; None where either is unknown."""
        first, second = self.pose(first_ns), self.pose(second_ns)
        if first is None or second is None:
            return None
        cosine = min(abs(float(first[1] @ second[1])), 1.0)
        return float(np.linalg.norm(second[0] - first[0])), float(np.degrees(2 * np.arccos(cosine)))
