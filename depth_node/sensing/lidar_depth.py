# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Lidar points to the depth pictures of the camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.camera.calibration import Matrix
from depth_node.camera.rectification import StoredCamera

Depth = NDArray[np.float32]
REACHES = (1, 2, 4, 8, 16)
"""Distances in pixels at which a nearer point is looked for."""


def project_points(points: NDArray[np.floating], T_camera_lidar: Matrix, camera: StoredCamera) -> Depth:
    """Depth of the points in the picture; of several in one pixel the nearest stays.

    Pixel centres lie at integers, so that a point belongs to its rounded position. (The Eigen tables take one pixel
    less, a heritage of counting from 1: `evaluation.ground_truth` does so when it projects scans itself.)

    Args:
        points: (N, 3 or 4) lidar coordinates, m.
        T_camera_lidar: (4, 4) to the axes of the picture.
        camera: of the picture.

    Returns:
        (H, W) metres along the optical axis, NaN where no point falls.
    """
    x, y, z = T_camera_lidar[:3, :3] @ points[:, :3].T.astype(np.float64) + T_camera_lidar[:3, 3:]
    ahead = z > 1e-3
    rays = np.stack([x[ahead], y[ahead], z[ahead]]) / z[ahead]
    column, row = np.rint(camera.K[:2] @ rays).astype(np.int64)
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    depth = np.full(camera.height * camera.width, np.inf)
    np.minimum.at(depth, row[inside] * camera.width + column[inside], z[ahead][inside])
    depth[np.isinf(depth)] = np.nan
    return depth.reshape(camera.height, camera.width).astype(np.float32)


def drop_hidden(depth: Depth, T_camera_lidar: Matrix, camera: StoredCamera) -> Depth:
    """Leave out points that the lidar saw past an object which hides them from the camera.

    Seen from the camera instead of the lidar, a baseline b away, a nearer point moves by up to
    f b (1 / z_near - 1 / z_far) pixels over the farther ones. A point is left out where a nearer one lies within that
    reach. A few visible ones at edges go with them, which costs truth nothing.

    Args:
        depth: (H, W) metres, NaN not measured.
        T_camera_lidar: (4, 4), for the baseline.
        camera: of the picture.

    Returns:
        (H, W) metres, NaN not measured or hidden.
    """
    parallax = float(np.linalg.norm(T_camera_lidar[:3, 3])) * float(max(camera.K[0, 0], camera.K[1, 1]))
    inverse = np.nan_to_num(1.0 / depth, nan=0.0).astype(np.float32)
    hidden = np.zeros(depth.shape, np.bool_)
    for reach in REACHES:
        size = 2 * reach + 1
        nearest = cv2.dilate(inverse, cv2.getStructuringElement(cv2.MORPH_RECT, (size, size)))
        hidden |= parallax * (nearest - inverse) >= reach
    return np.where(hidden, np.float32(np.nan), depth)
