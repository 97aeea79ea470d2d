# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scans find their frames, move along with the vehicle, and say when nothing tells where the lidar sits."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from depth_node.bags.message_types import ODOMETRY
from depth_node.camera.rectification import StoredCamera
from depth_node.errors import CalibrationError
from depth_node.kitti.formats import read_depth, read_velodyne
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.sensors.lidar import LidarWriter, match_nearest
from depth_node.recording.sensors.motion_log import MotionLog
from depth_node.sensing.transform_tree import Extrinsics, TransformTree, rigid

MS = 1_000_000
K = np.array([[100.0, 0, 50], [0, 100.0, 30], [0, 0, 1]])
TURN = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])


def camera(R: np.ndarray | None = None) -> StoredCamera:
    return StoredCamera("camera", 101, 61, tuple(K.ravel()), tuple((np.eye(3) if R is None else R).ravel()))


@pytest.fixture
def extrinsics():
    tree = TransformTree("/tf_static")
    tree.add("base_link", "lidar", rigid(np.eye(3), [1.0, 0, 2.0]))
    tree.add("base_link", "camera", rigid(TURN, [1.0, 0, 2.0]))
    return Extrinsics([tree])


@pytest.fixture
def scan(cloud):
    """A scan of one point straight ahead."""

    def make(distance: float):
        return cloud(np.array([(distance, 0, 0)], [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]))

    return make


def writer_of(tmp_path, extrinsics, log=None, required=False):
    log = log or MotionLog(extrinsics)
    return LidarWriter("/points", extrinsics, log, tmp_path / "spill", 0.05, 0.2, required)


def frames(*ms: int):
    return [SimpleNamespace(index=index, stamp_ns=value * MS) for index, value in enumerate(ms)]


def test_scans_go_to_the_nearest_frames(tmp_path, extrinsics, scan):
    writer = writer_of(tmp_path, extrinsics)
    for number, ms in enumerate((0, 100, 200, 300)):
        writer.add("/points", scan(10 + number), ms * MS)
    record = writer.finish(tmp_path / "drive", frames(100, 230, 400), camera())
    drive = KittiSequence(tmp_path / "drive")
    assert read_velodyne(drive.velodyne_path(0)).tolist() == [[11, 0, 0, 0]]
    assert read_depth(drive.depth_path(1))[30, 50] == 12
    assert read_depth(drive.depth_path(1, "velodyne"))[30, 50] == 12
    assert not drive.velodyne_path(2).exists()
    lines = (tmp_path / "drive/velodyne_points/timestamps.txt").read_text().split("\n")
    assert lines == ["1970-01-01 00:00:00.100000000", "1970-01-01 00:00:00.200000000", "", ""]
    assert (record["scans"], record["frames"], record["frames_without"]) == (4, 2, 1)
    assert record["median_points_seen"] == 1
    assert "1 scans were taken up to 30 ms beside their frame" in record["notes"][0]


def test_a_scan_moves_along_with_the_vehicle(tmp_path, extrinsics, scan):
    log = MotionLog(extrinsics)
    unit = SimpleNamespace(x=0.0, y=0.0, z=0.0, w=1.0)
    for ms in range(0, 400, 20):
        place = SimpleNamespace(position=SimpleNamespace(x=10.0 * ms / 1000, y=0.0, z=0.0), orientation=unit)
        twist = SimpleNamespace(linear=unit, angular=unit)
        pose = SimpleNamespace(pose=place)
        message = SimpleNamespace(child_frame_id="base_link", pose=pose, twist=SimpleNamespace(twist=twist))
        log.add(ODOMETRY, message, ms * MS)
    writer = writer_of(tmp_path, extrinsics, log)
    writer.add("/points", scan(20), 100 * MS)
    record = writer.finish(tmp_path / "drive", frames(140), camera())
    assert record["frames_moved"] == 1
    assert record["notes"] == []
    # 40 ms later, at 10 m/s, the point is 40 cm nearer.
    assert read_depth(KittiSequence(tmp_path / "drive").depth_path(0))[30, 50] == pytest.approx(19.6, abs=1 / 256)


def test_a_rectified_camera_that_turned_takes_its_turn_along(tmp_path, extrinsics, scan):
    a = 0.1
    right = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    writer = writer_of(tmp_path, extrinsics)
    writer.add("/points", scan(20), 0)
    record = writer.finish(tmp_path / "drive", frames(0), camera(right))
    depth = read_depth(KittiSequence(tmp_path / "drive").depth_path(0))
    assert depth[30, 60] == pytest.approx(20 * np.cos(a), abs=1 / 256)
    T_camera_lidar = np.reshape(record["T_camera_lidar"], (4, 4))
    np.testing.assert_allclose(T_camera_lidar @ [20, 0, 0, 1], [20 * np.sin(a), 0, 20 * np.cos(a), 1], atol=1e-9)


def test_without_extrinsics_scans_are_kept_and_the_reason_noted(tmp_path, scan):
    nowhere = Extrinsics([TransformTree("/tf_static")])
    writer = writer_of(tmp_path, nowhere)
    writer.add("/points", scan(20), 0)
    record = writer.finish(tmp_path / "drive", frames(0), camera())
    assert KittiSequence(tmp_path / "drive").velodyne_path(0).exists()
    assert not (tmp_path / "drive/proj_depth").exists()
    assert "scans without depth pictures: nothing says where 'lidar' sits on 'camera'" in record["notes"][0]
    writer = writer_of(tmp_path, nowhere, required=True)
    writer.add("/points", scan(20), 0)
    with pytest.raises(CalibrationError, match=r"--extrinsics"):
        writer.finish(tmp_path / "drive", frames(0), camera())


def test_a_drive_without_scans(tmp_path, extrinsics):
    record = writer_of(tmp_path, extrinsics).finish(tmp_path / "drive", frames(0, 100), camera())
    assert (record["scans"], record["frames"], record["notes"]) == (0, 0, [])


def test_a_broken_scan_is_counted_not_fatal(tmp_path, extrinsics, scan):
    writer = writer_of(tmp_path, extrinsics)
    broken = scan(5)
    broken.data = broken.data[:3]
    writer.add("/points", broken, 0)
    writer.add("/points", scan(10), 100 * MS)
    record = writer.finish(tmp_path / "drive", frames(100), camera())
    assert record["frames"] == 1
    assert record["notes"][0].startswith("1 scans cannot be read: point cloud in 'lidar' does not fit")


def test_a_bag_may_fall_into_several_drives(tmp_path, extrinsics, scan):
    writer = writer_of(tmp_path, extrinsics)
    for number in range(4):
        writer.add("/points", scan(10 + number), number * 100 * MS)
    for name, first in (("one", 0), ("two", 200)):
        record = writer.finish(tmp_path / name, frames(first, first + 100), camera())
        assert record["frames"] == 2
    distances = [read_velodyne(KittiSequence(tmp_path / name).velodyne_path(1))[0, 0] for name in ("one", "two")]
    assert distances == [11, 13]


def test_nearest_of_unordered_stamps():
    assert match_nearest(np.array([30, 10, 20]), [11, 15, 100, 34], 1e-8) == [1, 1, -1, 0]
    assert match_nearest(np.array([], np.int64), [5], 1.0) == [-1]
