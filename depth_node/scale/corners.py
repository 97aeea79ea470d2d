# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Corners followed from one picture to another: what triangulation and the search for flicker rest on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]

CORNERS = 300
ACROSS = 80
"""So many corners at most beside each other: all over the picture rather than on one tree."""
WINDOW = (15, 15)
LEVELS = 3
CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.01)
BACK = 0.5
"""A corner that comes back to another place than it left from, by more pixels than this, was lost."""


def follow_corners(
    first: NDArray[np.uint8], second: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None, most: int = CORNERS
) -> tuple[Points, Points]:
    """Corners of one grey picture and where they are in another.

    Args:
        first: (H, W) uint8.
        second: (H, W) uint8.
        mask: (H, W) bool, where corners may be; None for everywhere.
        most: so many corners at most.

    Returns:
        (N, 2) and (N, 2) float32 pixels x, y; empty where nothing can be followed.
    """
    nothing = np.zeros((0, 2), np.float32)
    allowed = None if mask is None else mask.astype(np.uint8)
    found = cv2.goodFeaturesToTrack(first, most, 0.005, first.shape[1] / ACROSS, mask=allowed)
    if found is None or first.shape != second.shape:
        return nothing, nothing
    start: Points = found.astype(np.float32)
    there, there_status = _follow(first, second, start)
    back, back_status = _follow(second, first, there)
    away = np.linalg.norm(back - start, axis=2).ravel()
    kept = (there_status.ravel() > 0) & (back_status.ravel() > 0) & (away < BACK)
    return start[kept, 0], there[kept, 0]


def _follow(first: NDArray[np.uint8], second: NDArray[np.uint8], points: Points) -> tuple[Points, NDArray[np.uint8]]:
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        first, second, points, points.copy(), winSize=WINDOW, maxLevel=LEVELS, criteria=CRITERIA
    )
    return np.asarray(moved, np.float32), np.asarray(status, np.uint8)
