# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far a camera moved between two of its pictures, by tracking corners (KLT): rotation and parallax.

The flow of every corner is split into what a rotation of the camera explains and a rest. Rotation tells nothing about
depth; the rest is parallax, what self-supervision learns from. Pictures are shrunk first: a tenth of a pixel of the
small picture is exact enough, and a frame costs less than a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.camera.calibration import CameraCalibration

SMALL_WIDTH = 320
"""About how wide the shrunk picture is, pixels."""
CORNERS = 50
WINDOW = (11, 11)
LEVELS = 3
LEAST_TRACKS = 12
"""Fewer corners than this say nothing about a motion."""
LEAST_SHARE = 0.4
"""Share of corners that must survive, or tracking goes on from a nearer picture."""
FIT_ROUNDS = 4
SMALL_ANGLE = 0.03
DAMPING = 1e-6
LEAST_RESIDUAL = 1e-4
"""Rays: what corners are off by anyway."""
FISHEYE_EDGE = 3.0
"""Rays farther from the axis than this (tangent of the angle) are left out: pixels are no measure there."""

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """What changed between two pictures.

    Attributes:
        flow: median movement of a corner, pixels of the full picture.
        parallax: the same without what rotation explains, pixels.
        rotation: of the camera about its x, y and z axes, radians.
    """

    flow: float
    parallax: float
    rotation: tuple[float, float, float]

    @property
    def degrees(self) -> float:
        """Angle of the rotation."""
        return float(np.degrees(np.linalg.norm(self.rotation)))

    def __add__(self, other: Motion) -> Motion:
        """This motion followed by another one; parallax adds up as it does on a straight way."""
        rotation = tuple(a + b for a, b in zip(self.rotation, other.rotation, strict=True))
        return Motion(self.flow + other.flow, self.parallax + other.parallax, rotation)  # type: ignore[arg-type]


STILL = Motion(0.0, 0.0, (0.0, 0.0, 0.0))


def shrink(image: NDArray[np.uint8]) -> Gray:
    """A picture (H, W, 3) uint8 BGR as a small grey one."""
    height, width = image.shape[:2]
    factor = max(round(width / SMALL_WIDTH), 1)
    size = (max(width // factor, 1), max(height // factor, 1))
    small = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR) if factor > 1 else image
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


class MotionMeter:
    """Motion of one camera since an anchor picture.

    Where too few corners of the anchor are left, a picture seen in between becomes the new one, and motions add up.
    """

    def __init__(self, camera: CameraCalibration) -> None:
        """Prepare for pictures of a camera as they arrive, before rectification."""
        self._camera = camera
        self._anchor: Gray | None = None
        self._corners = np.zeros((0, 1, 2), np.float32)
        self._found = self._corners
        self._offset = STILL
        self._latest: tuple[Gray, Motion] | None = None

    def set_anchor(self, picture: Gray, offset: Motion = STILL) -> None:
        """Measure from this picture on."""
        self._anchor, self._offset, self._latest = picture, offset, None
        self._corners = self._found = find_corners(picture)

    def measure(self, picture: Gray) -> Motion | None:
        """Motion from the anchor to a picture; None where too little can be tracked."""
        if self._anchor is None or self._anchor.shape != picture.shape:
            return None
        motion = self._track(picture)
        if motion is None and self._latest is not None:
            self.set_anchor(*self._latest)
            motion = self._track(picture)
        if motion is not None:
            motion = self._offset + motion
            self._latest = (picture, motion)
        return motion

    def _track(self, picture: Gray) -> Motion | None:
        if len(self._corners) < LEAST_TRACKS:
            return None
        assert self._anchor is not None
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            self._anchor,
            picture,
            self._corners,
            self._found.copy(),  # where they were last: far from the anchor, but near this picture
            winSize=WINDOW,
            maxLevel=LEVELS,
            criteria=(3, 12, 0.04),
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        height, width = picture.shape
        x, y = found[:, 0, 0], found[:, 0, 1]
        good = (status.ravel() > 0) & (x >= 0) & (y >= 0) & (x < width) & (y < height)
        if good.sum() < max(LEAST_TRACKS, LEAST_SHARE * len(self._corners)):
            return None
        self._found = np.where(good[:, None, None], found, self._corners).astype(np.float32)
        return self._split(self._corners[good, 0], found[good, 0], picture.shape)

    def _split(self, before: NDArray[np.float32], after: NDArray[np.float32], shape: tuple[int, ...]) -> Motion | None:
        scale = np.array([self._camera.width / shape[1], self._camera.height / shape[0]])
        first, second = (self._rays((points + 0.5) * scale - 0.5) for points in (before, after))
        seen = (np.abs(first) < FISHEYE_EDGE).all(axis=1) & (np.abs(second) < FISHEYE_EDGE).all(axis=1)
        if seen.sum() < LEAST_TRACKS:
            return None
        first, second = first[seen], second[seen]
        focal = float(self._camera.K[0, 0])
        rotation, rest = fit_rotation(first, second)
        x, y, z = rotation.tolist()
        return Motion(_median_length(second - first) * focal, _median_length(rest) * focal, (x, y, z))

    def _rays(self, points: Floats) -> Floats:
        """Pixels (N, 2) of the raw picture to rays (x, y) at depth 1 without distortion."""
        camera = self._camera
        if not camera.distortion:
            return np.asarray((points - camera.K[:2, 2]) / camera.K[[0, 1], [0, 1]])
        undistort = cv2.fisheye.undistortPoints if camera.model == "equidistant" else cv2.undistortPoints
        return np.asarray(undistort(points[:, None].astype(np.float64), camera.K, camera.D)[:, 0], np.float64)


def find_corners(picture: Gray) -> NDArray[np.float32]:
    """(N, 1, 2) places to track, pixels; sought in half the size, which finds as good ones in a third of the time."""
    size = (picture.shape[1] // 2, picture.shape[0] // 2)
    found = None
    if min(picture.shape) > 2 * WINDOW[0]:
        half = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        found = cv2.goodFeaturesToTrack(half, CORNERS, 0.01, 3)
    return np.zeros((0, 1, 2), np.float32) if found is None else np.asarray(found * 2 + 0.5, np.float32)


def _median_length(vectors: Floats) -> float:
    return median(np.hypot(vectors[:, 0], vectors[:, 1]).tolist())  # of fifty numbers, faster than NumPy's


def fit_rotation(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """The rotation of the camera that explains most of a flow, and what it leaves over.

    Args:
        first: (N, 2) rays at depth 1 before.
        second: (N, 2) the same points after.

    Returns:
        (3,) rotation in radians and (N, 2) rest of the flow.
    """
    rotation, rest = fit_small_rotation(first, second - first)
    if float(np.linalg.norm(rotation)) > SMALL_ANGLE:
        # The linear model is off by the square of the angle: turn the points back, and fit what is left.
        turn = np.asarray(cv2.Rodrigues(rotation)[0], np.float64)
        rays: Floats = np.column_stack([second, np.ones(len(second))]) @ turn.T
        more, rest = fit_small_rotation(first, rays[:, :2] / rays[:, 2:] - first)
        rotation = rotation + more
    return rotation, rest


def fit_small_rotation(rays: Floats, flow: Floats) -> tuple[Floats, Floats]:
    """The same for angles small enough to be linear.

    Least absolute residuals, by weighted least squares in rounds: near things and moving cars do not pull.

    Args:
        rays: (N, 2) directions at depth 1.
        flow: (N, 2) their change.

    Returns:
        (3,) rotation in radians and (N, 2) rest.
    """
    x, y = rays.T
    A = np.empty((2 * len(x), 3))
    A[0::2, 0], A[0::2, 1], A[0::2, 2] = x * y, -1 - x * x, y
    A[1::2, 0], A[1::2, 1], A[1::2, 2] = 1 + y * y, -x * y, -x
    b = flow.reshape(-1, 1)
    weighted, rest = A, flow
    rotation: Floats = np.zeros((3, 1))
    damping = DAMPING * np.eye(3)  # a touch: corners all in one line leave one axis open
    for _ in range(FIT_ROUNDS):
        solved = cv2.solve(weighted.T @ A + damping, weighted.T @ b, flags=cv2.DECOMP_CHOLESKY)[1]
        rotation = np.asarray(solved, np.float64)
        rest = (b - A @ rotation).reshape(-1, 2)
        weights = 1 / np.maximum(np.hypot(rest[:, 0], rest[:, 1]), LEAST_RESIDUAL)
        weighted = A * np.repeat(weights, 2)[:, None]
    return rotation[:, 0], rest
