# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a `sensor_msgs/CameraInfo` says about the pictures that come with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.errors import CalibrationError

Matrix = NDArray[np.float64]
Row = tuple[float, ...]

DISTORTION_SIZES = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}
"""Distortion models and the numbers of coefficients they may have."""

SHORTEST, SMALL = 0.05, 8
"""Focal length, in widths, below which no lens is (168 degrees without distortion), and pixels of a tiny picture."""
UNEQUAL = 1.5
"""Ratio of the two focal lengths beyond which something was mixed up; squeezed pictures of video cameras have 1.33."""

SAME = 0.002
"""Share of the picture's size (of 1, for rotation and distortion) by which one camera's calibration may wander.

A focal length that is off by so much moves the edge of the picture by a thousandth of its width.
"""

ALIASES = {"": "plumb_bob", "fisheye": "equidistant", "kannala_brandt4": "equidistant"}
"""Other names that drivers give to the models above."""


class UncalibratedError(CalibrationError):
    """A driver that knows no calibration, or none yet, and says so by K = 0."""


@dataclass(frozen=True)
class CameraCalibration:
    """One camera as its pictures arrive: binning and region of interest are already applied.

    Tuples rather than arrays, so that two calibrations compare and hash.

    Attributes:
        width: pixels of the picture.
        height: pixels of the picture.
        model: `plumb_bob`, `rational_polynomial` or `equidistant`.
        distortion: coefficients D, empty when the picture has none. Equidistant keeps its zeros: r = f theta bends
            straight lines even so.
        intrinsics: K, 9 numbers row by row, pixels of the raw picture.
        rotation: R, 9 numbers, raw to rectified camera axes.
        projection: P, 12 numbers, pixels of the rectified picture; all 0 when not given.
    """

    width: int
    height: int
    model: str
    distortion: Row
    intrinsics: Row
    rotation: Row
    projection: Row

    @classmethod
    def from_camera_info(cls, info: Any) -> CameraCalibration:
        """Read a CameraInfo message of rclpy or rosbags.

        Raises:
            CalibrationError: the camera is uncalibrated, or its numbers cannot be a camera's.
        """
        # ROS 1 writes them large.
        k, r, p, d = (_numbers(getattr(info, name, getattr(info, name.upper(), ())), name) for name in "krpd")
        if k.size != 9 or k[0] == 0:
            raise UncalibratedError(
                "camera_info has K[0] = 0, the camera is uncalibrated: calibrate it (ros2 run camera_calibration "
                "cameracalibrator)"
            )
        model, d = _distortion(str(info.distortion_model).strip().lower(), d)
        if min(k[0], k[4]) <= 0 or min(info.width, info.height) < 1:
            raise CalibrationError(
                f"camera_info is broken: focal lengths {k[0]:g}, {k[4]:g} px and size {info.width}x{info.height} "
                "must be positive"
            )
        window = _Window.from_camera_info(info)
        _check_pixels(k.reshape(3, 3), info)
        rotation = r if r.any() else np.eye(3).ravel()
        projection = p if p.size == 12 and p[0] > 0 else np.zeros(12)
        return cls(
            window.width,
            window.height,
            model,
            _row(d),
            _row(window.apply(k.reshape(3, 3))),
            _row(rotation),
            _row(window.apply(projection.reshape(3, 4))),
        )

    @property
    def K(self) -> Matrix:  # noqa: N802 (the field's name)
        """(3, 3) intrinsics of the raw picture, pixels."""
        return np.array(self.intrinsics).reshape(3, 3)

    @property
    def D(self) -> Matrix:  # noqa: N802
        """(n,) distortion coefficients."""
        return np.array(self.distortion)

    @property
    def R(self) -> Matrix:  # noqa: N802
        """(3, 3) rotation from raw to rectified camera axes."""
        return np.array(self.rotation).reshape(3, 3)

    @property
    def P(self) -> Matrix:  # noqa: N802
        """(3, 4) projection of the rectified picture, pixels; all 0 when not given."""
        return np.array(self.projection).reshape(3, 4)

    @property
    def has_projection(self) -> bool:
        """Whether P was given."""
        return self.projection[0] > 0

    @property
    def is_rectified(self) -> bool:
        """Whether raw and rectified picture are the same: no distortion, no rotation."""
        return not self.distortion and bool(np.allclose(self.R, np.eye(3), atol=1e-9))

    @property
    def rectified_K(self) -> Matrix:  # noqa: N802
        """(3, 3) intrinsics of a picture that is rectified already, pixels: P's, or K where P is not given."""
        return self.P[:, :3] if self.has_projection else self.K

    def is_close(self, other: CameraCalibration) -> bool:
        """Whether two calibrations are one camera's, that focuses or steadies its pictures now and then."""
        kind = self.width, self.height, self.model, len(self.distortion), self.has_projection
        if kind != (other.width, other.height, other.model, len(other.distortion), other.has_projection):
            return False
        pixels = SAME * max(self.width, self.height)
        return (
            is_same_view(self.intrinsics, other.intrinsics, self.width, self.height)
            and bool(np.allclose(self.projection, other.projection, rtol=0, atol=pixels))
            and bool(np.allclose(self.rotation, other.rotation, rtol=0, atol=SAME))
            and bool(np.allclose(self.distortion, other.distortion, rtol=0, atol=SAME))
        )

    @property
    def doubts(self) -> list[str]:
        """What is hard to believe about this camera though it may be so, a line each."""
        return doubts_about(self.intrinsics, self.width, self.height)

    def check_image(self, width: int, height: int) -> None:
        """Raise CalibrationError unless a picture has the size this calibration is for."""
        if (width, height) != (self.width, self.height):
            raise CalibrationError(
                f"image is {width}x{height}, but camera_info describes {self.width}x{self.height} "
                "(after binning and region of interest): use the camera_info that belongs to this image topic"
            )


@dataclass(frozen=True)
class _Window:
    """The part of the sensor a picture shows (pixels of the full sensor) and how many of its pixels make one."""

    x: int
    y: int
    width: int
    height: int
    bin_x: int
    bin_y: int

    @classmethod
    def from_camera_info(cls, info: Any) -> _Window:
        roi = info.roi
        bin_x, bin_y = max(int(info.binning_x), 1), max(int(info.binning_y), 1)
        width, height = int(roi.width) or int(info.width), int(roi.height) or int(info.height)
        return cls(int(roi.x_offset), int(roi.y_offset), width // bin_x, height // bin_y, bin_x, bin_y)

    def apply(self, camera: Matrix) -> Matrix:
        """Intrinsics (3, 3) or projection (3, 4) of the full sensor to those of the window; zeros stay zeros."""
        if not camera.any():
            return camera
        # Pixel centres lie at integers: the centre of the first binned pixel is at (bin - 1) / 2 of the full ones.
        offset = np.array([self.x + (self.bin_x - 1) / 2, self.y + (self.bin_y - 1) / 2, 0.0])
        moved = camera - offset[:, None] * camera[2]
        return moved / np.array([[self.bin_x], [self.bin_y], [1.0]])


def is_same_view(K: Row, other: Row, width: int, height: int) -> bool:
    """Whether two K (9 numbers, row by row) of pictures of one size differ by no more than `SAME` of the size."""
    return bool(np.allclose(K, other, rtol=0, atol=SAME * max(width, height)))


def doubts_about(intrinsics: Row, width: int, height: int) -> list[str]:
    """What is hard to believe about K (9 numbers, row by row) of a picture though it may be so, a line each."""
    fx, fy, cx, cy = intrinsics[0], intrinsics[4], intrinsics[2], intrinsics[5]
    found = []
    if not (0 <= cx < width and 0 <= cy < height):
        found.append(
            f"its principal point ({cx:.0f}, {cy:.0f}) lies outside of the {width}x{height} picture: is camera_info "
            "for another size, or a region of interest missing in it?"
        )
    if not 1 / UNEQUAL < fx / fy < UNEQUAL:
        found.append(f"its focal lengths, {fx:.0f} and {fy:.0f} pixels, differ more than any lens makes them")
    return found


def _check_pixels(K: Matrix, info: Any) -> None:
    """Raise CalibrationError where K cannot be in pixels of the sensor, or the region of interest not on it."""
    if K[0, 0] < SHORTEST * info.width or max(K[0, 2], K[1, 2]) <= 1 < min(info.width, info.height) / SMALL:
        raise CalibrationError(
            f"camera_info has focal length {K[0, 0]:g} and principal point ({K[0, 2]:g}, {K[1, 2]:g}) for a picture of "
            f"{info.width}x{info.height}: K must be in pixels (it looks like the identity, or divided by the size)"
        )
    roi = info.roi
    if roi.x_offset + roi.width > info.width or roi.y_offset + roi.height > info.height:
        raise CalibrationError(
            f"camera_info has a region of interest of {roi.width}x{roi.height} at ({roi.x_offset}, {roi.y_offset}), "
            f"beyond its sensor of {info.width}x{info.height}: width and height are to be those of the whole sensor"
        )


def _numbers(values: Any, name: str) -> Matrix:
    numbers = np.asarray(values, np.float64).ravel()
    if not np.isfinite(numbers).all():
        raise CalibrationError(f"camera_info field {name} is not finite: calibrate the camera again")
    return numbers


def _distortion(model: str, d: Matrix) -> tuple[str, Matrix]:
    model = ALIASES.get(model, model)
    if not d.any() and not (model == "equidistant" and d.size):
        return model if model in DISTORTION_SIZES else "plumb_bob", d[:0]
    if model not in DISTORTION_SIZES:
        raise CalibrationError(f"distortion model '{model}' is not supported: use {', '.join(DISTORTION_SIZES)}")
    sizes = DISTORTION_SIZES[model]
    if d.size not in sizes:  # some drivers fill up with zeros, which change nothing
        used = int(np.flatnonzero(d)[-1]) + 1 if d.any() else 0
        fitting = [size for size in sizes if used <= size <= d.size]
        d = d[: fitting[0]] if fitting else d
    if d.size not in sizes:
        wanted = " or ".join(str(size) for size in sizes)
        raise CalibrationError(f"distortion model {model} has {d.size} coefficients, but needs {wanted}")
    return model, d


def _row(values: Matrix) -> Row:
    return tuple(float(value) for value in values.ravel())
