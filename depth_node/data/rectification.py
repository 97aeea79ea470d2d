"""Lens distortion removed: pictures as a pinhole camera would have taken them, at the same size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.data.calibration import CameraCalibration, Matrix, Row

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
    """

    frame_id: str
    width: int
    height: int
    intrinsics: Row
    rotation: Row

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
    """

    def __init__(self, camera: CameraCalibration, enabled: bool = True) -> None:
        """Prepare the maps.

        Args:
            camera: as its raw pictures arrive.
            enabled: false when the pictures are rectified already, and P describes them.
        """
        self.is_identity = not enabled or camera.is_rectified
        self.K: Matrix = camera.K if enabled else camera.rectified_K
        self.R: Matrix = camera.R
        self.width, self.height = camera.width, camera.height
        if not self.is_identity:
            self.K = camera.rectified_K if camera.has_projection else full_picture_K(camera)
            self._maps = _rectification_maps(camera, self.K)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Rectify (H, W, C) uint8; outside of the raw picture is black."""
        if self.is_identity:
            return image
        return np.asarray(cv2.remap(image, *self._maps, cv2.INTER_LINEAR), np.uint8)

    def stored_camera(self, frame_id: str) -> StoredCamera:
        """The camera of the pictures that come out; `frame_id` is the raw camera's optical frame."""
        K, R = (tuple(float(value) for value in matrix.ravel()) for matrix in (self.K, self.R))
        return StoredCamera(frame_id, self.width, self.height, K, R)


def full_picture_K(camera: CameraCalibration) -> Matrix:  # noqa: N802
    """(3, 3) intrinsics of a rectified picture of the same size with as few black pixels as can be, pixels."""
    size = (camera.width, camera.height)
    if camera.model == "equidistant":
        K = cv2.fisheye.estimateNewCameraMatrixForUndistortRectify(camera.K, camera.D, size, camera.R, balance=0.0)
    else:
        K = cv2.getOptimalNewCameraMatrix(camera.K, camera.D, size, 0.0)[0]
    return np.asarray(K, np.float64)


def _rectification_maps(camera: CameraCalibration, K: Matrix) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    size = (camera.width, camera.height)
    fisheye = camera.model == "equidistant" and camera.distortion
    compute = cv2.fisheye.initUndistortRectifyMap if fisheye else cv2.initUndistortRectifyMap
    # Fixed-point maps: remap is twice as fast with them, exact to 1/32 pixel.
    first, second = compute(camera.K, camera.D, camera.R, K, size, cv2.CV_16SC2)
    return np.asarray(first, np.int16), np.asarray(second, np.uint16)


def should_rectify(mode: str, topic: str) -> bool:
    """Whether pictures of `topic` are raw and want rectifying; image_pipeline names rectified ones `image_rect...`."""
    if mode != "auto":
        return mode == "always"
    parts = [part for part in topic.split("/") if part]
    return not any(part.startswith("image_rect") for part in parts[-2:])
