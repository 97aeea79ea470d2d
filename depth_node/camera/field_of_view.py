# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A camera of which only the horizontal field of view is known."""

from __future__ import annotations

import math

from depth_node.camera.calibration import CameraCalibration


def pinhole_camera(width: int, height: int, degrees: float) -> CameraCalibration:
    """A camera without distortion, with square pixels, that looks straight at the middle of its pictures.

    Args:
        width: of its pictures, pixels.
        height: of its pictures, pixels.
        degrees: from their left side to their right, 0 to 180.
    """
    focal = width / 2 / math.tan(math.radians(degrees) / 2)
    # Pixel centres lie at integers: the middle of two pixels is at 0.5.
    x, y = (width - 1) / 2, (height - 1) / 2
    K = (focal, 0.0, x, 0.0, focal, y, 0.0, 0.0, 1.0)
    rotation = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    projection = (focal, 0.0, x, 0.0, 0.0, focal, y, 0.0, 0.0, 0.0, 1.0, 0.0)
    return CameraCalibration(width, height, "plumb_bob", (), K, rotation, projection)
