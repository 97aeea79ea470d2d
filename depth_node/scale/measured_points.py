# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scale from what measures distances itself: lidar, laser scanner, range finder.

The measured points that the camera sees are divided by the predicted depth at their pixels; the median of the
logarithms stands for the picture, so that up to half of the points may lie on what the network gets wrong.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depth_node.camera.rectification import StoredCamera
from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading, Reading
from depth_node.sensing.lidar_depth import drop_hidden, project_points

NEAREST, FARTHEST = 1.0, 60.0
"""Metres along the optical axis between which points count: what is nearer may be the vehicle itself."""
LEAST_CLOUD_POINTS, LEAST_SCAN_POINTS = 50, 8
CONE_PIXELS = 5
"""Fewer pixels in a range finder's cone are none."""
ROUNDS = 3
NEAR_SHARE = 0.05
"""A sound comes back from the nearest part of what is in the cone."""


def scale_of_points(points: NDArray[np.floating], T_camera_sensor: Matrix, frame: DepthFrame, least: int) -> Reading:
    """Median ratio of measured to predicted depth.

    Args:
        points: (N, 3 or more) in the sensor's frame, metres; those that are not finite are left out.
        T_camera_sensor: (4, 4) to the camera's optical frame, metres.
        frame: the prediction.
        least: points that the camera must see.

    Raises:
        NoReading: too few of them are in the picture.
    """
    finite = points[np.isfinite(points[:, :3]).all(axis=1)]
    height, width = frame.size
    camera = StoredCamera("", width, height, tuple(frame.K.ravel()), tuple(np.eye(3).ravel()))
    seen = drop_hidden(project_points(finite, T_camera_sensor, camera), T_camera_sensor, camera)
    counts = (seen > NEAREST) & (seen < FARTHEST) & np.isfinite(frame.depth) & (frame.depth > 0)
    support = int(counts.sum())
    if support < least:
        raise NoReading(f"the camera sees {support} of {len(finite)} measured points, {least} are needed")
    return Reading(float(np.median(np.log(seen[counts] / frame.depth[counts]))), support)


def scan_points(ranges: NDArray[np.floating], first: float, step: float, low: float, high: float) -> Matrix:
    """(N, 3) points of a LaserScan in the scanner's frame.

    Args:
        ranges: (M,) metres.
        first: angle of the first beam about z from x, radians.
        step: from beam to beam, radians.
        low: shortest range that is one, metres.
        high: longest, metres.
    """
    angles = first + step * np.arange(len(ranges))
    good = np.isfinite(ranges) & (ranges >= low) & (ranges <= high)
    kept, angles = np.asarray(ranges, np.float64)[good], angles[good]
    return np.stack([kept * np.cos(angles), kept * np.sin(angles), np.zeros(len(kept))], axis=1)


def scale_of_range(
    distance: float, field_of_view: float, is_sound: bool, T_sensor_camera: Matrix, frame: DepthFrame, guess: float
) -> Reading:
    """What makes the predicted depth in a range finder's cone as far away as it measures.

    Sound comes back from the nearest thing in the cone that is not the ground, light from the middle of it.

    Args:
        distance: measured along the sensor's x axis, metres.
        field_of_view: full angle of the cone, radians.
        is_sound: ultrasonic rather than infrared.
        T_sensor_camera: (4, 4) from the camera's optical frame, metres.
        frame: the prediction.
        guess: scale to begin with, as the cone's place in the picture depends on it a little.

    Raises:
        NoReading: the cone is not in the picture, or what is measured cannot be there.
    """
    height, width = frame.size
    step = max(1, width // 320)
    y, x = (axis.ravel() for axis in np.mgrid[0:height:step, 0:width:step])
    pixels = np.stack([x, y], axis=1)
    depth = frame.at(pixels)
    usable = np.isfinite(depth)
    if is_sound and frame.ground is not None:
        usable &= ~frame.ground[y, x]
    rays = frame.rays(pixels[usable]) @ T_sensor_camera[:3, :3].T
    points, shift, scale = rays * depth[usable, None], T_sensor_camera[:3, 3], guess
    support = 0
    for _ in range(ROUNDS):
        placed = scale * points + shift
        away = np.linalg.norm(placed, axis=1)
        inside = placed[:, 0] > away * math.cos(max(field_of_view, 0.01) / 2)
        support = int(inside.sum())
        if support < CONE_PIXELS:
            raise NoReading("the camera does not see what the range finder measures")
        chosen = np.flatnonzero(inside)
        rank = int(NEAR_SHARE * support) if is_sound else support // 2
        scale = _scale_to_reach(points[chosen[np.argsort(away[chosen])[rank]]], shift, distance)
    return Reading(math.log(scale), support)


def _scale_to_reach(point: Matrix, shift: Matrix, distance: float) -> float:
    """The positive s with |s point + shift| = distance."""
    a, b, c = float(point @ point), 2.0 * float(point @ shift), float(shift @ shift) - distance**2
    inside = b * b - 4 * a * c
    scale = (-b + math.sqrt(inside)) / (2 * a) if inside >= 0 else 0.0
    if scale <= 0:
        raise NoReading("the range finder measures less than the camera is away from it")
    return scale
