# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which way the road lies in the camera's frame: across the direction in which the camera drives.

A plane fitted to predicted depth trades its tilt for its height: networks bend a road's far end up or down, and a
height of 5 to 10 % too much is the price. The tilt is better known from where the camera drives to, since wheels follow
the road: two pictures tell it, whatever the network says and without odometry.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress

import cv2
import numpy as np

from depth_node.scale.corners import follow_corners
from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading

REMEMBERED = 150
"""Directions that the median is taken of; a camera stays as it is mounted."""
LEAST = 8
"""Fewer say nothing: one is off by half a degree."""
LEAST_CORNERS = 30
LEAST_FLOW = 1.5
"""Pixels that corners must have moved by in the median."""
LARGEST_TURN = 2.0
"""Degrees between two pictures; in a bend the way is no straight line."""
FARTHEST_ASIDE = 30.0
"""Degrees between the optical axis and the way; more is an error, or a camera that does not look ahead."""


class RoadNormal:
    """Learns the road's normal while the camera drives ahead."""

    def __init__(self) -> None:
        """Nothing driven yet."""
        self._directions: deque[Matrix] = deque(maxlen=REMEMBERED)

    @property
    def normal(self) -> Matrix | None:
        """(3,) unit normal of the road in the optical frame, pointing down; None before enough was driven."""
        if len(self._directions) < LEAST:
            return None
        ahead = np.median(np.array(self._directions), axis=0)
        ahead /= np.linalg.norm(ahead)
        down = np.array([0.0, 1.0, 0.0]) - ahead[1] * ahead
        return np.asarray(down / np.linalg.norm(down), np.float64)

    def learn(self, first: DepthFrame, second: DepthFrame) -> None:
        """Take the way between two pictures, where it says something."""
        with suppress(NoReading):
            self._directions.append(direction_of_way(first, second))


def direction_of_way(first: DepthFrame, second: DepthFrame) -> Matrix:
    """(3,) unit vector in the first camera's frame towards the second, by the essential matrix of their corners.

    Raises:
        NoReading: too few corners, too little motion, or a bend.
    """
    mask = None if first.moving is None else ~first.moving
    before, after = follow_corners(first.gray, second.gray, mask)
    if len(before) < LEAST_CORNERS:
        raise NoReading("too few corners")
    if float(np.median(np.linalg.norm(after - before, axis=1))) < LEAST_FLOW:
        raise NoReading("hardly anything moves", is_waiting=True)
    essential, inliers = cv2.findEssentialMat(before, after, first.K, cv2.RANSAC, 0.999, 0.5)
    if essential is None or essential.shape != (3, 3):
        raise NoReading("no motion explains the corners")
    _, rotation, shift, _ = cv2.recoverPose(essential, before, after, first.K, mask=inliers)
    if np.degrees(np.linalg.norm(cv2.Rodrigues(rotation)[0])) > LARGEST_TURN:
        raise NoReading("the camera turns", is_waiting=True)
    ahead = np.asarray(-(rotation.T @ shift).ravel(), np.float64)
    ahead *= np.sign(ahead[2])  # reversing tells the same
    if ahead[2] < np.cos(np.radians(FARTHEST_ASIDE)):
        raise NoReading("the camera does not look where it drives")
    return ahead
