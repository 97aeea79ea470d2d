# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Flicker: how the unit of predicted depth changes from one picture to the next, and a filter that takes it out.

Corners of the picture before, with their predicted depth, are points in space; where they are found in the next picture
tells how the camera moved among them (PnP), and so how far away every static pixel should now be. The median ratio of
predicted to expected depth is what the whole picture has become too far or too near by. A depth image is only ever
multiplied by one number: depths of different pictures are never mixed, so that edges stay as sharp as they were.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.scale.consistency import consistency
from depth_node.scale.corners import follow_corners
from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading

CORNERS = 150
LEAST_CORNERS = 30
LEAST_SHARE = 0.4
"""Share of the corners that one motion must explain."""
REPROJECTION = 1.5
"""Pixels that a corner may be off by."""
DRAWS = 50
RETURN = 2.0
"""Seconds after which a correction has come back to 1 / e: steady, but the network's own unit in the long run."""
LARGEST = 0.3
"""Largest correction, as a logarithm: a third."""
DRIFT = 2.0
"""Seconds over which the mean change is taken, which is no flicker: a network that flattens things far away sees all of
them come nearer too slowly."""
COLUMNS = 160
"""About so many columns are compared: more would not change the median."""
TRACKED = 320
"""About so many columns are enough to follow corners in."""
LONGEST_GAP = 1.0
"""Seconds between two pictures beyond which they are not compared."""
MINUTE = 60.0


def motion_between(first: DepthFrame, second: DepthFrame) -> Matrix:
    """T_second_first (4, 4) of the camera, in units of the first picture's depth.

    Raises:
        NoReading: too few corners move as one.
    """
    mask = None if first.moving is None else ~first.moving
    before, after = follow_corners(first.gray, second.gray, mask, CORNERS)
    depth = first.at(before)
    known = np.isfinite(depth)
    if known.sum() < LEAST_CORNERS:
        raise NoReading(f"{int(known.sum())} corners could be followed, {LEAST_CORNERS} are needed")
    points, pixels = first.rays(before[known]) * depth[known, None], after[known].astype(np.float64)
    cv2.setRNGSeed(0)  # the same pictures give the same answer
    found, turn, shift, inliers = cv2.solvePnPRansac(
        points, pixels, second.K, None, reprojectionError=REPROJECTION, iterationsCount=DRAWS
    )
    if not found or inliers is None or len(inliers) < max(LEAST_CORNERS / 2, LEAST_SHARE * len(points)):
        raise NoReading("no motion of the camera explains the corners")
    kept = inliers.ravel()
    _, turn, shift = cv2.solvePnP(points[kept], pixels[kept], second.K, None, turn, shift, True, cv2.SOLVEPNP_ITERATIVE)
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = cv2.Rodrigues(turn)[0], shift.ravel()
    return transform


def unit_change(first: DepthFrame, second: DepthFrame) -> float:
    """Logarithm of predicted depth in the second picture over that expected from the first; raises NoReading."""
    moved = motion_between(first.shrunk(TRACKED), second.shrunk(TRACKED))
    return consistency(first.thinned(COLUMNS), second.thinned(COLUMNS), moved, math.inf).change


@dataclass(frozen=True)
class Flicker:
    """Standard deviation of the change of unit from picture to picture over the last minute, relative.

    Attributes:
        before: of the network's depth.
        after: of what is published.
        pictures: that were compared.
    """

    before: float
    after: float
    pictures: int


class FlickerFilter:
    """One factor per picture that keeps static things where they were; `update` belongs to one thread."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._last: DepthFrame | None = None
        self._correction, self._drift, self._compared = 0.0, 0.0, 0
        self._changes: deque[tuple[float, float, float]] = deque(maxlen=4000)
        self._lock = threading.Lock()

    def update(self, frame: DepthFrame, smooth: bool = True) -> float:
        """Take the next prediction.

        Args:
            frame: the prediction.
            smooth: whether to correct it, or only to watch.

        Returns:
            What its depth is to be multiplied by.
        """
        last, self._last = self._last, frame
        before = self._correction
        seconds = LONGEST_GAP if last is None else (frame.stamp_ns - last.stamp_ns) * 1e-9
        follows = last is not None and last.size == frame.size and 0 < seconds < LONGEST_GAP
        if not follows or not smooth:
            self._correction = 0.0
        if last is None or not follows:
            return 1.0
        keep = math.exp(-seconds / RETURN)  # of stamps that follow: a bag played again goes back by any time
        try:
            change = unit_change(last, frame)
        except NoReading:
            self._correction *= keep
            return math.exp(self._correction)
        self._compared += 1  # at first a plain mean: what all of them have in common is no flicker from the start
        self._drift += max(1.0 - math.exp(-seconds / DRIFT), 1.0 / self._compared) * (change - self._drift)
        if smooth:
            self._correction = min(max((before - change + self._drift) * keep, -LARGEST), LARGEST)
        with self._lock:
            self._changes.append((frame.stamp_ns * 1e-9, change, change + self._correction - before))
        return math.exp(self._correction)

    def flicker(self) -> Flicker:
        """Of the last minute; NaN before two comparisons."""
        with self._lock:
            newest = self._changes[-1][0] if self._changes else 0.0
            recent: NDArray[np.float64] = np.array([row[1:] for row in self._changes if row[0] > newest - MINUTE])
        if len(recent) < 2:
            return Flicker(math.nan, math.nan, len(recent))
        before, after = recent.std(axis=0)
        return Flicker(float(before), float(after), len(recent))
