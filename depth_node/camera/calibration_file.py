# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Camera calibrations that people keep in files: camera_calibration's YAML, an echoed CameraInfo, KITTI's text."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml

from depth_node.camera.calibration import CameraCalibration
from depth_node.errors import CalibrationError
from depth_node.kitti.calibration import KittiCalibration, read_calibration

# Names of camera_calibration's YAML, and of the CameraInfo message that `ros2 topic echo --once` prints.
MATRICES = {
    "k": ("camera_matrix", "k"),
    "d": ("distortion_coefficients", "d"),
    "r": ("rectification_matrix", "r"),
    "p": ("projection_matrix", "p"),
}


def read_camera(path: Path) -> CameraCalibration:
    """Read a camera from YAML (camera_calibration or CameraInfo) or from KITTI's `calib_cam_to_cam.txt` (camera 2).

    Raises:
        CalibrationError: the file cannot be read or describes no calibrated camera.
        SequenceError: a KITTI file lacks an entry.
    """
    if path.suffix == ".txt":
        return rectified_camera(read_calibration(path))
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8").split("\n---")[0])
    except OSError as error:
        raise CalibrationError(f"cannot read calibration {path}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise CalibrationError(f"calibration {path} is no YAML file") from None
    try:
        info = _camera_info(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CalibrationError(
            f"calibration {path} needs image_width, image_height and camera_matrix, as camera_calibration writes them"
        ) from None
    return CameraCalibration.from_camera_info(info)


def rectified_camera(calibration: KittiCalibration) -> CameraCalibration:
    """The camera of rectified KITTI pictures."""
    identity = tuple(float(value) for value in np.eye(3).ravel())
    K = tuple(float(value) for value in calibration.K.ravel())
    projection = tuple(float(value) for value in calibration.projection.ravel())
    return CameraCalibration(calibration.width, calibration.height, "plumb_bob", (), K, identity, projection)


def _camera_info(content: Any) -> SimpleNamespace:
    """A CameraInfo-like record of a YAML file; raises KeyError and others where it is none."""
    matrices = {name: _first(content, names) for name, names in MATRICES.items()}
    if matrices["k"] is None:
        raise KeyError("camera_matrix")
    return SimpleNamespace(
        width=int(content.get("image_width", content.get("width"))),
        height=int(content.get("image_height", content.get("height"))),
        distortion_model=content.get("distortion_model", ""),
        binning_x=int(content.get("binning_x", 0)),
        binning_y=int(content.get("binning_y", 0)),
        roi=SimpleNamespace(**({"x_offset": 0, "y_offset": 0, "width": 0, "height": 0} | content.get("roi", {}))),
        **{
            name: [float(v) for v in values or ([0.0] * 12 if name == "p" else [])] for name, values in matrices.items()
        },
    )


def _first(content: Any, names: tuple[str, ...]) -> list[float] | None:
    for name in names:
        if name in content:
            entry = content[name]
            return entry["data"] if isinstance(entry, dict) else entry
    return None
