# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The exact truth beside a simulated bag: depth, labels, poses and calibration, written and read here only.

Layout of the folder: depth/%010d.tiff (float32 metres along z, inf in the sky), labels/%010d.png (Cityscapes
train ids), poses.txt (KITTI odometry: twelve numbers per frame, camera to first camera), times.txt (stamps in ns),
calibration.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.atomic_file import replacing
from depth_node.errors import SimulationError
from depth_node.image_file import write_image

DEPTH, LABELS, POSES, TIMES, CALIBRATION = "depth", "labels", "poses.txt", "times.txt", "calibration.json"


def depth_path(folder: Path, frame: int) -> Path:
    """File of one frame's depth in a ground-truth folder."""
    return folder / DEPTH / f"{frame:010d}.tiff"


def labels_path(folder: Path, frame: int) -> Path:
    """File of one frame's labels in a ground-truth folder."""
    return folder / LABELS / f"{frame:010d}.png"


def write_depth(path: Path, depth: NDArray[np.float32]) -> None:
    """Write (H, W) float32 metres."""
    write_image(path, depth, [cv2.IMWRITE_TIFF_COMPRESSION, 1])


def write_labels(path: Path, labels: NDArray[np.uint8]) -> None:
    """Write (H, W) class numbers."""
    write_image(path, labels, [cv2.IMWRITE_PNG_COMPRESSION, 3])


def read_depth(path: str | Path) -> NDArray[np.float32]:
    """Depth (H, W) float32 in metres along z, inf in the sky; raises SimulationError."""
    depth = _read_image(path)
    if depth.dtype != np.float32 or depth.ndim != 2:
        raise SimulationError(f"'{path}' is no ground-truth depth: expected one channel of float32 metres")
    return depth


def read_labels(path: str | Path) -> NDArray[np.uint8]:
    """Labels (H, W) uint8, Cityscapes train ids; raises SimulationError."""
    labels = _read_image(path)
    if labels.dtype != np.uint8 or labels.ndim != 2:
        raise SimulationError(f"'{path}' is no label image: expected one channel of 8 bits")
    return labels


def _read_image(path: str | Path) -> NDArray[Any]:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SimulationError(f"cannot read '{path}': {error.strerror}") from None
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if image is None:
        raise SimulationError(f"'{path}' is damaged or no image: simulate the drive again")
    return image


def write_poses(path: Path, poses: Sequence[NDArray[np.float64]]) -> None:
    """Write T_first_camera (4, 4) per frame in KITTI's odometry format."""
    lines = [" ".join(f"{value:.9e}" for value in pose[:3].ravel()) for pose in poses]
    write_text(path, "\n".join(lines) + "\n")


def read_poses(path: str | Path) -> NDArray[np.float64]:
    """Poses (N, 4, 4) that map each camera's coordinates to the first camera's, m; raises SimulationError."""
    try:
        rows = np.loadtxt(path, ndmin=2).reshape(-1, 3, 4)
    except (OSError, ValueError) as error:
        raise SimulationError(f"'{path}' is no KITTI pose file: {error}") from None
    bottom = np.tile([[[0.0, 0.0, 0.0, 1.0]]], (len(rows), 1, 1))
    return np.concatenate([rows, bottom], axis=1)


def read_times(path: str | Path) -> list[int]:
    """Stamp of each frame in ns; raises SimulationError."""
    try:
        return [int(line) for line in Path(path).read_text().split()]
    except (OSError, ValueError) as error:
        raise SimulationError(f"'{path}' is no list of stamps: {error}") from None


def read_calibration(path: str | Path) -> dict[str, Any]:
    """The calibration: width, height, K (3x3), T_base_camera, T_base_lidar, class names; raises SimulationError."""
    try:
        return dict(json.loads(Path(path).read_text()))
    except (OSError, ValueError) as error:
        raise SimulationError(f"'{path}' is no calibration: {error}") from None


def write_calibration(path: Path, calibration: Mapping[str, Any]) -> None:
    """Write the calibration as JSON."""
    write_text(path, json.dumps(calibration, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step."""
    with replacing(path) as temporary:
        temporary.write_text(text)
