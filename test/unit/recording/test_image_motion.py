# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rotation and parallax between pictures of a scene that is known exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depth_node.camera.calibration import CameraCalibration
from depth_node.recording.image_motion import MotionMeter, fit_small_rotation, shrink
from depth_node.recording.picture_quality import measure_quality

WIDTH, HEIGHT, FOCAL = 640, 360, 400.0
IDENTITY = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
CAMERA = CameraCalibration(
    WIDTH, HEIGHT, "plumb_bob", (), (FOCAL, 0, WIDTH / 2, 0, FOCAL, HEIGHT / 2, 0, 0, 1.0), IDENTITY, (0.0,) * 12
)


def wall(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(random.uniform(0, 255, (n, n, 3)).astype(np.float32), (1400, 1400), interpolation=cv2.INTER_CUBIC)
        for n in (20, 60, 180, 600, 1400)
    ]
    return np.clip(np.mean(layers, axis=0) * 2 - 128, 0, 255).astype(np.uint8)


WALL = wall()


def look(homography: np.ndarray) -> np.ndarray:
    """The wall through a homography of the picture, (HEIGHT, WIDTH, 3)."""
    centre = np.array([[1, 0, WIDTH / 2 - 700], [0, 1, HEIGHT / 2 - 700], [0, 0, 1.0]])
    return cv2.warpPerspective(WALL, homography @ centre, (WIDTH, HEIGHT))


def turned(degrees: float, axis=(0.0, 1.0, 0.0)) -> np.ndarray:
    R = cv2.Rodrigues(np.radians(degrees) * np.array(axis))[0]
    return look(CAMERA.K @ R @ np.linalg.inv(CAMERA.K))


def nearer(scale: float) -> np.ndarray:
    middle = np.array([[1, 0, WIDTH / 2], [0, 1, HEIGHT / 2], [0, 0, 1.0]])
    return look(middle @ np.diag([scale, scale, 1.0]) @ np.linalg.inv(middle))


def measure(*pictures):
    meter = MotionMeter(CAMERA)
    meter.set_anchor(shrink(pictures[0]))
    return [meter.measure(shrink(picture)) for picture in pictures[1:]]


@pytest.mark.parametrize("axis", [(1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)])
@pytest.mark.parametrize("degrees", [0.5, 2.0, 6.0])
def test_a_rotation_has_no_parallax(axis, degrees):
    (motion,) = measure(turned(0), turned(degrees, axis))
    assert motion.degrees == pytest.approx(degrees, rel=0.08)
    assert motion.parallax < 0.35
    assert motion.flow > 1.0


def test_driving_ahead_is_parallax():
    (motion,) = measure(nearer(1), nearer(1.04))
    assert motion.degrees < 0.6
    # Corners are spread evenly: the median distance from the centre, times 4 %.
    assert motion.parallax == pytest.approx(0.04 * 0.25 * (WIDTH + HEIGHT) * 0.75, rel=0.25)


def test_standing_still_is_still():
    noise = np.random.default_rng(0).normal(0, 3, (HEIGHT, WIDTH, 3))
    (motion,) = measure(nearer(1), np.clip(nearer(1) + noise, 0, 255).astype(np.uint8))
    assert motion.flow < 0.2


def test_a_long_way_is_chained():
    motions = measure(*[nearer(1.03**step) for step in range(40)])
    assert all(motion is not None for motion in motions)
    assert motions[10].parallax > 20
    assert motions[-1].parallax > 60


def test_nothing_to_track_is_unknown():
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert measure(flat, flat) == [None]
    assert measure(nearer(1), flat[:20, :20]) == [None]


def test_near_things_do_not_pull_the_rotation():
    random = np.random.default_rng(0)
    rays = random.uniform(-0.6, 0.6, (60, 2))
    x, y = rays.T
    turn = np.array([0.01, -0.02, 0.005])
    flow = np.stack([x * y * turn[0] - (1 + x * x) * turn[1] + y * turn[2],
                     (1 + y * y) * turn[0] - x * y * turn[1] - x * turn[2]], 1)  # fmt: skip
    flow[:20] += rays[:20] * 0.2
    rotation, rest = fit_small_rotation(rays, flow)
    np.testing.assert_allclose(rotation, turn, atol=2e-4)
    np.testing.assert_allclose(rest[:20], rays[:20] * 0.2, atol=1e-3)


@pytest.mark.parametrize("kernel", [(9, 1), (1, 9), (7, 7)])
def test_a_blur_in_any_direction_is_less_sharp(kernel):
    sharp, blurred = measure_quality(nearer(1)).sharpness, measure_quality(cv2.blur(nearer(1), kernel)).sharpness
    assert min(b / s for b, s in zip(blurred, sharp, strict=True)) < 0.6


def test_exposure():
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, : WIDTH // 4] = 255
    quality = measure_quality(picture)
    assert (quality.black, quality.white) == (0.75, 0.25)
    assert quality.brightness == pytest.approx(255 / 4)
    assert measure_quality(picture[:4, :4]).sharpness == (0.0, 0.0)
