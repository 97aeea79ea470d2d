# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""KITTI calibration files: `key: numbers` lines, matrices row by row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_node.errors import SequenceError
from depth_node.kitti.timestamps import format_timestamp

Numbers = dict[str, NDArray[np.float64]]

VELODYNE_TO_CAMERA = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""Rotation from KITTI's lidar axes (x forward, y left, z up) to the camera's (x right, y down, z forward)."""


@dataclass(frozen=True)
class KittiCalibration:
    """The rectified camera.

    Attributes:
        width: pixels.
        height: pixels.
        projection: (3, 4) from rectified camera-0 coordinates (m) to pixels, `P_rect`.
        rectification: (3, 3) rotation of camera 0, `R_rect_00`.
    """

    width: int
    height: int
    projection: NDArray[np.float64]
    rectification: NDArray[np.float64]

    @property
    def K(self) -> NDArray[np.float64]:  # noqa: N802 (the field's name)
        """(3, 3) intrinsics, pixels."""
        return self.projection[:, :3]


def read_numbers(path: Path) -> Numbers:
    """All numeric lines of a calibration file; text lines (dates) are left out. Raises SequenceError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SequenceError(f"cannot read calibration {path}: {getattr(error, 'strerror', None) or error}") from None
    numbers: Numbers = {}
    for line in lines:
        key, _, values = line.partition(":")
        try:
            numbers[key.strip()] = np.array([float(value) for value in values.split()])
        except ValueError:
            continue
    return numbers


def matrix(numbers: Numbers, key: str, shape: tuple[int, ...], path: Path) -> NDArray[np.float64]:
    """One entry of a calibration file in its shape; raises SequenceError when absent, cut or not finite."""
    values = numbers.get(key)
    if values is None or values.size != np.prod(shape) or not np.isfinite(values).all():
        raise SequenceError(f"calibration {path} needs '{key}' with {np.prod(shape)} numbers")
    return values.reshape(shape)


def read_calibration(path: Path, camera: int = 2) -> KittiCalibration:
    """Read camera 0 to 3 from `calib_cam_to_cam.txt`; raises SequenceError."""
    numbers = read_numbers(path)
    size = matrix(numbers, f"S_rect_{camera:02d}", (2,), path)
    projection = matrix(numbers, f"P_rect_{camera:02d}", (3, 4), path)
    if min(projection[0, 0], projection[1, 1], *size) <= 0:
        raise SequenceError(f"calibration {path}: focal length and size of camera {camera} must be positive")
    rectification = matrix(numbers, "R_rect_00", (3, 3), path)
    return KittiCalibration(int(size[0]), int(size[1]), projection, rectification)


def read_transform(path: Path) -> NDArray[np.float64]:
    """Read `R` and `T` of `calib_velo_to_cam.txt` or `calib_imu_to_velo.txt`: (4, 4), metres. Raises SequenceError."""
    numbers = read_numbers(path)
    if np.isnan(numbers.get("R", np.zeros(0))).any():
        raise SequenceError(
            f"{path} says that nobody knows where the sensor sits: record again with --extrinsics FILE, or write R and "
            "T into that file"
        )
    transform = np.eye(4)
    transform[:3, :3] = matrix(numbers, "R", (3, 3), path)
    transform[:3, 3] = matrix(numbers, "T", (3,), path)
    return transform


def lidar_at_camera() -> NDArray[np.float64]:
    """T_camera_lidar (4, 4) of a lidar, real or not, at the camera's centre."""
    transform = np.eye(4)
    transform[:3, :3] = VELODYNE_TO_CAMERA
    return transform


def write_calibration(
    folder: Path,
    K: NDArray[np.float64],
    width: int,
    height: int,
    stamp_ns: int,
    T_camera_lidar: NDArray[np.float64] | None = None,
    T_lidar_imu: NDArray[np.float64] | None = None,
) -> None:
    """Write the three calibration files of a day with one rectified camera.

    KITTI readers open four cameras, a lidar and an IMU: all four get this camera, a lidar or IMU that does not exist
    sits at its centre in KITTI's axes. Of one that does, but nobody knows where, every number is NaN. All distortion
    is zero, for the pictures are already rectified.

    Args:
        folder: the date folder, made if needed.
        K: (3, 3) intrinsics of the stored pictures, pixels.
        width: pixels.
        height: pixels.
        stamp_ns: what `calib_time` says.
        T_camera_lidar: (4, 4) lidar coordinates to those of the stored pictures, m.
        T_lidar_imu: (4, 4) coordinates of the IMU (what oxts describes) to the lidar's, m.
    """
    folder.mkdir(parents=True, exist_ok=True)
    time = f"calib_time: {format_timestamp(stamp_ns)[:19]}\n"
    cameras: Numbers = {"corner_dist": np.zeros(1)}
    for camera in range(4):
        cameras |= _camera_entries(camera, K, width, height)
    lidar = _rigid_entries(lidar_at_camera() if T_camera_lidar is None else T_camera_lidar)
    imu = _rigid_entries(np.eye(4) if T_lidar_imu is None else T_lidar_imu)
    empty: Numbers = {"delta_f": np.zeros(2), "delta_c": np.zeros(2)}
    files: dict[str, Numbers] = {"cam_to_cam": cameras, "velo_to_cam": lidar | empty, "imu_to_velo": imu}
    for name, numbers in files.items():
        (folder / f"calib_{name}.txt").write_text(time + _format(numbers), encoding="ascii")


def _rigid_entries(transform: NDArray[np.float64]) -> Numbers:
    return {"R": transform[:3, :3], "T": transform[:3, 3]}


def _camera_entries(camera: int, K: NDArray[np.float64], width: int, height: int) -> Numbers:
    size = np.array([width, height], np.float64)
    projection = np.hstack([K, np.zeros((3, 1))])
    entries = {"S": size, "K": K, "D": np.zeros(5), "R": np.eye(3), "T": np.zeros(3)}
    rectified = {"S_rect": size, "R_rect": np.eye(3), "P_rect": projection}
    return {f"{key}_{camera:02d}": value for key, value in (entries | rectified).items()}


def _format(numbers: Numbers) -> str:
    # repr-exact numbers: KITTI's own seven digits would move a pixel ray by less than noise, but not by zero.
    rows = ((key, " ".join(f"{float(value):.17g}" for value in entry.flat)) for key, entry in numbers.items())
    return "".join(f"{key}: {row}\n" for key, row in rows)
