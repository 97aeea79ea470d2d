# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a network sees of a picture: rays stay where they are, pixels keep the shape that it learnt, nothing is lost."""

import math

import numpy as np
import pytest
import torch

from depth_node.camera.network_input import resize_image
from depth_node.camera.network_view import Region, TrainingCamera, view_of

CAMERA = TrainingCamera(640, 192, 371.2, 371.2, 319.5, 90.0)
SIZE = (192, 640)
CAMERAS = {
    "50 degrees, 16:9": (960, 540, 1029.1),
    "70 degrees, 4:3": (640, 480, 457.0),
    "90 degrees, 16:9": (960, 540, 480.0),
    "120 degrees, 16:9": (960, 540, 277.1),
    "20 degrees, 2:1": (1024, 512, 2903.5),
    "portrait": (540, 960, 578.9),
}


def intrinsics(width, height, focal):
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, 0.47 * height], [0, 0, 1]])


def ray(K, x, y):
    return np.linalg.solve(K, [x, y, 1.0])


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("name", CAMERAS)
def test_corners_of_the_window_are_corners_of_the_target(name, fit):
    """Through intrinsics alone: the outer corner of the window looks along the same ray in picture and output."""
    width, height, focal = CAMERAS[name]
    K = intrinsics(width, height, focal)
    view = view_of((height, width), SIZE, K, CAMERA, fit)
    window, target = view.window, view.target
    assert 0 <= window.left <= window.left + window.width <= width
    assert 0 <= window.top <= window.top + window.height <= height
    assert 0 <= target.left <= target.left + target.width <= 640
    assert 0 <= target.top <= target.top + target.height <= 192
    for right, bottom in ((0, 0), (1, 1)):
        corner = window.left + right * window.width - 0.5, window.top + bottom * window.height - 0.5
        shown = right * target.width - 0.5, bottom * target.height - 0.5
        np.testing.assert_allclose(ray(view.intrinsics(K), *shown), ray(K, *corner), rtol=1e-12)


@pytest.mark.parametrize("fit", ["pad", "crop"])
@pytest.mark.parametrize("name", CAMERAS)
def test_pixels_keep_their_shape(name, fit):
    """To a pixel of the shorter side, by which a region of whole pixels can be wrong."""
    width, height, focal = CAMERAS[name]
    view = view_of((height, width), SIZE, K := intrinsics(width, height, focal), CAMERA, fit)
    shown = view.intrinsics(K)
    assert shown[0, 0] / shown[1, 1] == pytest.approx(1.0, rel=1.5 / min(*view.target[2:], *view.window[2:]))
    assert view.focal_ratio == pytest.approx(math.sqrt(shown[0, 0] * shown[1, 1]) / 371.2, rel=1e-12)


@pytest.mark.parametrize("name", CAMERAS)
def test_padding_shows_everything_and_fills_one_direction(name):
    width, height, focal = CAMERAS[name]
    view = view_of((height, width), SIZE, intrinsics(width, height, focal), CAMERA, "pad")
    assert view.is_whole
    assert view.target.width == 640 or view.target.height == 192


@pytest.mark.parametrize("name", CAMERAS)
def test_cropping_fills_the_network_or_shows_things_as_large_as_it_learnt(name):
    width, height, focal = CAMERAS[name]
    view = view_of((height, width), SIZE, intrinsics(width, height, focal), CAMERA, "crop")
    filled = view.target == Region(0, 0, 640, 192)
    assert view.focal_ratio < 1.01 if filled else view.focal_ratio == pytest.approx(1.0, rel=0.01)


def test_the_axis_stays_where_the_network_knows_it():
    """A picture with the camera's axis low in it is cut so that the axis comes to the training camera's row."""
    K = np.array([[320.0, 0, 319.5], [0, 320.0, 300.0], [0, 0, 1]])
    view = view_of((480, 640), SIZE, K, CAMERA, "crop")
    assert view.intrinsics(K)[1, 2] == pytest.approx(90.0, abs=1.0)
    assert view.intrinsics(K)[0, 2] == pytest.approx(319.5, abs=1.0)


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_the_training_camera_at_any_size_is_taken_whole(fit):
    K = intrinsics(1280, 384, 742.4)
    view = view_of((384, 1280), SIZE, K, CAMERA, fit)
    assert (view.window, view.target) == (Region(0, 0, 1280, 384), Region(0, 0, 640, 192))
    assert view.focal_ratio == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_the_field_of_the_papers_is_one_shape(fit):
    """KITTI's five days differ in size and focal length; what published numbers were made with must not change."""
    camera = TrainingCamera(640, 192, 0.58 * 640, 1.92 * 192, 319.5, 95.5)
    for width, height, focal in ((1242, 375, 721.5), (1224, 370, 707.0), (1238, 374, 718.3), (1226, 370, 707.1)):
        view = view_of((height, width), SIZE, intrinsics(width, height, focal), camera, fit)
        assert view.is_whole
        assert view.target == Region(0, 0, 640, 192)


@pytest.mark.parametrize(("K", "camera"), [(None, CAMERA), (intrinsics(640, 480, 400.0), None)])
def test_an_unknown_camera_changes_nothing(K, camera):
    view = view_of((480, 640), SIZE, K, camera, "crop")
    assert view.is_whole
    assert view.target == Region(0, 0, 640, 192)
    assert view.focal_ratio == 1.0


def test_bars_carry_the_edges_on():
    view = view_of((480, 640), SIZE, intrinsics(640, 480, 457.0), CAMERA, "pad")
    image = torch.randint(0, 256, (480, 640, 3), dtype=torch.uint8)
    shown = view.of(image, resize_image)
    left, right = view.target.left, view.target.left + view.target.width
    assert shown.shape == (192, 640, 3)
    assert 0 < left < right < 640
    assert (shown[:, :left] == shown[:, left : left + 1]).all()
    assert (shown[:, right:] == shown[:, right - 1 : right]).all()


def test_around_the_window_nothing_is_known():
    view = view_of((480, 640), SIZE, intrinsics(640, 480, 320.0), CAMERA, "crop")
    window = view.window
    spread = view.spread(torch.ones(window.height, window.width), lambda shape: torch.full(shape, math.nan))
    assert spread.shape == (480, 640)
    assert int(torch.isfinite(spread).sum()) == window.width * window.height
    assert torch.isfinite(window.cut(spread)).all()
