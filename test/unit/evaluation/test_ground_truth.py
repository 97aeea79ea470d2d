# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Measured depth: lidar projection by hand and against KITTI's own pixels, and the choice of a source."""

import numpy as np
import pytest

from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import EvaluationError, SequenceError
from depth_node.evaluation.ground_truth import (
    DepthPictures,
    LidarScans,
    SimulatedDepth,
    open_ground_truth,
    project_lidar,
)
from depth_node.evaluation.protocol import valid_mask
from depth_node.evaluation.simulated_truth import SimulatedFrames
from depth_node.kitti.calibration import VELODYNE_TO_CAMERA, write_calibration
from depth_node.kitti.formats import write_depth, write_velodyne
from depth_node.kitti.layout import KittiSequence
from depth_node.kitti.search import find_sequences
from depth_node.recording.sensors.writers import mounting_of
from depth_node.simulation import ground_truth as simulated

# Focal length 2 px, principal point (3, 2); lidar and camera share their centre.
CAMERA = np.array([[2.0, 0, 3], [0, 2, 2], [0, 0, 1]])
PROJECTION = CAMERA @ np.hstack([VELODYNE_TO_CAMERA, np.zeros((3, 1))])


def test_pixels_by_hand():
    points = np.array(
        [
            [4.0, 0, 0, 0.5],  # on the axis: u 3, v 2 -> column 2, row 1
            [4.0, 2.0, 0, 0.5],  # 2 m left: u 3 - 2 * 2/4 = 2 -> column 1
            [4.0, 0, -2.0, 0.5],  # 2 m below: v 2 + 1 = 3 -> row 2
            [9.0, 0, 0, 0.5],  # behind the first on the same pixel: hidden
            [-4.0, 0, 0, 0.5],  # behind the lidar
            [4.0, 8.0, 0, 0.5],  # u 3 - 4 = -1: outside
            [4.0, -8.0, 0, 0.5],  # u 7 -> column 6: outside of 6 columns
        ],
        dtype=np.float32,
    )
    depth = project_lidar(points, PROJECTION, 4, 6)
    expected = np.full((4, 6), np.nan)
    expected[1, 2] = expected[1, 1] = expected[2, 2] = 4.0
    np.testing.assert_array_equal(depth, expected.astype(np.float32))


def test_forward_x_or_camera_z():
    ahead = np.hstack([VELODYNE_TO_CAMERA, [[0.0], [0.0], [-0.25]]])  # the camera sits 0.25 m before the lidar
    points = np.array([[4.25, 0, 0, 0]])
    assert project_lidar(points, CAMERA @ ahead, 4, 6)[1, 2] == 4.25
    assert project_lidar(points, CAMERA @ ahead, 4, 6, depth="camera")[1, 2] == 4.0


@pytest.mark.parametrize("degrees", [0.0, 2.0, 30.0, 90.0, 180.0])
def test_a_lidar_may_look_anywhere(drive_with_lidar, degrees):
    """A wall 8 m before the camera is 8 m deep, whatever way the lidar is turned around the vertical."""
    sequence = drive_with_lidar(degrees)
    scans = LidarScans(sequence)
    depth = scans.read(0)
    assert int(np.isfinite(depth).sum()) == WALL_PIXELS
    tolerance = 0.005 if degrees < 5 else 1e-5  # along its own x where that is the camera's view, as the tables do
    np.testing.assert_allclose(depth[np.isfinite(depth)], 8.0, rtol=tolerance if degrees else 1e-5)


WALL_PIXELS = 9


@pytest.fixture
def drive_with_lidar(tmp_path):
    """A function that makes a drive of one frame whose lidar, turned by some degrees, sees a wall 8 m ahead."""

    def make(degrees):
        a = np.deg2rad(degrees)
        turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        T_camera_lidar = np.eye(4)
        T_camera_lidar[:3, :3] = VELODYNE_TO_CAMERA @ turn
        folder = tmp_path / "2024_01_01"
        K = np.array([[100.0, 0, 50], [0, 100.0, 30], [0, 0, 1]])
        write_calibration(folder, K, 100, 60, 0, T_camera_lidar=T_camera_lidar)
        x, y = np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0])
        wall = np.column_stack([x.ravel(), y.ravel(), np.full(9, 8.0)])
        behind = wall * [1, 1, -1]
        scan = np.vstack([wall, behind]) @ T_camera_lidar[:3, :3]
        sequence = KittiSequence(folder / "2024_01_01_drive_0001_sync")
        write_velodyne(sequence.velodyne_path(0), np.column_stack([scan, np.zeros(18)]).astype(np.float32))
        return sequence

    return make


def test_a_lidar_at_an_unknown_place_is_refused(drive_with_lidar):
    sequence = drive_with_lidar(0.0)
    unknown = mounting_of({"lidar": {"frames": 1, "notes": []}})
    K = np.array([[100.0, 0, 50], [0, 100.0, 30], [0, 0, 1]])
    write_calibration(sequence.day, K, 100, 60, 0, **unknown)
    with pytest.raises(SequenceError, match=r"nobody knows where the sensor sits: record again with --extrinsics"):
        LidarScans(sequence).read(0)
    assert mounting_of({"lidar": {"frames": 0, "notes": []}}) == {}


def test_no_point_is_no_measurement():
    assert np.isnan(project_lidar(np.zeros((0, 4)), PROJECTION, 4, 6)).all()
    beside = np.array([[0.0, 1.0, 0.0, 0.0]])  # in the image plane: no division by zero
    assert np.isnan(project_lidar(beside, PROJECTION, 4, 6)).all()


@pytest.fixture
def sequence(tmp_path):
    drive = tmp_path / "2024_01_01/2024_01_01_drive_0001_sync"
    pictures = drive / "image_02/data"
    pictures.mkdir(parents=True)
    for index in range(3):
        (pictures / f"{index:010d}.png").touch()
    write_calibration(drive.parent, CAMERA, 6, 4, stamp_ns=0)
    return find_sequences(drive)[0]


def test_scans_of_a_drive(sequence):
    write_velodyne(sequence.velodyne_path(1), np.array([[4.0, 0, 0, 0.5]]))
    truth = open_ground_truth(sequence, EvaluationConfig())
    assert isinstance(truth, LidarScans)
    assert [truth.has(index) for index in range(3)] == [False, True, False]
    assert truth.read(1).shape == (4, 6)
    assert truth.read(1)[1, 2] == 4.0


def test_depth_pictures_come_before_scans(sequence):
    write_velodyne(sequence.velodyne_path(1), np.array([[4.0, 0, 0, 0.5]]))
    depth = np.full((4, 6), 12.5)
    depth[0] = np.nan
    write_depth(sequence.depth_path(2), depth)
    truth = open_ground_truth(sequence, EvaluationConfig())
    assert isinstance(truth, DepthPictures)
    np.testing.assert_array_equal(truth.read(2), depth.astype(np.float32))
    assert isinstance(open_ground_truth(sequence, EvaluationConfig(ground_truth="velodyne")), LidarScans)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("auto", "no ground truth .depth pictures or lidar scans. for any of its 3 frames"),
        ("png", "no ground truth .depth pictures"),
        ("velodyne", "no ground truth .lidar scans"),
        ("simulation", "needs --ground_truth_dir"),
    ],
)
def test_a_missing_source_says_what_to_give(sequence, kind, says):
    with pytest.raises(EvaluationError, match=says):
        open_ground_truth(sequence, EvaluationConfig(ground_truth=kind))


@pytest.mark.parametrize("place", ["train", "data_depth_annotated/val"])
def test_annotated_depth_lies_beside_the_raw_drives(measured_drive, place):
    """As KITTI's two downloads unpack into one folder."""
    there = measured_drive.day.parent / place / measured_drive.location.name
    there.parent.mkdir(parents=True)
    (measured_drive.folder / "proj_depth").rename(there.with_name("depth"))
    there.mkdir()
    there.with_name("depth").rename(there / "proj_depth")
    truth = open_ground_truth(measured_drive, EvaluationConfig())
    assert isinstance(truth, DepthPictures)
    assert [truth.has(index) for index in range(4)] == [False, True, True, True]
    assert np.nanmax(truth.read(1)) == 20.0


def test_an_empty_simulation_folder(sequence, tmp_path):
    with pytest.raises(EvaluationError, match="simulated depth"):
        open_ground_truth(sequence, EvaluationConfig(ground_truth="simulation"), tmp_path)
    assert not SimulatedDepth(SimulatedFrames(sequence, tmp_path)).has(0)


def test_real_scans_fall_on_the_pixels_of_the_published_projection(shared_data):
    (drive,) = find_sequences(shared_data / "kitti_0060")
    scans, pictures = LidarScans(drive, "camera"), DepthPictures(drive)
    for index in (0, 39):
        projected, published = scans.read(index), pictures.read(index)
        np.testing.assert_array_equal(np.isnan(projected), np.isnan(published))
        assert np.nanmax(np.abs(projected - published)) <= 1 / 512 + 1e-6  # the picture's rounding
        # The lidar sits 0.27 m behind the camera: that is what the tables' choice of forward x adds.
        assert np.nanmedian(LidarScans(drive).read(index) - projected) == pytest.approx(0.28, abs=0.01)


def write_simulation(folder, frames):
    for number in range(frames):
        depth = np.full((4, 6), 10.0 + number, np.float32)
        depth[0] = np.inf  # sky
        simulated.write_depth(simulated.depth_path(folder, number), depth)


def test_simulated_depth_in_the_order_of_the_sequence(sequence, tmp_path):
    write_simulation(tmp_path / "truth", 2)
    truth = open_ground_truth(sequence, EvaluationConfig(), tmp_path / "truth")
    assert isinstance(truth, SimulatedDepth)
    assert [truth.has(index) for index in range(3)] == [True, True, False]
    assert truth.read(1)[2, 3] == 11.0
    assert valid_mask(truth.read(1), EvaluationConfig(crop="none")).sum() == 18  # all but the sky
