# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""KITTI paths, splits, timestamps and calibration: what is written is read back, what is broken is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pykitti
import pytest

from depth_node.errors import SequenceError
from depth_node.kitti.calibration import read_calibration, read_transform, write_calibration
from depth_node.kitti.layout import (
    FrameReference,
    KittiSequence,
    date_name,
    drive_folder,
    read_split,
    sequence_of,
    write_split,
)
from depth_node.kitti.timestamps import format_timestamp, parse_timestamp, read_timestamps, write_timestamps

STAMP = 1_317_038_400_123_456_789
K = np.array([[721.5377123456789, 0, 609.5593], [0, 720.1, 172.854], [0, 0, 1]])


@pytest.mark.parametrize("stamp", [0, 1, STAMP, 999_999_999, 4_102_444_800_000_000_001])
def test_timestamps_are_exact_to_the_nanosecond(stamp):
    assert parse_timestamp(format_timestamp(stamp)) == stamp


def test_timestamp_form():
    assert format_timestamp(STAMP) == "2011-09-26 12:00:00.123456789"
    assert parse_timestamp("2011-09-26 12:00:00.5\n") == 1_317_038_400_500_000_000
    assert date_name(STAMP) == "2011_09_26"


@pytest.mark.parametrize("text", ["", "yesterday", "2011-13-26 12:00:00.0", "2011-09-26 12:00:00.1234567890"])
def test_broken_timestamp(text):
    with pytest.raises(SequenceError, match="is no timestamp like"):
        parse_timestamp(text)


def test_timestamp_file(tmp_path):
    path = tmp_path / "oxts" / "timestamps.txt"
    write_timestamps(path, [STAMP, STAMP + 1])
    assert path.read_text().endswith("\n")
    assert read_timestamps(path) == (STAMP, STAMP + 1)
    with pytest.raises(SequenceError, match="cannot read timestamps"):
        read_timestamps(tmp_path / "none.txt")


def test_split_round_trip(tmp_path):
    lines = [FrameReference("2011_09_26/a_sync", 3), FrameReference("2011_09_26/b_sync", 12, "r")]
    write_split(tmp_path / "splits" / "train.txt", lines)
    assert (tmp_path / "splits" / "train.txt").read_text() == "2011_09_26/a_sync 3 l\n2011_09_26/b_sync 12 r\n"
    assert read_split(tmp_path / "splits" / "train.txt") == lines


def test_split_takes_padded_indices_blank_lines_and_no_side(tmp_path):
    (tmp_path / "split.txt").write_text("d 0000000069 l\n\nd 7\n")
    assert read_split(tmp_path / "split.txt") == [FrameReference("d", 69), FrameReference("d", 7)]


def test_split_takes_the_lines_of_other_repositories(tmp_path):
    """BTS writes picture, depth picture and focal length; packnet-sfm pictures, with a slash in front or not."""
    drive, data = "2011_09_26/2011_09_26_drive_0002_sync", "data/0000000069"
    depth = f"2011_09_26_drive_0002_sync/proj_depth/groundtruth/image_02/{data[5:]}.png"
    lines = [
        f"{drive}/image_02/{data}.png {depth} 721.5377",
        f"/{drive}/image_03/{data}.jpg",
        f"{drive}/image_02/{data}.png",
    ]
    (tmp_path / "split.txt").write_text("\n".join(lines))
    assert read_split(tmp_path / "split.txt") == [FrameReference(drive, 69, side) for side in "lrl"]


def test_split_takes_names_with_spaces(tmp_path):
    lines = [FrameReference("2024/my drive 1", 3), FrameReference("2024/my drive 1", 12, "r")]
    write_split(tmp_path / "split.txt", lines)
    assert read_split(tmp_path / "split.txt") == lines


@pytest.mark.parametrize(("text", "message"), [("d x l\n", ":1: expected 'folder index side'"), ("\n", "no frames")])
def test_broken_split(tmp_path, text, message):
    (tmp_path / "split.txt").write_text(text)
    with pytest.raises(SequenceError, match=message):
        read_split(tmp_path / "split.txt")


def test_calibration_round_trip_is_exact(tmp_path):
    write_calibration(tmp_path / "2011_09_26", K, 1242, 375, STAMP)
    for camera in range(4):
        calibration = read_calibration(tmp_path / "2011_09_26" / "calib_cam_to_cam.txt", camera)
        np.testing.assert_array_equal(calibration.K, K)
        assert (calibration.width, calibration.height) == (1242, 375)
    lidar = read_transform(tmp_path / "2011_09_26" / "calib_velo_to_cam.txt")
    np.testing.assert_array_equal(lidar @ [1, 0, 0, 1], [0, 0, 1, 1])  # forward is forward
    assert np.linalg.det(lidar) == pytest.approx(1)
    np.testing.assert_array_equal(read_transform(tmp_path / "2011_09_26" / "calib_imu_to_velo.txt"), np.eye(4))


def test_known_places_of_lidar_and_imu_reach_pykitti(tmp_path):
    lidar, imu = np.eye(4), np.eye(4)
    lidar[:3] = [[0, -1, 0, 0.1], [0, 0, -1, -0.2], [1, 0, 0, -0.3]]
    imu[:3, 3] = [-0.81, 0.32, 0.8]
    write_calibration(tmp_path / "2011_09_26", K, 1242, 375, STAMP, T_camera_lidar=lidar, T_lidar_imu=imu)
    (tmp_path / drive_folder("2011_09_26", 1) / "oxts").mkdir(parents=True)
    (tmp_path / drive_folder("2011_09_26", 1) / "oxts/timestamps.txt").touch()
    calibration = pykitti.raw(str(tmp_path), "2011_09_26", "0001").calib
    np.testing.assert_allclose(calibration.T_cam2_velo, lidar)
    np.testing.assert_allclose(calibration.T_cam2_imu, lidar @ imu)


@pytest.mark.parametrize("text", ["", "S_rect_02: 10 5\nP_rect_02: 1 2 3\n", "P_rect_02: nan\nS_rect_02: 1 1\n"])
def test_broken_calibration_names_the_entry(tmp_path, text):
    (tmp_path / "calib.txt").write_text(text)
    with pytest.raises(SequenceError, match=r"needs '[SP]_rect_02'"):
        read_calibration(tmp_path / "calib.txt")


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / drive_folder("2011_09_26", 1)
    data = folder / "image_02" / "data"
    data.mkdir(parents=True)
    for index in range(3):
        cv2.imwrite(str(data / f"{index:010d}.png"), np.full((4, 6, 3), (index, 20, 30), np.uint8))
    write_calibration(folder.parent, K, 6, 4, STAMP)
    return folder


def test_sequence(drive):
    sequence = sequence_of(drive.parents[1], FrameReference(drive_folder("2011_09_26", 1).as_posix(), 0))
    assert sequence.folder == drive
    assert sequence.frames == (0, 1, 2)
    assert len(sequence) == 3
    np.testing.assert_array_equal(sequence.image(2)[0, 0], [30, 20, 2])
    np.testing.assert_array_equal(sequence.K, K)


def test_sequence_from_within(drive, monkeypatch):
    for inside, name in ((drive, "."), (drive / "image_02", "..")):
        monkeypatch.chdir(inside)
        sequence = KittiSequence(Path(name))
        assert sequence.location == drive
        np.testing.assert_array_equal(sequence.K, K)


def test_sequence_says_what_is_missing(drive, tmp_path):
    sequence = KittiSequence(drive)
    with pytest.raises(SequenceError, match="has no frame 9 in image_02"):
        sequence.image_path(9)
    with pytest.raises(SequenceError, match=r"no \.png or \.jpg pictures"):
        len(KittiSequence(tmp_path / "none"))
    sequence.image_path(1).write_bytes(b"no picture")
    with pytest.raises(SequenceError, match="no readable picture"):
        sequence.image(1)
    sequence.image_path(1).write_bytes(b"")
    with pytest.raises(SequenceError, match="no readable picture"):
        sequence.image(1)


def test_both_kinds_of_pictures_are_ambiguous(drive):
    (drive / "image_02" / "data" / "0000000000.jpg").touch()
    with pytest.raises(SequenceError, match=r"both \.png and \.jpg"):
        len(KittiSequence(drive))


def test_real_kitti_drive(shared_data):
    sequence = KittiSequence(shared_data / "kitti_0060/2011_09_26/2011_09_26_drive_0060_sync")
    assert len(sequence) == len(sequence.stamps_ns) == 78
    assert sequence.image(0).shape == (375, 1242, 3)
    assert sequence.K[0, 0] == pytest.approx(721.5377)
    assert sequence.depth_path(0).exists()
    assert sequence.label_path(0).exists()
