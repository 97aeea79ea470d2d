# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Odometry, Imu and NavSatFix to KITTI's oxts files: thirty numbers for every frame.

Positions come from odometry, laid over the GNSS fixes where there are any (around latitude and longitude 0 where
not), so that they are smooth as odometry and lie where GNSS says. Without odometry fixes and IMU alone give what they
can. What no sensor measured is 0, and the record says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from depth_node.bags.message_types import IMU
from depth_node.camera.calibration import Matrix
from depth_node.camera.rectification import StoredCamera
from depth_node.kitti.formats import OxtsPacket, write_oxts
from depth_node.kitti.layout import frame_name
from depth_node.kitti.mercator import Mercator
from depth_node.recording.sensors.georeference import UNPLACED, Placement, place_track
from depth_node.recording.sensors.motion_log import (
    ACCURACY,
    ALTITUDE,
    IMU_ANGULAR,
    IMU_LINEAR,
    LATITUDE,
    LONGITUDE,
    MotionLog,
)
from depth_node.recording.sensors.protocol import RecordedFrame
from depth_node.recording.sensors.series import Row
from depth_node.sensing.quaternions import angles_of_rotation
from depth_node.sensing.transform_tree import Extrinsics, rigid

FIELDS = {
    "lat": "latitude (deg)",
    "lon": "longitude (deg)",
    "alt": "altitude (m)",
    "roll": "roll angle (rad), 0 level, positive left side up",
    "pitch": "pitch angle (rad), 0 level, positive front down",
    "yaw": "heading (rad), 0 east, positive counter-clockwise",
    "vn ve": "velocity towards north, east (m/s)",
    "vf vl vu": "velocity forward, leftward, upward, parallel to the earth's surface (m/s)",
    "ax ay az": "acceleration along the vehicle's front, left, top, with gravity (m/s^2)",
    "af al au": "acceleration forward, leftward, upward, parallel to the earth's surface (m/s^2)",
    "wx wy wz": "angular rate around the vehicle's front, left, top (rad/s)",
    "wf wl wu": "angular rate around forward, leftward, upward (rad/s)",
    "pos_accuracy vel_accuracy": "accuracy of position (m) and velocity (m/s), 0 unknown",
    "navstat numsats posmode velmode orimode": "not known from a bag: 0",
}
"""Text of `dataformat.txt`."""
COURSE_SPEED = 0.5
"""Without IMU and odometry the heading is the direction of driving, above this speed (m/s)."""
NOTHING = np.zeros(3)
NO_STATUS = (0,) * 5


class MotionWriter:
    """Writes `oxts/data/*.txt` of a drive."""

    name = "motion"

    def __init__(self, topics: dict[str, str], log: MotionLog, extrinsics: Extrinsics, tolerance: float) -> None:
        """Prepare.

        Args:
            topics: topic to message type, of odometry, IMU and GNSS.
            log: takes the messages.
            extrinsics: where the sensors sit.
            tolerance: farthest message that counts for a frame, s.
        """
        self.topics = frozenset(topics)
        self._types, self._log, self._extrinsics, self._tolerance = topics, log, extrinsics, tolerance

    def add(self, topic: str, message: Any, stamp_ns: int) -> None:
        """Keep the numbers of a message."""
        self._log.add(self._types[topic], message, stamp_ns)

    def finish(self, folder: Path, frames: Sequence[RecordedFrame], camera: StoredCamera) -> dict[str, Any]:
        """Write a file for every frame with motion; see `SideWriter.finish`."""
        source = MotionSource(self._log, self._extrinsics, self._tolerance)
        written, fields = 0, Counter[str]()
        for frame in frames:
            packet = source.packet(frame.stamp_ns)
            if packet is not None:
                write_oxts(folder / "oxts" / "data" / frame_name(frame.index, ".txt"), packet)
                written += 1
                fields.update(name for name, value in packet._asdict().items() if value)
        text = "".join(f"{name}: {about}\n" for name, about in FIELDS.items())
        (folder / "oxts").mkdir(parents=True, exist_ok=True)
        (folder / "oxts" / "dataformat.txt").write_text(text, encoding="ascii")
        record = {
            "topics": {topic: self._types[topic] for topic in sorted(self._types)},
            "body_frame": self._log.body_frame,
            "messages": {name: len(getattr(self._log, name)) for name in ("odometry", "imu", "gnss")},
            "frames": written,
            "frames_without": len(frames) - written,
            "never_measured": [name for name in OxtsPacket._fields if not fields[name]],
            "gnss_error": None if np.isnan(source.placement.error) else round(source.placement.error, 4),
            "notes": source.notes,
        }
        return record | self._mounting(camera, source.notes)

    def _mounting(self, camera: StoredCamera, notes: list[str]) -> dict[str, Any]:
        body = self._log.body_frame
        T_mount_body = self._extrinsics.find(camera.frame_id, body)
        if T_mount_body is None:
            notes.append(self._extrinsics.problem(camera.frame_id, body))
            return {}
        return {"T_camera_imu": (rigid(camera.R, NOTHING) @ T_mount_body).ravel().tolist()}


class MotionSource:
    """Thirty numbers for any moment.

    Attributes:
        placement: where odometry's world lies on the map.
        notes: what could not be done, and why.
    """

    def __init__(self, log: MotionLog, extrinsics: Extrinsics, tolerance: float) -> None:
        """Look at a whole drive; `tolerance` in s."""
        self._log, self._tolerance, self.notes = log, tolerance, list[str]()
        fixes = log.gnss.rows
        self._mercator = Mercator(float(fixes[0, LATITUDE]) if len(fixes) else 0.0)
        self._map = np.column_stack(
            [self._mercator.metres(fixes[:, LATITUDE], fixes[:, LONGITUDE]), fixes[:, ALTITUDE]]
        )
        self.placement = self._place()
        if log.twist_is_missing:
            self.notes.append("odometry says velocity 0 while it moves: velocity is taken from its positions")
        rotation = extrinsics.find(log.body_frame, log.imu_frame) if len(log.imu) else np.eye(4)
        if rotation is None:
            self.notes.append(
                f"{extrinsics.problem(log.body_frame, log.imu_frame)}; its axes are taken as the vehicle's"
            )
            rotation = np.eye(4)
        self._R_body_imu = rotation[:3, :3]

    def packet(self, stamp_ns: int) -> OxtsPacket | None:
        """The numbers of a moment; None where no sensor measured anything near it."""
        rates, force = self._imu(stamp_ns)
        state = self._from_odometry(stamp_ns) or self._from_gnss(stamp_ns)
        if state is None and rates is None:
            return None
        rotation, position, velocity, turning = state or (self._attitude(stamp_ns), None, NOTHING, NOTHING)
        rates = turning if rates is None else rates
        force = NOTHING if force is None else force
        roll, pitch, yaw = angles_of_rotation(rotation)
        level = Placement(-yaw, NOTHING, 0.0).rotation @ rotation  # to forward, leftward, upward
        east, north, up = (0.0, 0.0, 0.0) if position is None else position
        latitude, longitude = self._mercator.degrees(east, north)
        towards = rotation @ velocity
        fix = self._log.gnss.around(stamp_ns, max(self._tolerance, 1.0))
        accuracy = fix.before[ACCURACY] if fix else 0.0
        motion = [towards[1], towards[0], *(level @ velocity)]
        body = [*force, *(level @ force), *rates, *(level @ rates)]
        numbers = [latitude, longitude, up, roll, pitch, yaw, *motion, *body, accuracy]
        return OxtsPacket._make([*map(float, numbers), 0.0, *NO_STATUS])

    def _imu(self, stamp_ns: int) -> tuple[Row | None, Row | None]:
        """Rates and acceleration along the body's axes."""
        found = self._log.imu.around(stamp_ns, self._tolerance)
        if found is None:
            return None, None
        return self._R_body_imu @ found.mean[IMU_ANGULAR], self._R_body_imu @ found.mean[IMU_LINEAR]

    def _attitude(self, stamp_ns: int) -> Matrix:
        """R_world_body by the IMU alone; level and facing east where it has none."""
        rotation = self._log.imu_orientation(stamp_ns, self._tolerance)
        return np.eye(3) if rotation is None else rotation @ self._R_body_imu.T

    def _from_odometry(self, stamp_ns: int) -> tuple[Matrix, Row, Row, Row] | None:
        pose, twist = self._log.pose(stamp_ns, self._tolerance), self._log.twist(stamp_ns, self._tolerance)
        if pose is None or twist is None:
            return None
        return self.placement.rotation @ pose[:3, :3], self.placement.apply(pose[:3, 3]), *twist

    def _from_gnss(self, stamp_ns: int) -> tuple[Matrix, Row, Row, Row] | None:
        """Fixes come once or a few times a second, so that they may lie a second away."""
        found = self._log.gnss.around(stamp_ns, max(self._tolerance, 1.0))
        if found is None:
            return None
        ends = [np.array([*self._mercator.metres(row[LATITUDE], row[LONGITUDE]), row[ALTITUDE]]) for row in found[:2]]
        travelled = (ends[1] - ends[0]) / found.seconds if found.seconds else NOTHING
        rotation = self._attitude(stamp_ns)
        if IMU not in self._log_kinds and np.linalg.norm(travelled[:2]) > COURSE_SPEED:
            rotation = Placement(float(np.arctan2(travelled[1], travelled[0])), NOTHING, 0.0).rotation
        return rotation, ends[0] + found.share * (ends[1] - ends[0]), rotation.T @ travelled, NOTHING

    @property
    def _log_kinds(self) -> set[str]:
        rows = self._log.imu.rows
        return {IMU} if len(rows) and rows[:, :4].any() else set()

    def _place(self) -> Placement:
        """Lay odometry over the fixes that lie in its time."""
        pairs = [
            (pose[:3, 3], fix)
            for stamp, fix in zip(self._log.gnss.stamps_ns, self._map, strict=True)
            if (pose := self._log.pose(int(stamp), self._tolerance)) is not None
        ]
        if not pairs:
            return UNPLACED
        return place_track(*(np.array(points) for points in zip(*pairs, strict=True)))
