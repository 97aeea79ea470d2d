# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated street's lidar and odometry, written beside pictures, against its exact depth and motion."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pykitti
import pytest

from depth_node.bags.reader import BagReader
from depth_node.camera.calibration import CameraCalibration
from depth_node.camera.rectification import Rectifier
from depth_node.cli.main import main
from depth_node.config.record import RecordConfig
from depth_node.config.side_data import SideDataConfig
from depth_node.errors import BagError, CalibrationError
from depth_node.kitti.formats import read_depth, read_oxts, read_velodyne
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.recorder import record
from depth_node.recording.sensors.writers import finish_side_writers, mounting_of, open_side_writers, side_topics
from depth_node.simulation import ground_truth

FRAMES = 3
FLAGS = ["--frames", str(FRAMES), "--width", "320", "--height", "96", "--lidar_columns", "512", "--seed", "3"]
IMAGE = "/camera/image_raw"


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    folder = tmp_path_factory.mktemp("street") / "out"
    assert main(["simulate", "--output", str(folder), "--workers", "1", *FLAGS]) == 0
    return folder


def write(bag, drive, config=SideDataConfig()):  # noqa: B008 (frozen)
    """Side data of a bag, all of whose pictures are frames, as the recorder writes it."""
    with BagReader(bag) as reader:
        info = next(reader.messages("/camera/camera_info")).message
        camera = Rectifier(CameraCalibration.from_camera_info(info), crop=True).stored_camera("camera_optical_frame")
        writers = open_side_writers(reader, config, drive.parent / "spill")
        frames = []
        for message in reader.messages([IMAGE, *side_topics(writers)]):
            if message.topic == IMAGE:
                frames.append(SimpleNamespace(index=len(frames), stamp_ns=message.stamp_ns))
            for writer in writers:
                if message.topic in writer.topics:
                    writer.add(message.topic, message.message, message.stamp_ns)
        return finish_side_writers(writers, drive, frames, camera)


@pytest.fixture(scope="module")
def written(street, tmp_path_factory):
    drive = tmp_path_factory.mktemp("recorded") / "drive"
    return KittiSequence(drive), write(street / "bag", drive)


def planar_errors(depth, points, exact, K):
    """Stored depth minus exact depth, metres, where a plane is seen.

    Stored depth is that of the point; exact depth is known at pixel centres, so that it is interpolated to where the
    point really falls. Inverse depth of a plane is linear in the picture; pixels whose surroundings are not are left
    out, for between two surfaces there is nothing to interpolate.
    """
    u, v = K[:2] @ (points / points[:, 2:]).T
    column, row = np.rint(u).astype(int), np.rint(v).astype(int)
    inside = (column >= 2) & (column < depth.shape[1] - 3) & (row >= 2) & (row < depth.shape[0] - 3)
    stored = depth[row[inside], column[inside]]
    nearest = np.abs(stored - points[inside, 2]) < 1 / 500  # not the point that another one hides
    u, v, stored = u[inside][nearest], v[inside][nearest], stored[nearest].astype(float)
    steps = [(dx, dy) for dy in (-1, 0, 1, 2) for dx in (-1, 0, 1, 2)]
    x, y = np.floor(u).astype(int), np.floor(v).astype(int)
    around = np.stack([1 / exact[y + dy, x + dx].astype(float) for dx, dy in steps])
    plane = np.array([[1, dx, dy] for dx, dy in steps], float)
    fit = np.linalg.lstsq(plane, around, rcond=None)[0]
    planar = np.abs(around - plane @ fit).max(axis=0) < 1e-3 * around.mean(axis=0)
    inverse = fit[0] + fit[1] * (u - x) + fit[2] * (v - y)
    return (stored - 1 / inverse)[planar]


def test_depth_pictures_are_within_two_centimetres(street, written):
    sequence, record = written
    calibration = ground_truth.read_calibration(street / "ground_truth/calibration.json")
    T_camera_lidar = np.linalg.inv(calibration["T_base_camera"]) @ calibration["T_base_lidar"]
    np.testing.assert_allclose(np.reshape(record["lidar"]["T_camera_lidar"], (4, 4)), T_camera_lidar, atol=1e-9)
    errors = []
    for index in range(FRAMES):
        points = read_velodyne(sequence.velodyne_path(index))[:, :3] @ T_camera_lidar[:3, :3].T + T_camera_lidar[:3, 3]
        exact = ground_truth.read_depth(ground_truth.depth_path(street / "ground_truth", index))
        depth = read_depth(sequence.depth_path(index))
        all_points = read_depth(sequence.depth_path(index, "velodyne"))
        assert np.isfinite(all_points).sum() > np.isfinite(depth).sum() > 500
        errors.append(planar_errors(depth, points[points[:, 2] > 0.1], exact, np.array(calibration["K"])))
    errors = np.abs(np.concatenate(errors))
    assert len(errors) > 1000
    assert (errors <= 0.02).mean() >= 0.95


def test_motion_is_within_a_percent(street, written):
    sequence, record = written
    poses = ground_truth.read_poses(street / "ground_truth/poses.txt")
    times = ground_truth.read_times(street / "ground_truth/times.txt")
    assert record["motion"]["frames"] == FRAMES
    packets = [read_oxts(sequence.oxts_path(index)) for index in range(FRAMES)]
    # Between two frames the way is the mean of the speeds; the camera sways a little against the axle.
    for index in range(FRAMES - 1):
        way = np.linalg.norm(poses[index + 1, :3, 3] - poses[index, :3, 3])
        speed = way / ((times[index + 1] - times[index]) / 1e9)
        found = [np.linalg.norm([packet.vf, packet.vl, packet.vu]) for packet in packets[index : index + 2]]
        assert np.mean(found) == pytest.approx(speed, rel=0.01)
    mounting = mounting_of(record)
    T_camera_imu = mounting["T_camera_lidar"] @ mounting["T_lidar_imu"]
    T_base_camera = ground_truth.read_calibration(street / "ground_truth/calibration.json")["T_base_camera"]
    np.testing.assert_allclose(T_camera_imu, np.linalg.inv(T_base_camera), atol=1e-9)


@pytest.mark.parametrize("left_out", [{}, {"odometry_topic": "none"}, {"imu_topic": "none"}, {"gnss_topic": "none"}])
def test_every_combination_of_sensors_tells_the_same_motion(street, written, tmp_path, left_out):
    record = write(street / "bag", tmp_path / "drive", SideDataConfig(lidar_topic="none", **left_out))
    assert record["motion"]["frames"] == FRAMES
    oxts = [read_oxts(KittiSequence(tmp_path / "drive").oxts_path(index)) for index in range(FRAMES)]
    exact = motion_messages(street / "bag")
    start = np.array([exact[0].pose.pose.position.x, exact[0].pose.pose.position.y])
    for packet, odometry in zip(oxts, exact, strict=True):
        twist, here = odometry.twist.twist, odometry.pose.pose.position
        assert np.hypot(packet.vf, packet.vl) == pytest.approx(np.hypot(twist.linear.x, twist.linear.y), rel=0.01)
        # Metres east and north of the first frame, by pykitti's formulas.
        scale = np.cos(np.radians(oxts[0].lat)) * 6378137
        east = scale * np.radians(packet.lon - oxts[0].lon)
        north = scale * np.log(np.tan(np.radians(90 + packet.lat) / 2) / np.tan(np.radians(90 + oxts[0].lat) / 2))
        np.testing.assert_allclose([east, north], np.array([here.x, here.y]) - start, atol=2e-3)
        rates = [twist.angular.x, twist.angular.y, twist.angular.z]
        np.testing.assert_allclose([packet.wx, packet.wy, packet.wz], rates, atol=1e-4)
    if "gnss_topic" not in left_out:
        assert oxts[0].lat == pytest.approx(49.0, abs=1e-3)
        assert oxts[0].lon == pytest.approx(8.4, abs=1e-3)
        assert oxts[0].alt == pytest.approx(115.0 + exact[0].pose.pose.position.z, abs=1e-3)
    if "imu_topic" not in left_out:
        assert all(abs(packet.az - 9.81) < 0.5 for packet in oxts)
    else:
        assert {"ax", "ay", "az"} <= set(record["motion"]["never_measured"])


def motion_messages(bag):
    """Odometry at the frames' stamps."""
    with BagReader(bag) as reader:
        stamps = {message.stamp_ns for message in reader.messages(IMAGE)}
        return [message.message for message in reader.messages("/odom") if message.stamp_ns in stamps]


def test_the_recorder_writes_the_same(street, written, tmp_path):
    manifest = record([street / "bag"], tmp_path / "out", RecordConfig(select="all"))
    (drive,) = manifest.drives
    assert drive.side == written[1]
    for path in (path for path in written[0].folder.rglob("*") if path.is_file()):
        assert (tmp_path / "out" / drive.folder / path.relative_to(written[0].folder)).read_bytes() == path.read_bytes()
    date, number = drive.folder.split("/")[0], drive.folder[-9:-5]
    kitti = pykitti.raw(str(tmp_path / "out"), date, number)
    np.testing.assert_allclose(kitti.calib.T_cam2_velo, np.reshape(drive.side["lidar"]["T_camera_lidar"], (4, 4)))
    poses = ground_truth.read_poses(street / "ground_truth/poses.txt")
    T_camera_imu = kitti.calib.T_cam2_imu
    for index in range(FRAMES):
        moved = np.linalg.inv(kitti.oxts[0].T_w_imu) @ kitti.oxts[index].T_w_imu
        np.testing.assert_allclose(T_camera_imu @ moved @ np.linalg.inv(T_camera_imu), poses[index], atol=5e-3)
    assert kitti.get_velo(1).shape[1] == 4


def test_the_same_bag_gives_the_same_record(street, written, tmp_path):
    assert write(street / "bag", tmp_path / "drive") == written[1]


def test_what_is_left_out_is_left_out(street, tmp_path):
    none = {f"{kind}_topic": "none" for kind in ("lidar", "odometry", "imu", "gnss")}
    assert write(street / "bag", tmp_path / "a", SideDataConfig(**none)) == {}
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"lidar_topic": "/odom"}, BagError, "'/odom' is of type nav_msgs/msg/Odometry, not sensor_msgs"),
        ({"imu_topic": "/imu"}, BagError, "has no topic '/imu'"),
        ({"extrinsics": "/nowhere.yaml"}, CalibrationError, "cannot read extrinsics /nowhere.yaml"),
    ],
)
def test_wrong_requests_are_refused(street, tmp_path, settings, error, message):
    with pytest.raises(error, match=message):
        write(street / "bag", tmp_path / "drive", SideDataConfig(**settings))
