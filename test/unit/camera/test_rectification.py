# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rectified pixels land where a pinhole camera would have put them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depth_node.camera.calibration import CameraCalibration
from depth_node.camera.rectification import Rectifier, should_rectify
from depth_node.errors import CalibrationError

W, H = 320, 240
K = np.array([[200.0, 0, 160], [0, 205.0, 118], [0, 0, 1]])
MODELS = {
    "plumb_bob": (-0.25, 0.08, 0.001, -0.002, 0.01),
    "rational_polynomial": (0.4, 0.1, 0.0005, 0.0003, 0.01, 0.6, 0.15, 0.02),
    "rational_polynomial, thin prism": (0.4, 0.1, 0.0005, 0.0003, 0.01, 0.6, 0.15, 0.02, 0.01, -0.004, -0.008, 0.003),
    "rational_polynomial, tilted": (0.4, 0.1, 0.0005, 0.0003, 0.01, 0.6, 0.15, 0.02, 0.01, 0, -0.008, 0, 0.02, -0.03),
    "equidistant": (0.05, -0.01, 0.003, -0.001),
}
"""Distortion models; behind a comma, what makes a variant of one."""


def camera(model: str, distortion: tuple[float, ...], projection: np.ndarray | None = None) -> CameraCalibration:
    p = np.zeros((3, 4)) if projection is None else projection
    rows = (tuple(map(float, m.ravel())) for m in (K, np.eye(3), p))
    k, r, p = rows
    return CameraCalibration(W, H, model.partition(",")[0], distortion, k, r, p)


def distort(points: np.ndarray, model: str) -> np.ndarray:
    """(N, 3) camera points to (N, 2) pixels of the distorted picture."""
    project = cv2.fisheye.projectPoints if model == "equidistant" else cv2.projectPoints
    d = np.array(MODELS[model])
    if model == "equidistant":
        return project(points[:, None], np.zeros(3), np.zeros(3), K, d)[0].reshape(-1, 2)
    return project(points, np.zeros(3), np.zeros(3), K, d)[0].reshape(-1, 2)


@pytest.mark.parametrize("given_p", [True, False])
@pytest.mark.parametrize("model", MODELS)
def test_a_dot_moves_to_its_pinhole_pixel(model, given_p):
    p = np.array([[180.0, 0, 158, 0], [0, 185.0, 121, 0], [0, 0, 1, 0]]) if given_p else None
    rectify = Rectifier(camera(model, MODELS[model], p))
    if given_p:
        np.testing.assert_array_equal(rectify.K, p[:, :3])
    for point in ([0.0, 0, 1], [0.25, -0.2, 1], [-0.3, 0.15, 1]):
        u, v = distort(np.array([point]), model)[0]
        y, x = np.mgrid[0:H, 0:W]
        blob = 255 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / 18)  # smooth, so that its centre is sub-pixel exact
        image = rectify(np.dstack([blob] * 3).round().astype(np.uint8))[..., 0].astype(float)
        centre = np.array([(image * x).sum(), (image * y).sum()]) / image.sum()
        expected = (rectify.K @ point)[:2]
        assert np.abs(centre - expected).max() < 0.3


@pytest.mark.parametrize("model", MODELS)
def test_automatic_intrinsics_leave_few_black_pixels(model):
    rectify = Rectifier(camera(model, MODELS[model]))
    image = rectify(np.full((H, W, 3), 200, np.uint8))
    assert image.shape == (H, W, 3)
    assert (image == 0).mean() < 0.02


WIDE = np.array([[120.0, 0, 158, 0], [0, 125.0, 121, 0], [0, 0, 1, 0]])


@pytest.mark.parametrize("given_p", [True, False])
@pytest.mark.parametrize("model", MODELS)
def test_the_crop_keeps_seen_pixels_only_and_moves_the_principal_point(model, given_p):
    raw = camera(model, MODELS[model], WIDE if given_p else None)
    whole, cropped = Rectifier(raw), Rectifier(raw, crop=True)
    white = np.full((H, W, 3), 200, np.uint8)
    if given_p:
        assert (whole(white) == 0).mean() > 0.1
    image = cropped(white)
    assert image.shape == (cropped.height, cropped.width, 3)
    assert image.min() > 190  # maps are exact to 1/32 pixel, so that the very edge may mix in a little black
    assert cropped.width * cropped.height > 0.9 * (whole(white)[..., 0] == 200).sum() * (0.7 if given_p else 1)

    scene = np.random.default_rng(0).integers(0, 256, (H, W, 3), np.uint8)
    left, top = (whole.K - cropped.K)[:2, 2].round().astype(int)
    window = whole(scene)[top : top + cropped.height, left : left + cropped.width]
    np.testing.assert_array_equal(cropped(scene), window)
    assert cropped.stored_camera("optical").K.tolist() == cropped.K.tolist()


def test_the_crop_leaves_out_where_the_polynomial_folds_back():
    # r (1 - 0.5 r^2) turns back at r = 0.82, which a focal length of 150 pixels reaches inside the picture.
    k1 = -0.5
    rectify = Rectifier(camera("plumb_bob", (k1, 0, 0, 0), np.array(WIDE) * [[1.2], [1.2], [1]]), crop=True)
    corners = np.array([[0, 0], [rectify.width - 1, 0], [0, rectify.height - 1]]) - rectify.K[:2, 2]
    radii = np.linalg.norm(corners / np.diag(rectify.K)[:2], axis=1)
    assert radii.max() < np.sqrt(1 / (-3 * k1)) + 0.01
    assert rectify.width * rectify.height > 0.2 * W * H


def test_a_calibration_that_shows_nothing_is_refused():
    with pytest.raises(CalibrationError, match=r"would keep \d+x\d+ of 320x240 pixels"):
        Rectifier(camera("plumb_bob", (0.1, 0, 0, 0), np.array(WIDE) * [[0.05], [0.05], [1]]), crop=True)


def test_rotation_alone_turns_the_picture():
    turn = cv2.Rodrigues(np.array([0.0, 0.05, 0.0]))[0]
    raw = CameraCalibration(W, H, "equidistant", (), tuple(K.ravel()), tuple(turn.ravel()), (0.0,) * 12)
    rectify = Rectifier(raw, crop=True)
    np.testing.assert_array_equal(rectify.stored_camera("optical").R, turn)
    ray = np.array([0.1, -0.05, 1.0])
    (u, v, w), (ru, rv, rw) = K @ ray, rectify.K @ turn @ ray
    y, x = np.mgrid[0:H, 0:W]
    blob = (255 * np.exp(-((x - u / w) ** 2 + (y - v / w) ** 2) / 18)).round().astype(np.uint8)
    image = rectify(np.dstack([blob] * 3))[..., 0].astype(float)
    y, x = np.mgrid[0 : rectify.height, 0 : rectify.width]
    np.testing.assert_allclose([(image * x).sum(), (image * y).sum()] / image.sum(), [ru / rw, rv / rw], atol=0.2)


def test_a_fisheye_without_coefficients_is_a_fisheye():
    rectify = Rectifier(camera("equidistant", (0.0,) * 4, WIDE))
    assert not rectify.is_identity
    u, v = (K @ [np.arctan(0.5), 0, 1])[:2]  # a ray 0.5 to the right lies at f theta
    y, x = np.mgrid[0:H, 0:W]
    blob = (255 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / 18)).round().astype(np.uint8)
    image = rectify(np.dstack([blob] * 3))[..., 0].astype(float)
    assert abs((image * x).sum() / image.sum() - (WIDE[:, :3] @ [0.5, 0, 1])[0]) < 0.3


def test_no_distortion_is_the_identity():
    image = np.zeros((H, W, 3), np.uint8)
    rectify = Rectifier(camera("plumb_bob", ()))
    assert rectify.is_identity
    assert rectify(image) is image
    np.testing.assert_array_equal(rectify.K, K)


def test_disabled_takes_the_projection_as_it_is():
    p = np.hstack([K * [[0.5], [0.5], [1]], np.zeros((3, 1))])
    rectify = Rectifier(camera("plumb_bob", MODELS["plumb_bob"], p), enabled=False)
    assert rectify.is_identity
    np.testing.assert_array_equal(rectify.K, p[:, :3])


@pytest.mark.parametrize(
    ("mode", "topic", "expected"),
    [
        ("auto", "/camera/image_raw", True),
        ("auto", "/camera/image_raw/compressed", True),
        ("auto", "/camera/image_rect", False),
        ("auto", "/camera/image_rect_color/compressed", False),
        ("always", "/camera/image_rect", True),
        ("never", "/camera/image_raw", False),
    ],
)
def test_when_to_rectify(mode, topic, expected):
    assert should_rectify(mode, topic) is expected


def test_how_much_of_the_rectified_picture_is_seen():
    """P with half the focal length asks for four times the area: three quarters of it are black."""
    info = {"width": 640, "height": 480, "model": "plumb_bob", "rotation": tuple(np.eye(3).ravel())}
    half = (250.0, 0, 319.5, 0, 0, 250.0, 239.5, 0, 0, 0, 1, 0)
    lens = (1e-6, 0.0, 0.0, 0.0, 0.0)
    K = (500.0, 0, 319.5, 0, 500.0, 239.5, 0, 0, 1)
    rectifier = Rectifier(CameraCalibration(distortion=lens, intrinsics=K, projection=half, **info))
    assert rectifier.seen == pytest.approx(0.25, abs=0.01)
    assert "shows only 25% of the rectified picture" in rectifier.doubts[0]
    assert Rectifier(CameraCalibration(distortion=lens, intrinsics=K, projection=(0.0,) * 12, **info)).doubts == []
