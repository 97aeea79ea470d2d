# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`depth predict`, from the command line to its files."""

from __future__ import annotations

import dataclasses
import shutil

import cv2
import numpy as np
import pytest

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import read_info, restate
from depth_node.cli.main import main
from depth_node.config.classes import CITYSCAPES
from depth_node.kitti.formats import read_depth


@pytest.fixture
def command(checkpoint_file, tmp_path):
    return ["predict", "--checkpoint", str(checkpoint_file), "--output", str(tmp_path / "out")]


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (60, 200, 3), np.uint8))
    return path


def test_a_drive_with_clouds(command, measured_drive, tmp_path, capsys):
    assert main([*command, "--cloud", str(measured_drive.folder)]) == 0
    names = sorted(path.name for path in (tmp_path / "out/2024_01_01_drive_0001_sync").iterdir())
    assert names == [f"{i:010d}{end}" for i in range(4) for end in (".ply", "_color.png", "_depth.png")]
    assert "4 pictures written" in capsys.readouterr().out


def test_sizes(command, picture, tmp_path):
    for flag, size in (("--full_resolution", (60, 200)), ("--no_full_resolution", (64, 192))):
        assert main([*command, flag, str(picture)]) == 0
        depth = cv2.imread(str(tmp_path / "out/street_depth.png"), cv2.IMREAD_UNCHANGED)
        assert (depth.shape, depth.dtype) == (size, np.uint16)


def test_a_cloud_of_a_plain_picture_needs_a_calibration(command, picture, tmp_path, capsys):
    assert main([*command, "--cloud", str(picture)]) == 1
    assert "give --calibration FILE" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "camera.yaml").write_text("{width: 200, height: 60, k: [150, 0, 99.5, 0, 150, 29.5, 0, 0, 1]}")
    assert main([*command, "--cloud", "--calibration", str(tmp_path / "camera.yaml"), str(picture)]) == 0
    assert (tmp_path / "out/street.ply").stat().st_size > 1000


def test_semantic_classes(command, guided_checkpoint, picture, tmp_path, capsys):
    assert main([*command, "--labels", str(picture)]) == 1
    assert "has no semantic network: predict without --labels" in capsys.readouterr().err
    guided = ["predict", "--checkpoint", str(guided_checkpoint), "--output", str(tmp_path / "out")]
    assert main([*guided, "--labels", str(picture)]) == 0
    ends = ("_classes.png", "_color.png", "_depth.png", "_labels.png")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"street{end}" for end in ends]
    labels = cv2.imread(str(tmp_path / "out/street_labels.png"), cv2.IMREAD_UNCHANGED)
    depth = cv2.imread(str(tmp_path / "out/street_depth.png"), cv2.IMREAD_UNCHANGED)
    assert labels.shape == depth.shape == (60, 200)
    np.testing.assert_array_equal(depth == 0, labels == CITYSCAPES.index("sky"))


def test_failures_are_one_line(command, picture, tmp_path, capsys):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    for path, says in (
        (tmp_path / "none.png", f"there is no picture or folder {tmp_path / 'none.png'}"),
        (broken, f"{broken} is no readable picture"),
    ):
        assert main([*command, str(path)]) == 1
        error = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("predicting")]
        assert len(error) == 1
        assert error[0].startswith(f"depth predict: {says}")


def test_what_cannot_be_read_is_left_out_and_said(command, picture, tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "c.png"):
        (folder / name).write_bytes(picture.read_bytes())
    (folder / "b.png").write_bytes(picture.read_bytes()[:100])
    (folder / "._a.png").write_bytes(b"of another system")
    assert main([*command, str(folder)]) == 0
    said = capsys.readouterr()
    assert "2 pictures written" in said.out
    assert said.err.count("left out") == 1
    assert "b.png" in said.err
    assert {path.name for path in (tmp_path / "out").glob("*_depth.png")} == {"a_depth.png", "c_depth.png"}


def test_nothing_to_read_is_an_error(command, tmp_path, capsys):
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert main([*command, str(tmp_path / "b.png")]) == 1
    assert "b.png" in capsys.readouterr().err


@pytest.fixture
def video(tmp_path):
    """Eight frames of blobs."""
    path = tmp_path / "drive.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 7.5, (200, 60))
    random = np.random.default_rng(0)
    for _ in range(8):
        writer.write(cv2.resize(random.integers(0, 256, (6, 20, 3), np.uint8), (200, 60)))
    writer.release()
    return path


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (answer := capture.read())[0]:
        frames.append(answer[1])
    return frames, capture.get(cv2.CAP_PROP_FPS)


def test_a_video_becomes_one(command, video, tmp_path, capsys):
    assert main([*command, str(video)]) == 0
    assert "drive_depth.mp4 (8 frames, " in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["drive_depth.mp4"]
    (frames, fps), (originals, _) = frames_of(tmp_path / "out/drive_depth.mp4"), frames_of(video)
    assert (len(frames), fps, frames[0].shape) == (8, 7.5, (120, 200, 3))
    for frame, original in zip(frames, originals, strict=True):
        assert np.abs(frame[:60].astype(int) - original).mean() < 12  # the picture above, its depth below
        assert frame[60:].std() > 5


def test_a_video_with_its_frames_and_clouds(command, video, tmp_path, capsys):
    assert main([*command, "--cloud", "--frames", str(video)]) == 1
    assert "give --calibration FILE, or --fov" in capsys.readouterr().err
    flags = ["--cloud", "--frames", "--fov", "70", "--layout", "depth", "--no_full_resolution"]
    assert main([*command, *flags, str(video)]) == 0
    frames, _ = frames_of(tmp_path / "out/drive_depth.mp4")
    assert frames[0].shape == (64, 192, 3)
    names = sorted(path.name for path in (tmp_path / "out/drive").iterdir())
    assert names == [f"{i:010d}{end}" for i in range(8) for end in (".ply", "_color.png", "_depth.png")]


def test_videos_that_cannot_be_read(command, video, picture, tmp_path, capsys):
    (tmp_path / "none.mp4").write_bytes(b"no video")
    assert main([*command, str(tmp_path / "none.mp4")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"depth predict: video {tmp_path / 'none.mp4'} has no frame that can be read")
    assert error.count("\n") == 1
    data = video.read_bytes()
    video.write_bytes(data[: len(data) * 7 // 10])
    assert main([*command, str(video), str(picture), str(tmp_path / "none.mp4")]) == 0
    said = capsys.readouterr()
    assert "1 pictures, drive_depth.mp4 (" in said.out
    assert said.err.count("left out") == 2
    assert "frames of " in said.err
    (tmp_path / "camera.yaml").write_text("{width: 100, height: 60, k: [150, 0, 99.5, 0, 150, 29.5, 0, 0, 1]}")
    assert main([*command, "--calibration", str(tmp_path / "camera.yaml"), str(video)]) == 1
    assert "is 200x60, but its calibration is for 100x60" in capsys.readouterr().err


def test_the_focal_length_is_in_the_metres(command, checkpoint_file, picture, tmp_path, capsys):
    """A camera with twice the focal length of the training camera: twice as far, and said."""
    path = tmp_path / "camera.safetensors"
    shutil.copy(checkpoint_file, path)
    camera = TrainingCamera(192, 64, 144.0, 160.0, 95.5, 31.5)
    restate(path, dataclasses.replace(read_info(path), camera=camera))
    flags = ["predict", "--checkpoint", str(path), "--no_full_resolution", "--output"]
    assert main([*flags, str(tmp_path / "plain"), str(picture)]) == 0
    assert "sees 67 degrees from side to side" in capsys.readouterr().out
    (tmp_path / "camera.yaml").write_text("{width: 200, height: 60, k: [300, 0, 99.5, 0, 300, 29.5, 0, 0, 1]}")
    calibrated = ["--calibration", str(tmp_path / "camera.yaml"), str(picture)]
    assert main([*flags, str(tmp_path / "calibrated"), *calibrated]) == 0
    assert "things look 2.00 times as large" in capsys.readouterr().out
    near, far = (read_depth(tmp_path / name / "street_depth.png") for name in ("plain", "calibrated"))
    np.testing.assert_allclose(far, 2 * near, atol=3 / 256)
