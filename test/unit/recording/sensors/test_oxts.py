# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Motion of a vehicle on a circle, whose numbers are known: by odometry, by GNSS, by IMU and by all together."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pykitti
import pytest

from depth_node.bags.message_types import GNSS, IMU, ODOMETRY
from depth_node.camera.rectification import StoredCamera
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.formats import read_oxts
from depth_node.kitti.mercator import Mercator
from depth_node.recording.sensors.motion_log import MotionLog
from depth_node.recording.sensors.oxts import MotionSource, MotionWriter
from depth_node.sensing.quaternions import quaternion_of_rotation
from depth_node.sensing.transform_tree import Extrinsics, TransformTree, rigid

SPEED, RATE = 8.0, 0.2
"""m/s forward, rad/s to the left."""
RADIUS = SPEED / RATE
LATITUDE, LONGITUDE, YAW = 49.0, 8.4, 0.7
"""Where odometry's world lies, and its x axis against east."""
SECOND = 10**9
IMU_TURN = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
"""R_base_imu: the IMU's x points right."""
T_OPTICAL = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])


def pose(t: float) -> np.ndarray:
    """T_odom_base on a circle to the left."""
    c, s = np.cos(RATE * t), np.sin(RATE * t)
    return rigid(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]), [RADIUS * s, RADIUS * (1 - c), 0.5])


def vector(values, names="xyz"):
    return SimpleNamespace(**dict(zip(names, map(float, values), strict=True)))


def odometry(t: float, twist: bool = True):
    here = pose(t)
    turn = vector(quaternion_of_rotation(here[:3, :3]), "xyzw")
    motion = SimpleNamespace(linear=vector([SPEED * twist, 0, 0]), angular=vector([0, 0, RATE * twist]))
    return SimpleNamespace(
        child_frame_id="base_link",
        pose=SimpleNamespace(pose=SimpleNamespace(position=vector(here[:3, 3]), orientation=turn)),
        twist=SimpleNamespace(twist=motion),
    )


def east_north_up(t: float) -> np.ndarray:
    """Where the vehicle is on the map, and its rotation there: (3,), (3, 3)."""
    c, s = np.cos(YAW), np.sin(YAW)
    world = rigid(
        np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]), [*Mercator(LATITUDE).metres(LATITUDE, LONGITUDE), 110.0]
    )
    return world @ pose(t)


def fix(t: float, status: int = 0):
    east, north, up = east_north_up(t)[:3, 3]
    latitude, longitude = Mercator(LATITUDE).degrees(east, north)
    return SimpleNamespace(
        header=SimpleNamespace(frame_id="gps"), latitude=latitude, longitude=longitude, altitude=up,
        status=SimpleNamespace(status=status), position_covariance=[4.0, 0, 0, 0, 4.0, 0, 0, 0, 9.0],
        position_covariance_type=2,
    )  # fmt: skip


def imu(t: float, oriented: bool = True):
    turn = quaternion_of_rotation(east_north_up(t)[:3, :3] @ IMU_TURN)
    force = np.array([0, SPEED * RATE, 9.81])  # towards the circle's middle, and gravity
    return SimpleNamespace(
        header=SimpleNamespace(frame_id="imu"), orientation=vector(turn, "xyzw"),
        orientation_covariance=[0.0 if oriented else -1.0] * 9,
        angular_velocity=vector(IMU_TURN.T @ [0, 0, RATE]), linear_acceleration=vector(IMU_TURN.T @ force),
    )  # fmt: skip


def mounting() -> Extrinsics:
    tree = TransformTree("/tf_static")
    tree.add("base_link", "imu", rigid(IMU_TURN, [0, 0, 0.3]))
    tree.add("base_link", "camera", rigid(T_OPTICAL, [1.7, 0, 1.6]))
    return Extrinsics([tree])


@pytest.fixture
def extrinsics():
    return mounting()


def log_of(**rates: float) -> MotionLog:
    """Ten seconds of messages at these rates; names as the functions above."""
    log = MotionLog(mounting())
    made = {"odometry": (ODOMETRY, odometry), "imu": (IMU, imu), "fix": (GNSS, fix)}
    for name, rate in rates.items():
        kind, make = made[name]
        for t in np.arange(0, 10, 1 / rate):
            log.add(kind, make(t), round(t * SECOND))
    return log


def test_odometry_alone(extrinsics):
    packet = MotionSource(log_of(odometry=50), extrinsics, 0.2).packet(round(3.333 * SECOND))
    assert np.hypot(packet.vn, packet.ve) == pytest.approx(SPEED, rel=1e-4)
    assert (packet.vf, packet.vl, packet.vu) == pytest.approx((SPEED, 0, 0), abs=1e-6)
    assert packet.yaw == pytest.approx(RATE * 3.333, abs=1e-6)
    assert (packet.wz, packet.wu, packet.wx) == pytest.approx((RATE, RATE, 0), abs=1e-9)
    metres = Mercator(0.0).metres(packet.lat, packet.lon)
    np.testing.assert_allclose([*metres, packet.alt], pose(3.333)[:3, 3], atol=1e-3)
    assert packet.az == 0


def test_velocity_from_positions_where_odometry_says_none(extrinsics):
    log = MotionLog(mounting())
    for t in np.arange(0, 2, 0.05):
        log.add(ODOMETRY, odometry(t, twist=False), round(t * SECOND))
    source = MotionSource(log, extrinsics, 0.2)
    packet = source.packet(SECOND)
    assert packet.vf == pytest.approx(SPEED, rel=1e-3)
    assert packet.wz == pytest.approx(RATE, rel=1e-3)
    assert "taken from its positions" in source.notes[0]


def test_odometry_is_laid_over_the_fixes(extrinsics):
    source = MotionSource(log_of(odometry=50, fix=1, imu=100), extrinsics, 0.2)
    assert source.placement.yaw == pytest.approx(YAW, abs=1e-4)
    assert source.placement.error < 0.01
    t = 4.567
    packet, truth = source.packet(round(t * SECOND)), east_north_up(t)
    np.testing.assert_allclose(Mercator(LATITUDE).metres(packet.lat, packet.lon), truth[:2, 3], atol=0.01)
    assert packet.alt == pytest.approx(110.5)
    assert packet.yaw == pytest.approx(YAW + RATE * t, abs=1e-3)
    assert (packet.ax, packet.ay, packet.az) == pytest.approx((0, SPEED * RATE, 9.81), abs=1e-9)
    assert packet.pos_accuracy == 2.0
    assert source.notes == []


def test_fixes_and_imu_without_odometry(extrinsics):
    packet = MotionSource(log_of(fix=5, imu=100), extrinsics, 0.2).packet(5 * SECOND + 100_000_000)
    assert packet.vf == pytest.approx(SPEED, rel=0.01)
    assert packet.yaw == pytest.approx(YAW + RATE * 5.1, abs=1e-6)
    assert packet.wz == pytest.approx(RATE)
    truth = east_north_up(5.1)[:2, 3]
    np.testing.assert_allclose(Mercator(LATITUDE).metres(packet.lat, packet.lon), truth, atol=0.1)


def test_fixes_alone_give_the_course(extrinsics):
    packet = MotionSource(log_of(fix=5), extrinsics, 0.2).packet(5 * SECOND + 100_000_000)
    assert packet.yaw == pytest.approx(YAW + RATE * 5.1, abs=0.01)
    assert (packet.vf, packet.vl) == pytest.approx((SPEED, 0), abs=0.05)


def test_imu_alone_gives_attitude_rates_and_force(extrinsics):
    packet = MotionSource(log_of(imu=100), extrinsics, 0.2).packet(5 * SECOND)
    assert packet.wz == pytest.approx(RATE)
    assert packet.az == pytest.approx(9.81)
    assert packet.vf == 0


def test_level_axes_on_a_slope(extrinsics):
    log, (c, s) = MotionLog(mounting()), (np.cos(0.1), np.sin(0.1))
    up = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])  # nose up: negative pitch
    for t in (0.0, 0.1):
        message = odometry(0.0)
        message.pose.pose.orientation = vector(quaternion_of_rotation(up), "xyzw")
        log.add(ODOMETRY, message, round(t * SECOND))
    packet = MotionSource(log, extrinsics, 0.2).packet(SECOND // 20)
    assert packet.pitch == pytest.approx(-0.1)
    assert (packet.vf, packet.vu) == pytest.approx((SPEED * c, SPEED * s))


def test_no_fix_and_no_orientation_are_no_measurement(extrinsics):
    log = MotionLog(mounting())
    log.add(GNSS, fix(0, status=-1), 0)
    log.add(IMU, imu(0, oriented=False), 0)
    assert len(log.gnss) == 0
    assert log.imu_orientation(0, 1.0) is None
    assert MotionSource(log, extrinsics, 0.2).packet(5 * SECOND) is None


def test_pykitti_reads_the_poses_that_odometry_had(tmp_path, extrinsics):
    log = log_of(odometry=50)
    writer = MotionWriter({"/odom": ODOMETRY}, log, extrinsics, 0.2)
    frames = [SimpleNamespace(index=index, stamp_ns=index * SECOND // 10) for index in range(20)]
    frames.append(SimpleNamespace(index=20, stamp_ns=60 * SECOND))
    drive = tmp_path / "2011_09_26/2011_09_26_drive_0001_sync"
    camera = StoredCamera("camera", 32, 24, tuple(np.eye(3).ravel()), tuple(np.eye(3).ravel()))
    record = writer.finish(drive, frames, camera)
    assert (record["frames"], record["frames_without"]) == (20, 1)
    assert record["body_frame"] == "base_link"
    assert "az" in record["never_measured"]
    assert "vf" not in record["never_measured"]
    assert len(read_oxts(drive / "oxts/data/0000000007.txt")) == 30
    assert not (drive / "oxts/data/0000000020.txt").exists()

    write_calibration(drive.parent, np.eye(3), 32, 24, 0)
    (drive / "oxts/timestamps.txt").write_text("1970-01-01 00:00:00.000000000\n")
    kitti = pykitti.raw(str(tmp_path), "2011_09_26", "0001")
    for index in (0, 10, 19):
        expected = np.linalg.inv(pose(0)) @ pose(index / 10)
        np.testing.assert_allclose(kitti.oxts[index].T_w_imu, expected, atol=2e-3)
    expected = np.linalg.inv(rigid(T_OPTICAL, [1.7, 0, 1.6]))
    np.testing.assert_allclose(np.reshape(record["T_camera_imu"], (4, 4)), expected, atol=1e-12)


def test_a_sensor_that_sits_nowhere_is_noted():
    log = log_of(odometry=50, imu=100)
    nowhere = Extrinsics([TransformTree("/tf_static")])
    source = MotionSource(log, nowhere, 0.2)
    assert "nothing says where 'imu' sits on 'base_link'" in source.notes[0]
    assert source.packet(SECOND) is not None
