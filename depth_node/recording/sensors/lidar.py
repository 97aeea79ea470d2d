# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""PointCloud2 to KITTI's lidar scans and depth pictures, one of each kind per frame.

`velodyne_points/data` gets the scans in the lidar's own axes, `proj_depth/velodyne` all their points in the picture,
`proj_depth/groundtruth` those that the camera sees as well. Scans taken beside a frame's moment are moved along with
the vehicle where odometry says how it moved.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.camera.calibration import Matrix
from depth_node.camera.rectification import StoredCamera
from depth_node.errors import BagError, CalibrationError
from depth_node.kitti.formats import read_velodyne, write_depth, write_velodyne
from depth_node.kitti.layout import LEFT, KittiSequence
from depth_node.kitti.timestamps import format_timestamp
from depth_node.recording.sensors.motion_log import MotionLog
from depth_node.recording.sensors.protocol import RecordedFrame
from depth_node.sensing.lidar_depth import drop_hidden, project_points
from depth_node.sensing.point_cloud import read_cloud
from depth_node.sensing.transform_tree import Extrinsics, rigid

SAME_MOMENT = 1_000_000
"""A scan within this many ns of its frame need not be moved."""


@dataclass(frozen=True)
class _Scan:
    """What became of a frame's scan: points kept, pixels they fell into, pixels of those that the camera sees."""

    points: int
    projected: int
    seen: int
    moved: bool
    sha256: str


class LidarWriter:
    """Writes the lidar of a drive."""

    name = "lidar"

    def __init__(
        self,
        topic: str,
        extrinsics: Extrinsics,
        motion: MotionLog,
        spill: Path,
        tolerance: float,
        motion_tolerance: float,
        required: bool,
    ) -> None:
        """Prepare.

        Args:
            topic: of the PointCloud2 messages.
            extrinsics: where the sensors sit.
            motion: of the vehicle, complete when `finish` is called.
            spill: folder for scans until the frames are known.
            tolerance: largest distance in time between scan and frame, s.
            motion_tolerance: farthest odometry that counts, s.
            required: raise, rather than note, that nothing says where the lidar sits.
        """
        self.topics = frozenset({topic})
        self._topic, self._extrinsics, self._motion, self._spill = topic, extrinsics, motion, spill
        self._tolerance, self._motion_tolerance, self._required = tolerance, motion_tolerance, required
        self._stamps = array("q")
        self._frame_id, self._broken = "", list[str]()

    def add(self, topic: str, message: Any, stamp_ns: int) -> None:  # noqa: ARG002 (there is but one)
        """Spill a scan to disk; a broken one is counted."""
        try:
            points = read_cloud(message)
        except BagError as error:
            self._broken.append(str(error))
            return
        self._frame_id = self._frame_id or message.header.frame_id
        write_velodyne(self._path(len(self._stamps)), points)
        self._stamps.append(stamp_ns)

    def finish(self, folder: Path, frames: Sequence[RecordedFrame], camera: StoredCamera) -> dict[str, Any]:
        """Write scan and depth pictures of every frame that has a scan; see `SideWriter.finish`."""
        T_camera_lidar, notes = self._place(camera)
        matches = match_nearest(np.array(self._stamps, np.int64), [frame.stamp_ns for frame in frames], self._tolerance)

        def write(pair: tuple[RecordedFrame, int]) -> _Scan | None:
            frame, scan = pair
            return None if scan < 0 else self._write(KittiSequence(folder), frame, scan, T_camera_lidar, camera)

        with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="lidar") as pool:
            scans = list(pool.map(write, zip(frames, matches, strict=True)))
        lines = [format_timestamp(self._stamps[scan]) if scan >= 0 else "" for scan in matches]
        times = folder / "velodyne_points" / "timestamps.txt"
        times.parent.mkdir(parents=True, exist_ok=True)
        times.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        offsets = [
            abs(frame.stamp_ns - self._stamps[scan]) for frame, scan in zip(frames, matches, strict=True) if scan >= 0
        ]
        unmoved = sum(offset > SAME_MOMENT for offset in offsets) - sum(scan.moved for scan in scans if scan)
        if unmoved:
            notes.append(
                f"{unmoved} scans were taken up to {max(offsets) / 1e6:.0f} ms beside their frame and not moved along "
                "with the vehicle: record odometry and where the lidar sits on it"
            )
        if self._broken:
            notes.append(f"{len(self._broken)} scans cannot be read: {self._broken[0]}")
        nearest = nearest_seconds(np.array(self._stamps, np.int64), [frame.stamp_ns for frame in frames])
        return self._record(scans, T_camera_lidar, notes) | {"nearest_s": nearest}

    def _write(
        self,
        sequence: KittiSequence,
        frame: RecordedFrame,
        scan: int,
        T_camera_lidar: Matrix | None,
        camera: StoredCamera,
    ) -> _Scan:
        points = read_velodyne(self._path(scan))
        shift = self._shift(frame.stamp_ns, self._stamps[scan])
        if shift is not None:
            points[:, :3] = points[:, :3] @ shift[:3, :3].T.astype(np.float32) + shift[:3, 3].astype(np.float32)
        write_velodyne(sequence.velodyne_path(frame.index), points)
        digest = hashlib.sha256(points.tobytes())
        if T_camera_lidar is None:
            return _Scan(len(points), 0, 0, shift is not None, digest.hexdigest())
        depth = project_points(points, T_camera_lidar, camera)
        seen = drop_hidden(depth, T_camera_lidar, camera)
        for kind, values in (("velodyne", depth), ("groundtruth", seen)):
            write_depth(sequence.depth_path(frame.index, kind), values)
            digest.update(values.tobytes())
        projected, visible = (int(np.isfinite(values).sum()) for values in (depth, seen))
        return _Scan(len(points), projected, visible, shift is not None, digest.hexdigest())

    def _place(self, camera: StoredCamera) -> tuple[Matrix | None, list[str]]:
        T_mount_lidar = self._extrinsics.find(camera.frame_id, self._frame_id)
        if T_mount_lidar is not None:
            return rigid(camera.R, np.zeros(3)) @ T_mount_lidar, []
        problem = self._extrinsics.problem(camera.frame_id, self._frame_id)
        if self._required and len(self._stamps):
            raise CalibrationError(problem)
        return None, [f"scans without depth pictures: {problem}"] if len(self._stamps) else []

    def _shift(self, frame_ns: int, scan_ns: int) -> Matrix | None:
        """T of the lidar at the frame's moment from the lidar at the scan's; None where it need not or cannot be."""
        if abs(frame_ns - scan_ns) <= SAME_MOMENT:
            return None
        T_lidar_body = self._extrinsics.find(self._frame_id, self._motion.body_frame)
        moved = self._motion.relative(frame_ns, scan_ns, self._motion_tolerance)
        if T_lidar_body is None or moved is None:
            return None
        return np.asarray(T_lidar_body @ moved @ np.linalg.inv(T_lidar_body), np.float64)

    def _path(self, scan: int) -> Path:
        return self._spill / f"{scan}.bin"

    def _record(self, scans: Sequence[_Scan | None], T_camera_lidar: Matrix | None, notes: list[str]) -> dict[str, Any]:
        written = [scan for scan in scans if scan is not None]
        medians = {
            name: int(np.median([getattr(scan, name) for scan in written])) if written else 0
            for name in ("points", "projected", "seen")
        }
        digest = hashlib.sha256("".join(scan.sha256 for scan in written).encode())
        record = {
            "topic": self._topic,
            "frame_id": self._frame_id,
            "scans": len(self._stamps),
            "frames": len(written),
            "frames_without": len(scans) - len(written),
            "frames_moved": sum(scan.moved for scan in written),
            "median_points": medians["points"],
            "median_points_in_picture": medians["projected"],
            "median_points_seen": medians["seen"],
            "sha256": digest.hexdigest(),
            "camera": LEFT,
            "notes": notes,
        }
        return record | ({} if T_camera_lidar is None else {"T_camera_lidar": T_camera_lidar.ravel().tolist()})


def nearest_seconds(stamps_ns: NDArray[np.int64], wanted_ns: Sequence[int]) -> float | None:
    """Median distance in time from what is wanted to the nearest stamp; None without either."""
    if not len(stamps_ns) or not len(wanted_ns):
        return None
    ascending, wanted = np.sort(stamps_ns), np.array(wanted_ns, np.int64)
    after = np.searchsorted(ascending, wanted)
    near = [np.abs(ascending[np.clip(index, 0, len(ascending) - 1)] - wanted) for index in (after - 1, after)]
    return float(np.median(np.minimum(*near)) / 1e9)


def match_nearest(stamps_ns: NDArray[np.int64], wanted_ns: Sequence[int], tolerance: float) -> list[int]:
    """For every wanted stamp the place of the nearest one, of two the earlier; -1 where it is beyond `tolerance` s."""
    if not len(stamps_ns):
        return [-1] * len(wanted_ns)
    order = np.argsort(stamps_ns, kind="stable")
    ascending = stamps_ns[order]
    found = []
    for wanted in wanted_ns:
        after = int(np.searchsorted(ascending, wanted))
        near = [index for index in (after - 1, after) if 0 <= index < len(order)]
        best = min(near, key=lambda index: abs(int(ascending[index]) - wanted))
        found.append(int(order[best]) if abs(int(ascending[best]) - wanted) <= tolerance * 1e9 else -1)
    return found
