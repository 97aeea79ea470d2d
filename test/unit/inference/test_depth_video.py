# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which videos `depth predict` takes, and the video that comes of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from depth_node.bags.video_file import VideoFile
from depth_node.camera.field_of_view import pinhole_camera
from depth_node.camera.network_view import view_of
from depth_node.drawing.colorize import colorize_depth, depth_limits
from depth_node.errors import CalibrationError, OutputError, SequenceError
from depth_node.inference.depth_video import CameraView, depth_video, split_inputs, video_limits
from depth_node.inference.tensor_prediction import TensorPrediction


def prediction_of(depth: np.ndarray, brightness: int = 0) -> TensorPrediction:
    height, width = depth.shape
    image = torch.full((height, width, 3), brightness, dtype=torch.uint8)
    values = torch.from_numpy(depth.astype(np.float32))
    K = np.full((3, 3), np.nan)
    return TensorPrediction(values, torch.isfinite(values), image, K, view_of((height, width), (height, width)))


class Near:
    """Stands for an estimator: the brighter a picture, the nearer."""

    def estimate(self, image, K):
        assert K is None
        return prediction_of(np.linspace(1, 2, 48 * 64).reshape(48, 64) * 1000 / (1 + image.mean()))


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "drive.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for brightness in (50, 100, 200):
        writer.write(np.full((48, 64, 3), brightness, np.uint8))
    writer.release()
    return path


def read(path):
    with VideoFile(path) as video:
        return [picture for _, picture in video.read()]


def test_videos_are_told_from_pictures(tmp_path):
    mixed, videos = tmp_path / "mixed", tmp_path / "videos"
    for folder in (mixed, videos):
        folder.mkdir()
    for path in (mixed / "a.png", mixed / "b2.mp4", videos / "c10.mp4", videos / "c9.mp4", videos / "c9_depth.mp4"):
        path.touch()
    assert split_inputs([mixed, videos]) == ([mixed / "b2.mp4", videos / "c9.mp4", videos / "c10.mp4"], [mixed])
    assert split_inputs([tmp_path / "none.png"]) == ([], [tmp_path / "none.png"])
    with pytest.raises(SequenceError, match="two videos are called 'b2'"):
        split_inputs([mixed, mixed / "b2.mp4"])


def test_one_pair_of_limits_for_the_whole_video(video):
    with VideoFile(video) as opened:
        near, far = video_limits(opened, CameraView(opened, None), Near())
    assert near == pytest.approx(1000 / 201, rel=0.1)
    assert far == pytest.approx(2 * 1000 / 51, rel=0.1)


def test_equal_depth_has_equal_colours_in_all_frames(tmp_path):
    """What the frames' own limits would not give: each then spans all colours."""
    ramp = np.linspace(2, 4, 64)[None].repeat(48, 0)
    with depth_video(tmp_path / "a.mp4", 10, (2.0, 80.0), with_picture=False) as add:
        for factor in (1, 10):
            add(prediction_of(np.where(np.arange(64) < 32, 3.0, factor * ramp)))
    first, second = read(tmp_path / "a.mp4")
    assert np.abs(first[:, :24].astype(int) - second[:, :24]).max() < 20
    assert np.abs(first[:, 40:].astype(int) - second[:, 40:]).mean() > 40


@pytest.mark.parametrize(("size", "expected"), [((48, 64), (96, 64)), ((65, 47), (64, 94)), ((33, 33), (66, 32))])
def test_the_picture_is_above_or_beside_its_depth(tmp_path, size, expected):
    depth = np.full(size, 3.0)
    with depth_video(tmp_path / "a.mp4", 12.5, (1.0, 9.0), with_picture=True) as add:
        for _ in range(3):
            add(prediction_of(depth, 200))
    frame = read(tmp_path / "a.mp4")[0]
    assert frame.shape[:2] == expected
    color = colorize_depth(depth.astype(np.float32), 1.0, 9.0)[0, 0, ::-1]
    np.testing.assert_allclose(frame[5, 5], 200, atol=6)
    np.testing.assert_allclose(frame[-6, -6], color, atol=12)


def test_the_camera_of_a_video(video):
    with VideoFile(video) as opened:
        picture = np.zeros((48, 64, 3), np.uint8)
        assert CameraView(opened, None).of(picture)[1] is None
        K = pinhole_camera(64, 48, 70.0).K
        np.testing.assert_allclose(CameraView(opened, None, 70.0).of(picture)[1], K)
        with pytest.raises(CalibrationError, match="is 64x48, but its calibration is for 32x24"):
            CameraView(opened, pinhole_camera(32, 24, 60.0))


def test_a_video_appears_whole_or_not_at_all(tmp_path):
    def stop_halfway() -> None:
        with depth_video(tmp_path / "out/a.mp4", 10, (1.0, 9.0), with_picture=False) as add:
            add(prediction_of(np.full((48, 64), 3.0)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_halfway()
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="cannot write"),
        depth_video(tmp_path / "file/a.mp4", 10, (1.0, 9.0), with_picture=False),
    ):
        pass


def test_limits_are_those_of_colours():
    depth = np.linspace(2, 50, 64 * 48, dtype=np.float32).reshape(48, 64)
    near, far = depth_limits(depth)
    assert 2 < near < far < 50
