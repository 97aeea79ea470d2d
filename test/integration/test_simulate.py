# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`depth simulate` from the command line: the bag can be read, and everything in it fits the ground truth."""

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from depth_node.cli.main import main
from depth_node.simulation import ground_truth

FLAGS = ["--frames", "3", "--width", "160", "--height", "64", "--lidar_columns", "128", "--seed", "7"]
VARIANTS = {"mcap raw": ["mcap", "raw", "1"], "sqlite3 compressed": ["sqlite3", "compressed", "2"]}


@pytest.fixture(scope="module")
def drives(tmp_path_factory):
    folders = {}
    for name, (storage, image, workers) in VARIANTS.items():
        folders[name] = tmp_path_factory.mktemp("drive") / "out"
        flags = [*FLAGS, "--storage", storage, "--image", image, "--workers", workers]
        assert main(["simulate", "--output", str(folders[name]), *flags]) == 0
    return folders


def read_bag(folder):
    messages = {}
    with AnyReader([folder / "bag"], default_typestore=get_typestore(Stores.ROS2_HUMBLE)) as reader:
        for connection, stamp, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            messages.setdefault(connection.topic, []).append((stamp, message))
    return messages


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


@pytest.mark.parametrize("name", list(VARIANTS))
def test_bag_holds_every_topic_with_matching_stamps(drives, name):
    messages = read_bag(drives[name])
    image = "/camera/image_raw" + ("/compressed" if "compressed" in name else "")
    motion = {"/odom", "/imu/data", "/gps/fix", "/tf", "/tf_static"}
    assert set(messages) == {image, "/camera/camera_info", "/lidar/points"} | motion
    times = ground_truth.read_times(drives[name] / "ground_truth" / ground_truth.TIMES)
    for topic in (image, "/camera/camera_info", "/lidar/points", "/gps/fix"):
        assert [stamp for stamp, _ in messages[topic]] == times
        assert [stamp_of(message) for _, message in messages[topic]] == times
    assert messages[image][0][1].header.frame_id == "camera_optical_frame"
    info = messages["/camera/camera_info"][0][1]
    calibration = ground_truth.read_calibration(drives[name] / "ground_truth" / ground_truth.CALIBRATION)
    assert np.allclose(info.k.reshape(3, 3), calibration["K"])
    cloud = messages["/lidar/points"][0][1]
    assert [field.name for field in cloud.fields] == ["x", "y", "z", "intensity", "ring", "time"]
    assert len(cloud.data) == cloud.width * cloud.point_step


def test_images_and_truth_do_not_depend_on_workers_storage_or_transport(drives):
    raw, jpeg = (read_bag(drives[name]) for name in VARIANTS)
    for (_, a), (_, b) in zip(raw["/camera/image_raw"], jpeg["/camera/image_raw/compressed"], strict=True):
        first = a.data.reshape(a.height, a.width, 3).astype(int)
        second = cv2.imdecode(b.data, cv2.IMREAD_COLOR)[..., ::-1].astype(int)
        assert np.abs(first - second).mean() < 4
    for (_, a), (_, b) in zip(raw["/lidar/points"], jpeg["/lidar/points"], strict=True):
        assert a.data.tobytes() == b.data.tobytes()
    files = [
        sorted(p.relative_to(folder) for p in (folder / "ground_truth").rglob("*.*")) for folder in drives.values()
    ]
    assert files[0] == files[1]
    for path in files[0]:
        if path.name != ground_truth.CALIBRATION:
            one, two = ((folder / path).read_bytes() for folder in drives.values())
            assert one == two, path


def test_odometry_and_tf_lead_to_the_camera_poses(drives):
    folder = drives["mcap raw"]
    messages = read_bag(folder)
    poses = ground_truth.read_poses(folder / "ground_truth" / ground_truth.POSES)
    assert np.allclose(poses[0], np.eye(4), atol=1e-8)
    times = ground_truth.read_times(folder / "ground_truth" / ground_truth.TIMES)
    odometry = dict(messages["/odom"])
    first, last = (odometry[stamp].pose.pose.position for stamp in (times[0], times[-1]))
    driven = np.hypot(last.x - first.x, last.y - first.y)
    assert abs(driven - np.linalg.norm(poses[-1][:3, 3])) < 0.05
    names = {t.child_frame_id for _, m in messages["/tf_static"] for t in m.transforms}
    assert names == {"camera_optical_frame", "lidar", "ins"}


def test_existing_output_is_refused_in_one_line(drives, capsys):
    assert main(["simulate", "--output", str(drives["mcap raw"]), *FLAGS]) == 1
    error = capsys.readouterr().err.strip()
    assert "not empty" in error
    assert "\n" not in error
    assert not list(drives["mcap raw"].parent.glob(".*"))
