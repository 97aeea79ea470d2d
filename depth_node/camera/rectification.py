# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Lens distortion removed: pictures as a pinhole camera would have taken them.

The live node keeps the picture's size, as camera_info's P has it, and what the lens did not see is black. The recorder
crops to what it saw: black edges that stand still teach a network wrong motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.camera.calibration import CameraCalibration, Matrix, Row
from depth_node.errors import CalibrationError

Floats = NDArray[np.float32]
Window = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are the first ones outside."""
LEAST_SHARE = 0.1
"""A crop that keeps less than this share of the picture means a wrong calibration."""

MUCH = 0.6
"""Share of a rectified picture that should be seen; wide lenses lose a third at most by the usual choices of P."""

RECTIFY = ("auto", "never", "always")
"""When to rectify: auto does so where camera_info has distortion and the topic is not named as rectified."""


@dataclass(frozen=True)
class StoredCamera:
    """The pinhole camera of stored pictures.

    Attributes:
        frame_id: optical frame of the camera as it was mounted.
        width: pixels.
        height: pixels.
        intrinsics: K, 9 numbers row by row, pixels.
        rotation: 9 numbers, from the axes of `frame_id` to those of the stored pictures.
        is_rectified: whether the pictures are other pixels than the camera's, distortion having been removed.
    """

    frame_id: str
    width: int
    height: int
    intrinsics: Row
    rotation: Row
    is_rectified: bool = False

    @property
    def K(self) -> Matrix:  # noqa: N802 (the field's name)
        """(3, 3) intrinsics, pixels."""
        return np.array(self.intrinsics).reshape(3, 3)

    @property
    def R(self) -> Matrix:  # noqa: N802
        """(3, 3) rotation from the mounted camera's axes to those of the pictures."""
        return np.array(self.rotation).reshape(3, 3)


class Rectifier:
    """Maps of one camera, computed once; identity for a camera without distortion and rotation.

    Attributes:
        K: (3, 3) intrinsics of the rectified pictures, pixels.
        R: (3, 3) rotation from the raw camera's axes to those of the rectified pictures.
        width: of the rectified pictures, pixels.
        height: of the rectified pictures, pixels.
        is_identity: pictures pass through untouched.
        seen: share of the rectified picture, before it is cut, that the raw one shows.
    """

    def __init__(self, camera: CameraCalibration, enabled: bool = True, crop: bool = False) -> None:
        """Prepare the maps.

        Args:
            camera: as its raw pictures arrive.
            enabled: false when the pictures are rectified already, and P describes them.
            crop: cut the rectified picture down to pixels that the raw one shows; its size and K change.

        Raises:
            CalibrationError: the rectified picture would show next to nothing of the raw one.
        """
        self.is_identity = not enabled or camera.is_rectified
        self.K: Matrix = camera.K if enabled else camera.rectified_K
        self.R: Matrix = camera.R
        self.width, self.height = camera.width, camera.height
        self.seen = 1.0
        if self.is_identity:
            return
        K = camera.rectified_K if camera.has_projection else full_picture_K(camera)
        x, y = _raw_positions(camera, K)
        seen = _seen(x, y)
        self.seen = float(seen.mean())
        left, top, right, bottom = _largest_window(seen, K) if crop else (0, 0, camera.width, camera.height)
        self.width, self.height = right - left, bottom - top
        if self.width * self.height < LEAST_SHARE * camera.width * camera.height:
            raise CalibrationError(
                f"rectified pictures would keep {max(self.width, 0)}x{max(self.height, 0)} of {camera.width}x"
                f"{camera.height} pixels: D ({camera.model}) or P of camera_info is wrong, calibrate the camera again"
            )
        self.K = K - np.array([[0, 0, left], [0, 0, top], [0, 0, 0]])
        inside = np.s_[top:bottom, left:right]
        # Fixed-point maps: remap is twice as fast with them, exact to 1/32 pixel.
        self._maps = cv2.convertMaps(np.ascontiguousarray(x[inside]), np.ascontiguousarray(y[inside]), cv2.CV_16SC2)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Rectify (H, W, C) uint8; outside of the raw picture is black."""
        if self.is_identity:
            return image
        return np.asarray(cv2.remap(image, *self._maps, cv2.INTER_LINEAR), np.uint8)

    @property
    def doubts(self) -> list[str]:
        """What is hard to believe about the rectified pictures though it may be so, a line each."""
        if self.seen >= MUCH:
            return []
        return [
            f"the camera shows only {self.seen:.0%} of the rectified picture that P asks for, the rest is black: "
            "calibrate again, or set P for a narrower view"
        ]

    def stored_camera(self, frame_id: str) -> StoredCamera:
        """The camera of the pictures that come out; `frame_id` is the raw camera's optical frame."""
        K, R = (tuple(float(value) for value in matrix.ravel()) for matrix in (self.K, self.R))
        return StoredCamera(frame_id, self.width, self.height, K, R, not self.is_identity)


def full_picture_K(camera: CameraCalibration) -> Matrix:  # noqa: N802
    """(3, 3) intrinsics of a rectified picture of the same size with as few black pixels as can be, pixels."""
    size = (camera.width, camera.height)
    if not camera.distortion:
        return camera.K
    if camera.model == "equidistant":
        K = cv2.fisheye.estimateNewCameraMatrixForUndistortRectify(camera.K, camera.D, size, camera.R, balance=0.0)
    else:
        K = cv2.getOptimalNewCameraMatrix(camera.K, camera.D, size, 0.0)[0]
    return np.asarray(K, np.float64)


def _raw_positions(camera: CameraCalibration, K: Matrix) -> tuple[Floats, Floats]:
    """Column and row in the raw picture of every rectified pixel, (H, W) each."""
    fisheye = camera.model == "equidistant" and camera.distortion
    compute = cv2.fisheye.initUndistortRectifyMap if fisheye else cv2.initUndistortRectifyMap
    x, y = compute(camera.K, camera.D, camera.R, K, (camera.width, camera.height), cv2.CV_32FC1)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _seen(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Which rectified pixels the raw picture shows.

    Beyond the rays that a polynomial was fitted to, it may fold back into the picture; there the map is mirrored,
    its determinant negative.
    """
    height, width = x.shape
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    x_down, x_across = np.gradient(x)
    y_down, y_across = np.gradient(y)
    return inside & (x_across * y_down > x_down * y_across)


def _largest_window(seen: NDArray[np.bool_], K: Matrix) -> Window:
    """A window without unseen pixels around the principal point, shrunk from the border by the worst edge first."""
    height, width = seen.shape
    parts = cv2.connectedComponents(seen.astype(np.uint8), connectivity=4)[1]
    column, row = (
        int(np.clip(round(value), 0, size - 1)) for value, size in zip(K[:2, 2], (width, height), strict=True)
    )
    missing = cv2.integral((parts != parts[row, column]).astype(np.uint8) | ~seen)
    left, top, right, bottom = 0, 0, width, height

    def count(x0: int, y0: int, x1: int, y1: int) -> int:
        return int(missing[y1, x1] - missing[y0, x1] - missing[y1, x0] + missing[y0, x0])

    while right > left and bottom > top and count(left, top, right, bottom):
        across, down = right - left, bottom - top
        shares = (
            count(left, top, left + 1, bottom) / down,
            count(left, top, right, top + 1) / across,
            count(right - 1, top, right, bottom) / down,
            count(left, bottom - 1, right, bottom) / across,
        )
        worst = int(np.argmax(shares))
        left, top = left + (worst == 0), top + (worst == 1)
        right, bottom = right - (worst == 2), bottom - (worst == 3)
    return left, top, right, bottom


def should_rectify(mode: str, topic: str) -> bool:
    """Whether pictures of `topic` are raw and want rectifying; image_pipeline names rectified ones `image_rect...`."""
    if mode != "auto":
        return mode == "always"
    parts = [part for part in topic.split("/") if part]
    return not any(part.startswith("image_rect") for part in parts[-2:])
