# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures `depth predict` takes, and the files it writes."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch
import trimesh

from depth_node.camera.calibration_file import rectified_camera
from depth_node.camera.network_view import view_of
from depth_node.config.classes import CAMVID
from depth_node.errors import CalibrationError, OutputError, SequenceError
from depth_node.image_file import write_image
from depth_node.inference.picture_files import (
    PictureFile,
    find_pictures,
    load_picture,
    write_cloud,
    write_labels,
    write_prediction,
)
from depth_node.inference.tensor_prediction import TensorPrediction
from depth_node.kitti.formats import read_depth

K = np.array([[2.0, 0, 1], [0, 2, 0], [0, 0, 1]])


@pytest.fixture
def prediction():
    depth = torch.tensor([[1.0, 2.0, 4.0], [8.0, 100.0, float("nan")]])
    image = torch.arange(18, dtype=torch.uint8).reshape(2, 3, 3)
    return TensorPrediction(depth, torch.isfinite(depth), image, K, view_of((2, 3), (2, 3)))


def test_a_drive_brings_its_camera(measured_drive):
    for path in (measured_drive.folder, measured_drive.folder.parents[1]):
        pictures = find_pictures([path])
        assert [picture.name for picture in pictures] == [f"2024_01_01_drive_0001_sync/{i:010d}" for i in range(4)]
        assert {picture.camera for picture in pictures} == {rectified_camera(measured_drive.calibration)}
    (one,) = find_pictures([measured_drive.image_path(2)])
    assert one.camera == pictures[0].camera
    image, K = load_picture(one)
    np.testing.assert_array_equal(image, measured_drive.image(2))
    np.testing.assert_allclose(K, measured_drive.K)


def test_a_folder_of_pictures_has_no_camera(tmp_path):
    for name in ("b.jpg", "a.PNG", "notes.txt"):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 12, 3), np.uint8)) if name != "notes.txt" else (
            tmp_path / name
        ).touch()
    pictures = find_pictures([tmp_path])
    assert [(picture.name, picture.camera) for picture in pictures] == [("a", None), ("b", None)]
    image, K = load_picture(pictures[0])
    assert image.shape == (8, 12, 3)
    assert K is None


def test_a_recordings_own_report_is_no_picture_of_it(measured_drive):
    root = measured_drive.folder.parents[1]
    cv2.imwrite(str(root / "report.png"), np.zeros((8, 12, 3), np.uint8))
    (root / "manifest.json").write_text("{}")
    assert len(find_pictures([root])) == 4


def test_results_are_not_predicted_again(tmp_path):
    for name in ("a", "a_color", "a_depth", "a_labels", "a_classes", "rgb_color"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((8, 12, 3), np.uint8))
    assert [picture.name for picture in find_pictures([tmp_path])] == ["a", "rgb_color"]


def test_inputs_that_cannot_be(measured_drive, tmp_path):
    with pytest.raises(SequenceError, match="no picture or folder"):
        find_pictures([tmp_path / "none"])
    with pytest.raises(SequenceError, match="holds no drive"):
        find_pictures([measured_drive.folder / "proj_depth"])
    picture = measured_drive.image_path(0)
    with pytest.raises(SequenceError, match="two pictures are called '0000000000'"):
        find_pictures([picture, picture])


def test_another_size_than_the_calibration(measured_drive, tmp_path):
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((8, 12, 3), np.uint8))
    picture = PictureFile(tmp_path / "small.png", "small", rectified_camera(measured_drive.calibration))
    with pytest.raises(CalibrationError, match="is 12x8, but its calibration is for 200x60"):
        load_picture(picture)


def test_depth_and_colour_files(prediction, tmp_path):
    write_prediction(tmp_path, "drive/frame", prediction)
    depth = read_depth(tmp_path / "drive/frame_depth.png")
    np.testing.assert_array_equal(depth, prediction.depth.numpy())
    color = cv2.imread(str(tmp_path / "drive/frame_color.png"))
    assert color.shape == (2, 3, 3)
    assert (color[1, 2] == 0).all()  # unknown is black
    assert sorted(file.name for file in (tmp_path / "drive").iterdir()) == ["frame_color.png", "frame_depth.png"]


def test_cloud_file(prediction, tmp_path):
    assert write_cloud(tmp_path / "cloud.ply", prediction, max_range=50.0) == 4  # not the far one, not the unknown one
    cloud = trimesh.load(tmp_path / "cloud.ply")
    expected = [[-0.5, 0, 1], [0, 0, 2], [2, 0, 4], [-4, 4, 8]]  # ((u - 1) / 2, v / 2, 1) * depth
    np.testing.assert_allclose(cloud.vertices, expected, atol=1e-6)
    np.testing.assert_array_equal(cloud.colors[:, :3], [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]])


def test_sky_is_dark_without_a_number_and_without_a_point(prediction, tmp_path):
    depth = prediction.depth.clone()
    depth[0] = math.inf
    sky = TensorPrediction(
        depth, torch.isfinite(depth) | torch.isinf(depth), prediction.image, K, view_of((2, 3), (2, 3))
    )
    write_prediction(tmp_path, "frame", sky)
    assert np.isnan(read_depth(tmp_path / "frame_depth.png")).tolist() == [[True] * 3, [False, False, True]]
    color = cv2.imread(str(tmp_path / "frame_color.png")).astype(int).sum(-1)
    assert color[0].max() < 10 < color[1, 0]
    assert write_cloud(tmp_path / "cloud.ply", sky, max_range=1e6) == 2


def test_label_files(tmp_path):
    labels = np.array([[0, 3, 8], [10, 255, 3]], np.uint8)
    write_labels(tmp_path, "drive/frame", labels, CAMVID)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "drive/frame_labels.png"), cv2.IMREAD_UNCHANGED), labels)
    color = cv2.imread(str(tmp_path / "drive/frame_classes.png"))[..., ::-1]
    assert [tuple(pixel) for pixel in color[0]] == [CAMVID.colors[number] for number in (0, 3, 8)]
    assert not color[1, 1].any()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        write_image(tmp_path / "file/picture.png", np.zeros((2, 2, 3), np.uint8))
